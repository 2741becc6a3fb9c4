//! A damaged envelope never opens, and nobody learns what was wrong with it.
//!
//! Every single bit of envelopes of several lengths is flipped, every shorter and many longer ones are tried, and every
//! bit of the key and of each name the envelope is bound to: always the one error, with the one text, from every
//! function that takes an envelope, and never a byte of plaintext.

use std::fmt::Debug;
use token_vault_core::envelope::{
    CipherKey, Context, KEY_LEN, KeyId, Nonce, OVERHEAD, OpenError, TokenField, from_text, key_id,
    open, open_into, plaintext_len, seal, to_text, validate,
};
use token_vault_core::keys::MasterKey;

const KEY: [u8; KEY_LEN] = [1; KEY_LEN];
const NONCE: Nonce = [7; 24];
const ID: KeyId = KeyId(0x0123_4567_89ab_cdef);
const PARTS: [&str; 4] = ["default", "google", "user-42", "bot"];
/// One block, and lengths around it; nothing; a few blocks.
const LENGTHS: [usize; 7] = [0, 1, 15, 16, 17, 32, 70];

fn cipher() -> CipherKey {
    CipherKey::new(&KEY)
}

fn token([tenant, provider, subject, label]: [&str; 4]) -> Context<'_> {
    Context::Token {
        tenant,
        provider,
        subject,
        label,
        field: TokenField::AccessToken,
    }
}

fn sealed(length: usize) -> Vec<u8> {
    let plaintext = vec![b'x'; length];
    let envelope = seal(&cipher(), ID, &token(PARTS), &NONCE, &plaintext).unwrap();
    let opened = open(&cipher(), &token(PARTS), &envelope).unwrap();
    assert_eq!(opened.expose(), plaintext, "undamaged, it opens");
    envelope
}

/// The one error, in every way it can be looked at.
fn assert_uniform<T: Debug>(result: Result<T, OpenError>, what: &str) {
    let error = result.expect_err(what);
    assert_eq!(error, OpenError, "{what}");
    assert_eq!(
        error.to_string(),
        "encrypted value cannot be opened",
        "{what}"
    );
    assert_eq!(format!("{error:?}"), "OpenError", "{what}");
    assert!(std::error::Error::source(&error).is_none(), "{what}");
}

/// Bytes that do not open, by any of the functions that open.
fn assert_refused(damaged: &[u8], what: &str) {
    const UNWRITTEN: u8 = 0xa5;
    let context = token(PARTS);
    assert_uniform(open(&cipher(), &context, damaged), what);
    let mut out = vec![UNWRITTEN; damaged.len().saturating_sub(OVERHEAD)];
    assert_uniform(open_into(&cipher(), &context, damaged, &mut out), what);
    assert!(
        out.iter().all(|byte| *byte == UNWRITTEN),
        "{what}: something unauthenticated came out"
    );
    let through_text =
        from_text(&to_text(damaged)).and_then(|bytes| open(&cipher(), &context, &bytes));
    assert_uniform(through_text, what);
}

/// All single-bit changes of `bytes`, each with the number of its bit.
fn flips(bytes: &[u8]) -> impl Iterator<Item = (usize, Vec<u8>)> {
    (0..bytes.len() * 8).map(|bit| {
        let mut damaged = bytes.to_vec();
        damaged[bit / 8] ^= 1 << (bit % 8);
        (bit, damaged)
    })
}

#[test]
fn every_flipped_bit() {
    for length in LENGTHS {
        for (bit, damaged) in flips(&sealed(length)) {
            assert_refused(&damaged, &format!("{length} bytes, bit {bit}"));
        }
    }
}

#[test]
fn every_flipped_bit_of_the_text_form() {
    // 51, 52 and 53 bytes: no, four and two trailing bits in the last character.
    for length in [1, 2, 3] {
        for (bit, damaged) in flips(to_text(&sealed(length)).as_bytes()) {
            // A flipped highest bit is no UTF-8, which a text cannot be.
            let Ok(text) = String::from_utf8(damaged) else {
                continue;
            };
            let opened = from_text(&text).and_then(|bytes| open(&cipher(), &token(PARTS), &bytes));
            assert_uniform(opened, &format!("bit {bit}: {text}"));
        }
    }
}

