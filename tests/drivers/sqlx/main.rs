//! sqlx: it prepares every statement and keeps it, and sends and receives in binary.

use std::time::Duration;

use sqlx::Row;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPool, PgPoolOptions};
use sqlx::types::Json;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const USER: &str = "user of sqlx";
const TOKEN: &str = "example-access-token-sqlx";
const TENANT: &str = "events of sqlx";
const GET: &str = "SELECT vault.get_token('google', $1)";

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
    // PGHOST, PGPORT and PGDATABASE say where.
    let options = PgConnectOptions::new().username("app_role");
    let pool = PgPoolOptions::new().connect_with(options).await?;
    tokens(&pool).await?;
    many_tokens(&pool, &[USER, "nobody", "expired"]).await?;
    readme(&pool, USER, "sqlx", "whsec_sqlx").await?;
    columns(&pool).await?;
    copied(&pool).await?;
    errors(&pool).await?;
    events(&pool).await?;
    pool.close().await;
    Ok(())
}

async fn get_token(pool: &PgPool, user: &str) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar(GET).bind(user).fetch_one(pool).await
}

async fn tokens(pool: &PgPool) -> Result<()> {
    let store = "SELECT vault.store_token('google', $1, access_token => $2, expires_in => $3)";
    let store = sqlx::query(store).bind(USER).bind(TOKEN).bind(3600_i64);
    store.execute(pool).await?;
    let answer = serde_json::json!({"access_token": TOKEN, "token_type": "Bearer"});
    let store = sqlx::query("SELECT vault.store_token_response('google', $1, $2)");
    store.bind(USER).bind(Json(answer)).execute(pool).await?;
    for _ in 0..10 {
        assert_eq!(get_token(pool, USER).await?.as_deref(), Some(TOKEN));
    }
    assert_eq!(get_token(pool, "nobody").await?, None);
    Ok(())
}

/// The last one's token, of scenario.sql, can't be had.
async fn many_tokens(pool: &PgPool, users: &[&str]) -> Result<()> {
    type Found = (String, Option<String>, Option<String>);
    let get = "SELECT subject, access_token, error_code FROM vault.get_tokens('google', $1)";
    let found: Vec<Found> = sqlx::query_as(get).bind(users).fetch_all(pool).await?;
    let wanted = [
        (USER.into(), Some(TOKEN.into()), None),
        ("nobody".into(), None, None),
        ("expired".into(), None, Some("TV030".into())),
    ];
    assert_eq!(found, wanted);
    Ok(())
}

async fn readme(pool: &PgPool, user: &str, name: &str, signing_key: &str) -> Result<()> {
    // readme: sqlx
    let insert = sqlx::query("INSERT INTO webhook VALUES ($1, $2::text)");
    insert.bind(name).bind(signing_key).execute(pool).await?;
    let reveal = sqlx::query_scalar("SELECT vault.reveal(signing_key) FROM webhook WHERE id = $1");
    let key: String = reveal.bind(name).fetch_one(pool).await?;
    let get = sqlx::query_scalar("SELECT vault.get_token('google', $1)");
    let token: Option<String> = match get.bind(user).fetch_one(pool).await {
        // The user must authorize again.
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("TV031") => None,
        answer => answer?,
    };
    // end
    assert_eq!(key, signing_key);
    assert_eq!(token.as_deref(), Some(TOKEN));
    Ok(())
}

/// The driver has no Rust type for the column's own, and says so when it is read.
async fn columns(pool: &PgPool) -> Result<()> {
    let select = "SELECT signing_key, signing_key::text FROM webhook WHERE id = 'sqlx'";
    let row = sqlx::query(select).fetch_one(pool).await?;
    assert!(row.try_get::<String, _>(0).is_err());
    assert!(row.get::<String, _>(1).starts_with("tv1."));
    // Strings are sent as text, so only what is checked when it is compiled needs a cast.
    let update = sqlx::query("UPDATE webhook SET signing_key = $1 WHERE id = 'sqlx'");
    let updated = update.bind("whsec_new").execute(pool).await?;
    assert_eq!(updated.rows_affected(), 1);
    Ok(())
}

async fn copied(pool: &PgPool) -> Result<()> {
    let mut connection = pool.acquire().await?;
    let mut copy = connection
        .copy_in_raw("COPY webhook (id, signing_key) FROM STDIN")
        .await?;
    let rows: String = (0..100)
        .map(|number| format!("sqlx copy {number}\twhsec_{number}\n"))
        .collect();
    copy.send(rows.as_bytes()).await?;
    assert_eq!(copy.finish().await?, 100);
    let count = "SELECT count(*) FROM webhook WHERE id = 'sqlx copy ' || substr(vault.reveal(signing_key), 7)";
    let found: i64 = sqlx::query_scalar(count).fetch_one(pool).await?;
    assert_eq!(found, 100);
    Ok(())
}

async fn errors(pool: &PgPool) -> Result<()> {
    for (state, statement) in WRONG {
        let error = sqlx::query(statement)
            .execute(pool)
            .await
            .expect_err(statement);
        let failure = error.as_database_error().ok_or("no error of the server")?;
        assert_eq!(failure.code().as_deref(), Some(state));
    }
    Ok(())
}

async fn events(pool: &PgPool) -> Result<()> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen("token_vault").await?;
    let create = sqlx::query("SELECT vault.create_tenant_key($1)");
    create.bind(TENANT).execute(pool).await?;
    let event = tokio::time::timeout(Duration::from_secs(30), listener.recv()).await??;
    let event: serde_json::Value = serde_json::from_str(event.payload())?;
    assert_eq!(event["event"], "key_created");
    assert_eq!(event["tenant"], TENANT);
    Ok(())
}
