//! A provider and its quirks: one row of `vault.provider`, read from the JSON that `to_jsonb` makes of it.
//!
//! SQL NULL stands for the default, unknown columns are ignored, and a value that means nothing is an error that
//! names what would be possible.

use super::pointer::{Pointer, Pointers};
use super::quirks::{
    AuthMethod, ErrorField, ExpiresFormat, Method, RefreshCredential, RequestFormat, ResponseField,
    Rotation, ScopeSeparator,
};
use crate::refresh::Verdict;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Names and values of request parameters: templates, numbers, booleans, nested JSON; null removes a default.
pub type ParameterMap = Map<String, Value>;

/// How to talk to one authorization server.
#[derive(Clone, Debug, Deserialize)]
#[serde(remote = "Self")]
pub struct Provider {
    /// Unique name.
    pub name: String,
    /// URL template of the token endpoint (RFC 6749 §3.2).
    pub token_endpoint: String,
    /// URL template for refreshing, where it is not the token endpoint.
    pub refresh_endpoint: Option<String>,
    /// URL template of the revocation endpoint (RFC 7009).
    pub revocation_endpoint: Option<String>,
    /// Changes to the parameters of a revocation.
    #[serde(default)]
    pub revocation_parameters: ParameterMap,
    /// Where not empty, the only hosts that requests may go to; `*.example.com` is any subdomain.
    #[serde(default)]
    pub allowed_hosts: Vec<String>,
    /// How the client authenticates (RFC 8414 `token_endpoint_auth_methods_supported`).
    #[serde(default)]
    pub token_endpoint_auth_method: AuthMethod,
    /// Template of the user name in HTTP Basic authentication.
    #[serde(default = "default_basic_username")]
    pub basic_username: String,
    /// Template of the password in HTTP Basic authentication.
    #[serde(default = "default_basic_password")]
    pub basic_password: String,
    /// Whether both are form-encoded first, as RFC 6749 §2.3.1 wants.
    #[serde(default = "yes")]
    pub basic_form_encoded: bool,
    /// Whether a client without a secret is a public one, and names itself as such (RFC 6749 §3.2.1).
    #[serde(default)]
    pub public_clients: bool,
    /// Where and how parameters travel.
    #[serde(default)]
    pub token_request_format: RequestFormat,
    /// HTTP method of token requests.
    #[serde(default)]
    pub token_request_method: Method,
    /// Changes to the parameters of a refresh.
    #[serde(default)]
    pub refresh_parameters: ParameterMap,
    /// Parameters of a refresh that travel in the URL's query whatever the format.
    #[serde(default)]
    pub refresh_query_parameters: ParameterMap,
    /// Header templates; null removes a default header.
    #[serde(default)]
    pub request_headers: BTreeMap<String, Option<String>>,
    /// Where the object with the token may be, tried in order. All fields come from the same object, so that a second
    /// token in the answer never lends its refresh token to the first.
    #[serde(default = "default_response_objects")]
    pub response_objects: Vec<Pointer>,
    /// Where the object keeps a field, if not under its RFC name.
    #[serde(default)]
    pub response_fields: BTreeMap<ResponseField, Pointers>,
    /// Unit or notation of the access token's expiry.
    #[serde(default)]
    pub expires_format: ExpiresFormat,
    /// Whether an expiry of 0 means that the token does not expire.
    #[serde(default)]
    pub zero_expires_means_never: bool,
    /// Lifetime in seconds where the answer does not say.
    pub default_expires_in: Option<i64>,
    /// Where an error answer keeps its code and description, if not under their RFC names.
    #[serde(default)]
    pub error_fields: BTreeMap<ErrorField, Pointers>,
    /// What tells success from failure inside HTTP 200.
    pub success_condition: Option<SuccessCondition>,
    /// What an error code, sub-code or phrase means here.
    #[serde(default)]
    pub error_verdicts: BTreeMap<String, Verdict>,
    /// What a refresh presents.
    #[serde(default)]
    pub refresh_credential: RefreshCredential,
    /// Whether a success without an access token prolongs the stored tokens.
    #[serde(default)]
    pub refresh_extends_tokens: bool,
    /// Whether a refresh replaces the refresh token.
    #[serde(default)]
    pub rotates_refresh_token: Rotation,
    /// For how many seconds the previous refresh token may be presented again.
    #[serde(default)]
    pub replay_leeway_seconds: i64,
    /// Seconds of disuse after which a refresh token dies, where the answer does not say.
    pub refresh_token_lifetime: Option<i64>,
    /// Seconds after consent at which the grant ends regardless of use.
    pub grant_lifetime: Option<i64>,
    /// The provider refuses to refresh earlier than this many seconds before expiry.
    pub max_refresh_window_seconds: Option<i64>,
    /// At most so many requests are under way at once.
    pub max_concurrent_requests: Option<i32>,
    /// At most so many requests …
    pub rate_limit_requests: Option<i32>,
    /// … in any period of so many seconds.
    #[serde(default = "default_rate_limit_seconds")]
    pub rate_limit_seconds: i64,
    /// Joins scopes.
    #[serde(default)]
    pub scope_separator: ScopeSeparator,
}

