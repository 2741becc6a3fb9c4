//! The protocol's own errors (RFC 6749 §5.2), as values that become answers.

use serde_json::json;

use crate::message::Reply;

/// An error answer of the token or revocation endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OAuthError {
    pub status: u16,
    pub code: &'static str,
    pub description: &'static str,
    /// The client tried HTTP Basic, so a 401 must name the scheme.
    challenge: bool,
}

impl OAuthError {
    pub(crate) fn invalid_request(description: &'static str) -> Self {
        Self::bad_request("invalid_request", description)
    }

    pub(crate) fn invalid_grant(description: &'static str) -> Self {
        Self::bad_request("invalid_grant", description)
    }

    pub(crate) fn invalid_scope(description: &'static str) -> Self {
        Self::bad_request("invalid_scope", description)
    }

    pub(crate) fn unsupported_grant_type() -> Self {
        Self::bad_request("unsupported_grant_type", "this grant type is not supported")
    }

    pub(crate) fn invalid_client(description: &'static str, tried_basic: bool) -> Self {
        Self {
            status: 401,
            challenge: tried_basic,
            ..Self::bad_request("invalid_client", description)
        }
    }

    pub(crate) fn reply(&self) -> Reply {
        let body = json!({ "error": self.code, "error_description": self.description });
        let reply = Reply::json(self.status, &body).no_store();
        if self.challenge {
            reply.with_header(
                "www-authenticate",
                "Basic realm=\"token endpoint\", charset=\"UTF-8\"",
            )
        } else {
            reply
        }
    }

    fn bad_request(code: &'static str, description: &'static str) -> Self {
        Self {
            status: 400,
            code,
            description,
            challenge: false,
        }
    }
}
