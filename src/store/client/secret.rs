//! A client's secrets: sealed for this client at this provider, tried in order.

use token_vault_core::envelope::Context;
use token_vault_core::secret::{ClientSecret, SecretString};

use super::Client;
use super::register::mended;
use crate::error::{Error, Result};
use crate::pg::inval::{self, Topic};
use crate::pg::spi::BuiltinOid::{BYTEAOID, INT4OID, INT8OID};
use crate::pg::spi::{self, Session, Statement};
use crate::store::keyring;

/// Where a secret goes among those a client has.
#[derive(Clone, Copy)]
pub enum Position {
    First,
    Last,
}

/// Adds a secret to those a client has.
pub fn add_secret(client: &Client, secret: &str, position: Position) -> Result<()> {
    static ENDS: Statement = Statement::new(
        "SELECT coalesce(min(position), 1) - 1, coalesce(max(position), 0) + 1 FROM vault.client_secret WHERE client = $1",
        &[INT8OID],
    );
    let secret = seal(
        client.tenant.as_deref(),
        &client.name,
        &client.provider,
        secret,
    )?;
    spi::session(|session| {
        let (first, last): (i32, i32) = session
            .query_one(&ENDS, &[client.id.into()], |row| {
                (row.required(1), row.required(2))
            })
            .expect("an aggregate has one row");
        let position = match position {
            Position::First => first,
            Position::Last => last,
        };
        insert_secret(session, client.id, position, secret);
        mended(session, client.id);
    });
    inval::announce(Topic::Clients);
    Ok(())
}

/// Removes all secrets but the first `keep`; returns how many went.
pub fn drop_secrets(client: &Client, keep: i32) -> i64 {
    static DROP: Statement = Statement::new(
        "DELETE FROM vault.client_secret WHERE client = $1 AND position NOT IN
             (SELECT position FROM vault.client_secret WHERE client = $1 ORDER BY position LIMIT $2)",
        &[INT8OID, INT4OID],
    );
    spi::session(|session| session.run(&DROP, &[client.id.into(), keep.into()])) as i64
}

/// A client's secrets in the order they are to be tried.
pub fn secrets(client: &Client) -> Result<Vec<ClientSecret>> {
    static SECRETS: Statement = Statement::new(
        "SELECT client_secret FROM vault.client_secret WHERE client = $1 ORDER BY position",
        &[INT8OID],
    );
    let envelopes: Vec<Vec<u8>> =
        spi::session(|session| session.query(&SECRETS, &[client.id.into()], |row| row.required(1)));
    let context = context(client.tenant.as_deref(), &client.name, &client.provider);
    envelopes
        .iter()
        .map(|envelope| {
            let plaintext = keyring::open(&context, envelope, "a client secret")?;
            let text = SecretString::try_from(plaintext).map_err(|_| Error::Undecryptable {
                what: "a client secret",
            })?;
            Ok(ClientSecret::new(text.expose().to_owned()))
        })
        .collect()
}

/// What a client's secrets are bound to.
pub fn context<'a>(tenant: Option<&'a str>, client: &'a str, provider: &'a str) -> Context<'a> {
    Context::ClientSecret {
        tenant: tenant.unwrap_or_default(),
        client,
        provider,
    }
}

pub(super) fn seal(
    tenant: Option<&str>,
    client: &str,
    provider: &str,
    secret: &str,
) -> Result<Vec<u8>> {
    keyring::seal(
        tenant.unwrap_or_default(),
        &context(tenant, client, provider),
        secret.as_bytes(),
    )
}

pub(super) fn insert_secret(session: &Session, client: i64, position: i32, secret: Vec<u8>) {
    static INSERT: Statement = Statement::new(
        "INSERT INTO vault.client_secret (client, position, client_secret) VALUES ($1, $2, $3)",
        &[INT8OID, INT4OID, BYTEAOID],
    );
    session.run(&INSERT, &[client.into(), position.into(), secret.into()]);
}
