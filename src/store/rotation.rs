//! Making and replacing keys. Callers see to it that the stack is wiped: see [`crate::pg::locked`].

use std::collections::BTreeSet;

use token_vault_core::envelope::KeyId;
use token_vault_core::keys::{FINGERPRINT_LEN, MasterKey};

use crate::error::{Error, Result};
use crate::pg::inval::{self, Topic};
use crate::pg::spi::BuiltinOid::{BYTEAOID, FLOAT8OID, INT8OID, TEXTOID};
use crate::pg::spi::{self, Statement};
use crate::pg::{random, settings};
use crate::store::keyring::row::{self, KeyRow};
use crate::store::keyring::wanted_fingerprint;
use crate::store::master_key::{self, show_fingerprint};
use crate::store::{audit, event};

/// Makes the first data key, for all tenants. Returns the master key's fingerprint.
pub fn create_first() -> Result<[u8; FINGERPRINT_LEN]> {
    lock();
    if let Some(fingerprint) = wanted_fingerprint() {
        return Err(Error::MasterKeyExists {
            fingerprint: show_fingerprint(&fingerprint),
        });
    }
    let master = master_key::current_or_new()?;
    insert(&master, None, "active");
    let audit = insert(&master, None, "audit");
    spi::session(|session| audit::chain::begin(session, audit));
    Ok(master.fingerprint())
}

/// Gives a tenant a data key of its own.
pub fn create_for(tenant: &str) -> Result<KeyId> {
    lock();
    if active(Some(tenant)).is_some() {
        return Err(Error::TenantKeyExists {
            tenant: tenant.to_owned(),
        });
    }
    let shared = active(None).ok_or(Error::NoDataKey)?;
    let master = master_key::with_fingerprint(&shared.fingerprint)?;
    let id = insert(&master, Some(tenant), "active");
    event::send("key_created", event::of_key(id, Some(tenant)));
    Ok(id)
}

/// Replaces the active key of a tenant, or (None) the one for all. All sessions use the new one from this
/// transaction's commit on. Returns its id.
pub fn rotate(tenant: Option<&str>) -> Result<KeyId> {
    let missing = || match tenant {
        Some(tenant) => Error::NoTenantKey {
            tenant: tenant.to_owned(),
        },
        None => Error::NoDataKey,
    };
    let before = active(tenant).ok_or_else(missing)?;
    lock();
    let old = active(tenant).ok_or_else(missing)?;
    if old.id != before.id {
        return Err(Error::KeyJustRotated);
    }
    // The master key that wraps the old key, not one that this vault has never seen: see rotate_master.
    let master = master_key::with_fingerprint(&old.fingerprint)?;
    retire(old.id);
    let id = insert(&master, tenant, "active");
    event::send("key_rotated", event::of_key(id, tenant));
    Ok(id)
}

/// Wraps every data key with the current master key. Returns its fingerprint, and those that are not needed any more.
pub fn rotate_master() -> Result<(String, Vec<String>)> {
    static WRAP: Statement = Statement::new(
        "UPDATE vault.key SET wrapped_key = $2, master_key_fingerprint = $3 WHERE id = $1",
        &[INT8OID, BYTEAOID, BYTEAOID],
    );
    lock();
    let keys = row::stored();
    if keys.is_empty() {
        return Err(Error::NoDataKey);
    }
    // Before a new key's file is written: where an old one is missing, nothing may change.
    let wrapping: BTreeSet<_> = keys.iter().map(|key| key.fingerprint).collect();
    for fingerprint in &wrapping {
        master_key::with_fingerprint(fingerprint)?;
    }
    let master = master_key::current_or_new()?;
    let fingerprint = master.fingerprint();
    let old: Vec<KeyRow> = (keys.into_iter())
        .filter(|key| key.fingerprint != fingerprint)
        .collect();
    if old.is_empty() {
        return Err(Error::MasterKeyUnchanged {
            fingerprint: show_fingerprint(&fingerprint),
        });
    }
    for key in &old {
        let wrapped = rewrap(key, &master)?;
        let arguments = [key.id.0.into(), wrapped.into(), fingerprint.to_vec().into()];
        spi::session(|session| session.run(&WRAP, &arguments));
    }
    inval::announce(Topic::Keys);
    let mut replaced: Vec<String> = (old.iter())
        .map(|key| show_fingerprint(&key.fingerprint))
        .collect();
    replaced.sort();
    replaced.dedup();
    let fingerprint = show_fingerprint(&fingerprint);
    let facts = [("master_key_fingerprint".into(), fingerprint.as_str().into())];
    event::send("master_key_rotated", facts.into_iter().collect());
    Ok((fingerprint, replaced))
}

