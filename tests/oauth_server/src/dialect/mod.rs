//! Dialects: how one provider wants to be asked for a refresh, and how it answers. A client with a dialect is served
//! below `/dialect/CLIENT_ID`, and a request that is not exactly in its dialect is refused.
//!
//! Texts are templates: `{refresh_token}`, `{access_token}`, `{client_id}` and `{client_secret}` stand for what a
//! request has to bring, and in an answer the placeholders of [`Issued`] for what it gets.

mod answer;
pub mod catalogue;
mod request;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use answer::Issued;
pub use request::{Credential, RefreshRequest, Refusal};

/// Names of parameters, and what each has to be.
pub type Parameters = BTreeMap<String, Value>;

/// How a provider wants a refresh to look, and what its answers look like.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dialect {
    /// The path below `/dialect/CLIENT_ID`.
    pub path: String,
    /// Parameters in the query, all of them.
    #[serde(default)]
    pub query: Parameters,
    pub body: Body,
    /// Parameters in the body, all of them.
    #[serde(default)]
    pub parameters: Parameters,
    /// HTTP Basic credentials; `None`: there must be none.
    pub basic: Option<Basic>,
    /// Headers that must be there, with lower-case names.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    pub success: Answer,
    /// The answer to a grant that has ended.
    pub grant_refused: Answer,
    /// The answer to wrong client credentials.
    pub client_refused: Answer,
}

/// How a request carries its parameters beside the query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// `application/x-www-form-urlencoded`, by POST.
    Form,
    /// A JSON object, by POST.
    Json,
    /// Not at all: the request is a GET.
    Get,
}

/// HTTP Basic credentials (RFC 7617).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Basic {
    pub username: String,
    pub password: String,
    /// Both are form-encoded first (RFC 6749 §2.3.1), or neither is.
    pub form_encoded: bool,
}

/// An answer: a status, and a template of its JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
    /// Send the body's members as a form instead.
    #[serde(default)]
    pub form_encoded: bool,
}

impl Answer {
    /// An answer in JSON.
    pub fn new(status: u16, body: Value) -> Self {
        Self {
            status,
            body,
            form_encoded: false,
        }
    }
}
