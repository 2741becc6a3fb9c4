//! Bytes that may be an envelope.

use super::Verdict;
use token_vault_core::envelope::{
    CipherKey, Context, HEADER_LEN, KeyId, MAX_PLAINTEXT, Nonce, OVERHEAD, OpenError, TokenField,
    is_envelope_bytes, key_id, key_id_of_header, open, open_into, plaintext_len, seal, validate,
};

/// Where the parts of an envelope begin, as docs/architecture.md has them.
const NONCE_AT: usize = 10;
const CIPHERTEXT_AT: usize = 34;
const TAG_LEN: usize = 16;

/// Contexts of released vectors, so that seeds made from these open.
const CONTEXTS: [Context; 3] = [
    Context::Token {
        tenant: "default",
        provider: "p",
        subject: "user-42",
        label: "bot",
        field: TokenField::AccessToken,
    },
    Context::DataKey { tenant: "acme" },
    Context::Token {
        tenant: "default",
        provider: "p",
        subject: "user-42",
        label: "",
        field: TokenField::UnreadAnswer,
    },
];

/// The key of the released vectors.
fn key() -> CipherKey {
    CipherKey::new(&std::array::from_fn(|at| at as u8))
}

/// Everything that holds for any bytes.
pub fn check(bytes: &[u8]) -> Verdict {
    if let Some(header) = bytes.first_chunk::<HEADER_LEN>() {
        assert_eq!(key_id_of_header(header).ok(), read_header(header));
    }
    let Some(id) = read_key_id(bytes) else {
        check_refused(bytes);
        return Verdict::Refused;
    };
    check_structure(bytes, id);
    check_sealed_again(bytes, id);
    if CONTEXTS.iter().any(|context| check_open(bytes, context)) {
        Verdict::Opened
    } else {
        Verdict::Accepted
    }
}

/// Whether bytes are an envelope, by a second reading of the format.
pub fn is_envelope(bytes: &[u8]) -> bool {
    read_key_id(bytes).is_some()
}

fn read_key_id(bytes: &[u8]) -> Option<KeyId> {
    let fits = (OVERHEAD..=OVERHEAD + MAX_PLAINTEXT).contains(&bytes.len());
    fits.then(|| read_header(bytes)).flatten()
}

fn read_header(bytes: &[u8]) -> Option<KeyId> {
    let id = bytes[2..NONCE_AT]
        .iter()
        .fold(0_u64, |id, byte| id << 8 | u64::from(*byte));
    let known = bytes[0] == 1 && bytes[1] == 1;
    i64::try_from(id)
        .ok()
        .filter(|id| known && *id > 0)
        .map(KeyId)
}

fn check_refused(bytes: &[u8]) {
    assert_eq!(validate(bytes), Err(OpenError));
    assert_eq!(key_id(bytes), Err(OpenError));
    assert_eq!(plaintext_len(bytes), Err(OpenError));
    for context in &CONTEXTS {
        assert_eq!(open(&key(), context, bytes).unwrap_err(), OpenError);
        assert_eq!(open_into(&key(), context, bytes, &mut []), Err(OpenError));
    }
}

fn check_structure(bytes: &[u8], id: KeyId) {
    assert_eq!(validate(bytes), Ok(()));
    assert_eq!(key_id(bytes), Ok(id));
    assert_eq!(plaintext_len(bytes), Ok(bytes.len() - OVERHEAD));
    assert!(is_envelope_bytes(bytes));
}

/// Opens it or gives nothing away. What opens is what sealing its plaintext makes: no two envelopes of one plaintext
/// differ in anything but the nonce and the key id.
fn check_open(bytes: &[u8], context: &Context) -> bool {
    const UNWRITTEN: u8 = 0xa5;
    let mut out = vec![UNWRITTEN; bytes.len() - OVERHEAD];
    let into = open_into(&key(), context, bytes, &mut out);
    match open(&key(), context, bytes) {
        Ok(plaintext) => {
            assert_eq!(into, Ok(()));
            assert_eq!(out, plaintext.expose());
            assert_eq!(seal_like(bytes, context, plaintext.expose()), bytes);
            true
        }
        Err(error) => {
            assert_eq!((error, into), (OpenError, Err(OpenError)));
            assert!(out.iter().all(|byte| *byte == UNWRITTEN));
            false
        }
    }
}

/// The input's body, sealed as if it were a plaintext under the input's own key id and nonce: this envelope opens in its
/// context, in no other, and not with a bit changed. The input's tag says which context and which bit.
fn check_sealed_again(bytes: &[u8], id: KeyId) {
    let (rest, tag) = bytes.split_at(bytes.len() - TAG_LEN);
    let plaintext = &rest[CIPHERTEXT_AT..];
    let (here, there) = (usize::from(tag[0]) % 3, usize::from(tag[1]) % 3);
    let envelope = seal_like(bytes, &CONTEXTS[here], plaintext);
    assert_eq!(envelope[..CIPHERTEXT_AT], bytes[..CIPHERTEXT_AT]);
    assert_eq!(envelope.len(), bytes.len());
    assert_eq!(key_id(&envelope), Ok(id));
    let opened = open(&key(), &CONTEXTS[here], &envelope).expect("just sealed");
    assert_eq!(opened.expose(), plaintext);

    let elsewhere = open(&key(), &CONTEXTS[there], &envelope);
    assert_eq!(elsewhere.is_ok(), here == there);
    let bit = usize::from(u16::from_be_bytes([tag[2], tag[3]])) % (envelope.len() * 8);
    let mut damaged = envelope;
    damaged[bit / 8] ^= 1 << (bit % 8);
    assert_eq!(
        open(&key(), &CONTEXTS[here], &damaged).unwrap_err(),
        OpenError
    );
}

/// A new envelope with the key id and nonce of another one.
fn seal_like(other: &[u8], context: &Context, plaintext: &[u8]) -> Vec<u8> {
    let id = key_id(other).expect("an envelope");
    let nonce: Nonce = other[NONCE_AT..CIPHERTEXT_AT].try_into().expect("24 bytes");
    seal(&key(), id, context, &nonce, plaintext).expect("no longer than the other one's")
}
