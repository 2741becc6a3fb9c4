//! Sealing and opening with the data keys of `vault.key`.

mod cache;
pub mod row;

use token_vault_core::envelope::{self, Context, KeyId};
use token_vault_core::keys::DataKey;
use token_vault_core::secret::SecretBytes;

use crate::error::{Error, Result};
use crate::pg::lock;
use crate::pg::random;
use crate::pg::spi::BuiltinOid::TEXTOID;
use crate::pg::spi::{self, Statement};

pub use cache::is_memory_locked;
pub use row::wanted_fingerprint;

/// Encrypts for `tenant`, bound to `context`.
pub fn seal(tenant: &str, context: &Context, plaintext: &[u8]) -> Result<Vec<u8>> {
    let id = use_active(tenant)?;
    let sealed = cache::with(id, |key| {
        envelope::seal(key.cipher(), id, context, &random::bytes(), plaintext)
    })?;
    sealed.map_err(|_| Error::TooLong {
        name: "value",
        bytes: plaintext.len(),
        limit: envelope::MAX_PLAINTEXT,
    })
}

/// Decrypts; `what` names the value in the error.
pub fn open(context: &Context, envelope: &[u8], what: &'static str) -> Result<SecretBytes> {
    let undecryptable = |_| Error::Undecryptable { what };
    let id = envelope::key_id(envelope).map_err(undecryptable)?;
    cache::with(id, |key| envelope::open(key.cipher(), context, envelope))?.map_err(undecryptable)
}

/// Decrypts, and encrypts again under the present key of `tenant`.
pub fn reseal(tenant: &str, context: &Context, envelope: &[u8]) -> Result<Vec<u8>> {
    seal(
        tenant,
        context,
        open(context, envelope, "a value")?.expose(),
    )
}

/// Calls `work` with the key of the audit log's chain.
pub fn with_audit_key<R>(id: KeyId, work: impl FnOnce(&DataKey) -> R) -> Result<R> {
    cache::with(id, work)
}

/// Makes sure that values can be sealed, before anything is written.
pub fn require_key(tenant: &str) -> Result<()> {
    cache::with(active_id(tenant)?, |_| ())
}

/// The key that new values of `tenant` are sealed with: its own, or the one for all ("" has none of its own).
pub fn active_id(tenant: &str) -> Result<KeyId> {
    static ACTIVE: Statement = Statement::new(
        "SELECT id FROM vault.key WHERE state = 'active' AND (tenant = $1 OR tenant IS NULL)
         ORDER BY tenant NULLS LAST LIMIT 1",
        &[TEXTOID],
    );
    if let Some(id) = cache::active(tenant) {
        return Ok(id);
    }
    let id = spi::session(|session| {
        session.query_one(&ACTIVE, &[tenant.into()], |row| KeyId(row.required(1)))
    });
    let id = id.ok_or(Error::NoDataKey)?;
    cache::remember_active(tenant, id);
    Ok(id)
}

/// The tenant a key belongs to; None: it is for all.
pub fn tenant_of(id: KeyId) -> Result<Option<String>> {
    if let Some(tenant) = cache::tenant(id) {
        return Ok(tenant);
    }
    let tenant = row::find(id)?.tenant;
    cache::remember_tenant(id, tenant.clone());
    Ok(tenant)
}

/// The active key of `tenant`, which nobody can destroy before this transaction has ended: what is sealed with it may
/// become visible only then.
fn use_active(tenant: &str) -> Result<KeyId> {
    loop {
        let id = active_id(tenant)?;
        lock::share_key(id.0);
        // It may have been replaced and destroyed while this transaction waited for the lock.
        if active_id(tenant)? == id {
            return Ok(id);
        }
    }
}
