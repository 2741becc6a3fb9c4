//! What is accepted from outside.

use token_vault_core::column::{COLUMN, MAX_COLUMN_PLAINTEXT, column_payload};
use token_vault_core::envelope;

use crate::error::{Error, Result};
use crate::pg::secret_datum::{self, Secret};
use crate::pg::server;
use crate::pg::tenant as session;
use crate::store::access::{self, Privilege, Resource};
use crate::store::keyring;

/// Encrypts a plaintext that arrived through the type's input, its cast or `seal`.
pub fn encrypt(plaintext: &[u8], context: &str) -> Result<Secret> {
    // A session that is bound to a tenant uses that one's key: shred_tenant then reaches the value.
    let tenant = session::bound();
    access::require(Privilege::Write, &Resource::Value(tenant.as_deref()))?;
    if plaintext.len() > MAX_COLUMN_PLAINTEXT {
        return Err(Error::TooLong {
            name: "value",
            bytes: plaintext.len(),
            limit: MAX_COLUMN_PLAINTEXT,
        });
    }
    let payload = column_payload(context, plaintext);
    keyring::seal(
        tenant.as_deref().unwrap_or_default(),
        &COLUMN,
        payload.expose(),
    )
    .map(Secret)
}

/// Takes text from outside: plaintext, or an envelope's text form.
pub fn from_text(text: &str) -> Result<Secret> {
    if !envelope::is_envelope_text(text) {
        return encrypt(text.as_bytes(), "");
    }
    take(envelope::from_text(text).ok())
}

/// Takes bytes from outside: an envelope, or plaintext that a driver sends in binary form.
pub fn from_bytes(bytes: Vec<u8>) -> Result<Secret> {
    if !envelope::is_envelope_bytes(&bytes) {
        return match std::str::from_utf8(&bytes) {
            Ok(text) if !text.contains('\0') => from_text(text),
            _ => Err(Error::InvalidArgument {
                name: "secret",
                problem: "it is not UTF-8 text without NUL".into(),
            }),
        };
    }
    let is_whole = envelope::validate(&bytes).is_ok();
    take(is_whole.then_some(bytes))
}

/// Takes ciphertext as it is; None: it is damaged.
fn take(envelope: Option<Vec<u8>>) -> Result<Secret> {
    let not_accepted = |problem| Error::EnvelopeNotAccepted { problem };
    // pg_upgrade, which is a superuser, makes users' tables with their defaults before or after those of the vault.
    if !(secret_datum::is_replication_apply() || server::is_upgrading()) {
        // It may be planted: whoever could insert somebody else's envelope could have it revealed.
        require_restore(envelope.as_deref())
            .map_err(|_| not_accepted("this role may not write ciphertext"))?;
    }
    envelope
        .map(Secret)
        .ok_or_else(|| not_accepted("it is damaged"))
}

fn require_restore(envelope: Option<&[u8]>) -> Result<()> {
    // A key that is not here may come later in the same dump.
    let tenant = envelope.and_then(|envelope| tenant_of(envelope).ok().flatten());
    match envelope {
        Some(_) => access::require(Privilege::Restore, &Resource::Value(tenant.as_deref())),
        None => access::require(Privilege::Restore, &Resource::Rows),
    }
}

/// The tenant a value belongs to: its key's, or else the session's.
pub fn tenant_of(envelope: &[u8]) -> Result<Option<String>> {
    let of_session = session::bound();
    match envelope::key_id(envelope) {
        Ok(key) => Ok(keyring::tenant_of(key)?.or(of_session)),
        Err(_) => Ok(of_session),
    }
}
