//! What a token endpoint answered: success, failure, or something that cannot be understood.
//!
//! Servers send errors with status 200, forms where JSON was asked for, HTML from a gateway, or nothing. A success is
//! whatever holds an access token; a failure is whatever says so.

use super::encode::form_decode;
use super::expiry::{Expiry, access_token_expiry, default_expiry};
use super::pointer::{Pointers, is_said};
use super::provider::Provider;
use super::quirks::ErrorField;
use super::response::{Fields, ResponseError, TokenResponse, parse_refresh_response};
use super::secret_json::{SecretJson, scalar_text};
use crate::refresh::matching_keys;
use serde_json::Value;
use std::str;

/// Longest answer in bytes that is looked into.
const MAX_ANSWER: usize = 1 << 20;
/// No provider issues shorter tokens: these are 96 bits at best.
const LEAST_TOKEN: usize = 16;
/// Longest error code that is kept, and the most digits at its end.
const MAX_CODE: usize = 64;
const MAX_CODE_DIGITS: usize = 8;

/// An answer, as far as it can be understood.
#[derive(Debug)]
pub enum Answer {
    /// New tokens.
    Success(TokenResponse),
    /// The stored tokens live on, until then; only from providers with `refresh_extends_tokens`.
    Extended(Expiry),
    /// The provider refused, or could not.
    Failure(Failure),
    /// Status 2xx, but neither tokens nor an error. May carry a rotated token, so it is worth keeping.
    Unreadable(Unreadable),
}

/// A refusal. Holds codes only: descriptions may repeat what was sent, so they are searched and dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// HTTP status.
    pub status: u16,
    /// The error code (RFC 6749 §5.2), if it looks like one: at most 64 letters, `_`, `.`, `-`, then at most 8 digits.
    pub error: Option<String>,
    /// The keys of the provider's `error_verdicts` that the answer contains, the most specific first.
    pub sub_codes: Vec<String>,
    /// Whether the body was JSON or a form; otherwise it comes from something that is no token endpoint.
    pub readable: bool,
}

/// A 2xx answer that cannot be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// HTTP status.
    pub status: u16,
    /// What is wrong with it.
    pub reason: UnreadableReason,
    /// It is whole, and has something like a token in a place that the provider's row does not name: the request was
    /// very likely served.
    pub resembles_tokens: bool,
}

/// What is wrong with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnreadableReason {
    /// No body.
    Empty,
    /// A page for people.
    Html,
    /// Larger than what is looked into.
    TooLarge,
    /// Not text.
    NotUtf8,
    /// Neither JSON nor a form.
    NotJson,
    /// JSON or a form, but no token answer.
    Response(ResponseError),
}

impl Unreadable {
    /// Whether the body may hold tokens and has to be kept until somebody has looked at it.
    pub fn may_hold_tokens(&self) -> bool {
        !matches!(
            self.reason,
            UnreadableReason::Empty | UnreadableReason::Html
        )
    }
}

/// Reads the answer to a refresh.
///
/// * `content_type` — the header's value, if there was one.
/// * `body` — the body, already limited in size by the HTTP client.
pub fn read_answer(
    provider: &Provider,
    status: u16,
    content_type: Option<&str>,
    body: &[u8],
) -> Answer {
    let parsed = parse_body(content_type, body);
    if !(200..300).contains(&status) {
        return Answer::Failure(match &parsed {
            Ok(json) => failure(provider, status, &json.0),
            Err(_) => Failure {
                status,
                error: None,
                sub_codes: Vec::new(),
                readable: false,
            },
        });
    }
    match parsed {
        Ok(json) => read_success(provider, status, &json.0),
        Err(reason) => Answer::Unreadable(Unreadable {
            status,
            reason,
            resembles_tokens: false,
        }),
    }
}

/// A 2xx answer. The success condition is the provider's explicit word; after it an access token says more than an
/// error code, because throwing away a rotated token cannot be made good.
fn read_success(provider: &Provider, status: u16, json: &Value) -> Answer {
    let condition = succeeded(provider, json);
    if condition == Some(false) {
        return Answer::Failure(failure(provider, status, json));
    }
    match parse_refresh_response(provider, json) {
        Ok(response) => Answer::Success(response),
        Err(_) if has_error(provider, json) => Answer::Failure(failure(provider, status, json)),
        Err(ResponseError::MissingAccessToken) if provider.refresh_extends_tokens => {
            Answer::Extended(extended_expiry(provider, json))
        }
        Err(error) => Answer::Unreadable(Unreadable {
            status,
            reason: UnreadableReason::Response(error),
            resembles_tokens: resembles_tokens(json),
        }),
    }
}

