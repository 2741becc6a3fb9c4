//! The master key: wraps and unwraps data keys.

use super::DataKey;
use super::derive::{Purpose, subkey};
use crate::envelope::{self, CipherKey, Context, KEY_LEN, KeyId, Nonce, OpenError};
use crate::secret::SecretBytes;
use std::fmt;
use zeroize::Zeroizing;

/// Bytes of a fingerprint.
pub const FINGERPRINT_LEN: usize = 8;

/// Envelopes of [`MasterKey::hide`] are under the cipher of one running server; there is no other to tell apart.
const HIDDEN: KeyId = KeyId(1);
/// Bytes of [`MasterKey::hide`]'s envelope.
pub const HIDDEN_LEN: usize = KEY_LEN + envelope::OVERHEAD;

/// 32 bytes that come from a file or a command and never enter the database. Wiped on drop.
pub struct MasterKey {
    bytes: Zeroizing<[u8; KEY_LEN]>,
    wrapping: CipherKey,
}

impl MasterKey {
    /// Takes 32 bytes from a cryptographic random source.
    pub fn from_bytes(bytes: [u8; KEY_LEN]) -> Self {
        let bytes = Zeroizing::new(bytes);
        let wrapping = CipherKey::new(&subkey(&bytes, Purpose::Wrap));
        Self { bytes, wrapping }
    }

    /// A public name of this key, which says nothing about it: tells the right master key from a wrong one before
    /// anything is written.
    pub fn fingerprint(&self) -> [u8; FINGERPRINT_LEN] {
        let full = subkey(&self.bytes, Purpose::Fingerprint);
        *full
            .first_chunk()
            .expect("a fingerprint is shorter than a hash")
    }

    /// Wraps a data key. The result is an envelope whose header carries the data key's own id.
    ///
    /// # Panics
    /// When `key_id` is not positive.
    pub fn wrap(
        &self,
        key_id: KeyId,
        tenant: &str,
        nonce: &Nonce,
        data_key: &[u8; KEY_LEN],
    ) -> Vec<u8> {
        envelope::seal(
            &self.wrapping,
            key_id,
            &Context::DataKey { tenant },
            nonce,
            data_key,
        )
        .expect("a data key is short and its id positive")
    }

    /// Unwraps a data key that this master key wrapped under the same id for the same tenant.
    pub fn unwrap(
        &self,
        key_id: KeyId,
        tenant: &str,
        wrapped: &[u8],
    ) -> Result<DataKey, OpenError> {
        let plaintext = self.open_wrapped(key_id, tenant, wrapped)?;
        let data_key = plaintext.expose().try_into().map_err(|_| OpenError)?;
        Ok(DataKey::new(key_id, data_key))
    }

    /// Wraps with `new` what this master key wrapped: the same data key, so that no value has to be encrypted again.
    pub fn rewrap(
        &self,
        new: &MasterKey,
        key_id: KeyId,
        tenant: &str,
        wrapped: &[u8],
        nonce: &Nonce,
    ) -> Result<Vec<u8>, OpenError> {
        let plaintext = self.open_wrapped(key_id, tenant, wrapped)?;
        let data_key = plaintext.expose().try_into().map_err(|_| OpenError)?;
        Ok(new.wrap(key_id, tenant, nonce, data_key))
    }

    fn open_wrapped(
        &self,
        key_id: KeyId,
        tenant: &str,
        wrapped: &[u8],
    ) -> Result<SecretBytes, OpenError> {
        if envelope::key_id(wrapped)? != key_id {
            return Err(OpenError);
        }
        envelope::open(&self.wrapping, &Context::DataKey { tenant }, wrapped)
    }

    /// Encrypts this key itself, so that other processes with the same `cipher` can have it: see [`Context::MasterKey`].
    pub fn hide(&self, cipher: &CipherKey, source: &str, nonce: &Nonce) -> Vec<u8> {
        let context = Context::MasterKey { source };
        envelope::seal(cipher, HIDDEN, &context, nonce, &self.bytes[..])
            .expect("a key is short and the id positive")
    }

    /// The key that [`MasterKey::hide`] has encrypted for the same source.
    pub fn reveal(cipher: &CipherKey, source: &str, hidden: &[u8]) -> Result<Self, OpenError> {
        let plaintext = envelope::open(cipher, &Context::MasterKey { source }, hidden)?;
        let bytes = plaintext.expose().try_into().map_err(|_| OpenError)?;
        Ok(Self::from_bytes(bytes))
    }

