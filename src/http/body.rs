//! Reads an answer's body into memory that is wiped, never past the limit.

use http_body_util::BodyExt;
use hyper::body::{Body, Bytes};
use token_vault_core::secret::SecretBytes;
use zeroize::Zeroizing;

use crate::transport::MAX_BODY_BYTES;

/// First buffer: more than a usual token answer. Not what a server declares decides what is allocated, but what it sends.
const FIRST_BUFFER: usize = 16 * 1024;

/// Why a body was not read.
#[derive(Debug)]
pub(crate) enum BodyError<E> {
    TooLarge,
    Http(E),
}

/// Reads to the end, which also gives the connection back for its next use.
pub(crate) async fn read<B>(mut body: B) -> Result<SecretBytes, BodyError<B::Error>>
where
    B: Body<Data = Bytes> + Unpin,
{
    let declared = body.size_hint().exact();
    if declared.is_some_and(|length| length > MAX_BODY_BYTES as u64) {
        return Err(BodyError::TooLarge);
    }
    let size = declared.map_or(FIRST_BUFFER, |length| FIRST_BUFFER.min(length as usize));
    let mut buffer = Zeroizing::new(vec![0; size]);
    let mut filled = 0;
    while let Some(frame) = body.frame().await {
        // Trailers say nothing that is asked for.
        let Ok(piece) = frame.map_err(BodyError::Http)?.into_data() else {
            continue;
        };
        let end = filled + piece.len();
        if end > MAX_BODY_BYTES {
            return Err(BodyError::TooLarge);
        }
        if end > buffer.len() {
            buffer = larger(&buffer, end);
        }
        buffer[filled..end].copy_from_slice(&piece);
        filled = end;
    }
    buffer.truncate(filled);
    Ok(SecretBytes::from_vec(std::mem::take(&mut *buffer)))
}

/// A copy with room for `end` bytes and as much again; the old buffer is wiped when it is dropped, which `Vec`'s own
/// growth does not do.
fn larger(buffer: &[u8], end: usize) -> Zeroizing<Vec<u8>> {
    let mut bigger = Zeroizing::new(vec![0; (end * 2).min(MAX_BODY_BYTES)]);
    bigger[..buffer.len()].copy_from_slice(buffer);
    bigger
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use hyper::body::{Frame, SizeHint};

    use super::*;

    /// A body in pieces, which may say how long it is.
    struct Pieces(VecDeque<Bytes>, SizeHint);

    impl Body for Pieces {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            Poll::Ready(self.0.pop_front().map(|piece| Ok(Frame::data(piece))))
        }

        fn size_hint(&self) -> SizeHint {
            self.1
        }
    }

    fn length(bytes: usize, piece: usize, is_declared: bool) -> Option<usize> {
        let whole = Bytes::from(vec![b'x'; bytes]);
        let pieces = whole.chunks(piece).map(Bytes::copy_from_slice).collect();
        let hint = match is_declared {
            true => SizeHint::with_exact(bytes as u64),
            false => SizeHint::default(),
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("runtime");
        match runtime.block_on(read(Pieces(pieces, hint))) {
            Ok(body) => {
                assert_eq!(body.expose(), whole);
                Some(body.expose().len())
            }
            Err(BodyError::TooLarge) => None,
        }
    }

    #[test]
    fn reads_up_to_the_limit_and_not_one_byte_more() {
        for piece in [1_000, 8_192, 3 * MAX_BODY_BYTES] {
            for is_declared in [false, true] {
                for bytes in [
                    0,
                    1,
                    FIRST_BUFFER - 1,
                    FIRST_BUFFER,
                    FIRST_BUFFER + 1,
                    MAX_BODY_BYTES,
                ] {
                    assert_eq!(length(bytes, piece, is_declared), Some(bytes));
                }
                assert_eq!(length(MAX_BODY_BYTES + 1, piece, is_declared), None);
                assert_eq!(length(MAX_BODY_BYTES * 2, piece, is_declared), None);
            }
        }
    }
}
