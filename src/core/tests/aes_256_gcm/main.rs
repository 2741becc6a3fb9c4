//! AES-256-GCM by known answers: the primitive under every envelope, as the type `envelope::xaes` uses it.
//!
//! * `wycheproof` — the applicable Wycheproof vectors: edge cases of counter and tag, and forged tags
//! * `cavp` — a sample of NIST's CAVP vectors over plaintext and associated data of many lengths, failing ones included
//!
//! What XAES adds to it is proven by C2SP's vectors, beside the code.

mod cavp;
mod wycheproof;

use aes_gcm::aead::inout::InOutBuf;
use aes_gcm::aead::{AeadInOut, KeyInit, consts::U12};
use aes_gcm::aes::Aes256Enc;
use aes_gcm::{AesGcm, Nonce, Tag};

type Cipher = AesGcm<Aes256Enc, U12>;

/// One message of a vector, without its plaintext.
struct Message {
    name: String,
    key: Vec<u8>,
    nonce: Vec<u8>,
    associated_data: Vec<u8>,
    ciphertext: Vec<u8>,
    tag: Vec<u8>,
}

impl Message {
    /// The plaintext encrypts to exactly this message, and this message decrypts to exactly the plaintext.
    fn assert_stands_for(&self, plaintext: &[u8]) {
        let (ciphertext, tag) = self.encrypt(plaintext);
        assert_eq!(ciphertext, self.ciphertext, "{}", self.name);
        assert_eq!(tag, self.tag, "{}", self.name);
        assert_eq!(self.decrypt().as_deref(), Some(plaintext), "{}", self.name);
    }

    fn assert_refused(&self) {
        assert_eq!(self.decrypt(), None, "{}", self.name);
    }

    fn encrypt(&self, plaintext: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let mut ciphertext = vec![0; plaintext.len()];
        let buffer = InOutBuf::new(plaintext, &mut ciphertext).unwrap();
        let tag = self
            .cipher()
            .encrypt_inout_detached(&self.nonce(), &self.associated_data, buffer)
            .unwrap();
        (ciphertext, tag.to_vec())
    }

    /// The plaintext; `None` where the tag is wrong, and then nothing has been written.
    fn decrypt(&self) -> Option<Vec<u8>> {
        const UNWRITTEN: u8 = 0xa5;
        let mut plaintext = vec![UNWRITTEN; self.ciphertext.len()];
        let buffer = InOutBuf::new(&self.ciphertext, &mut plaintext).unwrap();
        let tag = Tag::try_from(self.tag.as_slice()).unwrap();
        let opened = self.cipher().decrypt_inout_detached(
            &self.nonce(),
            &self.associated_data,
            buffer,
            &tag,
        );
        if opened.is_err() {
            assert!(
                plaintext.iter().all(|byte| *byte == UNWRITTEN),
                "{}: something unauthenticated came out",
                self.name
            );
        }
        opened.ok().map(|()| plaintext)
    }

    fn cipher(&self) -> Cipher {
        Cipher::new_from_slice(&self.key).unwrap()
    }

    fn nonce(&self) -> Nonce<U12> {
        Nonce::try_from(self.nonce.as_slice()).unwrap()
    }
}
