//! The text form: `tv1.` and base64url.

use core::ffi::CStr;
use std::ffi::CString;

use pgrx::pg_extern;
use token_vault_core::envelope;

use super::input;
use crate::error::OrRaise;
use crate::pg::Oid;
use crate::pg::secret_datum::{self, Secret};

#[pg_extern(schema = "vault", stable, strict, parallel_restricted, requires = ["secret_shell"])]
fn secret_in(input: &CStr, _type: Oid, _typmod: i32) -> Secret {
    input::from_text(secret_datum::input_text(input)).or_raise()
}

/// Never opens anything: a damaged value is shown as it is, and spoils no other row and no dump.
#[pg_extern(schema = "vault", immutable, strict, parallel_safe, requires = ["secret_shell"])]
fn secret_out(secret: Secret) -> CString {
    CString::new(envelope::to_text(&secret.0)).expect("base64url has no NUL")
}

/// The assignment cast: how expressions, and strings that drivers send as varchar, become ciphertext.
#[pg_extern(schema = "vault", volatile, strict, parallel_restricted, requires = ["secret_shell"])]
fn secret_from_text(plaintext: &str) -> Secret {
    input::from_text(plaintext).or_raise()
}
