//! The binary layout of an envelope, and its strict parser.
//!
//! ```text
//! version 1 | algorithm 1 | key id 8, big-endian | nonce 24 | ciphertext 0 … 16 Mi | tag 16
//! ```

use super::xaes::{NONCE_LEN, Nonce, TAG_LEN};
use super::{KeyId, OpenError};

/// The only version of the layout so far. Not a printable character, so that no text begins like an envelope.
pub(super) const VERSION: u8 = 0x01;
/// XAES-256-GCM.
const ALGORITHM: u8 = 0x01;

/// Version, algorithm and key id: the part of the envelope that its associated data repeats.
pub const HEADER_LEN: usize = 10;
const CIPHERTEXT_AT: usize = HEADER_LEN + NONCE_LEN;

/// How many bytes an envelope is longer than its plaintext.
pub const OVERHEAD: usize = CIPHERTEXT_AT + TAG_LEN;
/// Longest plaintext in bytes: far above any token, far below what one allocation in a database server may be.
pub const MAX_PLAINTEXT: usize = 16 << 20;

/// The parts of an envelope whose structure has been checked. Nothing in it is authenticated yet.
pub(super) struct Parts<'a> {
    pub header: &'a [u8; HEADER_LEN],
    pub key_id: KeyId,
    pub nonce: &'a Nonce,
    pub ciphertext: &'a [u8],
    pub tag: &'a [u8; TAG_LEN],
}

/// Splits an envelope, refusing every other length, version, algorithm and impossible key id.
pub(super) fn parse(envelope: &[u8]) -> Result<Parts<'_>, OpenError> {
    let (header, rest) = envelope
        .split_first_chunk::<HEADER_LEN>()
        .ok_or(OpenError)?;
    let (nonce, rest) = rest.split_first_chunk::<NONCE_LEN>().ok_or(OpenError)?;
    let (ciphertext, tag) = rest.split_last_chunk::<TAG_LEN>().ok_or(OpenError)?;
    let key_id = key_id(header)?;
    if ciphertext.len() > MAX_PLAINTEXT {
        return Err(OpenError);
    }
    Ok(Parts {
        header,
        key_id,
        nonce,
        ciphertext,
        tag,
    })
}

/// The key that a header names, if it is the header of an envelope.
pub(super) fn key_id(header: &[u8; HEADER_LEN]) -> Result<KeyId, OpenError> {
    let [VERSION, ALGORITHM, key_id @ ..] = *header else {
        return Err(OpenError);
    };
    let key_id = KeyId(i64::from_be_bytes(key_id));
    if key_id.0 <= 0 {
        return Err(OpenError);
    }
    Ok(key_id)
}

/// The header of a new envelope.
pub(super) fn header(key_id: KeyId) -> [u8; HEADER_LEN] {
    let mut header = [VERSION, ALGORITHM, 0, 0, 0, 0, 0, 0, 0, 0];
    header[2..].copy_from_slice(&key_id.0.to_be_bytes());
    header
}

/// Writable parts of a new envelope in `out`, which is exactly [`OVERHEAD`] longer than the plaintext.
pub(super) struct Writer<'a> {
    pub header: &'a mut [u8; HEADER_LEN],
    pub nonce: &'a mut Nonce,
    pub ciphertext: &'a mut [u8],
    pub tag: &'a mut [u8; TAG_LEN],
}

/// Splits the output buffer of a seal; `None` where it is too short for an empty plaintext.
pub(super) fn writer(out: &mut [u8]) -> Option<Writer<'_>> {
    let (header, rest) = out.split_first_chunk_mut::<HEADER_LEN>()?;
    let (nonce, rest) = rest.split_first_chunk_mut::<NONCE_LEN>()?;
    let (ciphertext, tag) = rest.split_last_chunk_mut::<TAG_LEN>()?;
    Some(Writer {
        header,
        nonce,
        ciphertext,
        tag,
    })
}
