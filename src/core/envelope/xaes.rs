//! XAES-256-GCM (C2SP): AES-256-GCM under a key derived per message from a 192-bit nonce.
//!
//! <https://c2sp.org/XAES-256-GCM>. The 192 bits may be random: 2⁸⁰ messages under one key have a collision risk of
//! 2⁻³², where plain AES-GCM allows 2³² messages. The derivation is a NIST SP 800-108r1 counter KDF with CMAC, written
//! out for its fixed input length.
//!
//! Composed here and not taken from the `xaes-256-gcm` crate because that one expands the decryption round keys of
//! every derived key, which GCM never uses; [`Aes256Enc`] leaves them out.

use aes_gcm::aead::inout::InOutBuf;
use aes_gcm::aead::{AeadInOut, KeyInit, array::Array, consts::U12};
use aes_gcm::aes::cipher::BlockCipherEncrypt;
use aes_gcm::aes::{Aes256Enc, Block};
use aes_gcm::{AesGcm, Tag};
use std::fmt;

/// Bytes of a key.
pub const KEY_LEN: usize = 32;
/// Bytes of a nonce.
pub const NONCE_LEN: usize = 24;
/// Bytes of an authentication tag.
pub const TAG_LEN: usize = 16;

/// The part of the nonce that goes into the key derivation; the other twelve bytes are AES-GCM's own nonce.
const DERIVATION_LEN: usize = 12;

/// A 24-byte nonce. Never use one twice under the same key: fresh random bytes for every message.
pub type Nonce = [u8; NONCE_LEN];

/// A 32-byte key, prepared once: AES round keys and the CMAC subkey K1. Wiped on drop.
#[derive(Clone)]
pub struct CipherKey {
    aes: Aes256Enc,
    k1: [u8; 16],
}

impl CipherKey {
    /// Expands the key. The caller wipes its own copy of the bytes.
    pub fn new(key: &[u8; KEY_LEN]) -> Self {
        let aes = Aes256Enc::new(key.into());
        let mut block = Block::default();
        aes.encrypt_block(&mut block);
        let k1 = double(u128::from_be_bytes(block.into())).to_be_bytes();
        Self { aes, k1 }
    }

    /// Encrypts `buffer`'s input into its output and returns the tag.
    pub(super) fn encrypt(
        &self,
        nonce: &Nonce,
        associated_data: &[u8],
        buffer: InOutBuf<'_, '_, u8>,
    ) -> [u8; TAG_LEN] {
        let (message_key, nonce) = self.message_key(nonce);
        let tag = message_key.encrypt_inout_detached(&nonce, associated_data, buffer);
        tag.expect("lengths are far below the limits of AES-GCM")
            .into()
    }

    /// Checks the tag and, only when it is right, decrypts `buffer`'s input into its output.
    pub(super) fn decrypt(
        &self,
        nonce: &Nonce,
        associated_data: &[u8],
        buffer: InOutBuf<'_, '_, u8>,
        tag: &[u8; TAG_LEN],
    ) -> Result<(), InvalidTag> {
        let (message_key, nonce) = self.message_key(nonce);
        let tag: &Tag = tag.into();
        message_key
            .decrypt_inout_detached(&nonce, associated_data, buffer, tag)
            .map_err(|_| InvalidTag)
    }

    /// Steps 3 to 5 of the specification: Kx = AES(M1 ⊕ K1) ‖ AES(M2 ⊕ K1).
    fn message_key(&self, nonce: &Nonce) -> (AesGcm<Aes256Enc, U12>, Array<u8, U12>) {
        let (derivation, message_nonce) = nonce.split_at(DERIVATION_LEN);
        let mut blocks = [Block::default(), Block::default()];
        for (counter, block) in (1u8..).zip(&mut blocks) {
            block[..4].copy_from_slice(&[0, counter, b'X', 0]);
            block[4..].copy_from_slice(derivation);
            block
                .iter_mut()
                .zip(&self.k1)
                .for_each(|(byte, k1)| *byte ^= k1);
        }
        // Not both at once: for several blocks, the wide instructions of newer processors get copies of the round keys
        // on the stack, where nobody wipes them.
        blocks
            .iter_mut()
            .for_each(|block| self.aes.encrypt_block(block));
        let mut key = [0; KEY_LEN];
        key[..16].copy_from_slice(&blocks[0]);
        key[16..].copy_from_slice(&blocks[1]);
        let message_key = AesGcm::new((&key).into());
        crate::secret::wipe_slice(&mut key);
        blocks
            .iter_mut()
            .for_each(|block| crate::secret::wipe_slice(block));
        (
            message_key,
            Array::try_from(message_nonce).expect("24 less 12 bytes are 12"),
        )
    }
}

