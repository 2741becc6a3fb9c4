//! The text form of an envelope: `tv1.` and base64url without padding (RFC 4648 §5).

use super::header::{MAX_PLAINTEXT, OVERHEAD};
use super::{OpenError, validate};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// What every envelope in text form begins with.
pub const PREFIX: &str = "tv1.";

/// Longest text that can hold an envelope: checked before anything is allocated.
const MAX_TEXT: usize = PREFIX.len() + (OVERHEAD + MAX_PLAINTEXT).div_ceil(3) * 4;

/// The text form of an envelope.
pub fn to_text(envelope: &[u8]) -> String {
    let mut text = String::with_capacity(PREFIX.len() + envelope.len().div_ceil(3) * 4);
    text.push_str(PREFIX);
    URL_SAFE_NO_PAD.encode_string(envelope, &mut text);
    text
}

/// The envelope that a text stands for. Refuses everything [`to_text`] does not write: other alphabets, padding, white
/// space, stray trailing bits; and bytes that are no envelope.
pub fn from_text(text: &str) -> Result<Vec<u8>, OpenError> {
    let encoded = text.strip_prefix(PREFIX).ok_or(OpenError)?;
    if text.len() > MAX_TEXT {
        return Err(OpenError);
    }
    let envelope = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| OpenError)?;
    validate(&envelope)?;
    Ok(envelope)
}

/// Whether a text claims to be an envelope; [`from_text`] says whether it is one.
pub fn is_envelope_text(text: &str) -> bool {
    text.starts_with(PREFIX)
}
