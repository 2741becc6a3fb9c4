//! The HTTP client of the user agent: one CA, cookies, no redirects by itself, every status an answer.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ureq::http::Response;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, Body};

use super::answer::UserAgentError;

/// No single call of these local servers takes longer.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// HTTP Basic as RFC 6749 §2.3.1 has it: both words form-encoded first.
pub(super) fn basic(client_id: &str, client_secret: &str) -> String {
    let encode = |word: &str| form_urlencoded::byte_serialize(word.as_bytes()).collect::<String>();
    format!(
        "Basic {}",
        STANDARD.encode(format!("{}:{}", encode(client_id), encode(client_secret)))
    )
}

pub(super) fn query(parameters: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(parameters)
        .finish()
}

pub(super) fn agent(ca_pem: &str) -> Result<Agent, UserAgentError> {
    let ca = Certificate::from_pem(ca_pem.as_bytes())
        .map_err(transport("reading the CA certificate"))?;
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::Specific(Arc::new(vec![ca])))
        .build();
    let config = Agent::config_builder()
        .tls_config(tls)
        .proxy(None)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .timeout_global(Some(CALL_TIMEOUT));
    Ok(config.build().new_agent())
}

pub(super) fn location(response: &Response<Body>) -> Option<String> {
    let location = response.headers().get("location")?.to_str().ok()?;
    response
        .status()
        .is_redirection()
        .then(|| location.to_owned())
}

pub(super) fn transport(step: &'static str) -> impl FnOnce(ureq::Error) -> UserAgentError {
    move |error| UserAgentError::Transport {
        step,
        reason: error.to_string(),
    }
}
