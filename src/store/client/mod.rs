//! OAuth clients: our registrations at the providers, and their secrets.

mod register;
mod secret;

pub use register::{Registration, delete_tenant, register, remove, set_active};
pub use secret::{Position, add_secret, context, drop_secrets, secrets};

use std::cell::RefCell;
use std::collections::HashMap;

use pgrx::JsonB;
use token_vault_core::refresh::{self, Limits, RefreshPolicy};

use crate::error::{Error, Result};
use crate::pg::inval::{self, Topic};
use crate::pg::spi::BuiltinOid::{INT8OID, TEXTOID};
use crate::pg::spi::{self, Row, Session, Statement};

/// What a refresh needs to know of a client.
#[derive(Clone)]
pub struct Client {
    pub id: i64,
    pub tenant: Option<String>,
    pub name: String,
    pub provider: String,
    pub client_id: String,
    pub scope: Option<String>,
    /// What fills placeholders: the client's own metadata, and its `redirect_uri`.
    pub metadata: serde_json::Value,
    pub active: bool,
    pub limits: Limits,
    /// The provider refuses it.
    pub is_refused: bool,
    /// Of its tokens that have none of their own.
    pub policy: RefreshPolicy,
}

/// The columns that [`read`] takes.
macro_rules! columns {
    () => {
        "id, tenant, name, provider, client_id, scope,
         jsonb_strip_nulls(jsonb_build_object('redirect_uri', redirect_uri)) || metadata, active, max_concurrent_requests, rate_limit_requests, \
         rate_limit_seconds, broken_since IS NOT NULL, refresh_policy"
    };
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

/// The refresh policy of a client, if it has one.
pub fn refresh_policy(session: &Session, client: i64) -> Option<String> {
    static POLICY: Statement = Statement::new(
        "SELECT refresh_policy FROM vault.client WHERE id = $1",
        &[INT8OID],
    );
    session
        .query_one(&POLICY, &[client.into()], |row| row.get(1))
        .flatten()
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
        policy: RefreshPolicy::parse(row.required(13)).unwrap_or_default(),
    }
}
