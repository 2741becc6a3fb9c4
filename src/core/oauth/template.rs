//! Templates: text with `{placeholder}`s, and where their values come from.
//!
//! `{name}` must have a value. `{name?}` may be missing; then the parameter or header it stands in is left out. Braces
//! around anything else are ordinary text.

use super::misconfigured::Misconfigured;
use super::secret_json::scalar_text;
use crate::secret::{AccessToken, ClientSecret, RefreshToken, SecretString};
use serde_json::Value;

/// A client: our registration at a provider.
#[derive(Clone, Copy)]
pub struct Client<'a> {
    /// `client_id` (RFC 6749 §2.2).
    pub client_id: &'a str,
    /// The secret to try; none for a public client.
    pub client_secret: Option<&'a ClientSecret>,
    /// JSON object with values for placeholders; null for none.
    pub metadata: &'a Value,
}

/// What a user granted, as it is stored.
#[derive(Clone, Copy)]
pub struct Grant<'a> {
    /// The current access token.
    pub access_token: Option<&'a AccessToken>,
    /// The current refresh token.
    pub refresh_token: Option<&'a RefreshToken>,
    /// The granted scope as the provider wrote it.
    pub scope: Option<&'a str>,
    /// JSON object with values for placeholders; null for none.
    pub metadata: &'a Value,
}

/// One part of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'t> {
    Literal(&'t str),
    Placeholder { name: &'t str, optional: bool },
}

/// Splits a template.
pub(super) fn pieces(template: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let (mut literal_from, mut search_from) = (0, 0);
    while let Some(open) = template[search_from..].find('{').map(|at| at + search_from) {
        search_from = open + 1;
        let Some((placeholder, length)) = placeholder(&template[open + 1..]) else {
            continue;
        };
        if open > literal_from {
            pieces.push(Piece::Literal(&template[literal_from..open]));
        }
        pieces.push(placeholder);
        search_from = open + 1 + length;
        literal_from = search_from;
    }
    if literal_from < template.len() {
        pieces.push(Piece::Literal(&template[literal_from..]));
    }
    pieces
}

/// The placeholder that begins after a brace, and how long it is including the closing brace.
fn placeholder(text: &str) -> Option<(Piece<'_>, usize)> {
    let (inside, _) = text.split_once('}')?;
    let name = inside.strip_suffix('?').unwrap_or(inside);
    let valid = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    valid.then_some((
        Piece::Placeholder {
            name,
            optional: name != inside,
        },
        inside.len() + 1,
    ))
}

/// The values that templates are filled with.
#[derive(Clone, Copy)]
pub(super) struct Values<'a> {
    pub client: &'a Client<'a>,
    pub grant: &'a Grant<'a>,
}

impl Values<'_> {
    /// The standard values first, then the token's metadata, then the client's. Empty values count as missing: an
    /// empty `client_secret` is refused by servers that accept none.
    pub fn find(&self, name: &str) -> Option<SecretString> {
        let standard = |text: &str| Some(SecretString::new(text.to_string()));
        let found = match name {
            "client_id" => standard(self.client.client_id),
            "client_secret" => self
                .client
                .client_secret
                .and_then(|secret| standard(secret.expose())),
            "refresh_token" => self
                .grant
                .refresh_token
                .and_then(|token| standard(token.expose())),
            "access_token" => self
                .grant
                .access_token
                .and_then(|token| standard(token.expose())),
            "scope" => self.grant.scope.and_then(standard),
            _ => self
                .token_metadata(name)
                .or_else(|| self.client_metadata(name))
                .map(SecretString::new),
        };
        found.filter(|value| !value.is_empty())
    }

    /// A value from the token's metadata, which whoever may store a token chooses.
    pub fn token_metadata(&self, name: &str) -> Option<String> {
        self.grant.metadata.get(name).and_then(scalar_text)
    }

    /// A value from the client's metadata, which an administrator chooses.
    pub fn client_metadata(&self, name: &str) -> Option<String> {
        self.client.metadata.get(name).and_then(scalar_text)
    }

    /// [`Self::find`] for a value that must be there.
    pub fn require(&self, name: &str) -> Result<SecretString, Misconfigured> {
        self.find(name).ok_or_else(|| match name {
            "client_secret" => Misconfigured::MissingClientSecret,
            "refresh_token" => Misconfigured::MissingRefreshToken,
            "access_token" => Misconfigured::MissingAccessToken,
            _ => Misconfigured::MissingPlaceholder(name.to_string()),
        })
    }

    /// Fills a template; `None` where an optional value is missing.
    pub fn fill(&self, template: &str) -> Result<Option<SecretString>, Misconfigured> {
        let mut parts = Vec::new();
        for piece in pieces(template) {
            match piece {
                Piece::Literal(text) => parts.push(SecretString::new(text.to_string())),
                Piece::Placeholder {
                    name,
                    optional: false,
                } => parts.push(self.require(name)?),
                Piece::Placeholder {
                    name,
                    optional: true,
                } => match self.find(name) {
                    Some(value) => parts.push(value),
                    None => return Ok(None),
                },
            }
        }
        Ok(Some(concat(&parts)))
    }
}

/// Joins texts in one allocation, so that no partial copy is left behind.
pub(super) fn concat(parts: &[SecretString]) -> SecretString {
    let mut out = String::with_capacity(parts.iter().map(SecretString::len).sum());
    parts.iter().for_each(|part| out.push_str(part.expose()));
    SecretString::new(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn templates_split_into_literals_and_placeholders() {
        let required = |name| Piece::Placeholder {
            name,
            optional: false,
        };
        assert_eq!(pieces("{a}"), [required("a")]);
        assert_eq!(
            pieces("x{a}y{b_2}"),
            [
                Piece::Literal("x"),
                required("a"),
                Piece::Literal("y"),
                required("b_2"),
            ]
        );
        assert_eq!(
            pieces("{a?}"),
            [Piece::Placeholder {
                name: "a",
                optional: true
            }]
        );
        for literal in ["plain", "{}", "{?}", "{a", "a}", "{a b}", "{\"k\": 1}"] {
            assert_eq!(pieces(literal), [Piece::Literal(literal)]);
        }
        assert_eq!(pieces("{{a}"), [Piece::Literal("{"), required("a")]);
        assert!(pieces("").is_empty());
    }

    #[test]
    fn values_come_from_the_token_before_the_client() {
        let (client_metadata, token_metadata) = (
            json!({"region": "eu", "n": 5}),
            json!({"region": "us", "list": []}),
        );
        let client = Client {
            client_id: "id",
            client_secret: None,
            metadata: &client_metadata,
        };
        let grant = Grant {
            access_token: None,
            refresh_token: None,
            scope: Some(""),
            metadata: &token_metadata,
        };
        let values = Values {
            client: &client,
            grant: &grant,
        };
        let fill = |template| {
            values
                .fill(template)
                .map(|filled| filled.map(|text| text.expose().to_string()))
        };

        assert_eq!(
            fill("{client_id}/{region}/{n}"),
            Ok(Some("id/us/5".to_string()))
        );
        assert_eq!(fill("a{scope?}"), Ok(None), "empty counts as missing");
        assert_eq!(
            fill("{list}"),
            Err(Misconfigured::MissingPlaceholder("list".to_string()))
        );
        assert_eq!(
            fill("{client_secret}"),
            Err(Misconfigured::MissingClientSecret)
        );
        assert_eq!(
            fill("{refresh_token}"),
            Err(Misconfigured::MissingRefreshToken)
        );
        assert_eq!(
            fill("{access_token}"),
            Err(Misconfigured::MissingAccessToken)
        );
    }
}
