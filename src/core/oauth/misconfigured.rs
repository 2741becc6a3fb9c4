//! Why a request cannot be made: something is missing or wrong in the provider's row, the client or the token.

use std::fmt;

/// Names what is missing, never a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Misconfigured {
    /// The provider's tokens cannot be refreshed (`refresh_credential` is `none`).
    NotRefreshable,
    /// The provider's row has no `revocation_endpoint`.
    NoRevocationEndpoint,
    /// The client has no secret, and the provider's authentication method needs one.
    MissingClientSecret,
    /// The token has no refresh token.
    MissingRefreshToken,
    /// There is no access token to exchange.
    MissingAccessToken,
    /// Neither the token's nor the client's metadata has this placeholder.
    MissingPlaceholder(String),
    /// The value of this placeholder cannot stand where the template puts it.
    UnsafePlaceholder(String),
    /// This placeholder decides which domain the credentials go to, and comes from the token's metadata while the
    /// provider's row does not list its `allowed_hosts`.
    UntrustedHost(String),
    /// The host is not one of the provider's `allowed_hosts`.
    HostNotAllowed,
    /// The endpoint is not an https URL.
    InvalidEndpoint,
    /// A header's name or value cannot be sent.
    InvalidHeader(String),
    /// A parameter that is nested JSON, while parameters travel as form or query.
    NestedParameter(String),
}

impl fmt::Display for Misconfigured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRefreshable => f.write_str("tokens of this provider cannot be refreshed"),
            Self::NoRevocationEndpoint => f.write_str("provider has no revocation endpoint"),
            Self::MissingClientSecret => f.write_str("client has no client secret"),
            Self::MissingRefreshToken => f.write_str("token has no refresh token"),
            Self::MissingAccessToken => f.write_str("token has no access token"),
            Self::MissingPlaceholder(name) => {
                write!(f, "metadata has no value for placeholder \"{name}\"")
            }
            Self::UnsafePlaceholder(name) => {
                write!(f, "value of placeholder \"{name}\" cannot be used in a URL")
            }
            Self::UntrustedHost(name) => {
                write!(
                    f,
                    "placeholder \"{name}\" decides the host but is not in the client's metadata"
                )
            }
            Self::HostNotAllowed => f.write_str("host is not among the provider's allowed hosts"),
            Self::InvalidEndpoint => f.write_str("endpoint is not an https URL"),
            Self::InvalidHeader(name) => write!(f, "request header \"{name}\" cannot be sent"),
            Self::NestedParameter(name) => write!(
                f,
                "parameter \"{name}\" is nested but the request is not JSON"
            ),
        }
    }
}

impl std::error::Error for Misconfigured {}
