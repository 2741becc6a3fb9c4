//! An application at work: discovery, authorization, token requests.

use serde_json::Value;
use ureq::Agent;

use super::answer::{TokenResponse, UserAgentError};
use super::http::{agent, basic, location, query, transport};
use crate::credential::{random_secret, s256_challenge};

/// Redirects between the authorization endpoint and the application.
const MAX_REDIRECTS: usize = 10;

/// An application registered at one server, and its user's browser.
pub struct Application {
    http: Agent,
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    sends_iss: bool,
    client_id: String,
    client_secret: Option<String>,
}

/// What the browser brought back to the redirect URI, and what the application had kept for it.
pub struct Approved {
    pub code: String,
    pub code_verifier: String,
    pub redirect_uri: String,
}

impl Application {
    /// Reads the server's metadata.
    ///
    /// # Errors
    /// Where there is none, or where it is another issuer's.
    pub fn discover(
        issuer: &str,
        ca_pem: &str,
        client_id: &str,
        client_secret: Option<&str>,
    ) -> Result<Self, UserAgentError> {
        let http = agent(ca_pem)?;
        let metadata = metadata(&http, issuer)?;
        if metadata["issuer"] != issuer {
            return Err(UserAgentError::Protocol("the metadata is another issuer's"));
        }
        let endpoint = |name: &str| {
            metadata[name]
                .as_str()
                .map(str::to_owned)
                .ok_or(UserAgentError::Protocol("an endpoint is missing"))
        };
        Ok(Self {
            authorization_endpoint: endpoint("authorization_endpoint")?,
            token_endpoint: endpoint("token_endpoint")?,
            sends_iss: metadata["authorization_response_iss_parameter_supported"] == true,
            http,
            issuer: issuer.to_owned(),
            client_id: client_id.to_owned(),
            client_secret: client_secret.map(str::to_owned),
        })
    }

    /// Sends the browser to the authorization endpoint and waits for it at `redirect_uri`.
    ///
    /// # Errors
    /// Where the server refuses, or answers somebody else's request.
    pub fn authorize(
        &self,
        redirect_uri: &str,
        subject: &str,
        scope: &str,
    ) -> Result<Approved, UserAgentError> {
        let (state, code_verifier) = (random_secret(), random_secret());
        let challenge = s256_challenge(&code_verifier);
        let mut parameters = vec![
            ("response_type", "code"),
            ("client_id", &self.client_id),
            ("redirect_uri", redirect_uri),
            ("scope", scope),
            ("state", &state),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("login_hint", subject),
        ];
        // OpenID Connect Core §11: without consent there is no offline access.
        if scope.split(' ').any(|scope| scope == "offline_access") {
            parameters.push(("prompt", "consent"));
        }
        let start = format!("{}?{}", self.authorization_endpoint, query(&parameters));
        let arrival = self.browse(start, redirect_uri)?;
        let code = self.read_authorization_response(&arrival, &state)?;
        Ok(Approved {
            code,
            code_verifier,
            redirect_uri: redirect_uri.to_owned(),
        })
    }

    /// Exchanges the code.
    ///
    /// # Errors
    /// Only where no answer came.
    pub fn exchange(&self, approved: &Approved) -> Result<TokenResponse, UserAgentError> {
        self.token(&[
            ("grant_type", "authorization_code"),
            ("code", &approved.code),
            ("redirect_uri", &approved.redirect_uri),
            ("code_verifier", &approved.code_verifier),
        ])
    }

    /// Refreshes.
    ///
    /// # Errors
    /// Only where no answer came.
    pub fn refresh(&self, refresh_token: &str) -> Result<TokenResponse, UserAgentError> {
        self.token(&[
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token),
        ])
    }

    /// A request to the token endpoint, with `client_secret_basic` or, for a public client, `client_id` in the body.
    ///
    /// # Errors
    /// Only where no answer came.
    pub fn token(&self, parameters: &[(&str, &str)]) -> Result<TokenResponse, UserAgentError> {
        let request = self
            .http
            .post(&self.token_endpoint)
            .header("accept", "application/json");
        let response = match &self.client_secret {
            Some(secret) => {
                let request = request.header("authorization", basic(&self.client_id, secret));
                request.send_form(parameters.iter().copied())
            }
            None => request.send_form(
                parameters
                    .iter()
                    .copied()
                    .chain([("client_id", self.client_id.as_str())]),
            ),
        };
        let mut response = response.map_err(transport("token request"))?;
        let body = response
            .body_mut()
            .read_to_vec()
            .map_err(transport("token response"))?;
        Ok(TokenResponse {
            status: response.status().as_u16(),
            body: serde_json::from_slice(&body).unwrap_or_default(),
        })
    }

    /// Follows redirects, with cookies, as long as they stay at the server; returns the one to the application.
    fn browse(&self, start: String, redirect_uri: &str) -> Result<String, UserAgentError> {
        let mut url = start;
        for _ in 0..MAX_REDIRECTS {
            let response = self
                .http
                .get(&url)
                .call()
                .map_err(transport("authorization"))?;
            let location = location(&response).ok_or(UserAgentError::Refused {
                status: response.status().as_u16(),
                error: None,
            })?;
            if location.starts_with(redirect_uri) {
                return Ok(location);
            }
            url = if location.starts_with('/') {
                format!("{}{location}", self.issuer)
            } else {
                location
            };
            if !url.starts_with(&self.issuer) {
                return Err(UserAgentError::Protocol("a redirect leads elsewhere"));
            }
        }
        Err(UserAgentError::Protocol("too many redirects"))
    }

    /// The code, after the checks of RFC 6749 §4.1.2 and RFC 9207 §2.4.
    fn read_authorization_response(
        &self,
        arrival: &str,
        state: &str,
    ) -> Result<String, UserAgentError> {
        let query = arrival
            .split_once('?')
            .map(|(_, query)| query)
            .unwrap_or_default();
        let parameter = |name: &str| {
            form_urlencoded::parse(query.as_bytes())
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.into_owned())
        };
        if parameter("state").as_deref() != Some(state) {
            return Err(UserAgentError::Protocol(
                "the authorization response has another state",
            ));
        }
        if self.sends_iss && parameter("iss").as_ref() != Some(&self.issuer) {
            return Err(UserAgentError::Protocol(
                "the authorization response is another issuer's",
            ));
        }
        parameter("code").ok_or_else(|| UserAgentError::Refused {
            status: 302,
            error: parameter("error"),
        })
    }
}

fn metadata(http: &Agent, issuer: &str) -> Result<Value, UserAgentError> {
    for document in ["oauth-authorization-server", "openid-configuration"] {
        let url = format!("{issuer}/.well-known/{document}");
        let mut response = http.get(url).call().map_err(transport("discovery"))?;
        if response.status() == 200 {
            let body = response
                .body_mut()
                .read_to_vec()
                .map_err(transport("discovery"))?;
            return serde_json::from_slice(&body)
                .map_err(|_| UserAgentError::Protocol("the metadata is not JSON"));
        }
    }
    Err(UserAgentError::Protocol("the server has no metadata"))
}
