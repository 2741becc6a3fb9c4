//! All of a token, for somebody who takes it elsewhere.

use token_vault_core::envelope::TokenField;
use token_vault_core::secret::SecretString;

use super::TokenKey;
use crate::error::{Error, Result};
use crate::pg::spi::BuiltinOid::TEXTOID;
use crate::pg::spi::{self, Statement};
use crate::pg::time::UnixMicros;
use crate::store::keyring;

/// A token with its credentials in plaintext.
pub struct ExportedToken {
    pub access_token: SecretString,
    pub refresh_token: Option<SecretString>,
    pub id_token: Option<SecretString>,
    pub token_type: Option<String>,
    pub scope: Option<String>,
    pub issued_at: UnixMicros,
    pub expires_at: Option<UnixMicros>,
    pub refresh_token_expires_at: Option<UnixMicros>,
}

/// A row, its credentials still sealed.
struct Sealed {
    access_token: Vec<u8>,
    refresh_token: Option<Vec<u8>>,
    id_token: Option<Vec<u8>>,
    token_type: Option<String>,
    scope: Option<String>,
    issued_at: UnixMicros,
    expires_at: Option<UnixMicros>,
    refresh_token_expires_at: Option<UnixMicros>,
}

/// The newest committed version of a token, opened.
pub fn export(key: &TokenKey) -> Result<Option<ExportedToken>> {
    let Some(sealed) = find(key) else {
        return Ok(None);
    };
    let optional = |field, envelope: Option<Vec<u8>>, what| {
        envelope
            .map(|envelope| open(key, field, &envelope, what))
            .transpose()
    };
    Ok(Some(ExportedToken {
        access_token: open(
            key,
            TokenField::AccessToken,
            &sealed.access_token,
            "the access token",
        )?,
        refresh_token: optional(
            TokenField::RefreshToken,
            sealed.refresh_token,
            "the refresh token",
        )?,
        id_token: optional(TokenField::IdToken, sealed.id_token, "the ID token")?,
        token_type: sealed.token_type,
        scope: sealed.scope,
        issued_at: sealed.issued_at,
        expires_at: sealed.expires_at,
        refresh_token_expires_at: sealed.refresh_token_expires_at,
    }))
}

fn find(key: &TokenKey) -> Option<Sealed> {
    static FIND: Statement = Statement::new(
        "SELECT access_token, refresh_token, id_token, token_type, scope, issued_at, expires_at, refresh_token_expires_at
         FROM vault.token WHERE tenant = $1 AND provider = $2 AND subject = $3 AND label = $4",
        &[TEXTOID, TEXTOID, TEXTOID, TEXTOID],
    );
    let names = [&key.tenant, &key.provider, &key.subject, &key.label];
    spi::session(|session| {
        session.query_one(&FIND, &names.map(|name| name.as_str().into()), |row| {
            Sealed {
                access_token: row.required(1),
                refresh_token: row.get(2),
                id_token: row.get(3),
                token_type: row.get(4),
                scope: row.get(5),
                issued_at: row.time(6).expect("issued_at is never null"),
                expires_at: row.time(7),
                refresh_token_expires_at: row.time(8),
            }
        })
    })
}

fn open(
    key: &TokenKey,
    field: TokenField,
    envelope: &[u8],
    what: &'static str,
) -> Result<SecretString> {
    let plaintext = keyring::open(&key.context(field), envelope, what)?;
    SecretString::try_from(plaintext).map_err(|_| Error::Undecryptable { what })
}