impl Drop for CipherKey {
    fn drop(&mut self) {
        // The round keys wipe themselves (feature "zeroize").
        crate::secret::wipe_slice(&mut self.k1);
    }
}

impl fmt::Debug for CipherKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CipherKey([redacted])")
    }
}

/// The tag did not match: wrong key, wrong nonce, wrong associated data or a changed ciphertext.
pub(super) struct InvalidTag;

/// Multiplication by x in GF(2¹²⁸), as CMAC derives K1 from L (NIST SP 800-38B §6.1); no branch on the secret bit.
fn double(l: u128) -> u128 {
    (l << 1) ^ ((l >> 127) * 0x87)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use shake::Shake128;
    use shake::digest::{ExtendableOutput, Update, XofReader};

    fn vectors() -> Value {
        serde_json::from_str(include_str!("../tests/vectors/xaes_256_gcm.json")).unwrap()
    }

    fn encrypt(
        key: &[u8; KEY_LEN],
        nonce: &Nonce,
        associated_data: &[u8],
        plaintext: &[u8],
    ) -> Vec<u8> {
        let mut sealed = plaintext.to_vec();
        let tag = CipherKey::new(key).encrypt(nonce, associated_data, sealed.as_mut_slice().into());
        sealed.extend_from_slice(&tag);
        sealed
    }

    #[test]
    fn c2sp_single_vectors() {
        let vectors = vectors();
        let cases = vectors["single"].as_array().unwrap();
        assert_eq!(cases.len(), 2);
        for case in cases {
            let text = |name: &str| case[name].as_str().unwrap();
            let key = hex::decode(text("key")).unwrap().try_into().unwrap();
            let nonce = text("nonce").as_bytes().try_into().unwrap();
            let mut sealed = encrypt(
                &key,
                &nonce,
                text("associated_data").as_bytes(),
                text("plaintext").as_bytes(),
            );
            assert_eq!(
                hex::encode(&sealed),
                text("ciphertext"),
                "{}",
                case["comment"]
            );

            let (message, tag) = sealed.split_last_chunk_mut::<TAG_LEN>().unwrap();
            let opened = CipherKey::new(&key).decrypt(
                &nonce,
                text("associated_data").as_bytes(),
                (&mut *message).into(),
                tag,
            );
            assert!(opened.is_ok());
            assert_eq!(message, text("plaintext").as_bytes());
        }
    }

    /// C2SP's accumulated vectors: inputs are read from one SHAKE-128, outputs written into another.
    fn accumulated(iterations: u32) -> String {
        let mut input = Shake128::default().finalize_xof();
        let mut output = Shake128::default();
        for _ in 0..iterations {
            let (mut key, mut nonce) = ([0; KEY_LEN], [0; NONCE_LEN]);
            input.read(&mut key);
            input.read(&mut nonce);
            let plaintext = length_prefixed(&mut input);
            let associated_data = length_prefixed(&mut input);
            output.update(&encrypt(&key, &nonce, &associated_data, &plaintext));
        }
        let mut digest = [0; 32];
        output.finalize_xof().read(&mut digest);
        hex::encode(digest)
    }

    fn length_prefixed(input: &mut impl XofReader) -> Vec<u8> {
        let mut length = [0];
        input.read(&mut length);
        let mut bytes = vec![0; length[0].into()];
        input.read(&mut bytes);
        bytes
    }

    #[test]
    fn c2sp_accumulated_10_000() {
        assert_eq!(accumulated(10_000), vectors()["accumulated"]["10000"]);
    }

    #[test]
    fn c2sp_accumulated_1_000_000() {
        assert_eq!(accumulated(1_000_000), vectors()["accumulated"]["1000000"]);
    }
}
