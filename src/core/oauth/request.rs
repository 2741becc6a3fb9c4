//! Token requests: refresh (RFC 6749 §6 and what providers made of it) and revocation (RFC 7009).

use super::encode::percent_encode;
use super::misconfigured::Misconfigured;
use super::parameters::Parameters;
use super::provider::{ParameterMap, Provider};
use super::quirks::{AuthMethod, Method, RefreshCredential, RequestFormat};
use super::template::{Client, Grant, Values, concat};
use super::url::endpoint;
use crate::secret::{SecretBytes, SecretString};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt;

/// An HTTP request, ready to be sent.
pub struct TokenRequest {
    /// HTTP method.
    pub method: Method,
    /// The complete URL. Secret because some providers take tokens in the query.
    pub url: SecretString,
    /// Header names and values.
    pub headers: Vec<(String, SecretString)>,
    /// The body; empty where parameters travel in the query.
    pub body: SecretBytes,
}

impl fmt::Debug for TokenRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenRequest")
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

/// The request that gets a new access token.
pub fn refresh_request(
    provider: &Provider,
    client: &Client,
    grant: &Grant,
) -> Result<TokenRequest, Misconfigured> {
    let mut defaults: Vec<(&str, &str)> = match provider.refresh_credential {
        RefreshCredential::RefreshToken => {
            vec![
                ("grant_type", "refresh_token"),
                ("refresh_token", "{refresh_token}"),
            ]
        }
        RefreshCredential::AccessToken => vec![("grant_type", "refresh_token")],
        RefreshCredential::ClientCredentials => {
            vec![("grant_type", "client_credentials"), ("scope", "{scope?}")]
        }
        RefreshCredential::None => return Err(Misconfigured::NotRefreshable),
    };
    defaults.extend(client_parameters(auth_method(provider, client)));
    build(
        provider,
        &Values { client, grant },
        Call {
            endpoint: provider
                .refresh_endpoint
                .as_ref()
                .unwrap_or(&provider.token_endpoint),
            method: provider.token_request_method,
            defaults: &defaults,
            changes: &provider.refresh_parameters,
            query: &provider.refresh_query_parameters,
        },
    )
}

/// The request that ends a grant: revokes the refresh token where there is one, the access token otherwise.
pub fn revocation_request(
    provider: &Provider,
    client: &Client,
    grant: &Grant,
) -> Result<TokenRequest, Misconfigured> {
    let mut defaults = match grant.refresh_token {
        Some(_) => vec![
            ("token", "{refresh_token}"),
            ("token_type_hint", "refresh_token"),
        ],
        None => vec![
            ("token", "{access_token}"),
            ("token_type_hint", "access_token"),
        ],
    };
    defaults.extend(client_parameters(auth_method(provider, client)));
    build(
        provider,
        &Values { client, grant },
        Call {
            endpoint: provider
                .revocation_endpoint
                .as_ref()
                .ok_or(Misconfigured::NoRevocationEndpoint)?,
            method: Method::Post,
            defaults: &defaults,
            changes: &provider.revocation_parameters,
            query: &ParameterMap::new(),
        },
    )
}

/// What distinguishes one request to a provider from another.
struct Call<'a> {
    endpoint: &'a str,
    method: Method,
    defaults: &'a [(&'a str, &'a str)],
    changes: &'a ParameterMap,
    query: &'a ParameterMap,
}

fn build(provider: &Provider, values: &Values, call: Call) -> Result<TokenRequest, Misconfigured> {
    let parameters = Parameters::new(call.defaults, call.changes, values)?;
    let mut query = Parameters::new(&[], call.query, values)?.to_form()?;
    let (mut content_type, mut body) = (None, SecretBytes::default());
    match (call.method, provider.token_request_format) {
        (Method::Get, _) | (_, RequestFormat::Query) => query = join(query, parameters.to_form()?),
        (Method::Post, RequestFormat::Form) => {
            content_type = Some("application/x-www-form-urlencoded");
            body = parameters.to_form()?.into_bytes();
        }
        (Method::Post, RequestFormat::Json) => {
            content_type = Some("application/json");
            body = parameters.to_json();
        }
    }
    Ok(TokenRequest {
        method: call.method,
        url: endpoint(call.endpoint, &provider.allowed_hosts, values, &query)?,
        headers: headers(provider, content_type, values)?,
        body,
    })
}

/// How this client authenticates: a provider may know confidential and public ones.
fn auth_method(provider: &Provider, client: &Client) -> AuthMethod {
    let is_public = client
        .client_secret
        .is_none_or(|secret| secret.expose().is_empty());
    if provider.public_clients && is_public {
        AuthMethod::None
    } else {
        provider.token_endpoint_auth_method
    }
}

/// How a client names itself among the parameters.
fn client_parameters(method: AuthMethod) -> &'static [(&'static str, &'static str)] {
    match method {
        AuthMethod::ClientSecretBasic => &[],
        AuthMethod::ClientSecretPost => &[
            ("client_id", "{client_id}"),
            ("client_secret", "{client_secret}"),
        ],
        AuthMethod::None => &[("client_id", "{client_id}")],
    }
}

fn join(left: SecretString, right: SecretString) -> SecretString {
    match (left.is_empty(), right.is_empty()) {
        (true, _) => right,
        (_, true) => left,
        _ => concat(&[left, SecretString::new("&".to_string()), right]),
    }
}

fn headers(
    provider: &Provider,
    content_type: Option<&str>,
    values: &Values,
) -> Result<Vec<(String, SecretString)>, Misconfigured> {
    let plain = |name: &str, value: &str| (name.to_string(), SecretString::new(value.to_string()));
    // Without it some servers answer form-encoded.
    let mut headers = vec![plain("Accept", "application/json")];
    headers.extend(content_type.map(|value| plain("Content-Type", value)));
    if auth_method(provider, values.client) == AuthMethod::ClientSecretBasic {
        headers.push(("Authorization".to_string(), basic(provider, values)?));
    }
    for (name, template) in &provider.request_headers {
        headers.retain(|(present, _)| !present.eq_ignore_ascii_case(name));
        let Some(template) = template else { continue };
        if let Some(value) = values.fill(template)? {
            headers.push((name.clone(), value));
        }
    }
    match headers
        .iter()
        .find(|(name, value)| !is_header(name, value.expose()))
    {
        Some((name, _)) => Err(Misconfigured::InvalidHeader(name.clone())),
        None => Ok(headers),
    }
}

/// HTTP Basic credentials (RFC 7617), form-encoded first as RFC 6749 §2.3.1 wants, unless the provider does not.
fn basic(provider: &Provider, values: &Values) -> Result<SecretString, Misconfigured> {
    let part = |template: &str| -> Result<SecretString, Misconfigured> {
        let text = values.fill(template)?.unwrap_or_default();
        Ok(if provider.basic_form_encoded {
            percent_encode(text.expose())
        } else {
            text
        })
    };
    let colon = SecretString::new(":".to_string());
    let credentials = concat(&[
        part(&provider.basic_username)?,
        colon,
        part(&provider.basic_password)?,
    ]);
    let mut header = String::with_capacity("Basic ".len() + credentials.len().div_ceil(3) * 4);
    header.push_str("Basic ");
    STANDARD.encode_string(credentials.expose(), &mut header);
    Ok(SecretString::new(header))
}

/// RFC 9110 §5: a token as name; a value that cannot end the line and begin another.
fn is_header(name: &str, value: &str) -> bool {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty()
        && name.bytes().all(token)
        && value.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}
