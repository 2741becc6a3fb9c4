//! Finding a token.

use std::cell::Cell;

use token_vault_core::envelope::TokenField;
use token_vault_core::refresh::RefreshPolicy;
use token_vault_core::secret::SecretBytes;

use super::TokenKey;
use crate::error::Result;
use crate::pg::index_scan::{NotOrdinary, Scan, Tuple};
use crate::pg::inval::{self, Topic};
use crate::pg::spi::BuiltinOid::{INT8ARRAYOID, TEXTOID};
use crate::pg::spi::{self, Row, Statement};
use crate::pg::time::UnixMicros;
use crate::pg::{Oid, catalog};
use crate::store::keyring;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    Active,
    ReauthorizationRequired,
}

impl State {
    pub fn parse(text: &str) -> State {
        match text {
            "active" => State::Active,
            _ => State::ReauthorizationRequired,
        }
    }
}

/// A row, its credential still sealed.
pub struct StoredToken {
    pub id: i64,
    pub generation: i64,
    pub state: State,
    pub issued_at: UnixMicros,
    pub expires_at: Option<UnixMicros>,
    pub refresh_after: Option<UnixMicros>,
    pub has_refresh_token: bool,
    pub token_type: Option<String>,
    pub scope: Option<String>,
    pub last_error: Option<String>,
    access_token: Vec<u8>,
}

impl StoredToken {
    /// Whether the access token lives until `time`.
    pub fn is_valid_until(&self, time: UnixMicros) -> bool {
        self.expires_at.is_none_or(|expires_at| expires_at > time)
    }

    /// Decrypts the access token.
    pub fn access_token(&self, key: &TokenKey) -> Result<SecretBytes> {
        keyring::open(
            &key.context(TokenField::AccessToken),
            &self.access_token,
            "the access token",
        )
    }
}

/// The newest committed version of a token, whatever the isolation level: it is the state of another
/// system, and an older version may have been revoked there.
pub fn find(key: &TokenKey) -> Option<StoredToken> {
    let (table, index) = relations();
    match Scan::open(table, index) {
        Ok(mut scan) => scan.find(names(key), read_tuple),
        Err(NotOrdinary) => find_by_query(key),
    }
}

/// The same for many, in their order.
pub fn find_each(keys: &[TokenKey]) -> Vec<Option<StoredToken>> {
    let (table, index) = relations();
    let Ok(mut scan) = Scan::open(table, index) else {
        return keys.iter().map(find_by_query).collect();
    };
    // Neighbours in the index are looked up one after the other: their pages are in the processor's caches then.
    let mut places: Vec<usize> = (0..keys.len()).collect();
    places.sort_unstable_by_key(|place| names(&keys[*place]));
    let mut tokens: Vec<_> = keys.iter().map(|_| None).collect();
    for place in places {
        tokens[place] = scan.find(names(&keys[place]), read_tuple);
    }
    tokens
}

fn names(key: &TokenKey) -> [&str; 4] {
    [&key.tenant, &key.provider, &key.subject, &key.label]
}

/// `vault.token` and its primary key.
fn relations() -> (Oid, Oid) {
    thread_local! {
        static KNOWN: Cell<Option<(u64, Oid, Oid)>> = const { Cell::new(None) };
    }
    let generation = inval::generation(Topic::Tokens);
    if let Some((known_at, table, index)) = KNOWN.get()
        && known_at == generation
    {
        return (table, index);
    }
    let (table, index) = (
        inval::relation(Topic::Tokens),
        catalog::relation(c"token_pkey"),
    );
    KNOWN.set(Some((generation, table, index)));
    (table, index)
}

/// By the order of the columns in sql/token.sql.
fn read_tuple(tuple: &Tuple) -> StoredToken {
    StoredToken {
        id: tuple.required(1),
        generation: tuple.required(2),
        issued_at: tuple.time(3).expect("issued_at is never null"),
        expires_at: tuple.time(6),
        refresh_after: tuple.time(7),
        state: State::parse(tuple.required(8)),
        access_token: tuple.required(9),
        has_refresh_token: !tuple.is_null(15),
        token_type: tuple.get(17),
        scope: tuple.get(18),
        last_error: tuple.get(21),
    }
}

