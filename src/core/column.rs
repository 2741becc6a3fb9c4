//! What is sealed for a value of type `vault.secret`: its plaintext and, before it, the context it is bound to.
//!
//! The context is not associated data, because keys are rotated and nobody but the user knows it: a re-encryption can
//! open and seal the whole payload without it. It is authenticated all the same, as a digest inside the envelope.
//!
//! ```text
//! 0x00 | plaintext                        no context
//! 0x01 | digest of the context 16 | plaintext
//! ```

use crate::envelope::{Context, MAX_PLAINTEXT, OpenError};
use crate::secret::SecretBytes;
use sha2::{Digest, Sha256};

const WITHOUT_CONTEXT: u8 = 0;
const WITH_CONTEXT: u8 = 1;
const DIGEST_LEN: usize = 16;

/// What the envelope of every column value is bound to.
pub const COLUMN: Context<'static> = Context::Column { context: "" };

/// Longest plaintext of a column value, in bytes.
pub const MAX_COLUMN_PLAINTEXT: usize = MAX_PLAINTEXT - 1 - DIGEST_LEN;

/// What is sealed for `plaintext` in `context`; an empty context binds to nothing.
pub fn column_payload(context: &str, plaintext: &[u8]) -> SecretBytes {
    let mut payload = Vec::with_capacity(1 + DIGEST_LEN + plaintext.len());
    if context.is_empty() {
        payload.push(WITHOUT_CONTEXT);
    } else {
        payload.push(WITH_CONTEXT);
        payload.extend_from_slice(&digest(context));
    }
    payload.extend_from_slice(plaintext);
    SecretBytes::from_vec(payload)
}

/// The plaintext of a payload, if `context` is the one it was sealed with.
pub fn column_plaintext(context: &str, payload: &SecretBytes) -> Result<SecretBytes, OpenError> {
    let plaintext = match payload.expose() {
        [WITHOUT_CONTEXT, plaintext @ ..] if context.is_empty() => plaintext,
        [WITH_CONTEXT, rest @ ..] => {
            let (found, plaintext) = rest.split_first_chunk().ok_or(OpenError)?;
            if *found != digest(context) {
                return Err(OpenError);
            }
            plaintext
        }
        _ => return Err(OpenError),
    };
    Ok(SecretBytes::from_vec(plaintext.to_vec()))
}

fn digest(context: &str) -> [u8; DIGEST_LEN] {
    let full: [u8; 32] = Sha256::digest(context.as_bytes()).into();
    *full
        .first_chunk()
        .expect("the digest is shorter than the hash")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layout_is_fixed_for_all_time() {
        assert_eq!(column_payload("", b"ab").expose(), b"\x00ab");
        assert_eq!(
            hex::encode(column_payload("webhook:2", b"ab").expose()),
            "018381a3ad051ae45429cf833c1ec1b8176162"
        );
    }

    #[test]
    fn a_payload_opens_in_its_context_only() {
        for context in ["", "a", "webhook:1"] {
            let payload = column_payload(context, b"plaintext");
            for asked in ["", "a", "webhook:1", "webhook:11"] {
                let plaintext = column_plaintext(asked, &payload);
                assert_eq!(plaintext.is_ok(), asked == context, "{context} as {asked}");
            }
        }
        let empty = column_payload("c", b"");
        assert!(column_plaintext("c", &empty).unwrap().is_empty());
    }

    #[test]
    fn what_is_no_payload_has_no_plaintext() {
        for bytes in [&b""[..], b"\x01", b"\x01too short", b"\x02other"] {
            let payload = SecretBytes::from_vec(bytes.to_vec());
            assert_eq!(column_plaintext("", &payload).unwrap_err(), OpenError);
        }
    }
}
