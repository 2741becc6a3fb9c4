//! The built-in providers, as sql/catalogue.sql ships them, against what catalogue/providers.csv says: every row makes
//! the request that its provider wants, and reads the answers that its provider gives.

mod answers;
mod columns;
mod hosts;
mod requests;
mod rows;

use serde_json::{Map, Value};
use token_vault_core::oauth::{
    Client, Grant, Misconfigured, Provider, TokenRequest, refresh_request,
};
use token_vault_core::secret::{AccessToken, ClientSecret, RefreshToken};
use token_vault_oauth_server::dialect::catalogue;

const CLIENT_ID: &str = "client-1";
/// Everything that an encoding could get wrong.
const CLIENT_SECRET: &str = "s%cr+t &=:/?\u{e4}";
const ACCESS_TOKEN: &str = "at/1+2";
const REFRESH_TOKEN: &str = "rt/1+2=";
const SCOPE: &str = "profile";

/// A shipped row beside what the catalogue says of the same provider.
struct Pair {
    row: Map<String, Value>,
    provider: Provider,
    said: catalogue::Provider,
}

/// All of them.
fn pairs() -> Vec<Pair> {
    let rows = rows::shipped();
    let said = catalogue::providers();
    assert_eq!(rows.len(), 150);
    assert_eq!(said.len(), rows.len());
    let pair = |(row, said): (Map<String, Value>, catalogue::Provider)| {
        assert_eq!(row["name"], said.name.as_str());
        assert_eq!(row["builtin"], true);
        let provider = serde_json::from_value(Value::Object(row.clone()));
        Pair {
            provider: provider.unwrap_or_else(|error| panic!("{}: {error}", said.name)),
            row,
            said,
        }
    };
    rows.into_iter().zip(said).map(pair).collect()
}

/// A row's refresh request with these values for its placeholders.
fn build(
    provider: &Provider,
    client_metadata: &Value,
    token_metadata: &Value,
    client_secret: Option<&str>,
) -> Result<TokenRequest, Misconfigured> {
    let secret = client_secret.map(|secret| ClientSecret::new(secret.to_owned()));
    let access_token = AccessToken::new(ACCESS_TOKEN.to_owned());
    let refresh_token = RefreshToken::new(REFRESH_TOKEN.to_owned());
    refresh_request(
        provider,
        &Client {
            client_id: CLIENT_ID,
            client_secret: secret.as_ref(),
            metadata: client_metadata,
        },
        &Grant {
            access_token: Some(&access_token),
            refresh_token: Some(&refresh_token),
            scope: Some(SCOPE),
            metadata: token_metadata,
        },
    )
}
