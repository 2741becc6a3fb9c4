//! Labelled derivation: subkey = HMAC-SHA256(key, label).

use crate::envelope::KEY_LEN;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// What a subkey is for. The texts are part of the stored format: they never change.
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    /// Wrapping data keys under a master key.
    Wrap,
    /// The public name of a master key.
    Fingerprint,
    /// Sealing values under a data key.
    Seal,
    /// Blind indexes under a data key.
    BlindIndex,
    /// The chain of the audit log.
    Audit,
}

impl Purpose {
    fn label(self) -> &'static [u8] {
        match self {
            Self::Wrap => b"token_vault master key: wrap 1",
            Self::Fingerprint => b"token_vault master key: fingerprint 1",
            Self::Seal => b"token_vault data key: seal 1",
            Self::BlindIndex => b"token_vault data key: blind index 1",
            Self::Audit => b"token_vault data key: audit 1",
        }
    }
}

/// The subkey of a key for one purpose.
pub(super) fn subkey(key: &[u8; KEY_LEN], purpose: Purpose) -> Zeroizing<[u8; KEY_LEN]> {
    let mut mac = keyed(key);
    mac.update(purpose.label());
    Zeroizing::new(mac.finalize().into_bytes().into())
}

/// HMAC-SHA256 under a key, ready to take a message.
pub(super) fn keyed(key: &[u8; KEY_LEN]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes keys of any length")
}
