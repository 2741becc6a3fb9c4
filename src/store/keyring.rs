//! The data keys this backend has unwrapped, and sealing and opening with them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use token_vault_core::envelope::{self, Context, KeyId};
use token_vault_core::keys::{DataKey, MasterKey};
use token_vault_core::secret::SecretBytes;

use crate::error::{Error, Result};
use crate::pg::inval::{self, Topic};
use crate::pg::random;
use crate::pg::spi::BuiltinOid;
use crate::pg::spi::{self, Row, Statement};
use crate::store::master_key;

/// Encrypts for `tenant`, bound to `context`.
pub fn seal(tenant: &str, context: &Context, plaintext: &[u8]) -> Result<Vec<u8>> {
    let key = active_key(tenant)?;
    envelope::seal(key.cipher(), key.id(), context, &random::bytes(), plaintext).map_err(|_| {
        Error::TooLong {
            name: "value",
            bytes: plaintext.len(),
            limit: envelope::MAX_PLAINTEXT,
        }
    })
}

/// Decrypts; `what` names the value in the error.
pub fn open(context: &Context, envelope: &[u8], what: &'static str) -> Result<SecretBytes> {
    let undecryptable = |_| Error::Undecryptable { what };
    let key = key_of(envelope::key_id(envelope).map_err(undecryptable)?)?;
    envelope::open(key.cipher(), context, envelope).map_err(undecryptable)
}

/// Makes sure that values can be sealed, before anything is written.
pub fn require_key(tenant: &str) -> Result<()> {
    active_key(tenant).map(drop)
}

#[derive(Default)]
struct Keyring {
    generation: u64,
    keys: HashMap<KeyId, Rc<DataKey>>,
    active: HashMap<String, KeyId>,
}

thread_local! {
    static KEYRING: RefCell<Keyring> = RefCell::default();
}

/// Looks into the cache, which is empty after any change of `vault.key`.
fn cached<R>(look: impl FnOnce(&mut Keyring) -> R) -> R {
    let generation = inval::generation(Topic::Keys);
    KEYRING.with_borrow_mut(|keyring| {
        if keyring.generation != generation {
            *keyring = Keyring {
                generation,
                ..Keyring::default()
            };
        }
        look(keyring)
    })
}

fn active_key(tenant: &str) -> Result<Rc<DataKey>> {
    static ACTIVE: Statement = Statement::new(
        "SELECT id, tenant, state, wrapped_key, master_key_fingerprint FROM vault.key
         WHERE state = 'active' AND (tenant = $1 OR tenant IS NULL) ORDER BY tenant NULLS LAST LIMIT 1",
        &[BuiltinOid::TEXTOID],
    );
    let known = cached(|keyring| {
        keyring
            .active
            .get(tenant)
            .and_then(|id| keyring.keys.get(id))
            .cloned()
    });
    if let Some(key) = known {
        return Ok(key);
    }
    let row = spi::session(|session| session.query_one(&ACTIVE, &[tenant.into()], KeyRow::read));
    let key = unwrap(row.ok_or(Error::NoDataKey)?)?;
    cached(|keyring| keyring.active.insert(tenant.to_owned(), key.id()));
    Ok(key)
}

fn key_of(id: KeyId) -> Result<Rc<DataKey>> {
    static BY_ID: Statement = Statement::new(
        "SELECT id, tenant, state, wrapped_key, master_key_fingerprint FROM vault.key WHERE id = $1",
        &[BuiltinOid::INT8OID],
    );
    if let Some(key) = cached(|keyring| keyring.keys.get(&id).cloned()) {
        return Ok(key);
    }
    let row = spi::session(|session| session.query_one(&BY_ID, &[id.0.into()], KeyRow::read));
    unwrap(row.ok_or_else(|| Error::KeyUnavailable {
        key: id.to_string(),
        state: "unknown here",
    })?)
}

struct KeyRow {
    id: KeyId,
    tenant: Option<String>,
    wrapped: Option<Vec<u8>>,
    fingerprint: Vec<u8>,
}

impl KeyRow {
    fn read(row: &Row) -> KeyRow {
        KeyRow {
            id: KeyId(row.required(1)),
            tenant: row.get(2),
            wrapped: row.get(4),
            fingerprint: row.required(5),
        }
    }
}

fn unwrap(row: KeyRow) -> Result<Rc<DataKey>> {
    let Some(wrapped) = row.wrapped else {
        return Err(Error::KeyUnavailable {
            key: row.id.to_string(),
            state: "destroyed",
        });
    };
    let master = master_key::load()?;
    check_fingerprint(&master, &row.fingerprint)?;
    let key = master
        .unwrap(row.id, row.tenant.as_deref().unwrap_or_default(), &wrapped)
        .map_err(|_| Error::Undecryptable { what: "a data key" })?;
    let key = Rc::new(key);
    cached(|keyring| keyring.keys.insert(row.id, Rc::clone(&key)));
    Ok(key)
}

fn check_fingerprint(master: &MasterKey, wanted: &[u8]) -> Result<()> {
    let found = master.fingerprint();
    if found[..] == *wanted {
        return Ok(());
    }
    Err(Error::WrongMasterKey {
        found: show_fingerprint(&found),
        wanted: show_fingerprint(wanted),
    })
}

/// Fingerprints are shown as hex everywhere.
pub fn show_fingerprint(fingerprint: &[u8]) -> String {
    fingerprint
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Lets only one session at a time create keys, until its transaction ends.
pub fn lock() {
    spi::session(|session| {
        session.run_once("LOCK TABLE vault.key IN SHARE ROW EXCLUSIVE MODE", &[], &[])
    });
}

/// Makes the first data key, wrapped by `master`, for all tenants.
pub fn create_data_key(master: &MasterKey) {
    static INSERT: Statement = Statement::new(
        "INSERT INTO vault.key (id, wrapped_key, master_key_fingerprint) VALUES ($1, $2, $3)",
        &[
            BuiltinOid::INT8OID,
            BuiltinOid::BYTEAOID,
            BuiltinOid::BYTEAOID,
        ],
    );
    // 63 bits: the id is a positive bigint.
    let id = KeyId(i64::from_be_bytes(random::bytes()) & i64::MAX);
    let data_key = zeroize::Zeroizing::new(random::bytes::<32>());
    let wrapped = master.wrap(id, "", &random::bytes(), &data_key);
    spi::session(|session| {
        session.run(
            &INSERT,
            &[
                id.0.into(),
                wrapped.into(),
                master.fingerprint().to_vec().into(),
            ],
        );
    });
    inval::announce(Topic::Keys);
}

/// The fingerprint of the master key that wraps the vault's keys, if there are keys.
pub fn wanted_fingerprint() -> Option<Vec<u8>> {
    static FINGERPRINT: Statement = Statement::new(
        "SELECT master_key_fingerprint FROM vault.key WHERE state <> 'destroyed' ORDER BY created_at DESC LIMIT 1",
        &[],
    );
    spi::session(|session| session.query_one(&FINGERPRINT, &[], |row| row.required(1)))
}
