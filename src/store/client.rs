//! OAuth clients and their secrets.

use std::cell::RefCell;
use std::collections::HashMap;

use pgrx::JsonB;
use token_vault_core::envelope::Context;
use token_vault_core::refresh::{self, Limits};
use token_vault_core::secret::{ClientSecret, SecretString};

use crate::error::{Error, Result};
use crate::pg::inval::{self, Topic};
use crate::pg::spi::BuiltinOid::{BOOLOID, BYTEAOID, INT4OID, INT8OID, JSONBOID, TEXTOID};
use crate::pg::spi::{self, Row, Session, Statement};
use crate::store::keyring;

/// What a refresh needs to know of a client.
#[derive(Clone)]
pub struct Client {
    pub id: i64,
    pub tenant: Option<String>,
    pub name: String,
    pub provider: String,
    pub client_id: String,
    pub scope: Option<String>,
    pub metadata: serde_json::Value,
    pub active: bool,
    pub limits: Limits,
    /// The provider refuses it.
    pub is_refused: bool,
}

/// The columns that [`read`] takes.
macro_rules! columns {
    () => {
        "id, tenant, name, provider, client_id, scope, metadata, active, max_concurrent_requests, rate_limit_requests, \
         rate_limit_seconds, broken_since IS NOT NULL"
    };
}

/// What `register_client` was given.
pub struct Registration<'a> {
    pub tenant: Option<&'a str>,
    pub name: &'a str,
    pub provider: &'a str,
    pub client_id: &'a str,
    pub client_secret: Option<&'a str>,
    pub scope: Option<&'a str>,
    pub redirect_uri: Option<&'a str>,
    pub metadata: Option<JsonB>,
}

/// Where a secret goes among those a client has.
#[derive(Clone, Copy)]
pub enum Position {
    First,
    Last,
}

/// Adds a client, or changes the one of this name: what is not given stays as it was; a secret that is
/// given replaces all earlier ones.
pub fn register(registration: Registration) -> Result<()> {
    static UPSERT: Statement = Statement::new(
        "INSERT INTO vault.client AS c (tenant, name, provider, client_id, scope, redirect_uri, metadata)
         VALUES ($1, $2, $3, $4, $5, $6, coalesce($7, '{}'))
         ON CONFLICT (tenant, name) DO UPDATE SET
             provider = EXCLUDED.provider, client_id = EXCLUDED.client_id,
             scope = coalesce(EXCLUDED.scope, c.scope), redirect_uri = coalesce(EXCLUDED.redirect_uri, c.redirect_uri),
             metadata = CASE WHEN $7 IS NULL THEN c.metadata ELSE EXCLUDED.metadata END,
             active = true, updated_at = statement_timestamp()
         RETURNING id",
        &[TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, JSONBOID],
    );
    static FORGET_SECRETS: Statement = Statement::new(
        "DELETE FROM vault.client_secret WHERE client = $1",
        &[INT8OID],
    );
    let secret = registration
        .client_secret
        .map(|secret| {
            seal(
                registration.tenant,
                registration.name,
                registration.provider,
                secret,
            )
        })
        .transpose()?;
    let moved = find(registration.tenant, registration.name)
        .ok()
        .filter(|client| client.provider != registration.provider);
    if let Some(client) = &moved {
        refuse_if_in_use(client)?;
    }
    spi::session(|session| {
        let id: i64 = session
            .write(
                &UPSERT,
                &[
                    registration.tenant.into(),
                    registration.name.into(),
                    registration.provider.into(),
                    registration.client_id.into(),
                    registration.scope.into(),
                    registration.redirect_uri.into(),
                    registration.metadata.into(),
                ],
                |row| row.required(1),
            )
            .pop()
            .expect("an upsert returns its row");
        // Secrets are bound to the provider: at another one the old ones mean nothing.
        if secret.is_some() || moved.is_some() {
            session.run(&FORGET_SECRETS, &[id.into()]);
        }
        if let Some(secret) = secret {
            insert_secret(session, id, 1, secret);
        }
    });
    inval::announce(Topic::Clients);
    Ok(())
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
    });
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

/// Switches a client on or off. A client that is off is not used for refreshes.
pub fn set_active(client: &Client, active: bool) {
    static SET: Statement = Statement::new(
        "UPDATE vault.client SET active = $2, updated_at = statement_timestamp() WHERE id = $1",
        &[INT8OID, BOOLOID],
    );
    spi::session(|session| session.run(&SET, &[client.id.into(), active.into()]));
    inval::announce(Topic::Clients);
}

/// Deletes all clients of a tenant, of which no token is left; returns their number.
pub fn delete_tenant(tenant: &str) -> i64 {
    static DELETE: Statement =
        Statement::new("DELETE FROM vault.client WHERE tenant = $1", &[TEXTOID]);
    let deleted = spi::session(|session| session.run(&DELETE, &[tenant.into()])) as i64;
    inval::announce(Topic::Clients);
    deleted
}

/// Removes a client that no token was obtained with.
pub fn remove(client: &Client) -> Result<()> {
    static REMOVE: Statement = Statement::new("DELETE FROM vault.client WHERE id = $1", &[INT8OID]);
    refuse_if_in_use(client)?;
    spi::session(|session| session.run(&REMOVE, &[client.id.into()]));
    inval::announce(Topic::Clients);
    Ok(())
}

