//! The parameters of a request, read as strictly as RFC 6749 §3.1 and §3.2 ask for.

use crate::error::OAuthError;
use crate::message::Request;

/// Parameters by name, none of them twice.
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    /// The body of a request to the token or revocation endpoint.
    pub(crate) fn of_body(request: &Request) -> Result<Self, OAuthError> {
        if request.media_type().as_deref() != Some("application/x-www-form-urlencoded") {
            return Err(OAuthError::invalid_request(
                "the body must be application/x-www-form-urlencoded",
            ));
        }
        // Query strings end up in logs; parameters of these endpoints must not be there (RFC 6749 §2.3.1).
        if request.query.is_some() {
            return Err(OAuthError::invalid_request(
                "parameters belong into the body",
            ));
        }
        Self::parse(&request.body)
    }

    /// The query of a request to the authorization endpoint.
    pub(crate) fn of_query(request: &Request) -> Result<Self, OAuthError> {
        Self::parse(request.query.as_deref().unwrap_or_default().as_bytes())
    }

    /// A parameter; one without a value counts as omitted.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.raw(name).filter(|value| !value.is_empty())
    }

    /// A parameter that the request cannot do without.
    pub(crate) fn require(&self, name: &str, missing: &'static str) -> Result<&str, OAuthError> {
        self.get(name).ok_or(OAuthError::invalid_request(missing))
    }

    /// A parameter as sent, an empty value included.
    pub(crate) fn raw(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    fn parse(bytes: &[u8]) -> Result<Self, OAuthError> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(bytes) {
            if pairs.iter().any(|(known, _)| *known == name) {
                return Err(OAuthError::invalid_request(
                    "a parameter appears more than once",
                ));
            }
            pairs.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self(pairs))
    }
}
