//! The fields of a token answer that are neither tokens nor about them: hosts, account ids, data centres, which later
//! requests need (as placeholders) and which come only here.
//!
//! They are stored readable. So everything that may be a secret is left out, by its name, by its value and by its look.

use super::provider::Provider;
use super::quirks::ResponseField;
use super::response::Fields;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// A field is left out where its name, in lower case and without separators, contains one of these.
const SECRET_WORDS: [&str; 10] = [
    "token",
    "secret",
    "password",
    "passwd",
    "credential",
    "assertion",
    "signature",
    "apikey",
    "privatekey",
    "jwt",
];

/// What the beginning of a JSON Web Token looks like: base64url of `{"`.
const JWT_START: &str = "eyJ";

/// Hosts and account ids are shorter, in bytes; what is longer would only make every later version of the row larger.
const MAX_TEXT: usize = 4096;

/// The other fields of the object with the token, and those beside that object.
pub(super) fn extra_fields(
    provider: &Provider,
    json: &Value,
    fields: &Fields,
) -> Map<String, Value> {
    let filter = Filter::new(provider, fields);
    let mut extra = Map::new();
    if let (Some(outermost), Value::Object(members)) = (fields.base.names().next(), json) {
        let beside = members.iter().filter(|(name, _)| **name != outermost);
        extra.extend(beside.filter_map(|(name, value)| filter.member(name, value)));
    }
    if let Value::Object(members) = fields.object {
        extra.extend(
            members
                .iter()
                .filter_map(|(name, value)| filter.member(name, value)),
        );
    }
    extra
}

struct Filter<'a> {
    /// Names under which this provider's answers hold the fields of RFC 6749.
    known: BTreeSet<String>,
    /// The tokens in this answer.
    tokens: Vec<&'a str>,
}

impl<'a> Filter<'a> {
    fn new(provider: &Provider, fields: &Fields<'a>) -> Self {
        let own = provider
            .response_fields
            .values()
            .flat_map(|pointers| pointers.iter());
        let own = own.filter_map(|pointer| pointer.names().last());
        let tokens = [
            ResponseField::AccessToken,
            ResponseField::RefreshToken,
            ResponseField::IdToken,
        ];
        Self {
            known: ResponseField::ALL
                .iter()
                .map(|field| field.name().to_string())
                .chain(own)
                .collect(),
            tokens: tokens
                .iter()
                .filter_map(|field| fields.find(*field))
                .filter_map(Value::as_str)
                .collect(),
        }
    }

    fn member(&self, name: &str, value: &Value) -> Option<(String, Value)> {
        if self.known.contains(name) || is_secret_name(name) || !is_storable(name) {
            return None;
        }
        self.value(value).map(|value| (name.to_string(), value))
    }

    fn value(&self, value: &Value) -> Option<Value> {
        match value {
            Value::Null => None,
            Value::String(text) if self.may_be_secret(text) || !is_storable(text) => None,
            Value::Array(items) => Some(items.iter().filter_map(|item| self.value(item)).collect()),
            Value::Object(members) => Some(Value::Object(
                members
                    .iter()
                    .filter_map(|(name, value)| self.member(name, value))
                    .collect(),
            )),
            Value::Bool(_) | Value::Number(_) | Value::String(_) => Some(value.clone()),
        }
    }

    fn may_be_secret(&self, text: &str) -> bool {
        text.starts_with(JWT_START) || self.tokens.iter().any(|token| text.contains(token))
    }
}

/// PostgreSQL's `jsonb` takes no NUL, and one that it refused would cost the tokens beside it.
fn is_storable(text: &str) -> bool {
    text.len() <= MAX_TEXT && !text.contains('\0')
}

fn is_secret_name(name: &str) -> bool {
    let plain: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|letter| letter.to_ascii_lowercase())
        .collect();
    SECRET_WORDS.iter().any(|word| plain.contains(word))
}
