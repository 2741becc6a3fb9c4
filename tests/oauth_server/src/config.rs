//! What a caller decides: about the server as a whole, and about each registered client.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::dialect::Dialect;

/// Settings of the whole server.
#[derive(Clone, Debug)]
pub struct Config {
    /// Port of the TLS listener; 0 takes a free one.
    pub port: u16,
    /// Length of an access token in characters. The default, 1200, is that of a JWT with a few claims; at least 64.
    pub access_token_bytes: usize,
    /// Lifetime of access tokens, in whole seconds, where the client has none of its own.
    pub expires_in: Duration,
    /// Keep the journal and the plaintext of every issued secret. Load runs switch it off: memory grows by about
    /// 1.5 kB a request otherwise.
    pub record: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            port: 0,
            access_token_bytes: 1200,
            expires_in: Duration::from_secs(3600),
            record: true,
        }
    }
}

/// A registered client (RFC 6749 §2).
#[derive(Clone, Serialize, Deserialize)]
pub struct ClientConfig {
    pub client_id: String,
    /// Every secret that is valid now. Empty for a public client.
    #[serde(default)]
    pub client_secrets: Vec<String>,
    /// Redirect URIs, compared as strings (RFC 9700 §2.1).
    #[serde(default)]
    pub redirect_uris: Vec<String>,
    #[serde(default)]
    pub refresh: RefreshPolicy,
    /// Lifetime of this client's access tokens, in whole seconds; `None` takes the server's.
    #[serde(default, with = "optional_seconds")]
    pub expires_in: Option<Duration>,
    #[serde(default)]
    pub auth: ClientAuth,
    /// How the client's requests below `/dialect/CLIENT_ID` must look; there is nothing without one.
    #[serde(default)]
    pub dialect: Option<Dialect>,
}

impl ClientConfig {
    /// A confidential client with one secret: `client_secret_basic`, rotation with reuse detection and no leeway.
    pub fn confidential(client_id: &str, client_secret: &str, redirect_uri: &str) -> Self {
        Self {
            client_id: client_id.to_owned(),
            client_secrets: vec![client_secret.to_owned()],
            redirect_uris: vec![redirect_uri.to_owned()],
            refresh: RefreshPolicy::default(),
            expires_in: None,
            auth: ClientAuth::ClientSecretBasic,
            dialect: None,
        }
    }

    /// A public client: no secret, PKCE only.
    pub fn public(client_id: &str, redirect_uri: &str) -> Self {
        Self {
            client_secrets: Vec::new(),
            auth: ClientAuth::None,
            ..Self::confidential(client_id, "", redirect_uri)
        }
    }
}

/// The secrets stay out: this ends up in assertion messages.
impl fmt::Debug for ClientConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientConfig")
            .field("client_id", &self.client_id)
            .field("client_secrets", &self.client_secrets.len())
            .field("redirect_uris", &self.redirect_uris)
            .field("refresh", &self.refresh)
            .field("expires_in", &self.expires_in)
            .field("auth", &self.auth)
            .finish()
    }
}

/// What a refresh does to the refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "policy", rename_all = "snake_case")]
pub enum RefreshPolicy {
    /// The refresh token stays; answers to a refresh carry none (RFC 6749 §6 allows that).
    Static,
    /// Each refresh spends the refresh token and returns a new one.
    Rotate {
        /// A spent token that comes again after the leeway revokes its whole family (RFC 9700 §4.14.2); without it,
        /// only the request is refused.
        reuse_detection: bool,
        /// For this long after a rotation, the spent token gets the same new pair again. Whole seconds in JSON.
        #[serde(default, with = "seconds")]
        leeway: Duration,
    },
}

impl Default for RefreshPolicy {
    fn default() -> Self {
        Self::Rotate {
            reuse_detection: true,
            leeway: Duration::ZERO,
        }
    }
}

/// How a client must authenticate; everything else is refused with `invalid_client`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuth {
    /// HTTP Basic with form-encoded credentials (RFC 6749 §2.3.1): the registration default of RFC 7591.
    #[default]
    ClientSecretBasic,
    /// `client_id` and `client_secret` in the body.
    ClientSecretPost,
    /// Either of the two, but not both at once.
    AnySecret,
    /// A public client: `client_id` in the body, and no secret, not even an empty one.
    None,
}

mod seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(value.as_secs())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_secs)
    }
}

mod optional_seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(
        value: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        value.map(|value| value.as_secs()).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<u64>::deserialize(deserializer)?.map(Duration::from_secs))
    }
}