#[test]
fn every_truncation_at_either_end() {
    for length in LENGTHS {
        let envelope = sealed(length);
        for kept in 0..envelope.len() {
            let what = format!("{kept} of {} bytes", envelope.len());
            assert_refused(&envelope[..kept], &what);
            assert_refused(&envelope[envelope.len() - kept..], &what);
        }
    }
}

#[test]
fn every_byte_left_out_or_repeated() {
    let envelope = sealed(70);
    for at in 0..envelope.len() {
        let (head, tail) = envelope.split_at(at);
        assert_refused(&[head, &tail[1..]].concat(), &format!("without byte {at}"));
        assert_refused(
            &[head, &tail[..1], tail].concat(),
            &format!("byte {at} twice"),
        );
    }
}

#[test]
fn extensions_at_either_end() {
    for length in LENGTHS {
        let envelope = sealed(length);
        let bytes = (0..=u8::MAX).map(|byte| vec![byte]);
        let zeros = (1..=64).map(|more| vec![0; more]);
        let own_parts = (1..=envelope.len()).map(|more| envelope[..more].to_vec());
        for more in bytes.chain(zeros).chain(own_parts) {
            let what = format!("{length} bytes and {more:?}");
            assert_refused(&[&envelope, more.as_slice()].concat(), &what);
            assert_refused(&[more.as_slice(), &envelope].concat(), &what);
        }
    }
}

#[test]
fn every_flipped_bit_of_the_key() {
    let envelope = sealed(17);
    for (bit, damaged) in flips(&KEY) {
        let key = CipherKey::new(&damaged.try_into().unwrap());
        assert_uniform(
            open(&key, &token(PARTS), &envelope),
            &format!("key bit {bit}"),
        );
    }
}

#[test]
fn every_flipped_bit_of_every_name() {
    let envelope = sealed(17);
    for (at, name) in PARTS.iter().enumerate() {
        for (bit, damaged) in flips(name.as_bytes()) {
            let Ok(other) = str::from_utf8(&damaged) else {
                continue;
            };
            let mut parts = PARTS;
            parts[at] = other;
            let what = format!("bit {bit} of {name}");
            assert_uniform(open(&cipher(), &token(parts), &envelope), &what);
        }
    }
}

#[test]
fn what_is_no_envelope_is_the_same_error_everywhere() {
    let envelope = sealed(17);
    let damaged = |at: usize, byte: u8| {
        let mut damaged = envelope.clone();
        damaged[at] = byte;
        damaged
    };
    let cases = [
        ("empty", vec![]),
        ("a header only", envelope[..10].to_vec()),
        ("a byte too short", envelope[..OVERHEAD - 1].to_vec()),
        ("version 0", damaged(0, 0)),
        ("version 2", damaged(0, 2)),
        ("algorithm 0", damaged(1, 0)),
        ("algorithm 2", damaged(1, 2)),
        ("a negative key id", damaged(2, 0x80)),
        ("key id 0", [&[1, 1], &[0; 8][..], &envelope[10..]].concat()),
    ];
    for (what, bytes) in cases {
        assert_uniform(validate(&bytes), what);
        assert_uniform(key_id(&bytes), what);
        assert_uniform(plaintext_len(&bytes), what);
        assert_uniform(from_text(&to_text(&bytes)), what);
        assert_uniform(MasterKey::from_bytes(KEY).unwrap(ID, "", &bytes), what);
        assert_refused(&bytes, what);
    }
}

#[test]
fn every_flipped_bit_and_truncation_of_a_wrapped_key() {
    let master = MasterKey::from_bytes(KEY);
    let wrapped = master.wrap(ID, "acme", &NONCE, &[2; KEY_LEN]);
    assert!(master.unwrap(ID, "acme", &wrapped).is_ok());
    for (bit, damaged) in flips(&wrapped) {
        assert_uniform(
            master.unwrap(ID, "acme", &damaged),
            &format!("under the id asked for, bit {bit}"),
        );
        // The caller may have read the damaged id from the header.
        if let Ok(id) = key_id(&damaged) {
            assert_uniform(master.unwrap(id, "acme", &damaged), &format!("bit {bit}"));
        }
    }
    for kept in 0..wrapped.len() {
        assert_uniform(
            master.unwrap(ID, "acme", &wrapped[..kept]),
            &format!("{kept} bytes"),
        );
    }
}
