//! One encrypted value.
//!
//! Binary form: header (version, algorithm, key id), nonce, ciphertext, tag. Text form: `tv1.` and base64url. The
//! associated data repeats the header and binds the value to its [`Context`].

mod armour;
mod context;
mod header;
mod xaes;

pub use armour::{PREFIX, from_text, is_envelope_text, to_text};
pub use context::{Context, TokenField};
pub use header::{HEADER_LEN, MAX_PLAINTEXT, OVERHEAD};
pub use xaes::{CipherKey, KEY_LEN, NONCE_LEN, Nonce};

use crate::secret::SecretBytes;
use aes_gcm::aead::inout::InOutBuf;
use std::fmt;

/// Names a data key: a random positive 63-bit number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct KeyId(pub i64);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Why a value could not be sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SealError {
    /// The plaintext is longer than [`MAX_PLAINTEXT`].
    TooLong,
    /// The key id is not positive.
    KeyId,
    /// The output buffer is not [`OVERHEAD`] bytes longer than the plaintext.
    BufferLength,
}

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "secret value is longer than {MAX_PLAINTEXT} bytes"),
            Self::KeyId => f.write_str("key id is not positive"),
            Self::BufferLength => f.write_str("buffer does not fit the envelope"),
        }
    }
}

impl std::error::Error for SealError {}

/// An envelope could not be opened. One error for every reason, so that nobody learns which check failed: malformed,
/// wrong key, wrong context, changed bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenError;

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("encrypted value cannot be opened")
    }
}

impl std::error::Error for OpenError {}

/// Encrypts `plaintext` into a new envelope.
///
/// * `key_id` — stored in the envelope, to find the key again.
/// * `nonce` — 24 fresh random bytes; never the same twice under one key.
pub fn seal(
    key: &CipherKey,
    key_id: KeyId,
    context: &Context,
    nonce: &Nonce,
    plaintext: &[u8],
) -> Result<Vec<u8>, SealError> {
    if plaintext.len() > MAX_PLAINTEXT {
        return Err(SealError::TooLong);
    }
    let mut envelope = vec![0; plaintext.len() + OVERHEAD];
    seal_into(key, key_id, context, nonce, plaintext, &mut envelope)?;
    Ok(envelope)
}

/// [`seal`] into a buffer of the caller, which is exactly [`OVERHEAD`] bytes longer than the plaintext.
pub fn seal_into(
    key: &CipherKey,
    key_id: KeyId,
    context: &Context,
    nonce: &Nonce,
    plaintext: &[u8],
    out: &mut [u8],
) -> Result<(), SealError> {
    if plaintext.len() > MAX_PLAINTEXT {
        return Err(SealError::TooLong);
    }
    if key_id.0 <= 0 {
        return Err(SealError::KeyId);
    }
    let writer = header::writer(out).ok_or(SealError::BufferLength)?;
    let buffer =
        InOutBuf::new(plaintext, writer.ciphertext).map_err(|_| SealError::BufferLength)?;
    *writer.header = header::header(key_id);
    *writer.nonce = *nonce;
    *writer.tag = key.encrypt(nonce, &context.associated_data(writer.header), buffer);
    Ok(())
}

/// Decrypts an envelope that was sealed under the same key in the same context.
pub fn open(key: &CipherKey, context: &Context, envelope: &[u8]) -> Result<SecretBytes, OpenError> {
    let mut plaintext = vec![0; plaintext_len(envelope)?];
    open_into(key, context, envelope, &mut plaintext)?;
    Ok(SecretBytes::from_vec(plaintext))
}

/// [`open`] into a buffer of the caller, exactly [`plaintext_len`] bytes long. It is left alone when this fails.
pub fn open_into(
    key: &CipherKey,
    context: &Context,
    envelope: &[u8],
    out: &mut [u8],
) -> Result<(), OpenError> {
    let parts = header::parse(envelope)?;
    let buffer = InOutBuf::new(parts.ciphertext, out).map_err(|_| OpenError)?;
    let associated_data = context.associated_data(parts.header);
    key.decrypt(parts.nonce, &associated_data, buffer, parts.tag)
        .map_err(|_| OpenError)
}

/// How long the plaintext of an envelope is, in bytes.
pub fn plaintext_len(envelope: &[u8]) -> Result<usize, OpenError> {
    header::parse(envelope).map(|parts| parts.ciphertext.len())
}

/// The key an envelope says it was sealed under. Not authenticated before the envelope has been opened with it.
pub fn key_id(envelope: &[u8]) -> Result<KeyId, OpenError> {
    header::parse(envelope).map(|parts| parts.key_id)
}

/// The key that an envelope with these first [`HEADER_LEN`] bytes says it was sealed under. What follows them is not
/// looked at.
pub fn key_id_of_header(header: &[u8; HEADER_LEN]) -> Result<KeyId, OpenError> {
    header::key_id(header)
}

/// Checks the structure of an envelope; needs no key.
pub fn validate(envelope: &[u8]) -> Result<(), OpenError> {
    header::parse(envelope).map(drop)
}

/// Whether bytes claim to be an envelope; [`validate`] says whether they are one.
pub fn is_envelope_bytes(bytes: &[u8]) -> bool {
    bytes.first() == Some(&header::VERSION)
}
