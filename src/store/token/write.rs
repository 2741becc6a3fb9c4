//! Storing what a provider issued.

use pgrx::JsonB;
use serde_json::{Map, Value};
use token_vault_core::envelope::TokenField;
use token_vault_core::oauth::{Expiry, Provider, RefreshCredential, TokenResponse};
use token_vault_core::refresh::{self, Due, RefreshPolicy, Times};

use super::TokenKey;
use crate::error::Result;
use crate::pg::random;
use crate::pg::spi::BuiltinOid::{BOOLOID, BYTEAOID, INT8OID, JSONBOID, TEXTOID, TIMESTAMPTZOID};
use crate::pg::spi::{self, BuiltinOid, Row, Session, Statement, timestamp};
use crate::pg::time::UnixMicros;
use crate::store::schedule::{Lane, lane_of_t};
use crate::store::{client as clients, keyring, provider as providers, schedule};

/// A token response, sealed and with its times worked out: what both a first store and a refresh write.
pub struct Sealed {
    pub access_token: Vec<u8>,
    pub refresh_token: Option<Vec<u8>>,
    pub id_token: Option<Vec<u8>>,
    pub issued_at: UnixMicros,
    pub expires_at: Option<UnixMicros>,
    pub due: Due,
    pub refresh_token_expires_at: Option<UnixMicros>,
}

/// Seals the credentials of a response for the row named by `key`. `is_refresh`: the row's refresh token was used for it.
pub fn seal(
    key: &TokenKey,
    provider: &Provider,
    response: &TokenResponse,
    now: UnixMicros,
    is_refresh: bool,
) -> Result<Sealed> {
    let seal = |field, plaintext: &str| {
        keyring::seal(&key.tenant, &key.context(field), plaintext.as_bytes())
    };
    let times = Times {
        issued_at: now,
        expires_at: response.expiry.expires_at(now),
        refresh_token_expires_at: match response.refresh_token_expiry {
            Expiry::Unknown if is_refresh || response.refresh_token.is_some() => {
                disuse_ends_at(provider, now)
            }
            said => said.expires_at(now),
        },
    };
    Ok(Sealed {
        access_token: seal(TokenField::AccessToken, response.access_token.expose())?,
        refresh_token: response
            .refresh_token
            .as_ref()
            .map(|token| seal(TokenField::RefreshToken, token.expose()))
            .transpose()?,
        id_token: response
            .id_token
            .as_ref()
            .map(|token| seal(TokenField::IdToken, token.expose()))
            .transpose()?,
        issued_at: now,
        expires_at: times.expires_at,
        due: refresh::due(provider, times, true, random::number()),
        refresh_token_expires_at: times.refresh_token_expires_at,
    })
}

/// When a refresh token that was used now dies if it is not used again; None: nobody knows, or there is none.
pub fn disuse_ends_at(provider: &Provider, now: UnixMicros) -> Option<UnixMicros> {
    let lifetime = provider
        .refresh_token_lifetime
        .filter(|_| provider.refresh_credential == RefreshCredential::RefreshToken)?;
    Some(now.saturating_add(lifetime.saturating_mul(1_000_000)))
}

/// The client that a token was obtained with.
pub enum ClientOf {
    /// The one the caller names.
    Named(i64),
    /// This one, unless an earlier token in its place has another.
    Default(Option<i64>),
}

/// What became of a stored token.
pub struct Stored {
    /// Whether the worker can refresh it, given a client.
    pub refreshable: bool,
    /// Whether it knows its client.
    pub has_client: bool,
    /// In which lane it waits for its refresh, and until when; None: it is never refreshed.
    pub due: Option<(Lane, UnixMicros)>,
}

/// What a new response changes in a row; the parameters are those of both statements below.
macro_rules! changes {
    () => {
        "client = CASE WHEN $17 THEN $5 ELSE coalesce(t.client, $5) END,
         access_token = $6, refresh_token = coalesce($7, t.refresh_token), id_token = coalesce($8, t.id_token),
         token_type = coalesce($9, t.token_type), scope = coalesce($10, t.scope),
         issued_at = $11, updated_at = $11, expires_at = $12, refresh_after = $13,
         refresh_token_expires_at = CASE WHEN $7 IS NULL THEN t.refresh_token_expires_at ELSE $14 END,
         authorized_at = CASE WHEN $7 IS NULL THEN t.authorized_at ELSE $11 END,
         unread_answer = NULL, state = 'active', last_error = NULL, last_error_at = NULL, generation = t.generation + 1,
         metadata = CASE WHEN $15 IS NULL THEN t.metadata ELSE t.metadata || $15 END,
         response = CASE WHEN $16 IS NULL THEN t.response ELSE t.response || $16 END"
    };
}