fn refuse_if_in_use(client: &Client) -> Result<()> {
    static TOKENS: Statement = Statement::new(
        "SELECT count(*) FROM vault.token WHERE client = $1",
        &[INT8OID],
    );
    let tokens: i64 = spi::session(|session| {
        session.query_one(&TOKENS, &[client.id.into()], |row| row.required(1))
    })
    .expect("an aggregate has one row");
    if tokens > 0 {
        return Err(Error::ClientInUse {
            client: client.name.clone(),
            tokens,
        });
    }
    Ok(())
}

/// The client of exactly this tenant (None: shared) and name.
pub fn find(tenant: Option<&str>, name: &str) -> Result<Client> {
    static FIND: Statement = Statement::new(
        concat!(
            "SELECT ",
            columns!(),
            " FROM vault.client WHERE tenant IS NOT DISTINCT FROM $1 AND name = $2"
        ),
        &[TEXTOID, TEXTOID],
    );
    spi::session(|session| session.query_one(&FIND, &[tenant.into(), name.into()], read))
        .ok_or_else(|| Error::UnknownClient {
            client: name.to_owned(),
            tenant: tenant.map(str::to_owned),
        })
}

/// The client of this name that may serve `tenant` at `provider`.
pub fn named(provider: &str, tenant: &str, name: &str) -> Result<Client> {
    candidates(provider, tenant)
        .into_iter()
        .find(|client| client.name == name)
        .ok_or_else(|| Error::UnknownClient {
            client: name.to_owned(),
            tenant: Some(tenant.to_owned()),
        })
}

/// The only client that may serve `tenant` at `provider`. None: there is none.
pub fn only(provider: &str, tenant: &str) -> Result<Option<Client>> {
    let mut candidates = candidates(provider, tenant);
    if candidates.len() > 1 {
        let names: Vec<&str> = candidates
            .iter()
            .map(|client| client.name.as_str())
            .collect();
        return Err(Error::AmbiguousClient {
            provider: provider.to_owned(),
            clients: names.join(", "),
        });
    }
    Ok(candidates.pop())
}

/// The number of [`only`]'s client, remembered until a client changes.
pub fn only_id(provider: &str, tenant: &str) -> Result<Option<i64>> {
    let generation = inval::generation(Topic::Clients);
    let key = (provider.to_owned(), tenant.to_owned());
    let known = ONLY.with_borrow(|only| {
        (only.generation == generation)
            .then(|| only.ids.get(&key).copied())
            .flatten()
    });
    if let Some(id) = known {
        return Ok(id);
    }
    let id = only(provider, tenant)?.map(|client| client.id);
    ONLY.with_borrow_mut(|only| {
        if only.generation != generation || only.ids.len() >= MAX_REMEMBERED {
            *only = Only {
                generation,
                ids: HashMap::new(),
            };
        }
        only.ids.insert(key, id);
    });
    Ok(id)
}

/// More tenants than this in one backend start over.
const MAX_REMEMBERED: usize = 10_000;

#[derive(Default)]
struct Only {
    generation: u64,
    ids: HashMap<(String, String), Option<i64>>,
}

thread_local! {
    static ONLY: RefCell<Only> = RefCell::default();
}

/// The active clients that may serve a tenant: its own, or else the shared ones.
fn candidates(provider: &str, tenant: &str) -> Vec<Client> {
    static CANDIDATES: Statement = Statement::new(
        concat!(
            "SELECT ",
            columns!(),
            " FROM vault.client WHERE provider = $1 AND (tenant = $2 OR tenant IS NULL) AND active ORDER BY name"
        ),
        &[TEXTOID, TEXTOID],
    );
    let mut candidates =
        spi::session(|session| session.query(&CANDIDATES, &[provider.into(), tenant.into()], read));
    if candidates.iter().any(|client| client.tenant.is_some()) {
        candidates.retain(|client| client.tenant.is_some());
    }
    candidates
}

/// The client with this number.
pub fn by_id(id: i64) -> Option<Client> {
    static BY_ID: Statement = Statement::new(
        concat!("SELECT ", columns!(), " FROM vault.client WHERE id = $1"),
        &[INT8OID],
    );
    spi::session(|session| session.query_one(&BY_ID, &[id.into()], read))
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

fn seal(tenant: Option<&str>, client: &str, provider: &str, secret: &str) -> Result<Vec<u8>> {
    keyring::seal(
        tenant.unwrap_or_default(),
        &context(tenant, client, provider),
        secret.as_bytes(),
    )
}

fn insert_secret(session: &Session, client: i64, position: i32, secret: Vec<u8>) {
    static INSERT: Statement = Statement::new(
        "INSERT INTO vault.client_secret (client, position, client_secret) VALUES ($1, $2, $3)",
        &[INT8OID, INT4OID, BYTEAOID],
    );
    session.run(&INSERT, &[client.into(), position.into(), secret.into()]);
}

fn read(row: &Row) -> Client {
    Client {
        id: row.required(1),
        tenant: row.get(2),
        name: row.required(3),
        provider: row.required(4),
        client_id: row.required(5),
        scope: row.get(6),
        metadata: row.required::<JsonB>(7).0,
        active: row.required(8),
        limits: refresh::limits(row.get(9), row.get(10), row.required(11)),
        is_refused: row.required(12),
    }
}
