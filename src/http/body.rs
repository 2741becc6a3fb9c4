//! Reads an answer's body into memory that is wiped, never past the limit.

use std::io::Read;

use token_vault_core::secret::SecretBytes;
use zeroize::Zeroizing;

use crate::transport::MAX_BODY_BYTES;

/// First buffer where the length is not declared: more than a usual token answer.
const FIRST_BUFFER: usize = 16 * 1024;

/// Why a body was not read.
pub(crate) enum BodyError {
    TooLarge,
    Http(ureq::Error),
}

/// Reads to the end, which also gives the connection back for its next use.
pub(crate) fn read(body: &mut ureq::Body) -> Result<SecretBytes, BodyError> {
    let declared = body.content_length();
    if declared.is_some_and(|length| length > MAX_BODY_BYTES as u64) {
        return Err(BodyError::TooLarge);
    }
    // One byte more than declared, so that the end is seen without growing.
    let size = declared.map_or(FIRST_BUFFER, |length| length as usize + 1);
    read_all(&mut body.as_reader(), size)
}

fn read_all(reader: &mut impl Read, size: usize) -> Result<SecretBytes, BodyError> {
    let mut buffer = Zeroizing::new(vec![0; size]);
    let mut filled = 0;
    loop {
        if filled > MAX_BODY_BYTES {
            return Err(BodyError::TooLarge);
        }
        if filled == buffer.len() {
            buffer = larger(&buffer);
        }
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(e) => return Err(BodyError::Http(e.into())),
        }
    }
    buffer.truncate(filled);
    Ok(SecretBytes::from_vec(std::mem::take(&mut *buffer)))
}

/// A copy with twice the room; the old buffer is wiped when it is dropped, which `Vec`'s own growth does not do.
fn larger(buffer: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut bigger = Zeroizing::new(vec![0; (buffer.len() * 2).min(MAX_BODY_BYTES + 1)]);
    bigger[..buffer.len()].copy_from_slice(buffer);
    bigger
}

#[cfg(test)]
mod tests {
    use super::*;

    fn length(bytes: usize, first: usize) -> Option<usize> {
        match read_all(&mut std::io::repeat(b'x').take(bytes as u64), first) {
            Ok(body) => {
                assert!(body.expose().iter().all(|b| *b == b'x'));
                Some(body.expose().len())
            }
            Err(BodyError::TooLarge) => None,
            Err(BodyError::Http(e)) => panic!("unexpected: {e}"),
        }
    }

    #[test]
    fn reads_up_to_the_limit_and_not_one_byte_more() {
        for bytes in [
            0,
            1,
            FIRST_BUFFER - 1,
            FIRST_BUFFER,
            FIRST_BUFFER + 1,
            MAX_BODY_BYTES,
        ] {
            assert_eq!(length(bytes, FIRST_BUFFER), Some(bytes));
            assert_eq!(length(bytes, bytes + 1), Some(bytes));
        }
        assert_eq!(length(MAX_BODY_BYTES + 1, FIRST_BUFFER), None);
        assert_eq!(length(MAX_BODY_BYTES * 2, FIRST_BUFFER), None);
    }
}