/// Replaces the active keys that are older than the setting allows; returns their number. Called by the custodian.
pub fn rotate_due() -> Result<usize> {
    let due = due();
    for tenant in &due {
        let id = rotate(tenant.as_deref())?;
        let whose = match tenant {
            Some(tenant) => format!("of tenant \"{tenant}\""),
            None => "for all tenants".into(),
        };
        pgrx::log!(
            "token_vault: the data key {whose} has reached token_vault.key_rotation_interval and was replaced by {id}"
        );
    }
    Ok(due.len())
}

/// Whether [`rotate_due`] has something to do.
pub fn is_due() -> bool {
    !due().is_empty()
}

/// The tenants (None: all that have no key of their own) whose active key is older than the setting allows.
fn due() -> Vec<Option<String>> {
    static DUE: Statement = Statement::new(
        "SELECT tenant FROM vault.key
         WHERE state = 'active' AND created_at <= statement_timestamp() - make_interval(secs => $1)",
        &[FLOAT8OID],
    );
    let Some(interval) = settings::key_rotation_interval() else {
        return Vec::new();
    };
    let arguments = [interval.as_secs_f64().into()];
    spi::session(|session| session.query(&DUE, &arguments, |row| row.get(1)))
}

/// Lets only one session at a time change keys, until its transaction ends.
pub fn lock() {
    spi::session(|session| {
        session.run_once("LOCK TABLE vault.key IN SHARE ROW EXCLUSIVE MODE", &[], &[])
    });
}

fn active(tenant: Option<&str>) -> Option<KeyRow> {
    static ACTIVE: Statement = Statement::new(
        "SELECT id, tenant, wrapped_key, master_key_fingerprint FROM vault.key
         WHERE state = 'active' AND tenant IS NOT DISTINCT FROM $1",
        &[TEXTOID],
    );
    spi::session(|session| session.query_one(&ACTIVE, &[tenant.into()], KeyRow::read))
}

fn retire(id: KeyId) {
    static RETIRE: Statement = Statement::new(
        "UPDATE vault.key SET state = 'retired', retired_at = statement_timestamp() WHERE id = $1",
        &[INT8OID],
    );
    spi::session(|session| session.run(&RETIRE, &[id.0.into()]));
}

/// Makes a key unusable, at this transaction's commit. The caller holds its lock.
pub fn destroy(id: KeyId) {
    static DESTROY: Statement = Statement::new(
        "UPDATE vault.key SET state = 'destroyed', wrapped_key = NULL, destroyed_at = statement_timestamp(),
             retired_at = coalesce(retired_at, statement_timestamp())
         WHERE id = $1",
        &[INT8OID],
    );
    spi::session(|session| session.run(&DESTROY, &[id.0.into()]));
    inval::announce(Topic::Keys);
}

/// Makes a data key, wrapped by `master`.
fn insert(master: &MasterKey, tenant: Option<&str>, state: &str) -> KeyId {
    static INSERT: Statement = Statement::new(
        "INSERT INTO vault.key (id, tenant, wrapped_key, master_key_fingerprint, state) VALUES ($1, $2, $3, $4, $5)",
        &[INT8OID, TEXTOID, BYTEAOID, BYTEAOID, TEXTOID],
    );
    // Positive, as an envelope demands.
    let id = KeyId((i64::from_be_bytes(random::bytes()) & i64::MAX).max(1));
    let data_key = zeroize::Zeroizing::new(random::bytes());
    let wrapped = master.wrap(id, tenant.unwrap_or_default(), &random::bytes(), &data_key);
    let fingerprint = master.fingerprint().to_vec();
    let arguments = [
        id.0.into(),
        tenant.into(),
        wrapped.into(),
        fingerprint.into(),
        state.into(),
    ];
    spi::session(|session| session.run(&INSERT, &arguments));
    inval::announce(Topic::Keys);
    id
}

fn rewrap(key: &KeyRow, master: &MasterKey) -> Result<Vec<u8>> {
    let wrapped = key.wrapped.as_deref().ok_or_else(|| key.destroyed())?;
    master_key::with_fingerprint(&key.fingerprint)?
        .rewrap(master, key.id, key.tenant(), wrapped, &random::bytes())
        .map_err(|_| Error::Undecryptable { what: "a data key" })
}
