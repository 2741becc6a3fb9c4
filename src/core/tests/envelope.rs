//! The envelope from outside: released values open for ever, limits and lengths are exact, the text form is canonical,
//! what is sealed opens.
//!
//! Beside this file: `damage` (changed bytes), `moves` (other places), `parsers` (any input at all), `aes_256_gcm` (the
//! primitive).

use proptest::prelude::*;
use serde_json::Value;
use token_vault_core::envelope::{
    CipherKey, Context, KeyId, MAX_PLAINTEXT, Nonce, OVERHEAD, OpenError, PREFIX, SealError,
    TokenField, from_text, is_envelope_bytes, is_envelope_text, key_id, open, open_into,
    plaintext_len, seal, seal_into, to_text, validate,
};

const NONCE: Nonce = [7; 24];
const ID: KeyId = KeyId(0x0123_4567_89ab_cdef);
const HERE: Context = Context::Token {
    tenant: "default",
    provider: "google",
    subject: "user-42",
    label: "bot",
    field: TokenField::AccessToken,
};

fn key() -> CipherKey {
    CipherKey::new(&[1; 32])
}

fn sealed(plaintext: &[u8]) -> Vec<u8> {
    seal(&key(), ID, &HERE, &NONCE, plaintext).unwrap()
}

#[test]
fn released_values_open_for_ever() {
    let vectors: Value = serde_json::from_str(include_str!("vectors/envelopes.json")).unwrap();
    let bytes = |name: &str| hex::decode(vectors[name].as_str().unwrap()).unwrap();
    let key = CipherKey::new(&bytes("key").try_into().unwrap());
    let nonce: Nonce = bytes("nonce").try_into().unwrap();
    let envelopes = vectors["envelopes"].as_array().unwrap();
    assert!(envelopes.len() >= 7);
    for case in envelopes {
        let (text, plaintext) = (
            case["text"].as_str().unwrap(),
            case["plaintext"].as_str().unwrap(),
        );
        let context = context(&case["context"]);
        let envelope = from_text(text).unwrap();
        assert_eq!(
            key_id(&envelope).unwrap().to_string(),
            vectors["key_id"],
            "{context:?}"
        );
        assert_eq!(
            open(&key, &context, &envelope).unwrap().expose(),
            plaintext.as_bytes(),
            "{context:?}"
        );
        assert_eq!(
            seal(&key, ID, &context, &nonce, plaintext.as_bytes()).unwrap(),
            envelope,
            "{context:?}"
        );
        assert_eq!(to_text(&envelope), text, "{context:?}");
    }
}

fn context(described: &Value) -> Context<'_> {
    let text = |name: &str| described[name].as_str().unwrap();
    match text("purpose") {
        "token" => Context::Token {
            tenant: text("tenant"),
            provider: text("provider"),
            subject: text("subject"),
            label: text("label"),
            field: match text("field") {
                "access_token" => TokenField::AccessToken,
                "refresh_token" => TokenField::RefreshToken,
                "id_token" => TokenField::IdToken,
                "unread_answer" => TokenField::UnreadAnswer,
                other => panic!("{other}"),
            },
        },
        "client_secret" => Context::ClientSecret {
            tenant: text("tenant"),
            client: text("client"),
            provider: text("provider"),
        },
        "column" => Context::Column {
            context: text("context"),
        },
        "data_key" => Context::DataKey {
            tenant: text("tenant"),
        },
        other => panic!("{other}"),
    }
}

#[test]
fn another_key_does_not_open() {
    let envelope = sealed(b"value");
    assert_eq!(
        open(&CipherKey::new(&[2; 32]), &HERE, &envelope).unwrap_err(),
        OpenError
    );
}

#[test]
fn every_part_of_the_nonce_matters() {
    let envelopes: std::collections::BTreeSet<_> = (0..24)
        .map(|at| {
            let mut nonce = NONCE;
            nonce[at] = 8;
            seal(&key(), ID, &HERE, &nonce, b"value").unwrap()[34..].to_vec()
        })
        .collect();
    assert_eq!(envelopes.len(), 24);
}

#[test]
fn long_names_bind_too() {
    let (long, longer) = ("a".repeat(100_000), "a".repeat(100_001));
    let envelope = seal(
        &key(),
        ID,
        &Context::Column { context: &long },
        &NONCE,
        b"value",
    )
    .unwrap();
    assert!(open(&key(), &Context::Column { context: &long }, &envelope).is_ok());
    assert!(open(&key(), &Context::Column { context: &longer }, &envelope).is_err());
}

#[test]
fn limits_are_exact() {
    // Encrypting 16 MiB takes seconds without optimisation, so the checks before it have to answer.
    let (longest, longer) = (vec![b'a'; MAX_PLAINTEXT], vec![b'a'; MAX_PLAINTEXT + 1]);
    let into_nothing = |plaintext| seal_into(&key(), ID, &HERE, &NONCE, plaintext, &mut []);
    assert_eq!(into_nothing(&longest), Err(SealError::BufferLength));
    assert_eq!(into_nothing(&longer), Err(SealError::TooLong));
    assert_eq!(
        seal(&key(), ID, &HERE, &NONCE, &longer),
        Err(SealError::TooLong)
    );

    let mut envelope = sealed(b"");
    assert_eq!(envelope.len(), OVERHEAD);
    assert!(open(&key(), &HERE, &envelope).unwrap().is_empty());
    envelope.resize(OVERHEAD + MAX_PLAINTEXT, 0);
    assert_eq!(plaintext_len(&envelope), Ok(MAX_PLAINTEXT));
    envelope.push(0);
    assert_eq!(validate(&envelope), Err(OpenError));
}

