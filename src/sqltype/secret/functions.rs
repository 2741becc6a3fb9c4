//! Encrypting and decrypting by name.

use pgrx::{default, pg_extern};
use token_vault_core::column::{COLUMN, column_plaintext};
use token_vault_core::secret::{SecretBytes, SecretString};

use super::input;
use crate::error::{Error, OrRaise, Result};
use crate::pg::secret_datum::Secret;
use crate::store::access::{self, Privilege, Resource};
use crate::store::audit::{self, About};
use crate::store::disclosure::{self, Kind};
use crate::store::keyring;

const WHAT: &str = "the secret";

#[pg_extern(schema = "vault", volatile, strict, parallel_restricted, requires = ["secret_type"])]
fn seal(plaintext: &str, context: default!(&str, "''")) -> Secret {
    input::encrypt(plaintext.as_bytes(), context).or_raise()
}

#[pg_extern(schema = "vault", stable, strict, parallel_restricted, requires = ["secret_type"])]
fn reveal(secret: Secret, context: default!(&str, "''")) -> String {
    decrypt(&secret, context).or_raise().expose().to_owned()
}

fn decrypt(secret: &Secret, context: &str) -> Result<SecretString> {
    let tenant = input::tenant_of(&secret.0)?;
    access::require(Privilege::Read, &Resource::Value(tenant.as_deref()))?;
    let about = About::tenant(tenant.as_deref());
    disclosure::permit(about)?;
    let payload: SecretBytes = keyring::open(&COLUMN, &secret.0, WHAT)?;
    let plaintext = column_plaintext(context, &payload)
        .ok()
        .and_then(|plaintext| SecretString::try_from(plaintext).ok())
        .ok_or(Error::Undecryptable { what: WHAT })?;
    let facts = (!context.is_empty()).then(|| audit::detail([("context", context.into())]));
    disclosure::note(Kind::Value, about, facts.flatten())?;
    Ok(plaintext)
}
