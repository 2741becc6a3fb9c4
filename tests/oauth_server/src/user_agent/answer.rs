//! What an application hears from a server, and why it may hear nothing.

use std::fmt;

use serde_json::Value;

/// An answer of the token endpoint.
pub struct TokenResponse {
    pub status: u16,
    /// `Null` where the body is not JSON.
    pub body: Value,
}

impl TokenResponse {
    /// The error code of RFC 6749 §5.2.
    pub fn error(&self) -> Option<&str> {
        self.body["error"].as_str()
    }

    /// The body of a successful answer.
    ///
    /// # Errors
    /// Every other answer.
    pub fn into_success(self) -> Result<Value, UserAgentError> {
        if self.status == 200 && self.body["access_token"].is_string() {
            Ok(self.body)
        } else {
            Err(UserAgentError::Refused {
                status: self.status,
                error: self.error().map(str::to_owned),
            })
        }
    }
}

/// Why there is no answer. Never holds a secret.
#[derive(Debug)]
pub enum UserAgentError {
    /// The server could not be reached, or the connection broke.
    Transport {
        /// What was being done.
        step: &'static str,
        reason: String,
    },
    /// The server answered, and the answer is no.
    Refused { status: u16, error: Option<String> },
    /// The server answered against the protocol.
    Protocol(&'static str),
}

impl fmt::Display for UserAgentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transport { step, reason } => write!(f, "{step}: {reason}"),
            Self::Refused { status, error } => {
                write!(
                    f,
                    "refused with status {status}, error {}",
                    error.as_deref().unwrap_or("not named")
                )
            }
            Self::Protocol(reason) => f.write_str(reason),
        }
    }
}

impl std::error::Error for UserAgentError {}
