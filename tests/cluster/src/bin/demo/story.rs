//! The steps of the demo, in the order in which a user meets them.

use std::time::Duration;

use postgres::Client;
use postgres::types::Json;
use serde_json::Value;
use token_vault_cluster::wait::wait_for_sql;
use token_vault_cluster::{Cluster, Options, Result, StopMode};

use crate::leaks;
use crate::provider::{FIRST_LIFETIME, Provider};
use crate::transcript::{Transcript, shortened};

const WEBHOOK_KEY: &str = "whsec_0d9b6f7c52e14aa8";

/// How long anything that another process does may take.
const LIMIT: Duration = Duration::from_secs(30);

/// Tells the whole story and returns the number of its steps.
///
/// # Errors
/// At the first value that is not what it should be.
pub fn tell() -> Result<usize> {
    let mut t = Transcript::default();
    t.step("A throwaway PostgreSQL cluster with token_vault preloaded, and an OAuth provider beside it");
    let provider = Provider::start()?;
    let cluster = Cluster::start_new(&Options::new())?;
    cluster.trust(provider.server().ca_pem())?;
    cluster.createdb("app")?;
    t.note(&format!("provider: {}", provider.server().issuer()));
    let mut admin = cluster.connect("app", "postgres")?;
    t.value(&mut admin, "SHOW server_version")?;
    check(
        t.value(&mut admin, "SHOW shared_preload_libraries")? == "token_vault",
        "not preloaded",
    )?;

    set_up(&mut t, &mut admin, &provider)?;
    let mut app = cluster.connect("app", "app_role")?;
    let first = store(&mut t, &mut admin, &mut app, &provider)?;
    refresh(&mut t, &mut admin, &mut app, &provider, &first)?;
    encrypted_column(&mut t, &mut app)?;

    t.step("No plaintext on disk: every file of the stopped server is searched");
    admin.batch_execute(&format!(
        "CREATE TABLE plain AS SELECT '{}' AS value",
        leaks::PLANTED
    ))?;
    drop((admin, app));
    cluster.stop(StopMode::Fast)?;
    cluster.assert_never_crashed();
    let mut secrets = provider.server().issued_secrets();
    secrets.push(WEBHOOK_KEY.to_owned());
    t.note(&leaks::search(&cluster, &secrets)?);
    Ok(t.steps())
}

/// What an administrator does once.
fn set_up(t: &mut Transcript, admin: &mut Client, provider: &Provider) -> Result<()> {
    t.step("The extension");
    t.sql(admin, "CREATE EXTENSION token_vault")?;

    t.step("The master key: a file beside the database, never in it");
    let fingerprint = t.value(admin, "SELECT vault.create_master_key()")?;
    check(!fingerprint.is_empty(), "no fingerprint")?;

    t.step("The provider and our registration there");
    let (issuer, id, secret) = (
        provider.server().issuer(),
        provider.client_id(),
        provider.client_secret(),
    );
    t.sql(
        admin,
        &format!("SELECT vault.register_provider('local', token_endpoint => '{issuer}/token')"),
    )?;
    let register = |secret: &str| {
        format!(
            "SELECT vault.register_client('my-app', provider => 'local',\n    \
             client_id => '{id}', client_secret => '{secret}')"
        )
    };
    t.typed(&register("…"));
    admin.batch_execute(&register(secret))?;

    t.step("A role for the application");
    t.sql(admin, "CREATE ROLE app_role LOGIN")?;
    t.sql(admin, "CREATE SCHEMA app AUTHORIZATION app_role")?;
    t.sql(
        admin,
        "SELECT vault.grant_access('app_role', privileges => '{read,write}')",
    )?;
    Ok(())
}

/// From the user's consent to the first use of the token; returns the access token.
fn store(
    t: &mut Transcript,
    admin: &mut Client,
    app: &mut Client,
    provider: &Provider,
) -> Result<String> {
    t.step(
        "The user consents, the application exchanges the code and stores the answer as it came",
    );
    let answer = provider.authorize("user-42")?;
    let token = answer["access_token"]
        .as_str()
        .ok_or("no access token")?
        .to_owned();
    t.note(&format!("$1 = {}", outline(&answer)));
    let statement = "SELECT vault.store_token_response('local', 'user-42', $1::jsonb)";
    t.typed(statement);
    app.execute(statement, &[&Json(&answer)])?;

    t.step("What a reader of the table sees");
    let ciphertext = t.value(
        admin,
        "SELECT access_token FROM vault.token WHERE subject = 'user-42'",
    )?;
    check(
        ciphertext.len() > 2 * token.len(),
        "the ciphertext is too short to be one",
    )?;
    check(
        !ciphertext.contains(&hex::encode(&token[..24])),
        "the table holds the plaintext",
    )?;
    t.sql(
        admin,
        "SELECT provider, subject, status, has_refresh_token FROM vault.tokens",
    )?;

    t.step("What the application gets");
    let got = t.value(app, "SELECT vault.get_token('local', 'user-42')")?;
    check(
        got == token,
        "get_token returned another token than was stored",
    )?;
    check(
        provider.who_is(&got)? == "user-42",
        "the provider's API takes it for somebody else's",
    )?;
    t.note("the provider's API accepts it: 200, subject user-42");
    Ok(token)
}

