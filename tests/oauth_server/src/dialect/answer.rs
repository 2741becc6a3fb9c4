//! Answers in a dialect.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::Answer;
use crate::message::Reply;

/// What an answer says, in the dialect's own shape. An answer's template may have these placeholders, each as a whole
/// text: `{access_token}`, `{refresh_token}`, `{scope}` (or `{scope:list}`), `{expires_in}` and `{expires_at}`, and the
/// same with `refresh_` before them. A time may be written otherwise: `{expires_in:text}`, `:minutes`, `:milliseconds`,
/// `:duration` ("D:HH:MM"); `{expires_at:text}`, `:milliseconds`, `:iso8601`. A member whose value is not there is left out.
#[derive(Clone, Debug)]
pub struct Issued {
    pub access_token: String,
    pub refresh_token: Option<String>,
    pub scope: String,
    /// Lifetime of the access token in seconds.
    pub expires_in: u64,
    /// Seconds since 1970.
    pub now: u64,
}

/// Lifetime of the refresh token in seconds, where an answer says one.
pub(super) const REFRESH_EXPIRES_IN: u64 = 30 * 86_400;

impl Answer {
    /// The body for what was issued.
    pub fn fill(&self, issued: &Issued) -> Value {
        fill(&self.body, issued).unwrap_or_default()
    }

    pub(crate) fn reply(&self, issued: Option<&Issued>) -> Reply {
        let body = issued.map_or_else(|| self.body.clone(), |issued| self.fill(issued));
        let reply = match body.as_object().filter(|_| self.form_encoded) {
            None => Reply::json(self.status, &body),
            Some(members) => {
                let mut form = form_urlencoded::Serializer::new(String::new());
                for (name, value) in members {
                    let text = value
                        .as_str()
                        .map_or_else(|| value.to_string(), str::to_owned);
                    form.append_pair(name, &text);
                }
                Reply::new(
                    self.status,
                    "application/x-www-form-urlencoded",
                    form.finish(),
                )
            }
        };
        reply.no_store()
    }
}

fn fill(template: &Value, issued: &Issued) -> Option<Value> {
    Some(match template {
        Value::String(text) => return placeholder(text, issued),
        Value::Object(members) => {
            let filled = members
                .iter()
                .filter_map(|(name, member)| Some((name.clone(), fill(member, issued)?)));
            Value::Object(filled.collect::<Map<_, _>>())
        }
        Value::Array(items) => items.iter().filter_map(|item| fill(item, issued)).collect(),
        other => other.clone(),
    })
}

fn placeholder(text: &str, issued: &Issued) -> Option<Value> {
    let Some(inside) = text
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
    else {
        return Some(text.into());
    };
    let (name, notation) = inside.split_once(':').unwrap_or((inside, ""));
    match name {
        "access_token" => Some(issued.access_token.clone().into()),
        "refresh_token" => issued.refresh_token.clone().map(Value::from),
        "scope" if notation == "list" => Some(issued.scope.split(' ').collect()),
        "scope" => Some(issued.scope.clone().into()),
        "expires_in" => Some(lifetime(issued.expires_in, notation)),
        "expires_at" => Some(time(issued.now + issued.expires_in, notation)),
        "refresh_expires_in" => Some(lifetime(REFRESH_EXPIRES_IN, notation)),
        "refresh_expires_at" => Some(time(issued.now + REFRESH_EXPIRES_IN, notation)),
        _ => panic!("a template has the unknown placeholder {text}"),
    }
}

fn lifetime(seconds: u64, notation: &str) -> Value {
    match notation {
        "" => json!(seconds),
        "text" => json!(seconds.to_string()),
        "minutes" => json!(seconds / 60),
        "milliseconds" => json!(seconds * 1000),
        "duration" => {
            let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
            json!(format!("{days}:{hours:02}:{minutes:02}"))
        }
        _ => panic!("a lifetime has no notation {notation}"),
    }
}

fn time(seconds: u64, notation: &str) -> Value {
    let point = || Timestamp::from_second(seconds.cast_signed()).expect("before the year 9999");
    match notation {
        "" => json!(seconds),
        "text" => json!(seconds.to_string()),
        "milliseconds" => json!(seconds * 1000),
        "iso8601" => json!(point().to_string()),
        _ => panic!("a time has no notation {notation}"),
    }
}