/// The same, where the table is partitioned or distributed.
fn find_by_query(key: &TokenKey) -> Option<StoredToken> {
    static FIND: Statement = Statement::new(
        "SELECT id, generation, state, issued_at, expires_at, refresh_after, refresh_token IS NOT NULL,
                token_type, scope, last_error, access_token
         FROM vault.token WHERE tenant = $1 AND provider = $2 AND subject = $3 AND label = $4",
        &[TEXTOID, TEXTOID, TEXTOID, TEXTOID],
    );
    spi::session(|session| {
        session.query_one(
            &FIND,
            &[&key.tenant, &key.provider, &key.subject, &key.label]
                .map(|name| name.as_str().into()),
            read,
        )
    })
}

/// The client that the token under `key` was obtained with, if there is one and it is known.
pub fn client(key: &TokenKey) -> Option<i64> {
    static CLIENT: Statement = Statement::new(
        "SELECT client FROM vault.token WHERE tenant = $1 AND provider = $2 AND subject = $3 AND label = $4",
        &[TEXTOID, TEXTOID, TEXTOID, TEXTOID],
    );
    let names = [&key.tenant, &key.provider, &key.subject, &key.label];
    spi::session(|session| {
        session.query_one(&CLIENT, &names.map(|name| name.as_str().into()), |row| {
            row.get(1)
        })
    })
    .flatten()
}

fn read(row: &Row) -> StoredToken {
    StoredToken {
        id: row.required(1),
        generation: row.required(2),
        state: State::parse(row.required(3)),
        issued_at: row.time(4).expect("issued_at is never null"),
        expires_at: row.time(5),
        refresh_after: row.time(6),
        has_refresh_token: row.required(7),
        token_type: row.get(8),
        scope: row.get(9),
        last_error: row.get(10),
        access_token: row.required(11),
    }
}

/// What a refresh is asked for, and how its outcome is told afterwards.
#[derive(Clone, Debug)]
pub struct Target {
    pub id: i64,
    pub key: TokenKey,
    pub generation: i64,
    pub state: State,
    pub expires_at: Option<UnixMicros>,
    pub last_error: Option<String>,
    pub failures: i32,
    /// When it is tried again after a failure.
    pub backs_off_until: Option<UnixMicros>,
    pub policy: RefreshPolicy,
    /// The running transaction has changed or locked the row: nobody else can see or write it.
    pub is_ours: bool,
}

/// A token by its number.
pub fn target(id: i64) -> Option<Target> {
    targets(&[id]).pop()
}

/// Tokens by their numbers, in this order; those that are gone are left out.
pub fn targets(ids: &[i64]) -> Vec<Target> {
    static BY_ID: Statement = Statement::new(
        "SELECT t.id, t.tenant, t.provider, t.subject, t.label, t.generation, t.state, t.expires_at, t.last_error,
                coalesce(s.failures, 0), coalesce(t.refresh_policy, c.refresh_policy, 'always'), t.xmin, t.xmax,
                CASE WHEN s.failures > 0 AND (s.attempted_at IS NULL OR s.attempted_at < t.last_error_at) THEN s.due_at END
         FROM unnest($1) WITH ORDINALITY AS i (id, place) JOIN vault.token AS t ON t.id = i.id
              LEFT JOIN vault.client AS c ON c.id = t.client
              LEFT JOIN vault.refresh_schedule AS s ON s.token = t.id
         ORDER BY i.place",
        &[INT8ARRAYOID],
    );
    spi::session(|session| session.query(&BY_ID, &[ids.to_vec().into()], read_target))
}

fn read_target(row: &Row) -> Target {
    Target {
        id: row.required(1),
        key: TokenKey::read(row, 2),
        generation: row.required(6),
        state: State::parse(row.required(7)),
        expires_at: row.time(8),
        last_error: row.get(9),
        failures: row.required(10),
        backs_off_until: row.time(14),
        policy: RefreshPolicy::parse(row.required(11)).unwrap_or_default(),
        is_ours: row.is_ours(12, 13),
    }
}
