//! A ciphertext that somebody moves to another place does not open there.
//!
//! * The full cross product: values are sealed at places that differ in every part of what an envelope is bound to, and
//!   each is tried at each. Exactly the diagonal opens.
//! * The same for data keys wrapped by master keys, and for the contexts of column values.
//! * Two contexts of any names open each other's envelopes if, and only if, they are the same.

use proptest::prelude::*;
use std::collections::BTreeSet;
use token_vault_core::column::{COLUMN, column_payload, column_plaintext};
use token_vault_core::envelope::{
    CipherKey, Context, KeyId, Nonce, OpenError, TokenField, open, seal,
};
use token_vault_core::keys::MasterKey;

const NONCE: Nonce = [7; 24];
/// They differ in the last and in the first byte.
const KEY_IDS: [KeyId; 3] = [KeyId(1), KeyId(2), KeyId(1 << 56)];

fn key() -> CipherKey {
    CipherKey::new(&[1; 32])
}

/// Where a value is stored: its key id, which is in its header, and what it is bound to besides.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Place<'a> {
    key_id: KeyId,
    context: Context<'a>,
}

impl Place<'_> {
    fn seal(&self) -> Vec<u8> {
        seal(&key(), self.key_id, &self.context, &NONCE, b"value").unwrap()
    }

    /// Opens what somebody has put here, its header made to name this place's key.
    fn open(&self, envelope: &[u8]) -> Result<(), OpenError> {
        let mut here = envelope.to_vec();
        here[2..10].copy_from_slice(&self.key_id.0.to_be_bytes());
        open(&key(), &self.context, &here).map(|plaintext| assert_eq!(plaintext.expose(), b"value"))
    }
}

/// Number of a context's purpose. A new purpose does not compile until it stands here, and fails below until it is
/// among the contexts.
fn purpose(context: &Context) -> usize {
    match context {
        Context::Token { .. } => 0,
        Context::ClientSecret { .. } => 1,
        Context::Column { .. } => 2,
        Context::DataKey { .. } => 3,
        Context::MasterKey { .. } => 4,
    }
}
const PURPOSES: usize = 5;

fn token<'a>([tenant, provider, subject, label]: [&'a str; 4], field: TokenField) -> Context<'a> {
    Context::Token {
        tenant,
        provider,
        subject,
        label,
        field,
    }
}

fn client_secret<'a>([tenant, client, provider]: [&'a str; 3]) -> Context<'a> {
    Context::ClientSecret {
        tenant,
        client,
        provider,
    }
}

fn single_part_contexts(name: &str) -> [Context<'_>; 3] {
    [
        Context::Column { context: name },
        Context::DataKey { tenant: name },
        Context::MasterKey { source: name },
    ]
}

/// Every part in two values, each with each: no part is ignored, none is taken for another one.
fn plain_contexts() -> Vec<Context<'static>> {
    const NAMES: [&str; 2] = ["a", "b"];
    let mut contexts = Vec::new();
    for one in NAMES {
        contexts.extend(single_part_contexts(one));
        for two in NAMES {
            for three in NAMES {
                contexts.push(client_secret([one, two, three]));
                for four in NAMES {
                    contexts
                        .extend(TokenField::ALL.map(|field| token([one, two, three, four], field)));
                }
            }
        }
    }
    contexts
}

/// Contexts whose names are the same bytes, divided differently, or look like a part of the encoding.
fn tricky_contexts() -> Vec<Context<'static>> {
    let field = TokenField::AccessToken;
    let mut contexts = vec![
        token(["", "", "", ""], field),
        token(["abcd", "", "", ""], field),
        token(["", "abcd", "", ""], field),
        token(["", "", "abcd", ""], field),
        token(["", "", "", "abcd"], field),
        token(["ab", "cd", "", ""], field),
        token(["a", "bcd", "", ""], field),
        token(["a", "b", "cd", ""], field),
        token(["a", "b", "c", "d"], field),
        // A separator or a terminator instead of lengths would confuse these.
        token(["a\0b", "", "", ""], field),
        token(["a", "\0b", "", ""], field),
        token(["a\0", "b", "", ""], field),
        // The last part is the field's number, and this label ends with one.
        token(["a", "b", "c", "d\0\0\0\x01\x01"], field),
        // A tenant that holds the length and bytes of the next part.
        token(["a\0\0\0\x01b", "", "", ""], field),
        // Folding of case, of white space, or of Unicode forms.
        token(["A", "b", "c", "d"], field),
        token(["a ", "b", "c", "d"], field),
        token(["\u{e4}", "b", "c", "d"], field),
        token(["a\u{308}", "b", "c", "d"], field),
        client_secret(["", "", ""]),
        client_secret(["abc", "", ""]),
        client_secret(["", "abc", ""]),
        client_secret(["", "", "abc"]),
        client_secret(["ab", "c", ""]),
        client_secret(["a", "bc", ""]),
        // All parts of a token in one name.
        client_secret(["a", "b", "c\0\0\0\x01d\0\0\0\x01\x01\0\0\0\0"]),
    ];
    let names = [
        "",
        "ab",
        "a\0",
        "\0\0\0\0",
        "a\0\0\0\x01b",
        "\0\0\0\0\0\0\0\x01",
    ];
    contexts.extend(names.into_iter().flat_map(single_part_contexts));
    contexts
}