impl<'de> Deserialize<'de> for Provider {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut row = Map::deserialize(deserializer)?;
        row.retain(|_, value| !value.is_null());
        read(&row).map_err(|error| match wrong_column(&row) {
            Some(column) => D::Error::custom(format!("{column}: {error}")),
            None => D::Error::custom(error),
        })
    }
}

/// `remote = "Self"` makes the derived code an inherent function, so that this is not recursive.
fn read(row: &ParameterMap) -> Result<Provider, serde_json::Error> {
    Provider::deserialize(Value::Object(row.clone()))
}

/// The column that can't be read, which the error does not say.
fn wrong_column(row: &ParameterMap) -> Option<&str> {
    let is_wrong = |column: &str, value: &Value| {
        let mut alone = Map::from_iter(REQUIRED.map(|name| (name.to_owned(), Value::from(""))));
        alone.insert(column.to_owned(), value.clone());
        read(&alone).is_err()
    };
    let mut columns = row.iter();
    columns
        .find(|(column, value)| is_wrong(column, value))
        .map(|(column, _)| column.as_str())
}

/// The columns without which there is no provider.
const REQUIRED: [&str; 2] = ["name", "token_endpoint"];

/// What tells success from failure inside an answer.
#[derive(Clone, Debug, Deserialize)]
pub struct SuccessCondition {
    /// Where to look.
    pub pointer: Pointer,
    /// What success has there. Numbers and their decimal texts count as equal.
    pub equals: Value,
}

fn default_basic_username() -> String {
    "{client_id}".to_string()
}

fn default_basic_password() -> String {
    "{client_secret}".to_string()
}

fn default_response_objects() -> Vec<Pointer> {
    vec![Pointer::root()]
}

fn default_rate_limit_seconds() -> i64 {
    60
}

fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn null_and_unknown_columns_mean_nothing() {
        let row = json!({
            "name": "p", "token_endpoint": "https://p.test/token", "display_name": "P", "refresh_endpoint": null,
            "basic_username": null, "basic_form_encoded": null, "refresh_parameters": null, "response_objects": null,
            "expires_format": null, "scope_separator": null, "default_expires_in": null, "replay_leeway_seconds": null,
        });
        let provider: Provider = serde_json::from_value(row).unwrap();
        assert_eq!(provider.basic_username, "{client_id}");
        assert!(provider.basic_form_encoded);
        assert_eq!(provider.response_objects, [Pointer::root()]);
        assert_eq!(
            provider.token_endpoint_auth_method,
            AuthMethod::ClientSecretBasic
        );
        assert_eq!(provider.replay_leeway_seconds, 0);
        assert_eq!(provider.scope_separator.as_str(), " ");
    }

    #[test]
    fn mistakes_are_named() {
        let cases = [
            (
                json!({"token_endpoint": "https://p.test"}),
                "missing field `name`",
            ),
            (
                json!({"name": "p", "token_endpoint": "t", "token_request_format": "xml"}),
                "token_request_format: unknown variant `xml`, expected one of `form`, `json`, `query`",
            ),
            (
                json!({"name": "p", "token_endpoint": "t", "response_fields": {"acess_token": "/t"}}),
                "acess_token",
            ),
            (
                json!({"name": "p", "token_endpoint": "t", "error_verdicts": {"x": "dead"}}),
                "error_verdicts: unknown variant `dead`",
            ),
            (
                json!({"name": "p", "token_endpoint": "t", "default_expires_in": "soon"}),
                "default_expires_in: invalid type: string \"soon\", expected i64",
            ),
            (
                json!({"name": 1, "token_endpoint": "t"}),
                "name: invalid type",
            ),
        ];
        for (row, expected) in cases {
            let error = serde_json::from_value::<Provider>(row)
                .unwrap_err()
                .to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
