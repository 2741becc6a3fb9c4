//! The one trait between the refresh engine and the network.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use token_vault_core::oauth::TokenRequest;
use token_vault_core::secret::SecretBytes;

use crate::error::CallError;

/// The largest answer body that is read. Token answers are a few kilobytes; what is larger is no token answer.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;

/// A call under way.
pub type Calling<'a> = Pin<Box<dyn Future<Output = Result<HttpAnswer, CallError>> + Send + 'a>>;

/// Sends one request and waits for its answer.
pub trait Transport: Send + Sync + 'static {
    /// Sends `request` once, and gives up when `budget` (counted from the start of this call) is used up.
    ///
    /// Every complete answer is `Ok`, whatever its status: errors and redirects are for the caller to judge. One that is
    /// no success is `Ok` also where its body was cut or too large, and the body is empty then: it is never to be taken
    /// for a lost answer.
    ///
    /// # Errors
    ///
    /// [`CallError`] tells whether the provider can have seen the request.
    fn call<'a>(&'a self, request: &'a TokenRequest, budget: Duration) -> Calling<'a>;
}

/// An answer. Its `Debug` form shows no byte of the body.
#[derive(Debug, Clone)]
pub struct HttpAnswer {
    /// Status code (RFC 9110 §15).
    pub status: u16,
    /// `Content-Type` as sent, where it is text.
    pub content_type: Option<String>,
    /// `Retry-After` as sent: seconds or an HTTP date (RFC 9110 §10.2.3).
    pub retry_after: Option<String>,
    /// The body, at most [`MAX_BODY_BYTES`].
    pub body: SecretBytes,
}
