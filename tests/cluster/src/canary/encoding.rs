//! The forms in which a secret can lie in a file.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// How many bytes `pglz`, PostgreSQL's compression, writes after each control byte.
const PGLZ_GROUP: usize = 8;

/// One way of writing bytes down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// As it is.
    Raw,
    /// Hexadecimal, as `bytea` prints itself.
    HexLower,
    /// Hexadecimal in capitals.
    HexUpper,
    /// Base64 (RFC 4648 §4), at any alignment within a longer text.
    Base64,
    /// Base64url (RFC 4648 §5), at any alignment within a longer text.
    Base64Url,
    /// Percent-encoded, as in a form or a URL.
    Percent,
    /// UTF-16, little-endian.
    Utf16,
    /// Inside a `pglz`-compressed value that could not shorten it: a zero byte before every eighth byte.
    Pglz,
}

impl Encoding {
    /// Every encoding that is searched for.
    pub const ALL: [Self; 8] = [
        Self::Raw,
        Self::HexLower,
        Self::HexUpper,
        Self::Base64,
        Self::Base64Url,
        Self::Percent,
        Self::Utf16,
        Self::Pglz,
    ];

    /// The byte sequences of which one is in any file that holds `piece` in this encoding.
    pub(super) fn patterns(self, piece: &[u8]) -> Vec<Vec<u8>> {
        match self {
            Self::Raw => vec![piece.to_vec()],
            Self::HexLower => vec![hex::encode(piece).into_bytes()],
            Self::HexUpper => vec![hex::encode_upper(piece).into_bytes()],
            Self::Base64 => aligned(piece, |bytes| STANDARD_NO_PAD.encode(bytes)),
            Self::Base64Url => aligned(piece, |bytes| URL_SAFE_NO_PAD.encode(bytes)),
            Self::Percent => vec![percent(piece)],
            Self::Utf16 => vec![piece.iter().flat_map(|byte| [*byte, 0]).collect()],
            Self::Pglz => (0..PGLZ_GROUP)
                .map(|first| interrupted(piece, first))
                .collect(),
        }
    }
}

/// The three forms of a piece inside a longer base64 text: those characters that depend on it alone.
fn aligned(piece: &[u8], encode: impl Fn(&[u8]) -> String) -> Vec<Vec<u8>> {
    (0..3)
        .map(|before| {
            let mut bytes = vec![0; before];
            bytes.extend_from_slice(piece);
            let text = encode(&bytes).into_bytes();
            let from = (before * 8).div_ceil(6);
            let to = bytes.len() * 8 / 6;
            text[from..to].to_vec()
        })
        .collect()
}

fn percent(piece: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    for byte in piece {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
            text.push(*byte);
        } else {
            text.extend_from_slice(format!("%{byte:02X}").as_bytes());
        }
    }
    text
}

/// The piece with a zero control byte after its first `first` bytes and then after every group.
fn interrupted(piece: &[u8], first: usize) -> Vec<u8> {
    let (head, rest) = piece.split_at(first.min(piece.len()));
    let mut bytes = head.to_vec();
    for group in rest.chunks(PGLZ_GROUP) {
        bytes.push(0);
        bytes.extend_from_slice(group);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIECE: &[u8] = b"canary-\xff+/=piece0123456";

    #[test]
    fn base64_is_recognised_at_every_alignment() {
        for (encoding, encode) in [
            (
                Encoding::Base64,
                &(|b: &[u8]| STANDARD_NO_PAD.encode(b)) as &dyn Fn(&[u8]) -> String,
            ),
            (Encoding::Base64Url, &|b: &[u8]| URL_SAFE_NO_PAD.encode(b)),
        ] {
            for before in 0..7 {
                let text = encode(&[&vec![0xa5; before][..], PIECE, b"after"].concat());
                let patterns = encoding.patterns(PIECE);
                assert!(
                    patterns
                        .iter()
                        .any(|pattern| text.contains(str::from_utf8(pattern).unwrap())),
                    "{encoding:?} after {before} bytes"
                );
            }
        }
    }

    #[test]
    fn reserved_characters_are_percent_encoded() {
        assert_eq!(Encoding::Percent.patterns(b"a+b/c="), [b"a%2Bb%2Fc%3D"]);
    }

    #[test]
    fn utf16_has_a_zero_after_every_byte() {
        assert_eq!(Encoding::Utf16.patterns(b"ab"), [b"a\0b\0"]);
    }

    #[test]
    fn pglz_is_recognised_at_every_alignment() {
        let patterns = Encoding::Pglz.patterns(PIECE);
        for before in 0..PGLZ_GROUP {
            let mut compressed = Vec::new();
            for group in [&vec![b'x'; before][..], PIECE, b"yz"]
                .concat()
                .chunks(PGLZ_GROUP)
            {
                compressed.push(0);
                compressed.extend_from_slice(group);
            }
            assert!(
                patterns
                    .iter()
                    .any(|p| compressed.windows(p.len()).any(|window| window == p)),
                "after {before} bytes"
            );
        }
    }
}