/// What [`StoredRow`] reads.
macro_rules! returning {
    () => {
        concat!(
            " RETURNING id, refresh_token IS NOT NULL, client, generation > 1, refresh_policy, ",
            lane_of_t!()
        )
    };
}

const TYPES: [BuiltinOid; 17] = [
    TEXTOID,
    TEXTOID,
    TEXTOID,
    TEXTOID,
    INT8OID,
    BYTEAOID,
    BYTEAOID,
    BYTEAOID,
    TEXTOID,
    TEXTOID,
    TIMESTAMPTZOID,
    TIMESTAMPTZOID,
    TIMESTAMPTZOID,
    TIMESTAMPTZOID,
    JSONBOID,
    JSONBOID,
    BOOLOID,
];

/// The usual case: there is an earlier token. To find that out while inserting takes longer, and writes a lock to the WAL.
static REPLACE: Statement = Statement::new(
    concat!(
        "UPDATE vault.token AS t SET ",
        changes!(),
        " WHERE tenant = $1 AND provider = $2 AND subject = $3 AND label = $4",
        returning!()
    ),
    &TYPES,
);

static STORE: Statement = Statement::new(
    concat!(
        "INSERT INTO vault.token AS t (tenant, provider, subject, label, client, access_token, refresh_token, id_token,
             token_type, scope, issued_at, created_at, updated_at, expires_at, refresh_after, refresh_token_expires_at,
             metadata, response, authorized_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11, $11, $12, $13, $14, coalesce($15, '{}'),
                 coalesce($16, '{}'), $11)
         ON CONFLICT (tenant, provider, subject, label) DO UPDATE SET ",
        changes!(),
        returning!()
    ),
    &TYPES,
);

/// Stores a response under `key`, in place of an earlier one: what the new one does not carry (a refresh
/// token, a client) stays as it was.
pub fn store(
    key: &TokenKey,
    provider: &Provider,
    client: ClientOf,
    response: &TokenResponse,
    metadata: Option<Map<String, Value>>,
    now: UnixMicros,
) -> Result<Stored> {
    let (client_id, is_named) = match client {
        ClientOf::Named(id) => (Some(id), true),
        ClientOf::Default(id) => (id, false),
    };
    let sealed = seal(key, provider, response, now, false)?;
    let due_at = sealed.due.at();
    let extra = (!response.extra.is_empty()).then(|| JsonB(response.extra.clone().into()));
    let arguments = [
        key.tenant.as_str().into(),
        key.provider.as_str().into(),
        key.subject.as_str().into(),
        key.label.as_str().into(),
        client_id.into(),
        sealed.access_token.into(),
        sealed.refresh_token.into(),
        sealed.id_token.into(),
        response.token_type.as_deref().into(),
        response.scope.as_deref().into(),
        timestamp(Some(sealed.issued_at)),
        timestamp(sealed.expires_at),
        timestamp(sealed.due.refresh_after),
        timestamp(sealed.refresh_token_expires_at),
        metadata.map(|metadata| JsonB(metadata.into())).into(),
        extra.into(),
        is_named.into(),
    ];
    spi::session(|session| {
        let write = |statement| session.write(statement, &arguments, StoredRow::read).pop();
        let row = write(&REPLACE)
            .or_else(|| write(&STORE))
            .expect("an upsert returns its row");
        let refreshable = providers::can_refresh(provider, row.has_refresh_token);
        let due_at = due_at.filter(|_| refreshable && !row.is_left_alone(session));
        match due_at {
            Some(due_at) => schedule::set(session, row.id, row.lane, due_at, row.has_replaced),
            None if row.has_replaced => schedule::clear(session, row.id),
            None => {}
        }
        Ok(Stored {
            refreshable,
            has_client: row.client.is_some(),
            due: due_at.map(|due_at| (row.lane, due_at)),
        })
    })
}

/// What a statement says of the row that it has written.
struct StoredRow {
    id: i64,
    has_refresh_token: bool,
    client: Option<i64>,
    has_replaced: bool,
    /// Its own; None: its client's.
    refresh_policy: Option<String>,
    lane: Lane,
}

impl StoredRow {
    fn read(row: &Row) -> StoredRow {
        StoredRow {
            id: row.required(1),
            has_refresh_token: row.required(2),
            client: row.get(3),
            has_replaced: row.required(4),
            refresh_policy: row.get(5),
            lane: row.required(6),
        }
    }

    /// Whether its refresh policy is "never".
    fn is_left_alone(&self, session: &Session) -> bool {
        let of_client = || clients::refresh_policy(session, self.client?);
        let policy = self.refresh_policy.clone().or_else(of_client);
        policy.is_some_and(|policy| policy == RefreshPolicy::Never.name())
    }
}
