//! Which key a stored value is sealed with, told by its first bytes.

use token_vault_core::envelope::{self, HEADER_LEN, KeyId};

use crate::error::Result;
use crate::pg::head::Head;
use crate::store::keyring;

/// As many bytes of a value as name its key.
pub type EnvelopeHead = Head<HEADER_LEN>;

/// The key's number; None: the value is no envelope.
pub fn key(head: &EnvelopeHead) -> Option<KeyId> {
    envelope::key_id_of_header(head.0.as_ref()?).ok()
}

/// Whether a value of `tenant` that is sealed with `key` is sealed as a new value would be.
pub fn is_current(tenant: &str, key: Option<KeyId>) -> Result<bool> {
    Ok(key == Some(keyring::active_id(tenant)?))
}

/// The same for a value in a user's column, which belongs to the tenant of its own key. One whose key is not in this
/// vault is not current.
pub fn is_current_in_column(key: Option<KeyId>) -> Result<bool> {
    match key.map(keyring::tenant_of) {
        Some(Ok(tenant)) => is_current(&tenant.unwrap_or_default(), key),
        Some(Err(_)) | None => Ok(false),
    }
}
