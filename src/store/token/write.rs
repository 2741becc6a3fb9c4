//! Storing what a provider issued.

use pgrx::JsonB;
use serde_json::{Map, Value};
use token_vault_core::envelope::TokenField;
use token_vault_core::oauth::{Provider, TokenResponse};
use token_vault_core::refresh;

use super::TokenKey;
use crate::error::Result;
use crate::pg::random;
use crate::pg::spi::BuiltinOid::{BOOLOID, BYTEAOID, INT8OID, JSONBOID, TEXTOID, TIMESTAMPTZOID};
use crate::pg::spi::{self, Statement, timestamp};
use crate::pg::time::UnixMicros;
use crate::store::{keyring, provider as providers, schedule};

/// A token response, sealed and with its times worked out: what both a first store and a refresh write.
pub struct Sealed {
    pub access_token: Vec<u8>,
    pub refresh_token: Option<Vec<u8>>,
    pub id_token: Option<Vec<u8>>,
    pub issued_at: UnixMicros,
    pub expires_at: Option<UnixMicros>,
    pub refresh_after: Option<UnixMicros>,
    pub refresh_token_expires_at: Option<UnixMicros>,
}

/// Seals the credentials of a response for the row named by `key`.
pub fn seal(
    key: &TokenKey,
    provider: &Provider,
    response: &TokenResponse,
    now: UnixMicros,
) -> Result<Sealed> {
    let seal = |field, plaintext: &str| {
        keyring::seal(&key.tenant, &key.context(field), plaintext.as_bytes())
    };
    let expires_at = response.expiry.expires_at(now);
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
        expires_at,
        refresh_after: refresh::refresh_at(provider, now, expires_at, true, random::number()),
        refresh_token_expires_at: response.refresh_token_expiry.expires_at(now),
    })
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
    /// When it is due for a refresh, if ever.
    pub due_at: Option<UnixMicros>,
}

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
    static STORE: Statement = Statement::new(
        "INSERT INTO vault.token AS t (tenant, provider, subject, label, client, access_token, refresh_token, id_token,
             token_type, scope, issued_at, created_at, updated_at, expires_at, refresh_after, refresh_token_expires_at, metadata, response)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11, $11, $12, $13, $14, coalesce($15, '{}'), $16)
         ON CONFLICT (tenant, provider, subject, label) DO UPDATE SET
             client = CASE WHEN $17 THEN EXCLUDED.client ELSE coalesce(t.client, EXCLUDED.client) END,
             access_token = EXCLUDED.access_token,
             refresh_token = coalesce(EXCLUDED.refresh_token, t.refresh_token),
             id_token = coalesce(EXCLUDED.id_token, t.id_token),
             token_type = coalesce(EXCLUDED.token_type, t.token_type),
             scope = coalesce(EXCLUDED.scope, t.scope),
             issued_at = EXCLUDED.issued_at, updated_at = EXCLUDED.updated_at,
             expires_at = EXCLUDED.expires_at, refresh_after = EXCLUDED.refresh_after,
             refresh_token_expires_at = CASE WHEN EXCLUDED.refresh_token IS NULL THEN t.refresh_token_expires_at
                                             ELSE EXCLUDED.refresh_token_expires_at END,
             state = 'active', last_error = NULL, last_error_at = NULL,
             generation = t.generation + 1,
             metadata = t.metadata || EXCLUDED.metadata, response = t.response || EXCLUDED.response
         RETURNING id, refresh_token IS NOT NULL, client IS NOT NULL, generation > 1",
        &[
            TEXTOID, TEXTOID, TEXTOID, TEXTOID, INT8OID, BYTEAOID, BYTEAOID, BYTEAOID, TEXTOID, TEXTOID,
            TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID, JSONBOID, JSONBOID, BOOLOID,
        ],
    );
    let (client_id, is_named) = match client {
        ClientOf::Named(id) => (Some(id), true),
        ClientOf::Default(id) => (id, false),
    };
    let sealed = seal(key, provider, response, now)?;
    let due_at = sealed.refresh_after;
    spi::session(|session| {
        let (id, has_refresh_token, has_client, replaced) = session
            .write(
                &STORE,
                &[
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
                    timestamp(sealed.refresh_after),
                    timestamp(sealed.refresh_token_expires_at),
                    metadata.map(|metadata| JsonB(metadata.into())).into(),
                    JsonB(response.extra.clone().into()).into(),
                    is_named.into(),
                ],
                |row| {
                    (
                        row.required::<i64>(1),
                        row.required::<bool>(2),
                        row.required::<bool>(3),
                        row.required::<bool>(4),
                    )
                },
            )
            .pop()
            .expect("an upsert returns its row");
        let refreshable = providers::can_refresh(provider, has_refresh_token);
        let due_at = due_at.filter(|_| refreshable);
        match due_at {
            Some(due_at) => schedule::set(session, id, due_at),
            None if replaced => schedule::clear(session, id),
            None => {}
        }
        Ok(Stored {
            refreshable,
            has_client,
            due_at,
        })
    })
}