/// Tries what was sealed at each place at each place.
fn assert_only_the_diagonal_opens(places: &[Place]) {
    for (at, from) in places.iter().enumerate() {
        let envelope = from.seal();
        for (other, to) in places.iter().enumerate() {
            assert!(at == other || from != to, "{from:?} is twice in the list");
            assert_eq!(
                to.open(&envelope).is_ok(),
                at == other,
                "{from:?} -> {to:?}"
            );
        }
    }
}

fn places(contexts: &[Context<'static>], key_ids: &[KeyId]) -> Vec<Place<'static>> {
    key_ids
        .iter()
        .flat_map(|&key_id| {
            contexts
                .iter()
                .map(move |&context| Place { key_id, context })
        })
        .collect()
}

#[test]
fn values_open_only_where_they_were_sealed() {
    let mut contexts = plain_contexts();
    contexts.extend(
        tricky_contexts()
            .into_iter()
            .filter(|tricky| !plain_contexts().contains(tricky)),
    );
    let purposes: BTreeSet<usize> = contexts.iter().map(purpose).collect();
    assert_eq!(purposes, (0..PURPOSES).collect(), "a purpose is missing");
    assert!(contexts.len() > 100);
    assert_only_the_diagonal_opens(&places(&contexts, &KEY_IDS[..1]));
}

#[test]
fn values_open_only_under_their_key_id() {
    let one_of_each_purpose = [
        token(["a", "b", "c", "d"], TokenField::RefreshToken),
        client_secret(["a", "b", "c"]),
    ]
    .into_iter()
    .chain(single_part_contexts("a"))
    .collect::<Vec<_>>();
    assert_only_the_diagonal_opens(&places(&one_of_each_purpose, &KEY_IDS));
}

#[test]
fn wrapped_keys_open_only_for_their_master_key_id_and_tenant() {
    let masters = [[1; 32], [2; 32]].map(MasterKey::from_bytes);
    let mut places = Vec::new();
    for master in &masters {
        for key_id in KEY_IDS {
            places.extend(["", "a", "ab"].map(|tenant| (master, key_id, tenant)));
        }
    }
    for (at, (master, key_id, tenant)) in places.iter().enumerate() {
        let wrapped = master.wrap(*key_id, tenant, &NONCE, &[3; 32]);
        for (other, (master, key_id, tenant)) in places.iter().enumerate() {
            let mut renamed = wrapped.clone();
            renamed[2..10].copy_from_slice(&key_id.0.to_be_bytes());
            let (as_it_is, renamed) = (
                master.unwrap(*key_id, tenant, &wrapped),
                master.unwrap(*key_id, tenant, &renamed),
            );
            assert_eq!(as_it_is.is_ok(), at == other, "{at} -> {other}");
            assert_eq!(renamed.is_ok(), at == other, "{at} -> {other}, renamed");
        }
    }
}

#[test]
fn column_values_open_only_in_their_context() {
    let contexts = [
        "",
        "a",
        "ab",
        "b",
        "a\0",
        "\0",
        "A",
        "webhook:1",
        "webhook:11",
    ];
    for from in contexts {
        let payload = column_payload(from, b"value");
        let envelope = seal(&key(), KEY_IDS[0], &COLUMN, &NONCE, payload.expose()).unwrap();
        let opened = open(&key(), &COLUMN, &envelope).unwrap();
        for to in contexts {
            match column_plaintext(to, &opened) {
                Ok(plaintext) => assert_eq!((plaintext.expose(), from), (&b"value"[..], to)),
                Err(error) => {
                    assert_ne!(from, to);
                    assert_eq!(error, OpenError);
                }
            }
        }
    }
}

/// A context before it borrows its names.
#[derive(Clone, Debug)]
struct Owned {
    purpose: usize,
    names: [String; 4],
    field: usize,
}

impl Owned {
    fn context(&self) -> Context<'_> {
        let [one, two, three, four] = self.names.each_ref().map(String::as_str);
        match self.purpose {
            0 => token([one, two, three, four], TokenField::ALL[self.field]),
            1 => client_secret([one, two, three]),
            2..=4 => single_part_contexts(one)[self.purpose - 2],
            other => panic!("there is no purpose {other}"),
        }
    }
}

/// Few letters, so that neighbours and equals are frequent; with the bytes of short lengths among them.
fn owned() -> impl Strategy<Value = Owned> {
    let name = || "[ab\0\x01]{0,3}";
    (
        0..PURPOSES,
        [name(), name(), name(), name()],
        0..TokenField::ALL.len(),
    )
        .prop_map(|(purpose, names, field)| Owned {
            purpose,
            names,
            field,
        })
}

/// `one` with the end of a name moved to the beginning of the next one, or as it is.
fn redivided(one: &Owned, at: usize) -> Owned {
    let mut other = one.clone();
    if let Some(moved) = other.names[at].pop() {
        other.names[at + 1].insert(0, moved);
    }
    other
}

proptest! {
    #[test]
    fn any_two_contexts_are_told_apart(one in owned(), other in owned()) {
        let envelope = seal(&key(), KEY_IDS[0], &one.context(), &NONCE, b"value").unwrap();
        let opens = open(&key(), &other.context(), &envelope).is_ok();
        prop_assert_eq!(opens, one.context() == other.context());
    }

    #[test]
    fn names_divided_differently_are_told_apart(one in owned(), at in 0..3_usize) {
        let other = redivided(&one, at);
        let envelope = seal(&key(), KEY_IDS[0], &one.context(), &NONCE, b"value").unwrap();
        let opens = open(&key(), &other.context(), &envelope).is_ok();
        prop_assert_eq!(opens, one.context() == other.context());
    }
}
