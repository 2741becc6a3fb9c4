//! Client authentication at the token and revocation endpoints (RFC 6749 §2.3).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use crate::config::{ClientAuth, ClientConfig};
use crate::error::OAuthError;
use crate::form::Form;
use crate::message::Request;

/// How a request presents its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthMethod {
    ClientSecretBasic,
    ClientSecretPost,
    None,
}

/// Who a request says it is; nothing is verified yet.
pub(crate) struct Presented {
    pub client_id: String,
    pub method: AuthMethod,
    secret: Option<String>,
}

impl Presented {
    /// Reads the credentials of a request. Two mechanisms at once are refused.
    pub(crate) fn read(request: &Request, form: &Form) -> Result<Self, OAuthError> {
        if request.headers.contains_key("authorization") {
            return Self::basic(request, form);
        }
        let client_id = form
            .require("client_id", "the client is not named")?
            .to_owned();
        let secret = form.raw("client_secret").map(str::to_owned);
        Ok(Self {
            client_id,
            method: if secret.is_some() {
                AuthMethod::ClientSecretPost
            } else {
                AuthMethod::None
            },
            secret,
        })
    }

    /// Compares with the registration.
    ///
    /// Returns which of the client's secrets was used, `None` for a public client.
    pub(crate) fn verify(
        &self,
        client: Option<&ClientConfig>,
    ) -> Result<Option<usize>, OAuthError> {
        let basic = self.method == AuthMethod::ClientSecretBasic;
        let refuse = |description| Err(OAuthError::invalid_client(description, basic));
        let Some(client) = client else {
            return refuse("the client is unknown");
        };
        if !accepts(client.auth, self.method) {
            return refuse("the client is registered for another authentication method");
        }
        let Some(secret) = &self.secret else {
            return Ok(None);
        };
        match client
            .client_secrets
            .iter()
            .position(|valid| valid == secret)
        {
            Some(index) => Ok(Some(index)),
            None => refuse("the client secret is wrong"),
        }
    }

    fn basic(request: &Request, form: &Form) -> Result<Self, OAuthError> {
        let malformed = || OAuthError::invalid_client("the Basic credentials are malformed", true);
        if form.raw("client_secret").is_some() {
            return Err(OAuthError::invalid_request(
                "more than one way of client authentication",
            ));
        }
        let credentials = request.authorization("basic").ok_or_else(malformed)?;
        let credentials = STANDARD.decode(credentials).map_err(|_| malformed())?;
        let credentials = String::from_utf8(credentials).map_err(|_| malformed())?;
        let (client_id, secret) = credentials.split_once(':').ok_or_else(malformed)?;
        let client_id = form_decode(client_id).ok_or_else(malformed)?;
        let secret = form_decode(secret).ok_or_else(malformed)?;
        if form
            .get("client_id")
            .is_some_and(|named| named != client_id)
        {
            return Err(OAuthError::invalid_request(
                "header and body name different clients",
            ));
        }
        Ok(Self {
            client_id,
            method: AuthMethod::ClientSecretBasic,
            secret: Some(secret),
        })
    }
}

fn accepts(registered: ClientAuth, used: AuthMethod) -> bool {
    match registered {
        ClientAuth::ClientSecretBasic => used == AuthMethod::ClientSecretBasic,
        ClientAuth::ClientSecretPost => used == AuthMethod::ClientSecretPost,
        ClientAuth::AnySecret => used != AuthMethod::None,
        ClientAuth::None => used == AuthMethod::None,
    }
}

/// Decodes one form-encoded word. A character that form-encoding would have escaped is refused: it shows a client that
/// sends its credentials raw, which works until a secret contains one of `%`, `+` or `:`.
fn form_decode(word: &str) -> Option<String> {
    let encoded = |byte: u8| byte.is_ascii_alphanumeric() || b"*-._~+%".contains(&byte);
    if !word.bytes().all(encoded) {
        return None;
    }
    Some(
        form_urlencoded::parse(word.as_bytes())
            .next()
            .map(|(word, _)| word.into_owned())
            .unwrap_or_default(),
    )
}
