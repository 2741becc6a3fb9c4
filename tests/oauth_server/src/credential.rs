//! Random secrets, and the handles under which they are spoken of.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// Stands for a token in maps and in the journal: a part of its SHA-256, from which nobody gets back to the token.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Handle([u8; 16]);

impl Handle {
    pub(crate) fn of(secret: &str) -> Self {
        let digest = Sha256::digest(secret.as_bytes());
        let mut short = [0; 16];
        short.copy_from_slice(&digest[..16]);
        Self(short)
    }
}

/// The name under which the journal speaks of a refresh token; see [`crate::Entry::refresh_token_id`].
pub fn handle(token: &str) -> String {
    Handle::of(token).to_string()
}

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0[..8]
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// An authorization code, a refresh token, a PKCE verifier: 256 random bits in 43 characters.
pub(crate) fn random_secret() -> String {
    random_text(43)
}

/// An access token of `length` characters in the shape of a JWT: three base64url parts, all of them random, so that
/// any piece of it that turns up somewhere can have come from nowhere else.
pub(crate) fn access_token(length: usize) -> String {
    let mut token = random_text(length).into_bytes();
    token[20] = b'.';
    token[length - 21] = b'.';
    String::from_utf8(token).expect("base64url is ASCII")
}

/// `BASE64URL(SHA256(verifier))` (RFC 7636 §4.2).
pub(crate) fn s256_challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}

fn random_text(length: usize) -> String {
    let mut bytes = vec![0; length.div_ceil(4) * 3];
    getrandom::fill(&mut bytes).expect("the operating system has randomness");
    let mut text = URL_SAFE_NO_PAD.encode(bytes);
    text.truncate(length);
    text
}
