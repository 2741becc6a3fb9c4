//! Inputs by proptest. Arbitrary ones seldom get past the first comparison, so most are valid ones, or nearly.

use super::checks::{Verdict, armour, envelope, key_file, statement};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use proptest::prelude::*;
use proptest::sample::Index;
use token_vault_core::envelope::{PREFIX, to_text};

/// Version, algorithm, a positive key id, and the rest: an envelope that nobody has sealed.
fn unsealed() -> impl Strategy<Value = Vec<u8>> {
    let rest = prop::collection::vec(any::<u8>(), 40..200);
    (1..=i64::MAX, rest).prop_map(|(id, rest)| [&[1, 1], &id.to_be_bytes()[..], &rest].concat())
}

/// A master key in one of the documented forms, line end included.
fn written_key() -> impl Strategy<Value = String> {
    let forms: [fn(&[u8; 32]) -> String; 6] = [
        |key| hex::encode(key),
        |key| hex::encode_upper(key),
        |key| STANDARD.encode(key),
        |key| STANDARD_NO_PAD.encode(key),
        |key| URL_SAFE.encode(key),
        |key| URL_SAFE_NO_PAD.encode(key),
    ];
    let end = prop::sample::select(vec!["", "\n", "\r\n"]);
    (any::<[u8; 32]>(), prop::sample::select(forms.to_vec()), end)
        .prop_map(|(key, form, end)| form(&key) + end)
}

/// One byte of an input changed, put in, or left out.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Change(u8),
    Insert(u8),
    Remove,
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        byte().prop_map(Fault::Change),
        byte().prop_map(Fault::Insert),
        Just(Fault::Remove),
    ]
}

/// Any byte, and often one that means something in a text form.
fn byte() -> impl Strategy<Value = u8> {
    prop_oneof![
        any::<u8>(),
        prop::sample::select(b"+/-_=.AQ09af\r\n \0".to_vec()),
    ]
}

fn faulty(mut input: Vec<u8>, at: Index, fault: Fault) -> Vec<u8> {
    let length = input.len();
    match fault {
        Fault::Change(byte) => input[at.index(length)] = byte,
        Fault::Insert(byte) => input.insert(at.index(length + 1), byte),
        Fault::Remove => drop(input.remove(at.index(length))),
    }
    input
}

proptest! {
    #[test]
    fn arbitrary_bytes(bytes: Vec<u8>) {
        prop_assert_eq!(envelope::check(&bytes), Verdict::Refused);
        prop_assert_eq!(armour::check(&bytes), Verdict::Refused);
        prop_assert_eq!(key_file::check(&bytes), Verdict::Refused);
    }

    #[test]
    fn envelopes_that_nobody_sealed(bytes in unsealed()) {
        prop_assert_eq!(envelope::check(&bytes), Verdict::Accepted);
        prop_assert_eq!(armour::check(to_text(&bytes).as_bytes()), Verdict::Accepted);
    }

    #[test]
    fn envelopes_with_a_fault(bytes in unsealed(), at: Index, fault in fault()) {
        prop_assert_ne!(envelope::check(&faulty(bytes, at, fault)), Verdict::Opened);
    }

    #[test]
    fn texts_with_a_fault(bytes in unsealed(), at: Index, fault in fault()) {
        armour::check(&faulty(to_text(&bytes).into_bytes(), at, fault));
    }

    #[test]
    fn texts_of_the_right_alphabet(digits in "[A-Za-z0-9_-]{0,120}") {
        armour::check(format!("{PREFIX}{digits}").as_bytes());
    }

    #[test]
    fn key_files_in_every_form(text in written_key()) {
        prop_assert_eq!(key_file::check(text.as_bytes()), Verdict::Accepted);
    }

    #[test]
    fn key_files_with_a_fault(text in written_key(), at: Index, fault in fault()) {
        key_file::check(&faulty(text.into_bytes(), at, fault));
    }

    #[test]
    fn key_files_of_nearly_the_right_length(digits in "[0-9a-fA-F]{40,66}|[A-Za-z0-9+/]{40,45}={0,2}|[A-Za-z0-9_-]{40,45}={0,2}") {
        key_file::check(digits.as_bytes());
    }

    #[test]
    fn key_files_around_the_longest(length in 4090..4100_usize, byte in byte()) {
        prop_assert_eq!(key_file::check(&vec![byte; length]), Verdict::Refused);
    }

    #[test]
    fn statements_of_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        statement::check(&bytes);
    }

    #[test]
    fn statements_of_delimiters(pieces in prop::collection::vec(prop::sample::select(&DELIMITERS[..]), 0..60)) {
        statement::check(pieces.concat().as_bytes());
    }
}

/// What means something to PostgreSQL's scanner, and little else.
const DELIMITERS: [&str; 24] = [
    "'", "''", "\"", "E'", "e", "U&'", "$", "$$", "$a$", "$1", "\\", "\\'", "/*", "*/", "--", "\n",
    " ", "x", "é", "*", "/", "-", "%s", "0",
];
