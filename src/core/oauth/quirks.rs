//! The values that a provider's row chooses from.

use serde::Deserialize;

/// Client authentication at the token endpoint (RFC 7591 §2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthMethod {
    /// HTTP Basic; what RFC 8414 assumes where nothing is said.
    #[default]
    ClientSecretBasic,
    /// `client_id` and `client_secret` among the parameters.
    ClientSecretPost,
    /// A public client: `client_id` only.
    None,
}

/// Where request parameters go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestFormat {
    /// `application/x-www-form-urlencoded` body (RFC 6749 §4.1.3).
    #[default]
    Form,
    /// JSON body.
    Json,
    /// The URL's query; the body is empty.
    Query,
}

/// HTTP method.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// GET: parameters always travel in the query.
    Get,
    /// POST
    #[default]
    Post,
}

/// Fields of a token answer, by their RFC 6749 §5.1 and OpenID Connect names and two common additions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the RFC's")]
pub enum ResponseField {
    AccessToken,
    RefreshToken,
    IdToken,
    TokenType,
    Scope,
    ExpiresIn,
    ExpiresAt,
    RefreshTokenExpiresIn,
    RefreshTokenExpiresAt,
}

impl ResponseField {
    /// Every field.
    pub(super) const ALL: [Self; 9] = [
        Self::AccessToken,
        Self::RefreshToken,
        Self::IdToken,
        Self::TokenType,
        Self::Scope,
        Self::ExpiresIn,
        Self::ExpiresAt,
        Self::RefreshTokenExpiresIn,
        Self::RefreshTokenExpiresAt,
    ];

    /// The name in an answer of a provider without quirks.
    pub fn name(self) -> &'static str {
        match self {
            Self::AccessToken => "access_token",
            Self::RefreshToken => "refresh_token",
            Self::IdToken => "id_token",
            Self::TokenType => "token_type",
            Self::Scope => "scope",
            Self::ExpiresIn => "expires_in",
            Self::ExpiresAt => "expires_at",
            Self::RefreshTokenExpiresIn => "refresh_token_expires_in",
            Self::RefreshTokenExpiresAt => "refresh_token_expires_at",
        }
    }
}

/// Fields of an error answer (RFC 6749 §5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorField {
    /// The code.
    Error,
    /// Text for developers; searched for known phrases, never kept.
    ErrorDescription,
}

/// Unit of `expires_in`, or notation of `expires_at`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExpiresFormat {
    /// Seconds from now (RFC 6749 §5.1).
    #[default]
    Seconds,
    /// Minutes from now.
    Minutes,
    /// Milliseconds from now.
    Milliseconds,
    /// "D:HH:MM" from now.
    Duration,
    /// Seconds since 1970.
    Epoch,
    /// Milliseconds since 1970.
    EpochMilliseconds,
    /// An ISO 8601 point in time.
    Iso8601,
}

/// What a refresh presents to get a new access token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefreshCredential {
    /// The refresh token (RFC 6749 §6).
    #[default]
    RefreshToken,
    /// The access token itself, which is exchanged for a longer-lived one.
    AccessToken,
    /// Nothing of the user's: the client asks for itself (RFC 6749 §4.4).
    ClientCredentials,
    /// Tokens of this provider cannot be refreshed.
    None,
}

/// Whether a refresh answer replaces the refresh token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rotation {
    /// Always, and the previous one dies.
    Yes,
    /// Never.
    No,
    /// Depends on a setting or a situation.
    Sometimes,
    /// Nobody knows.
    #[default]
    Unknown,
}

/// What stands between scopes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum ScopeSeparator {
    /// As in RFC 6749 §3.3.
    #[default]
    #[serde(rename = " ", alias = "space")]
    Space,
    /// A comma.
    #[serde(rename = ",", alias = "comma")]
    Comma,
    /// A plus sign.
    #[serde(rename = "+", alias = "plus")]
    Plus,
}

impl ScopeSeparator {
    /// The separator itself.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Space => " ",
            Self::Comma => ",",
            Self::Plus => "+",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn separators_have_words_too() {
        for (text, expected) in [
            (" ", " "),
            ("comma", ","),
            (",", ","),
            ("plus", "+"),
            ("space", " "),
        ] {
            assert_eq!(
                serde_json::from_value::<ScopeSeparator>(json!(text))
                    .unwrap()
                    .as_str(),
                expected
            );
        }
    }
}