#[test]
fn key_ids_are_positive() {
    for id in [0, -1, i64::MIN] {
        assert_eq!(
            seal(&key(), KeyId(id), &HERE, &NONCE, b""),
            Err(SealError::KeyId)
        );
        let mut envelope = sealed(b"");
        envelope[2..10].copy_from_slice(&id.to_be_bytes());
        assert_eq!(key_id(&envelope), Err(OpenError));
    }
    assert_eq!(key_id(&sealed(b"")), Ok(ID));
    assert_eq!(ID.to_string(), "0123456789abcdef");
    assert_eq!(KeyId(10).to_string(), "000000000000000a");
}

#[test]
fn buffers_of_the_caller_must_fit() {
    let mut envelope = [0; 5 + OVERHEAD];
    assert_eq!(
        seal_into(&key(), ID, &HERE, &NONCE, b"value", &mut envelope),
        Ok(())
    );
    assert_eq!(envelope[..], sealed(b"value"));
    for length in [0, OVERHEAD - 1, OVERHEAD + 4, OVERHEAD + 6] {
        let mut out = vec![0; length];
        assert_eq!(
            seal_into(&key(), ID, &HERE, &NONCE, b"value", &mut out),
            Err(SealError::BufferLength)
        );
    }
    assert_eq!(plaintext_len(&envelope), Ok(5));
    let mut plaintext = [0; 5];
    assert_eq!(open_into(&key(), &HERE, &envelope, &mut plaintext), Ok(()));
    assert_eq!(&plaintext, b"value");
    assert_eq!(
        open_into(&key(), &HERE, &envelope, &mut [0; 4]),
        Err(OpenError)
    );
    assert_eq!(
        open_into(&key(), &HERE, &envelope, &mut [0; 6]),
        Err(OpenError)
    );

    envelope[40] ^= 1;
    let mut untouched = [9; 5];
    assert_eq!(
        open_into(&key(), &HERE, &envelope, &mut untouched),
        Err(OpenError)
    );
    assert_eq!(untouched, [9; 5], "nothing unauthenticated comes out");
}

#[test]
fn only_the_canonical_text_is_read() {
    let envelope = sealed(b"four"); // 54 bytes: no trailing bits
    let odd = sealed(b"fives"); // 55 bytes: four trailing bits
    let text = to_text(&envelope);
    assert_eq!(from_text(&text), Ok(envelope));
    assert_eq!(from_text(&to_text(&odd)), Ok(odd.clone()));
    let body = text.strip_prefix(PREFIX).unwrap();
    let mut stray = to_text(&odd).into_bytes();
    *stray.last_mut().unwrap() += 1;
    let faults = [
        String::new(),
        body.to_string(),
        "tv1.".to_string(),
        format!("tv2.{body}"),
        format!("TV1.{body}"),
        format!(" {text}"),
        format!("{text}\n"),
        format!("{text}="),
        format!("{text}A"),
        format!("tv1.{}", body.replace('_', "/").replace('-', "+") + "+/=="),
        format!("tv1.{} {}", &body[..8], &body[8..]),
        format!("tv1.{}", &body[..body.len() - 4].replace('A', "é")),
        String::from_utf8(stray).unwrap(),
        format!(
            "{PREFIX}{}",
            "A".repeat((MAX_PLAINTEXT + OVERHEAD) / 3 * 4 + 5)
        ),
        to_text(b"\x02\x01 no envelope, though long enough to be one: 50 bytes"),
    ];
    for fault in faults {
        assert_eq!(from_text(&fault), Err(OpenError), "{fault:.200}");
    }
}

#[test]
fn claims_are_cheap_to_tell() {
    assert!(
        is_envelope_text("tv1.anything") && !is_envelope_text("TV1.x") && !is_envelope_text("tv1")
    );
    assert!(
        is_envelope_bytes(&sealed(b"")) && !is_envelope_bytes(b"text") && !is_envelope_bytes(b"")
    );
}

#[test]
fn keys_cannot_be_formatted() {
    assert_eq!(format!("{:?}", key()), "CipherKey([redacted])");
}

proptest! {
    #[test]
    fn what_is_sealed_opens(plaintext: Vec<u8>, bytes: [u8; 32], nonce: [u8; 24], id in 1..i64::MAX, name: String) {
        let (key, context) = (CipherKey::new(&bytes), Context::Column { context: &name });
        let envelope = seal(&key, KeyId(id), &context, &nonce, &plaintext).unwrap();
        prop_assert_eq!(envelope.len(), plaintext.len() + OVERHEAD);
        prop_assert_eq!(key_id(&envelope), Ok(KeyId(id)));
        let opened = open(&key, &context, &from_text(&to_text(&envelope)).unwrap()).unwrap();
        prop_assert_eq!(opened.expose(), plaintext);
    }
}
