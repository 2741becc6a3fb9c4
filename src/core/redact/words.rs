//! Whether a text names something: its words by their hashes, so that a set of names is a set of numbers.

use super::literals::{is_word_part, is_word_start};

const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

/// The hash of a word (FNV-1a), whatever the case of its letters.
pub const fn hash(word: &[u8]) -> u64 {
    let mut hash = OFFSET;
    let mut at = 0;
    while at < word.len() {
        hash = step(hash, word[at].to_ascii_lowercase());
        at += 1;
    }
    hash
}

/// The hash of a whole text, every byte as it is.
pub fn fingerprint(text: &[u8]) -> u64 {
    text.iter().fold(OFFSET, |hash, byte| step(hash, *byte))
}

const fn step(hash: u64, byte: u8) -> u64 {
    (hash ^ byte as u64).wrapping_mul(PRIME)
}

/// Whether a word of the text, wherever it stands (in literals and comments, too), meets the condition. A text with names
/// that are written with Unicode escapes (`U&"…"`) is taken to: they could be any.
pub fn any_word(text: &[u8], is_meant: impl Fn(u64) -> bool) -> bool {
    let mut at = 0;
    while at < text.len() {
        if !is_word_start(text[at]) {
            at += 1;
            continue;
        }
        let start = at;
        let mut hash = OFFSET;
        while at < text.len() && is_word_part(text[at]) {
            hash = step(hash, text[at].to_ascii_lowercase());
            at += 1;
        }
        let has_escapes =
            text[start..at].eq_ignore_ascii_case(b"u") && text[at..].starts_with(b"&\"");
        if has_escapes || is_meant(hash) {
            return true;
        }
    }
    false
}
