//! What is accepted from outside.

use token_vault_core::column::{COLUMN, MAX_COLUMN_PLAINTEXT, column_payload};
use token_vault_core::envelope;

use crate::error::{Error, Result};
use crate::pg::secret_datum::{self, Secret};
use crate::pg::settings;
use crate::store::access::{self, Privilege};
use crate::store::keyring;

/// Encrypts a plaintext that arrived through the type's input, its cast or `seal`.
pub fn encrypt(plaintext: &[u8], context: &str) -> Result<Secret> {
    access::require(Privilege::Write)?;
    if plaintext.len() > MAX_COLUMN_PLAINTEXT {
        return Err(Error::TooLong {
            name: "value",
            bytes: plaintext.len(),
            limit: MAX_COLUMN_PLAINTEXT,
        });
    }
    // A session that is bound to a tenant uses that one's key: shred_tenant then reaches the value.
    let tenant = settings::tenant().unwrap_or_default();
    let payload = column_payload(context, plaintext);
    keyring::seal(&tenant, &COLUMN, payload.expose()).map(Secret)
}

/// Takes text from outside: plaintext, or an envelope's text form.
pub fn from_text(text: &str) -> Result<Secret> {
    if !envelope::is_envelope_text(text) {
        return encrypt(text.as_bytes(), "");
    }
    require_restore()?;
    envelope::from_text(text)
        .map(Secret)
        .map_err(|_| Error::EnvelopeNotAccepted {
            problem: "it is damaged",
        })
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
    require_restore()?;
    match envelope::validate(&bytes) {
        Ok(()) => Ok(Secret(bytes)),
        Err(_) => Err(Error::EnvelopeNotAccepted {
            problem: "it is damaged",
        }),
    }
}

/// Ciphertext may be planted: whoever could insert somebody else's envelope could have it revealed.
fn require_restore() -> Result<()> {
    if access::has(Privilege::Restore) || secret_datum::is_replication_apply() {
        return Ok(());
    }
    Err(Error::EnvelopeNotAccepted {
        problem: "this role may not write ciphertext",
    })
}
