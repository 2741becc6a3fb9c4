//! rust-postgres, the blocking face of tokio-postgres: it prepares every statement, and sends and receives in binary.

use std::time::Duration;

use postgres::fallible_iterator::FallibleIterator as _;
use postgres::{Client, Config, Error, NoTls};
use token_vault_cluster::Result;

const USER: &str = "user of rust-postgres";
const TOKEN: &str = "example-access-token-rust-postgres";

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

fn main() -> Result<()> {
    let mut client = connect()?;
    tokens(&mut client)?;
    readme(&mut client, USER, "rust-postgres", "whsec_rust")?;
    columns(&mut client)?;
    errors(&mut client);
    events(&mut client)
}

fn connect() -> Result<Client> {
    let variable = std::env::var;
    let mut config = Config::new();
    config
        .host_path(variable("PGHOST")?)
        .port(variable("PGPORT")?.parse()?)
        .dbname(&variable("PGDATABASE")?)
        .user("app_role");
    Ok(config.connect(NoTls)?)
}

fn tokens(client: &mut Client) -> Result<()> {
    client.execute(
        "SELECT vault.store_token('google', $1, access_token => $2, expires_in => $3)",
        &[&USER, &TOKEN, &3600_i64],
    )?;
    let get = client.prepare("SELECT vault.get_token('google', $1)")?;
    for _ in 0..10 {
        let token: Option<String> = client.query_one(&get, &[&USER])?.get(0);
        assert_eq!(token.as_deref(), Some(TOKEN));
    }
    let token: Option<String> = client.query_one(&get, &[&"nobody"])?.get(0);
    assert_eq!(token, None);
    Ok(())
}

fn readme(client: &mut Client, user: &str, name: &str, signing_key: &str) -> Result<()> {
    // readme: rust-postgres
    let insert = "INSERT INTO webhook VALUES ($1, $2::text)";
    client.execute(insert, &[&name, &signing_key])?;
    let reveal = "SELECT vault.reveal(signing_key) FROM webhook WHERE id = $1";
    let key: String = client.query_one(reveal, &[&name])?.get(0);
    let token = client.query_one("SELECT vault.get_token('google', $1)", &[&user]);
    let state = token.as_ref().err().and_then(Error::code); // TV031: the user must authorize again
    // end
    assert_eq!(state, None);
    assert_eq!(key, signing_key);
    assert_eq!(token?.get::<_, String>(0), TOKEN);
    Ok(())
}

fn columns(client: &mut Client) -> Result<()> {
    // The driver knows no Rust type for the column's own: it says so, and casts help.
    let row = client.query_one(
        "SELECT signing_key FROM webhook WHERE id = 'rust-postgres'",
        &[],
    )?;
    assert!(row.try_get::<_, String>(0).is_err());
    let insert = client.execute("INSERT INTO webhook VALUES ('no cast', $1)", &[&"whsec"]);
    assert!(insert.is_err());
    let envelope = "SELECT signing_key::text FROM webhook WHERE id = 'rust-postgres'";
    let envelope: String = client.query_one(envelope, &[])?.get(0);
    assert!(envelope.starts_with("tv1."));
    Ok(())
}

fn errors(client: &mut Client) {
    for (state, statement) in WRONG {
        let error = client.query(statement, &[]).expect_err(statement);
        assert_eq!(error.code().map(|code| code.code()), Some(state));
    }
}

fn events(client: &mut Client) -> Result<()> {
    client.batch_execute("LISTEN token_vault; SELECT vault.create_tenant_key('events of rust')")?;
    let event = client
        .notifications()
        .timeout_iter(Duration::from_secs(30))
        .next()?
        .ok_or("no event")?;
    let event: serde_json::Value = serde_json::from_str(event.payload())?;
    assert_eq!(event["event"], "key_created");
    assert_eq!(event["tenant"], "events of rust");
    Ok(())
}
