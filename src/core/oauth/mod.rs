//! OAuth 2.0 as data: a provider's quirks, the requests they make necessary, the answers that come back.
//!
//! No provider is named in this code; everything that distinguishes one from another is in its [`Provider`] row.

mod answer;
mod encode;
mod expiry;
mod extra;
mod host;
mod kept_answer;
mod misconfigured;
mod parameters;
mod pointer;
mod provider;
mod quirks;
mod request;
mod response;
mod secret_json;
mod template;
mod url;

pub use answer::{Answer, Failure, Unreadable, UnreadableReason, read_answer};
pub use expiry::Expiry;
pub use kept_answer::KeptAnswer;
pub use misconfigured::Misconfigured;
pub use pointer::{Pointer, Pointers};
pub use provider::{ParameterMap, Provider, SuccessCondition};
pub use quirks::{
    AuthMethod, ErrorField, ExpiresFormat, Method, RefreshCredential, RequestFormat, ResponseField,
    Rotation, ScopeSeparator,
};
pub use request::{TokenRequest, refresh_request, revocation_request};
pub use response::{MAX_TOKEN, ResponseError, TokenResponse, parse_token_response};
pub use secret_json::wipe_json;
pub use template::{Client, Grant};
