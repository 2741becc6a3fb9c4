//! The other side of the authorization-code flow: the browser that follows redirects and keeps cookies, and the
//! application that owns the redirect URI. Works against any server with metadata (RFC 8414 or OpenID discovery) that
//! logs the user named by `login_hint` in without asking.

mod answer;
mod application;
mod http;

use serde_json::Value;

pub use answer::{TokenResponse, UserAgentError};
pub use application::{Application, Approved};

/// Runs the whole flow and returns the provider's JSON answer as it came (RFC 6749 §5.1).
///
/// `issuer` and `ca_pem` name the server, `client_secret` is `None` for a public client, `subject` goes out as
/// `login_hint`, `scope` is space-separated.
///
/// # Errors
/// Where the server cannot be reached, refuses, or answers against the protocol.
pub fn authorize_and_exchange(
    issuer: &str,
    ca_pem: &str,
    client_id: &str,
    client_secret: Option<&str>,
    redirect_uri: &str,
    subject: &str,
    scope: &str,
) -> Result<Value, UserAgentError> {
    let application = Application::discover(issuer, ca_pem, client_id, client_secret)?;
    let approved = application.authorize(redirect_uri, subject, scope)?;
    application.exchange(&approved)?.into_success()
}
