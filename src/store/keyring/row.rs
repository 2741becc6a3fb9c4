//! Rows of `vault.key`, and unwrapping them.

use token_vault_core::envelope::KeyId;
use token_vault_core::keys::{DataKey, FINGERPRINT_LEN};

use crate::error::{Error, Result};
use crate::pg::lock;
use crate::pg::spi::BuiltinOid::INT8OID;
use crate::pg::spi::{self, Row, Statement};
use crate::store::master_key;

/// A key as it is stored.
pub struct KeyRow {
    pub id: KeyId,
    pub tenant: Option<String>,
    /// None: it was destroyed.
    pub wrapped: Option<Vec<u8>>,
    /// Of the master key that wraps it.
    pub fingerprint: [u8; FINGERPRINT_LEN],
}

impl KeyRow {
    /// By the order of columns in the statements of this module's users: id, tenant, wrapped_key,
    /// master_key_fingerprint.
    pub fn read(row: &Row) -> KeyRow {
        KeyRow {
            id: KeyId(row.required(1)),
            tenant: row.get(2),
            wrapped: row.get(3),
            fingerprint: fingerprint(row, 4),
        }
    }

    /// The key itself.
    pub fn unwrap(&self) -> Result<DataKey> {
        let wrapped = self.wrapped.as_deref().ok_or_else(|| self.destroyed())?;
        master_key::with_fingerprint(&self.fingerprint)?
            .unwrap(self.id, self.tenant(), wrapped)
            .map_err(|_| Error::Undecryptable { what: "a data key" })
    }

    /// As it is bound to the wrapped key.
    pub fn tenant(&self) -> &str {
        self.tenant.as_deref().unwrap_or_default()
    }

    pub fn destroyed(&self) -> Error {
        Error::KeyUnavailable {
            key: self.id.to_string(),
            state: "destroyed",
        }
    }
}

/// Loads a key. Until this transaction ends, nobody can destroy it; waits for one who is about to.
pub fn load(id: KeyId) -> Result<(Option<String>, DataKey)> {
    lock::share_key(id.0);
    let row = find(id)?;
    let key = row.unwrap()?;
    Ok((row.tenant, key))
}

/// The row of a key.
pub fn find(id: KeyId) -> Result<KeyRow> {
    static BY_ID: Statement = Statement::new(
        "SELECT id, tenant, wrapped_key, master_key_fingerprint FROM vault.key WHERE id = $1",
        &[INT8OID],
    );
    let row = spi::session(|session| session.query_one(&BY_ID, &[id.0.into()], KeyRow::read));
    row.ok_or_else(|| Error::KeyUnavailable {
        key: id.to_string(),
        state: "unknown here",
    })
}

/// The fingerprint of the master key that wraps the vault's keys, if there are keys.
pub fn wanted_fingerprint() -> Option<[u8; FINGERPRINT_LEN]> {
    static FINGERPRINT: Statement = Statement::new(
        "SELECT master_key_fingerprint FROM vault.key WHERE state <> 'destroyed'
         ORDER BY state = 'active' DESC, tenant NULLS FIRST, created_at DESC LIMIT 1",
        &[],
    );
    spi::session(|session| session.query_one(&FINGERPRINT, &[], |row| fingerprint(row, 1)))
}

/// All keys that have not been destroyed.
pub fn stored() -> Vec<KeyRow> {
    static STORED: Statement = Statement::new(
        "SELECT id, tenant, wrapped_key, master_key_fingerprint FROM vault.key WHERE state <> 'destroyed'",
        &[],
    );
    spi::session(|session| session.query(&STORED, &[], KeyRow::read))
}

/// How many keys are active, retired, destroyed.
pub fn count_by_state() -> [i64; 3] {
    static COUNT: Statement = Statement::new(
        "SELECT count(*) FILTER (WHERE state = 'active'), count(*) FILTER (WHERE state = 'retired'),
                count(*) FILTER (WHERE state = 'destroyed') FROM vault.key",
        &[],
    );
    let counts = |row: &Row| [row.required(1), row.required(2), row.required(3)];
    spi::session(|session| session.query_one(&COUNT, &[], counts)).unwrap_or_default()
}

fn fingerprint(row: &Row, column: i32) -> [u8; FINGERPRINT_LEN] {
    let bytes: Vec<u8> = row.required(column);
    bytes.try_into().expect("the table checks its length")
}
