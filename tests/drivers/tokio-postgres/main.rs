//! tokio-postgres: it prepares every statement, sends and receives in binary, and what is awaited together is pipelined.

use std::future::poll_fn;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_postgres::{AsyncMessage, Client, Config, Error, NoTls, Notification};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const USER: &str = "user of tokio-postgres";
const TOKEN: &str = "example-access-token-tokio-postgres";
const TENANT: &str = "events of tokio-postgres";

/// What goes wrong, and the SQLSTATE that it must be told with.
const WRONG: [(&str, &str); 3] = [
    (
        "TV020",
        "SELECT vault.get_token('no such provider', 'alice')",
    ),
    ("TV035", "SELECT vault.refresh_token('google', 'nobody')"),
    (
        "42501",
        "SELECT * FROM vault.export_token_set('google', 'alice')",
    ),
];

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let (client, mut events) = connect().await?;
    tokens(&client).await?;
    many_tokens(&client).await?;
    readme(&client, USER, "tokio-postgres", "whsec_tokio").await?;
    columns(&client).await?;
    pipeline(&client).await?;
    errors(&client).await;
    hear(&client, &mut events).await
}

/// The connection, and what is heard on it: events come to whoever polls the connection.
async fn connect() -> Result<(Client, UnboundedReceiver<Notification>)> {
    let variable = std::env::var;
    let mut config = Config::new();
    config
        .host_path(variable("PGHOST")?)
        .port(variable("PGPORT")?.parse()?)
        .dbname(variable("PGDATABASE")?)
        .user("app_role");
    let (client, mut connection) = config.connect(NoTls).await?;
    let (sender, events) = unbounded_channel();
    tokio::spawn(async move {
        while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
            if let AsyncMessage::Notification(event) = message {
                // Nobody may be listening any more.
                let _ = sender.send(event);
            }
        }
    });
    Ok((client, events))
}

async fn get_token(client: &Client, user: &str) -> std::result::Result<Option<String>, Error> {
    let row = client
        .query_one("SELECT vault.get_token('google', $1)", &[&user])
        .await?;
    row.try_get(0)
}

async fn tokens(client: &Client) -> Result<()> {
    let store = "SELECT vault.store_token('google', $1, access_token => $2, expires_in => $3)";
    client.execute(store, &[&USER, &TOKEN, &3600_i64]).await?;
    let get = client
        .prepare("SELECT vault.get_token('google', $1)")
        .await?;
    for _ in 0..10 {
        let token: String = client.query_one(&get, &[&USER]).await?.get(0);
        assert_eq!(token, TOKEN);
    }
    assert_eq!(get_token(client, "nobody").await?, None);
    Ok(())
}

async fn many_tokens(client: &Client) -> Result<()> {
    let get = "SELECT subject, access_token, error_code FROM vault.get_tokens('google', $1)";
    // The last one's token, of scenario.sql, can't be had.
    let users = [USER, "nobody", "expired"];
    let rows = client.query(get, &[&&users[..]]).await?;
    let found: Vec<[Option<&str>; 3]> = rows.iter().map(|r| [0, 1, 2].map(|i| r.get(i))).collect();
    let wanted = [
        [Some(USER), Some(TOKEN), None],
        [Some("nobody"), None, None],
        [Some("expired"), None, Some("TV030")],
    ];
    assert_eq!(found, wanted);
    Ok(())
}

async fn readme(client: &Client, user: &str, name: &str, signing_key: &str) -> Result<()> {
    // readme: tokio-postgres
    let insert = "INSERT INTO webhook VALUES ($1, $2::text)";
    client.execute(insert, &[&name, &signing_key]).await?;
    let reveal = "SELECT vault.reveal(signing_key) FROM webhook WHERE id = $1";
    let key: String = client.query_one(reveal, &[&name]).await?.get(0);
    let get = "SELECT vault.get_token('google', $1)";
    let token = client.query_one(get, &[&user]).await;
    let state = token.as_ref().err().and_then(Error::code); // TV031: the user must authorize again
    // end
    assert_eq!(state, None);
    assert_eq!(key, signing_key);
    assert_eq!(token?.get::<_, String>(0), TOKEN);
    Ok(())
}

/// The driver knows no Rust type for the column's own; it says so before anything is sent.
async fn columns(client: &Client) -> Result<()> {
    let select = "SELECT signing_key, signing_key::text FROM webhook WHERE id = 'tokio-postgres'";
    let row = client.query_one(select, &[]).await?;
    assert!(row.try_get::<_, String>(0).is_err());
    assert!(row.get::<_, String>(1).starts_with("tv1."));
    let insert = "INSERT INTO webhook VALUES ('no cast', $1)";
    let error = client.execute(insert, &[&"whsec"]).await.expect_err(insert);
    assert!(error.code().is_none());
    Ok(())
}

async fn pipeline(client: &Client) -> Result<()> {
    let (token, nothing, wrong, again) = tokio::join!(
        get_token(client, USER),
        get_token(client, "nobody"),
        client.query(WRONG[0].1, &[]),
        get_token(client, USER),
    );
    assert_eq!(token?.as_deref(), Some(TOKEN));
    assert_eq!(nothing?, None);
    assert_eq!(sqlstate(&wrong.expect_err(WRONG[0].1)), Some(WRONG[0].0));
    assert_eq!(again?.as_deref(), Some(TOKEN));
    Ok(())
}

async fn errors(client: &Client) {
    for (state, statement) in WRONG {
        let error = client.query(statement, &[]).await.expect_err(statement);
        assert_eq!(sqlstate(&error), Some(state));
    }
}

fn sqlstate(error: &Error) -> Option<&str> {
    error.code().map(|state| state.code())
}

async fn hear(client: &Client, events: &mut UnboundedReceiver<Notification>) -> Result<()> {
    client.batch_execute("LISTEN token_vault").await?;
    let create = "SELECT vault.create_tenant_key($1)";
    client.execute(create, &[&TENANT]).await?;
    let event = tokio::time::timeout(Duration::from_secs(30), events.recv())
        .await?
        .ok_or("the connection has ended")?;
    let event: serde_json::Value = serde_json::from_str(event.payload())?;
    assert_eq!(event["event"], "key_created");
    assert_eq!(event["tenant"], TENANT);
    Ok(())
}