/// The background worker's part.
fn refresh(
    t: &mut Transcript,
    admin: &mut Client,
    app: &mut Client,
    provider: &Provider,
    first: &str,
) -> Result<()> {
    t.step("The token is about to expire, and the background worker refreshes it");
    let lifetime = FIRST_LIFETIME.as_secs();
    t.note(&format!(
        "it was issued for {lifetime} seconds; nobody asks for it meanwhile"
    ));
    provider.access_tokens_live(None);
    let refreshes = provider.refreshes(1, LIMIT)?;
    check(
        refreshes.len() == 1,
        "the provider was asked more than once",
    )?;
    check(
        Provider::rotated(&refreshes[0]),
        "the refresh token was not rotated",
    )?;
    t.note("the provider has rotated the refresh token: the old one would now end the grant");
    let stored = "SELECT generation > 1 FROM vault.tokens WHERE subject = 'user-42'";
    wait_for_sql(admin, stored, LIMIT)?;
    let status = t.value(
        admin,
        "SELECT status, generation, round(extract(epoch FROM expires_at - now())) AS seconds_left\n\
         FROM vault.tokens WHERE subject = 'user-42'",
    )?;
    check(status == "valid", "the refreshed token is not valid")?;

    t.step("What the application gets now");
    let second = t.value(app, "SELECT vault.get_token('local', 'user-42')")?;
    check(second != first, "get_token returned the old token")?;
    check(
        provider.who_is(&second)? == "user-42",
        "the provider's API refuses the new token",
    )?;
    t.note("another token, and the provider's API accepts it: 200, subject user-42");

    t.step("The rotated refresh token is the one that counts: refreshed once more, on request");
    t.sql(admin, "SELECT vault.refresh_token('local', 'user-42')")?;
    let refreshes = provider.refreshes(2, LIMIT)?;
    let used = &refreshes[1].refresh_token_id;
    check(
        *used == refreshes[0].new_refresh_token_id,
        "another refresh token was used",
    )?;
    let third = t.value(app, "SELECT vault.get_token('local', 'user-42')")?;
    check(third != second, "the requested refresh changed nothing")?;
    check(
        provider.who_is(&third)? == "user-42",
        "the provider's API refuses the third token",
    )
}

/// Any other secret, in the application's own table.
fn encrypted_column(t: &mut Transcript, app: &mut Client) -> Result<()> {
    t.step("An encrypted column in the application's own table");
    t.sql(
        app,
        "CREATE TABLE app.webhook (id bigint PRIMARY KEY, signing_key vault.secret NOT NULL)",
    )?;
    let insert = "INSERT INTO app.webhook VALUES (1, $1::text)";
    t.note(&format!("$1 = {}", shortened(WEBHOOK_KEY)));
    t.typed(insert);
    app.execute(insert, &[&WEBHOOK_KEY])?;
    let stored = t.value(app, "SELECT signing_key FROM app.webhook WHERE id = 1")?;
    check(
        stored.starts_with("tv1."),
        "the column does not show an envelope",
    )?;
    let revealed = t.value(
        app,
        "SELECT vault.reveal(signing_key) FROM app.webhook WHERE id = 1",
    )?;
    check(
        revealed == WEBHOOK_KEY,
        "reveal returned something else than was inserted",
    )
}

/// The answer's fields, the long ones shortened.
fn outline(answer: &Value) -> String {
    let mut answer = answer.clone();
    for value in answer
        .as_object_mut()
        .into_iter()
        .flat_map(|fields| fields.values_mut())
    {
        if let Value::String(text) = value {
            *text = shortened(text);
        }
    }
    answer.to_string()
}

fn check(holds: bool, otherwise: &str) -> Result<()> {
    if holds { Ok(()) } else { Err(otherwise.into()) }
}