/// Whether some text in it is long and unbroken enough for a token.
fn resembles_tokens(json: &Value) -> bool {
    match json {
        Value::String(text) => text.len() >= LEAST_TOKEN && !text.contains(char::is_whitespace),
        Value::Array(items) => items.iter().any(resembles_tokens),
        Value::Object(members) => members.values().any(resembles_tokens),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn extended_expiry(provider: &Provider, json: &Value) -> Expiry {
    let object = Fields::objects(provider, json).next();
    let said = object.and_then(|fields| access_token_expiry(provider, &fields).ok());
    said.unwrap_or_else(|| default_expiry(provider))
}

/// Whether the provider's success condition holds; `None` where there is none or the answer does not mention it.
fn succeeded(provider: &Provider, json: &Value) -> Option<bool> {
    let condition = provider.success_condition.as_ref()?;
    let found = condition.pointer.find(json)?;
    let same_text =
        || scalar_text(found).is_some() && scalar_text(found) == scalar_text(&condition.equals);
    Some(*found == condition.equals || same_text())
}

/// Whether the answer's error field says anything. Several providers put `0`, `false` or an empty object there.
fn has_error(provider: &Provider, json: &Value) -> bool {
    error_values(provider, ErrorField::Error, json)
        .iter()
        .any(|value| match value {
            Value::Null | Value::Bool(false) => false,
            Value::Number(number) => number.as_f64() != Some(0.0),
            Value::String(text) => text != "0",
            Value::Array(items) => !items.is_empty(),
            Value::Object(members) => !members.is_empty(),
            Value::Bool(true) => true,
        })
}

fn failure(provider: &Provider, status: u16, json: &Value) -> Failure {
    let codes = texts(&error_values(provider, ErrorField::Error, json));
    let descriptions = texts(&error_values(provider, ErrorField::ErrorDescription, json));
    let sub_codes = matching_keys(&provider.error_verdicts, &codes, &descriptions);
    let error = codes.iter().find(|code| is_code(code)).cloned();
    codes
        .into_iter()
        .chain(descriptions)
        .for_each(crate::secret::wipe_string);
    Failure {
        status,
        error,
        sub_codes,
        readable: true,
    }
}

/// Everything at the places of an error field.
fn error_values<'v>(provider: &Provider, field: ErrorField, json: &'v Value) -> Vec<&'v Value> {
    let default_name = match field {
        ErrorField::Error => "error",
        ErrorField::ErrorDescription => "error_description",
    };
    let found: Vec<_> = match provider.error_fields.get(&field).map(Pointers::iter) {
        Some(pointers) => pointers.filter_map(|pointer| pointer.find(json)).collect(),
        None => json.get(default_name).into_iter().collect(),
    };
    found.into_iter().filter(|value| is_said(value)).collect()
}

/// The scalars among values, and those directly inside arrays.
fn texts(values: &[&Value]) -> Vec<String> {
    let flat = values.iter().flat_map(|value| match value {
        Value::Array(items) => items.iter().collect(),
        other => vec![*other],
    });
    flat.filter_map(scalar_text).collect()
}

/// Whether a text is an error code and not a message or an echoed token: words, then perhaps a number.
fn is_code(text: &str) -> bool {
    let words = text.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let digits = text.len() - words.len();
    (1..=MAX_CODE).contains(&text.len())
        && digits <= MAX_CODE_DIGITS
        && words
            .bytes()
            .all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'.' | b'-'))
}

fn parse_body(content_type: Option<&str>, body: &[u8]) -> Result<SecretJson, UnreadableReason> {
    if body.len() > MAX_ANSWER {
        return Err(UnreadableReason::TooLarge);
    }
    let text = str::from_utf8(body).map_err(|_| UnreadableReason::NotUtf8)?;
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.is_empty() {
        return Err(UnreadableReason::Empty);
    }
    if let Ok(json) = serde_json::from_str(text) {
        return Ok(SecretJson(json));
    }
    if text.starts_with('<')
        || content_type.is_some_and(|kind| kind.trim_start().starts_with("text/html"))
    {
        return Err(UnreadableReason::Html);
    }
    let pairs = form_decode(text).ok_or(UnreadableReason::NotJson)?;
    Ok(SecretJson(
        pairs
            .into_iter()
            .map(|(name, value)| (name, Value::String(value)))
            .collect(),
    ))
}
