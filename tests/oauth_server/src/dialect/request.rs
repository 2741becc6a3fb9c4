//! Whether a request is in a dialect: nothing may be missing, and nothing may be there that does not belong.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::{Basic, Body, Dialect, Parameters};

/// A request, as far as a dialect looks at it.
pub struct RefreshRequest<'a> {
    pub method: &'a str,
    /// The path below `/dialect/CLIENT_ID`.
    pub path: &'a str,
    pub query: Option<&'a str>,
    /// Names are compared without regard to case.
    pub headers: Vec<(&'a str, &'a str)>,
    pub body: &'a [u8],
}

/// What a request asks to be refreshed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    RefreshToken(String),
    AccessToken(String),
    /// Nothing of a user's: the client asks for itself.
    Client,
}

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is not in the dialect.
    NotInDialect(String),
    /// It is, but the client's credentials are wrong.
    WrongClient,
}

/// What templates stand for, and what was found in their places.
struct Client<'a> {
    client_id: &'a str,
    client_secrets: &'a [String],
    credential: Credential,
}

impl Dialect {
    /// Checks a request of the client with this `client_id` and these valid secrets, and takes from it what it presents.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(
        &self,
        request: &RefreshRequest,
        client_id: &str,
        client_secrets: &[String],
    ) -> Result<Credential, Refusal> {
        let mut client = Client {
            client_id,
            client_secrets,
            credential: Credential::Client,
        };
        let method = match self.body {
            Body::Get => "GET",
            Body::Form | Body::Json => "POST",
        };
        if request.method != method || request.path != self.path {
            return not_in_dialect(format!("{} {}", request.method, request.path));
        }
        let query = form(request.query.unwrap_or_default().as_bytes())?;
        client.compare("query", &self.query, &query)?;
        client.compare("body", &self.parameters, &self.body(request)?)?;
        for (name, expected) in &self.headers {
            let found = request.header(name);
            if found != Some(expected) {
                return not_in_dialect(format!("header {name} is {found:?}"));
            }
        }
        client.authenticate(self.basic.as_ref(), request.header("authorization"))?;
        Ok(client.credential)
    }

    fn body(&self, request: &RefreshRequest) -> Result<Map<String, Value>, Refusal> {
        let media_type = request.header("content-type");
        match (self.body, media_type) {
            (Body::Get, None) if request.body.is_empty() => Ok(Map::new()),
            (Body::Form, Some("application/x-www-form-urlencoded")) => form(request.body),
            (Body::Json, Some("application/json")) => match serde_json::from_slice(request.body) {
                Ok(Value::Object(members)) => Ok(members),
                _ => not_in_dialect("the body is no JSON object".to_owned()),
            },
            _ => not_in_dialect(format!("a body of type {media_type:?}")),
        }
    }
}

impl RefreshRequest<'_> {
    fn header(&self, wanted: &str) -> Option<&str> {
        let found = |(name, _): &&(&str, &str)| name.eq_ignore_ascii_case(wanted);
        self.headers.iter().find(found).map(|(_, value)| *value)
    }
}

impl Client<'_> {
    fn compare(
        &mut self,
        place: &str,
        expected: &Parameters,
        found: &Map<String, Value>,
    ) -> Result<(), Refusal> {
        if let Some(name) = found.keys().find(|name| !expected.contains_key(*name)) {
            return not_in_dialect(format!("{name} does not belong into the {place}"));
        }
        for (name, template) in expected {
            let Some(value) = found.get(name) else {
                return not_in_dialect(format!("{name} is missing in the {place}"));
            };
            let fits = match (template.as_str(), value.as_str()) {
                (Some(template), Some(value)) => self.fits(template, value)?,
                _ => template == value,
            };
            if !fits {
                return not_in_dialect(format!("{name} in the {place} is not {template}"));
            }
        }
        Ok(())
    }

    fn fits(&mut self, template: &str, value: &str) -> Result<bool, Refusal> {
        Ok(match template {
            "{client_id}" => self.require(value == self.client_id)?,
            "{client_secret}" => {
                self.require(self.client_secrets.iter().any(|secret| secret == value))?
            }
            "{refresh_token}" => {
                self.credential = Credential::RefreshToken(value.to_owned());
                true
            }
            "{access_token}" => {
                self.credential = Credential::AccessToken(value.to_owned());
                true
            }
            literal => literal == value,
        })
    }

    fn require(&self, right: bool) -> Result<bool, Refusal> {
        if right {
            Ok(true)
        } else {
            Err(Refusal::WrongClient)
        }
    }

    fn authenticate(&mut self, basic: Option<&Basic>, header: Option<&str>) -> Result<(), Refusal> {
        let (basic, header) = match (basic, header) {
            (None, None) => return Ok(()),
            (Some(basic), Some(header)) => (basic, header),
            (None, Some(_)) => return not_in_dialect("Authorization is not wanted".to_owned()),
            (Some(_), None) => return not_in_dialect("Authorization is missing".to_owned()),
        };
        let decoded = header
            .strip_prefix("Basic ")
            .and_then(|encoded| STANDARD.decode(encoded).ok())
            .and_then(|bytes| String::from_utf8(bytes).ok());
        let Some((username, password)) = decoded.as_deref().and_then(|text| text.split_once(':'))
        else {
            return not_in_dialect("Authorization is not Basic".to_owned());
        };
        for (template, found) in [(&basic.username, username), (&basic.password, password)] {
            let found = if basic.form_encoded {
                decode(found)?
            } else {
                found.to_owned()
            };
            if !self.fits(template, &found)? {
                return Err(Refusal::WrongClient);
            }
        }
        Ok(())
    }
}

fn not_in_dialect<T>(reason: String) -> Result<T, Refusal> {
    Err(Refusal::NotInDialect(reason))
}

/// Parameters of a form, none of them twice.
fn form(bytes: &[u8]) -> Result<Map<String, Value>, Refusal> {
    let mut parameters = Map::new();
    for (name, value) in form_urlencoded::parse(bytes) {
        if parameters
            .insert(name.to_string(), value.into_owned().into())
            .is_some()
        {
            return not_in_dialect(format!("{name} comes twice"));
        }
    }
    Ok(parameters)
}

/// One form-encoded word; a character that had to be escaped and is not shows that the word is not encoded.
fn decode(word: &str) -> Result<String, Refusal> {
    let encoded = |byte: u8| byte.is_ascii_alphanumeric() || b"*-._~+%".contains(&byte);
    if !word.bytes().all(encoded) {
        return not_in_dialect("Basic credentials are not form-encoded".to_owned());
    }
    let mut words = form_urlencoded::parse(word.as_bytes());
    Ok(words
        .next()
        .map(|(word, _)| word.into_owned())
        .unwrap_or_default())
}
