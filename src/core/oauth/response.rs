//! Successful token answers (RFC 6749 §5.1), wherever a provider puts their fields.

use super::expiry::{Expiry, access_token_expiry, default_expiry, refresh_token_expiry};
use super::extra::extra_fields;
use super::pointer::{Pointer, is_said};
use super::provider::Provider;
use super::quirks::ResponseField;
use crate::secret::{AccessToken, IdToken, RefreshToken};
use serde_json::{Map, Value};
use std::fmt;

/// Longest token in bytes. RFC 6749 sets no limit; the largest seen in the wild have a few kilobytes.
pub const MAX_TOKEN: usize = 1 << 20;

/// What a provider issued.
#[derive(Clone, Debug)]
pub struct TokenResponse {
    /// `access_token`
    pub access_token: AccessToken,
    /// `refresh_token`; where it is missing, the stored one stays (RFC 6749 §6).
    pub refresh_token: Option<RefreshToken>,
    /// `id_token` (OpenID Connect Core §3.1.3.3)
    pub id_token: Option<IdToken>,
    /// `token_type`
    pub token_type: Option<String>,
    /// `scope`, as the provider writes it; an array is joined with the provider's separator.
    pub scope: Option<String>,
    /// When the access token expires.
    pub expiry: Expiry,
    /// When the refresh token expires.
    pub refresh_token_expiry: Expiry,
    /// The answer's other fields that hold no secret: `instance_url`, `api_domain`, account ids.
    pub extra: Map<String, Value>,
    /// Fields of a refresh answer that could not be understood and were passed over, so that the tokens beside them
    /// are not lost. Always empty from [`parse_token_response`].
    pub ignored_fields: Vec<&'static str>,
}

/// Why an answer is no token answer. Names a field, never a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseError {
    /// No access token where the provider's row says it is.
    MissingAccessToken,
    /// This field has a value that cannot be understood, under its RFC name.
    Invalid(&'static str),
}

impl fmt::Display for ResponseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingAccessToken => f.write_str("token response has no access_token"),
            Self::Invalid(field) => write!(f, "token response has an invalid {field}"),
        }
    }
}

impl std::error::Error for ResponseError {}

/// Reads a provider's token answer. Strict: the caller is there to hear about a fault.
pub fn parse_token_response(
    provider: &Provider,
    json: &Value,
) -> Result<TokenResponse, ResponseError> {
    let fields = Fields::find_object(provider, json).ok_or(ResponseError::MissingAccessToken)?;
    let mut response = tokens(provider, json, &fields)?;
    response.expiry = access_token_expiry(provider, &fields)?;
    response.refresh_token_expiry = refresh_token_expiry(&fields)?;
    Ok(response)
}

/// [`parse_token_response`] for an answer that has spent the previous refresh token: what is wrong with an expiry
/// must not cost the tokens, so the provider's default stands in for it.
pub(super) fn parse_refresh_response(
    provider: &Provider,
    json: &Value,
) -> Result<TokenResponse, ResponseError> {
    let fields = Fields::find_object(provider, json).ok_or(ResponseError::MissingAccessToken)?;
    let mut response = tokens(provider, json, &fields)?;
    let mut ignored = Vec::new();
    let mut or_default = |expiry: Result<Expiry, ResponseError>, default| match expiry {
        Ok(expiry) => expiry,
        Err(fault) => {
            ignored.extend(fault.field());
            default
        }
    };
    response.expiry = or_default(
        access_token_expiry(provider, &fields),
        default_expiry(provider),
    );
    response.refresh_token_expiry = or_default(refresh_token_expiry(&fields), Expiry::Unknown);
    response.ignored_fields = ignored;
    Ok(response)
}

impl ResponseError {
    /// The field at fault.
    pub fn field(self) -> Option<&'static str> {
        match self {
            Self::MissingAccessToken => None,
            Self::Invalid(field) => Some(field),
        }
    }
}

/// The object of an answer that holds the token, and how to find its fields.
pub(super) struct Fields<'a> {
    provider: &'a Provider,
    /// Where the object is in the answer.
    pub base: &'a Pointer,
    /// The object itself.
    pub object: &'a Value,
}

impl<'a> Fields<'a> {
    /// The first of the provider's response objects that has an access token.
    fn find_object(provider: &'a Provider, json: &'a Value) -> Option<Self> {
        Self::objects(provider, json)
            .find(|fields| fields.find(ResponseField::AccessToken).is_some())
    }

    /// All of the provider's response objects that are there.
    pub fn objects(provider: &'a Provider, json: &'a Value) -> impl Iterator<Item = Self> {
        let object = move |base: &'a Pointer| {
            base.find(json).map(|object| Self {
                provider,
                base,
                object,
            })
        };
        provider.response_objects.iter().filter_map(object)
    }

    /// The value of a field, unless it is null or an empty text.
    pub fn find(&self, field: ResponseField) -> Option<&'a Value> {
        match self.provider.response_fields.get(&field) {
            Some(pointers) => pointers.find(self.object),
            None => self.object.get(field.name()).filter(|value| is_said(value)),
        }
    }
}

/// Everything but the expiries.
fn tokens(
    provider: &Provider,
    json: &Value,
    fields: &Fields,
) -> Result<TokenResponse, ResponseError> {
    let token = |field: ResponseField| match fields.find(field) {
        None | Some(Value::Bool(false)) => Ok(None),
        Some(Value::String(text)) if is_token(text) => Ok(Some(text.clone())),
        Some(_) => Err(ResponseError::Invalid(field.name())),
    };
    Ok(TokenResponse {
        access_token: token(ResponseField::AccessToken)?
            .map(AccessToken::new)
            .ok_or(ResponseError::MissingAccessToken)?,
        refresh_token: token(ResponseField::RefreshToken)?.map(RefreshToken::new),
        // Personal data, not a credential: a strange one is no reason to refuse the tokens beside it.
        id_token: token(ResponseField::IdToken)
            .unwrap_or_default()
            .map(IdToken::new),
        token_type: fields
            .find(ResponseField::TokenType)
            .and_then(Value::as_str)
            .filter(|kind| !kind.chars().any(char::is_control))
            .map(str::to_string),
        scope: fields
            .find(ResponseField::Scope)
            .and_then(|scope| scope_text(scope, provider))
            // No text of PostgreSQL's holds a NUL; the scope that is stored stays.
            .filter(|scope| !scope.contains('\0')),
        expiry: Expiry::Unknown,
        refresh_token_expiry: Expiry::Unknown,
        extra: extra_fields(provider, json, fields),
        ignored_fields: Vec::new(),
    })
}

/// RFC 6749 appendix A.12 allows visible ASCII; other letters are let through, control characters never, because they
/// would split a header.
fn is_token(text: &str) -> bool {
    text.len() <= MAX_TOKEN && !text.chars().any(char::is_control)
}

fn scope_text(scope: &Value, provider: &Provider) -> Option<String> {
    match scope {
        Value::String(text) => Some(text.clone()),
        Value::Array(scopes) => {
            let scopes: Vec<_> = scopes.iter().filter_map(Value::as_str).collect();
            Some(scopes.join(provider.scope_separator.as_str()))
        }
        _ => None,
    }
}
