//! End to end against a certified OpenID provider that nobody here wrote. Needs node, and `npm ci` in
//! `tests/oidc_provider`.

use std::time::Duration;

use postgres::types::Json;
use serde_json::Value;
use token_vault_cluster::wait::{wait_for, wait_for_sql};
use token_vault_cluster::{Cluster, Options, Result};
use token_vault_oauth_server::user_agent::{Application, authorize_and_exchange};
use token_vault_oauth_server::{OidcProvider, OidcProviderConfig};

use crate::provider::LIMIT;
use crate::session::access_token;

const CLIENT_ID: &str = "vault-app";
const CLIENT_SECRET: &str = "cs-oidc-90c3f1a77be24d05a6";
const REDIRECT_URI: &str = "https://app.example/callback";

fn start_provider() -> Result<OidcProvider> {
    Ok(OidcProvider::start(&OidcProviderConfig {
        client_id: CLIENT_ID.to_owned(),
        client_secret: CLIENT_SECRET.to_owned(),
        redirect_uri: REDIRECT_URI.to_owned(),
        access_token_ttl: Duration::from_secs(6),
    })?)
}

/// A cluster that trusts the provider, and a superuser's session in a vault that knows it.
fn start_vault(provider: &OidcProvider) -> Result<(Cluster, postgres::Client)> {
    let cluster = Cluster::start_new(&Options::new().without_fsync())?;
    cluster.trust(provider.ca_pem())?;
    wait_for("the reload", LIMIT, || {
        Ok((!cluster
            .psql("postgres", "SHOW token_vault.ca_file")?
            .is_empty())
        .then_some(()))
    })?;
    let mut db = cluster.create_vault("app")?;
    db.execute(
        "SELECT vault.register_provider('oidc', token_endpoint => $1)",
        &[&format!("{}/token", provider.issuer())],
    )?;
    db.execute(
        "SELECT vault.register_client('app', provider => 'oidc', client_id => $1, client_secret => $2)",
        &[&CLIENT_ID, &CLIENT_SECRET],
    )?;
    Ok((cluster, db))
}

/// The refreshes that the provider has noted.
fn refreshes(provider: &OidcProvider) -> Result<Vec<Value>> {
    let journal = provider.journal()?;
    Ok(journal
        .into_iter()
        .filter(|entry| entry["grant_type"] == "refresh_token")
        .collect())
}

#[test]
fn from_the_users_consent_to_a_rotated_refresh_token() -> Result<()> {
    let provider = start_provider()?;
    let (cluster, mut db) = start_vault(&provider)?;
    let answer = authorize_and_exchange(
        provider.issuer(),
        provider.ca_pem(),
        CLIENT_ID,
        Some(CLIENT_SECRET),
        REDIRECT_URI,
        "user-42",
        "openid offline_access",
    )?;
    db.execute(
        "SELECT vault.store_token_response('oidc', 'user-42', $1::jsonb)",
        &[&Json(&answer)],
    )?;
    let stored: (String, bool) = {
        let row = db.query_one("SELECT scope, has_id_token FROM vault.tokens", &[])?;
        (row.get(0), row.get(1))
    };
    assert_eq!(stored, ("openid offline_access".to_owned(), true));

    // Nobody asks meanwhile: the worker does it by itself, more than once.
    wait_for_sql(&mut db, "SELECT generation >= 3 FROM vault.tokens", LIMIT)?;
    let read = "SELECT vault.get_token('oidc', 'user-42')";
    let now: String = db.query_one(read, &[])?.get(0);
    assert_ne!(now, access_token(&answer));
    let noted = refreshes(&provider)?;
    assert!(
        noted.len() >= 2 && noted.iter().all(|entry| entry["status"] == 200),
        "{noted:?}"
    );
    assert_eq!(
        noted[0]["new_refresh_token_id"],
        noted[1]["refresh_token_id"]
    );
    assert!(provider.issued_secrets()?.contains(&now));

    // The first refresh token is spent; using it ends the grant, and the vault says so.
    let application = Application::discover(
        provider.issuer(),
        provider.ca_pem(),
        CLIENT_ID,
        Some(CLIENT_SECRET),
    )?;
    let spent = answer["refresh_token"].as_str().ok_or("no refresh token")?;
    assert_eq!(application.refresh(spent)?.error(), Some("invalid_grant"));
    wait_for_sql(
        &mut db,
        "SELECT status = 'reauthorization_required' AND last_error = 'invalid_grant' FROM vault.tokens",
        LIMIT,
    )?;
    cluster.assert_never_crashed();
    Ok(())
}