    pub(super) fn bytes(&self) -> &[u8; KEY_LEN] {
        &self.bytes
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONCE: Nonce = [5; 24];

    #[test]
    fn a_wrapped_key_is_the_same_key_after_unwrapping() {
        let master = MasterKey::from_bytes([1; KEY_LEN]);
        let wrapped = master.wrap(KeyId(9), "acme", &NONCE, &[2; KEY_LEN]);
        let data_key = master.unwrap(KeyId(9), "acme", &wrapped).unwrap();
        assert_eq!(data_key.id(), KeyId(9));

        let context = Context::Column { context: "" };
        let sealed =
            envelope::seal(data_key.cipher(), data_key.id(), &context, &NONCE, b"value").unwrap();
        let again = DataKey::new(KeyId(9), &[2; KEY_LEN]);
        assert_eq!(
            envelope::open(again.cipher(), &context, &sealed)
                .unwrap()
                .expose(),
            b"value"
        );
    }

    #[test]
    fn a_rewrapped_key_is_the_same_key_under_another_master_key() {
        let (old, new) = (
            MasterKey::from_bytes([1; KEY_LEN]),
            MasterKey::from_bytes([3; KEY_LEN]),
        );
        let wrapped = old.wrap(KeyId(9), "acme", &NONCE, &[2; KEY_LEN]);
        let again = old
            .rewrap(&new, KeyId(9), "acme", &wrapped, &NONCE)
            .unwrap();
        assert_eq!(again, new.wrap(KeyId(9), "acme", &NONCE, &[2; KEY_LEN]));
        assert!(old.rewrap(&new, KeyId(9), "", &wrapped, &NONCE).is_err());
    }

    #[test]
    fn a_wrapped_key_opens_only_for_its_id_tenant_and_master_key() {
        let master = MasterKey::from_bytes([1; KEY_LEN]);
        let wrapped = master.wrap(KeyId(9), "acme", &NONCE, &[2; KEY_LEN]);
        assert!(master.unwrap(KeyId(8), "acme", &wrapped).is_err());
        assert!(master.unwrap(KeyId(9), "", &wrapped).is_err());
        assert!(
            MasterKey::from_bytes([3; KEY_LEN])
                .unwrap(KeyId(9), "acme", &wrapped)
                .is_err()
        );

        let mut renamed = wrapped.clone();
        renamed[9] = 8;
        assert!(
            master.unwrap(KeyId(8), "acme", &renamed).is_err(),
            "the id in the header is authenticated"
        );
    }

    #[test]
    fn a_hidden_key_is_found_for_its_source_only() {
        let cipher = CipherKey::new(&[7; KEY_LEN]);
        let master = MasterKey::from_bytes([1; KEY_LEN]);
        let hidden = master.hide(&cipher, "command a", &NONCE);
        assert_eq!(hidden.len(), HIDDEN_LEN);
        let found = MasterKey::reveal(&cipher, "command a", &hidden).unwrap();
        assert_eq!(found.fingerprint(), master.fingerprint());
        assert!(MasterKey::reveal(&cipher, "command b", &hidden).is_err());
        let other = CipherKey::new(&[8; KEY_LEN]);
        assert!(MasterKey::reveal(&other, "command a", &hidden).is_err());
    }

    #[test]
    fn a_wrapped_value_of_another_length_is_no_key() {
        let master = MasterKey::from_bytes([1; KEY_LEN]);
        let short = envelope::seal(
            &master.wrapping,
            KeyId(9),
            &Context::DataKey { tenant: "" },
            &NONCE,
            b"31 bytes",
        );
        assert!(master.unwrap(KeyId(9), "", &short.unwrap()).is_err());
    }

    #[test]
    fn fingerprints_name_the_key_and_stay_the_same() {
        let fingerprint = MasterKey::from_bytes([1; KEY_LEN]).fingerprint();
        assert_eq!(hex::encode(fingerprint), "67b88c747dde151b");
        assert_ne!(
            fingerprint,
            MasterKey::from_bytes([2; KEY_LEN]).fingerprint()
        );
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(
            format!("{:?}", MasterKey::from_bytes([1; KEY_LEN])),
            "MasterKey([redacted])"
        );
    }
}
