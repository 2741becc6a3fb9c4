//! What the columns of a provider and the settings of a client may hold, in words.
//!
//! The tables' CHECK constraints say the same, but nobody can tell from their names what is allowed. What the core reads
//! of a provider's row it checks itself; here is the rest.

use std::fmt;

use serde_json::{Map, Value};

use crate::error::{Error, Result};

enum Rule {
    OneOf(&'static [&'static str]),
    /// A whole number.
    From(i64),
    Between(i64, i64),
    Text,
    Object,
    /// An array of texts.
    Texts,
    /// The same with at least one.
    SomeTexts,
}

const RULES: [(&str, Rule); 25] = [
    (
        "refresh_policy",
        Rule::OneOf(&["always", "on_use", "never"]),
    ),
    ("max_concurrent_requests", Rule::Between(1, i32::MAX as i64)),
    ("rate_limit_requests", Rule::Between(1, 100_000)),
    ("rate_limit_seconds", Rule::Between(1, 86_400)),
    ("default_expires_in", Rule::From(1)),
    ("replay_leeway_seconds", Rule::From(0)),
    ("refresh_token_lifetime", Rule::From(1)),
    ("grant_lifetime", Rule::From(1)),
    ("max_refresh_window_seconds", Rule::From(1)),
    (
        "pkce",
        Rule::OneOf(&["required", "S256", "none", "unknown"]),
    ),
    ("scope_separator", Rule::OneOf(&[" ", ",", "+"])),
    ("display_name", Rule::Text),
    ("issuer", Rule::Text),
    ("notes", Rule::Text),
    ("authorization_endpoint", Rule::Text),
    ("introspection_endpoint", Rule::Text),
    ("device_authorization_endpoint", Rule::Text),
    ("userinfo_endpoint", Rule::Text),
    ("authorization_parameters", Rule::Object),
    ("token_parameters", Rule::Object),
    ("success_condition", Rule::Object),
    ("grant_types", Rule::Texts),
    ("placeholders", Rule::Texts),
    ("allowed_hosts", Rule::Texts),
    ("response_objects", Rule::SomeTexts),
];

/// Refuses the first of these columns whose value is not allowed. Null stands for the default.
pub fn check(columns: &Map<String, Value>) -> Result<()> {
    for (column, rule) in &RULES {
        let value = columns.get(*column).unwrap_or(&Value::Null);
        if !value.is_null() && !rule.allows(value) {
            return Err(Error::InvalidArgument {
                name: column,
                problem: format!("it is not {rule}"),
            });
        }
    }
    Ok(())
}

impl Rule {
    fn allows(&self, value: &Value) -> bool {
        let are_texts = |values: &Vec<Value>| values.iter().all(Value::is_string);
        match self {
            Rule::OneOf(names) => value.as_str().is_some_and(|name| names.contains(&name)),
            Rule::From(least) => value.as_i64().is_some_and(|number| number >= *least),
            Rule::Between(least, most) => value
                .as_i64()
                .is_some_and(|number| (*least..=*most).contains(&number)),
            Rule::Text => value.is_string(),
            Rule::Object => value.is_object(),
            Rule::Texts => value.as_array().is_some_and(are_texts),
            Rule::SomeTexts => value
                .as_array()
                .is_some_and(|values| !values.is_empty() && are_texts(values)),
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rule::OneOf(names) => write!(f, "one of \"{}\"", names.join("\", \"")),
            Rule::From(least) => write!(f, "a whole number of at least {least}"),
            Rule::Between(least, most) => write!(f, "a whole number from {least} to {most}"),
            Rule::Text => f.write_str("a text"),
            Rule::Object => f.write_str("a JSON object"),
            Rule::Texts => f.write_str("an array of texts"),
            Rule::SomeTexts => f.write_str("an array of at least one text"),
        }
    }
}
