//! The binary form: the bytes of the envelope, as on disk.

use pgrx::datum::Internal;
use pgrx::pg_extern;

use super::input;
use crate::error::OrRaise;
use crate::pg::Oid;
use crate::pg::secret_datum::{self, Secret};

#[pg_extern(schema = "vault", stable, strict, parallel_restricted, requires = ["secret_shell"])]
fn secret_recv(message: Internal, _type: Oid, _typmod: i32) -> Secret {
    input::from_bytes(secret_datum::read_message(message)).or_raise()
}

#[pg_extern(schema = "vault", immutable, strict, parallel_safe, requires = ["secret_shell"])]
fn secret_send(secret: Secret) -> Vec<u8> {
    secret.0
}
