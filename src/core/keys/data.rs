//! Data keys: seal values and compute blind indexes.

use super::derive::{Purpose, keyed, subkey};
use crate::audit::Mac;
use crate::envelope::{CipherKey, KEY_LEN, KeyId};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use std::fmt;
use zeroize::Zeroizing;

/// A data key, unwrapped and prepared for use. Wiped on drop.
pub struct DataKey {
    id: KeyId,
    cipher: CipherKey,
    blind_index: Hmac<Sha256>,
    audit: Zeroizing<[u8; KEY_LEN]>,
}

impl DataKey {
    /// Prepares 32 bytes from a cryptographic random source. The caller wipes its own copy.
    pub fn new(id: KeyId, bytes: &[u8; KEY_LEN]) -> Self {
        Self {
            id,
            cipher: CipherKey::new(&subkey(bytes, Purpose::Seal)),
            blind_index: keyed(&subkey(bytes, Purpose::BlindIndex)),
            audit: subkey(bytes, Purpose::Audit),
        }
    }

    /// The id that envelopes under this key carry.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// The key for [`crate::envelope::seal`] and [`crate::envelope::open`].
    pub fn cipher(&self) -> &CipherKey {
        &self.cipher
    }

    /// The code of an entry of the audit log: see [`crate::audit`].
    pub fn audit_mac(&self, message: &[u8]) -> Mac {
        let mut mac = keyed(&self.audit);
        mac.update(message);
        mac.finalize().into_bytes().into()
    }

    /// A keyed hash of a plaintext, to look values up that cannot be compared: equal plaintexts in the same context
    /// have equal hashes, and nobody without the key can test a guess.
    pub fn blind_index(&self, context: &str, plaintext: &[u8]) -> [u8; 32] {
        let mut mac = self.blind_index.clone();
        // The length keeps ("ab", "c") and ("a", "bc") apart.
        mac.update(&(context.len() as u64).to_be_bytes());
        mac.update(context.as_bytes());
        mac.update(plaintext);
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DataKey({}, [redacted])", self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blind_indexes_depend_on_key_context_and_plaintext() {
        let key = DataKey::new(KeyId(1), &[1; KEY_LEN]);
        let index = key.blind_index("ab", b"c");
        assert_eq!(index, key.blind_index("ab", b"c"));
        assert_eq!(
            hex::encode(index),
            "5c6f2a3c9bf419e7bc0cfd4cbd5b3eda87e02c1d70309b59358a40f7d64f3413"
        );
        assert_ne!(index, key.blind_index("a", b"bc"));
        assert_ne!(index, key.blind_index("ab", b"d"));
        assert_ne!(
            index,
            DataKey::new(KeyId(1), &[2; KEY_LEN]).blind_index("ab", b"c")
        );
    }

    #[test]
    fn debug_shows_the_id_only() {
        assert_eq!(
            format!("{:?}", DataKey::new(KeyId(255), &[1; KEY_LEN])),
            "DataKey(00000000000000ff, [redacted])"
        );
    }
}
