//! Any bytes at all: nothing panics, time grows with the length, and what an independent reader takes for a literal is
//! hidden.

use proptest::prelude::*;
use token_vault_core::redact::literals::{hidden, mask, redact};

/// Pieces of which hostile statements are made.
const PIECES: [&str; 26] = [
    "'", "''", "\"", "\"\"", "E'", "e'", "U&'", "U&\"", "$", "$$", "$a$", "$1", "\\", "\\'", "/*",
    "*/", "--", "\n", " ", "x", "vault", "é", "*", "/", "-", "0",
];

/// The literals of a text that has no backslash, no double quote and no comment, read in the plainest way: quotes open
/// and close in turn, but in dollar quotes.
fn plain_literals(text: &str) -> Vec<bool> {
    let mut is_literal = Vec::new();
    let mut inside = false;
    for byte in text.bytes() {
        if byte == b'\'' {
            inside = !inside;
            is_literal.push(false);
        } else {
            is_literal.push(inside);
        }
    }
    is_literal
}

fn statement() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(&PIECES[..]), 0..200)
        .prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn ranges_are_in_order_and_inside(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        check(&bytes);
    }

    #[test]
    fn so_they_are_in_texts_made_of_delimiters(text in statement()) {
        check(text.as_bytes());
    }

    #[test]
    fn quoted_text_is_hidden(text in "[a-z,0-9' \n]{0,200}") {
        let mut is_hidden = vec![false; text.len()];
        hidden(text.as_bytes()).for_each(|range| is_hidden[range].fill(true));
        for (at, is_literal) in plain_literals(&text).into_iter().enumerate() {
            prop_assert!(!is_literal || is_hidden[at], "{text:?} at {at}");
        }
    }

    /// A secret in a literal of any kind, whatever complete literals and comments stand around it.
    #[test]
    fn a_literal_is_hidden_wherever_it_stands(
        before in prop::collection::vec(prop::sample::select(&COMPLETE[..]), 0..8),
        literal in prop::sample::select(&LITERALS[..]),
        after in prop::collection::vec(prop::sample::select(&COMPLETE[..]), 0..8),
    ) {
        // The commas keep strings from being continued.
        let text = format!("{}, {literal}, {}", before.join(", "), after.join(", "));
        let shown = redact(text.as_bytes()).expect("memory");
        prop_assert!(!String::from_utf8_lossy(shown.bytes()).contains("SECRET"), "{text}");
    }
}

/// Complete pieces of SQL.
const COMPLETE: [&str; 14] = [
    "'a'",
    "'it''s'",
    r"E'it\'s'",
    r"E'\\'",
    "$$'$$",
    "$q$ $$ ' $q$",
    "-- it's\n",
    "/* ' /* $$ */ \" */",
    "\"a'b\"",
    "\"name\"",
    "U&'x'",
    r"'C:\'",
    "a$b$c",
    "$1",
];

/// The secret as a literal.
const LITERALS: [&str; 10] = [
    "'SECRET'",
    "'a''SECRET'",
    r"E'\'SECRET'",
    "$$SECRET$$",
    "$a$ $b$SECRET$b$ $a$",
    "U&'SECRET'",
    "N'SECRET'",
    "/* SECRET */",
    "-- SECRET\n",
    "'x'\n'SECRET'",
];

fn check(text: &[u8]) {
    let mut end = 0;
    for range in hidden(text) {
        assert!(range.start >= end && range.start < range.end && range.end <= text.len());
        end = range.end;
    }
    assert_eq!(mask(text).expect("memory").bytes().len(), text.len());
    redact(text).expect("memory");
}

#[test]
fn long_texts_of_one_delimiter_are_read_once() {
    for piece in PIECES {
        check(piece.repeat(64 * 1024 / piece.len()).as_bytes());
    }
    for pair in [
        "'\\'", "$a$b", "$a$$b$", "/*'*/", "\"\n", "\\'\"\n", "'--\n",
    ] {
        check(pair.repeat(64 * 1024 / pair.len()).as_bytes());
    }
}
