//! The server's memory: clients, codes, grants, access tokens. Plain maps; the caller holds the one lock around them.
//!
//! Tokens are looked up by their [`Handle`]; their text is kept only in the answer, and in the list that a canary
//! search asks for.

mod access;
mod code;
mod grant;
mod revocation;

use std::collections::HashMap;
use std::time::Duration;

use serde::Serialize;

use crate::config::{ClientConfig, Config};
use crate::credential::{self, Handle};
use crate::error::OAuthError;
use crate::journal::Outcome;
use access::AccessTokens;
pub(crate) use code::AuthorizationRequest;
use code::Code;
use grant::{Family, RefreshToken};

/// Everything the server knows.
pub(crate) struct Store {
    access_token_bytes: usize,
    default_expires_in: Duration,
    clients: HashMap<String, ClientConfig>,
    codes: HashMap<Handle, Code>,
    /// A family's number is its index.
    families: Vec<Family>,
    refresh_tokens: HashMap<Handle, RefreshToken>,
    access_tokens: AccessTokens,
    /// Plaintext of everything secret that was ever issued or registered; `None` where nobody wants it.
    issued: Option<Vec<String>>,
}

/// A successful answer of the token endpoint (RFC 6749 §5.1).
#[derive(Clone, Serialize)]
pub(crate) struct TokenAnswer {
    pub access_token: String,
    pub token_type: &'static str,
    pub expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    pub scope: String,
}

/// Where a request has left a grant.
#[derive(Clone, Copy)]
pub(crate) struct Position {
    pub family: u64,
    pub generation_before: u32,
    pub generation_after: u32,
}

/// A grant request that was honoured.
pub(crate) struct Granted {
    pub outcome: Outcome,
    pub answer: TokenAnswer,
    pub position: Position,
}

/// A grant request that was not.
pub(crate) struct Refused {
    pub outcome: Outcome,
    pub error: OAuthError,
    /// The grant, where the request named one.
    pub position: Option<Position>,
}

impl From<OAuthError> for Refused {
    fn from(error: OAuthError) -> Self {
        Self {
            outcome: Outcome::Refused,
            error,
            position: None,
        }
    }
}

impl Store {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            access_token_bytes: config.access_token_bytes,
            default_expires_in: config.expires_in,
            clients: HashMap::new(),
            codes: HashMap::new(),
            families: Vec::new(),
            refresh_tokens: HashMap::new(),
            access_tokens: AccessTokens::default(),
            issued: config.record.then(Vec::new),
        }
    }

    /// Registers a client, or replaces its registration; what was issued to it stays valid.
    pub(crate) fn register(&mut self, client: ClientConfig) {
        for secret in &client.client_secrets {
            self.remember(secret);
        }
        self.clients.insert(client.client_id.clone(), client);
    }

    /// Replaces the secrets of a client. Returns whether there is such a client.
    pub(crate) fn set_secrets(&mut self, client_id: &str, secrets: Vec<String>) -> bool {
        for secret in &secrets {
            self.remember(secret);
        }
        let client = self.clients.get_mut(client_id);
        client
            .map(|client| client.client_secrets = secrets)
            .is_some()
    }

    pub(crate) fn client(&self, client_id: &str) -> Option<&ClientConfig> {
        self.clients.get(client_id)
    }

    pub(crate) fn issued(&self) -> Vec<String> {
        self.issued.clone().unwrap_or_default()
    }

    /// Creates and notes the tokens of an answer: an access token, and a refresh token where one is due.
    fn new_tokens(
        &mut self,
        family: usize,
        scope: String,
        with_refresh_token: bool,
    ) -> TokenAnswer {
        let (access_token, expires_in) = self.new_access_token(family);
        TokenAnswer {
            access_token,
            token_type: "Bearer",
            expires_in,
            refresh_token: with_refresh_token.then(|| self.new_refresh_token(family)),
            scope,
        }
    }

    fn new_access_token(&mut self, family: usize) -> (String, u64) {
        let token = credential::access_token(self.access_token_bytes);
        let client = self.clients.get(&self.families[family].client_id);
        let expires_in = client
            .and_then(|client| client.expires_in)
            .unwrap_or(self.default_expires_in);
        self.access_tokens.add(&token, family, expires_in);
        self.remember(&token);
        (token, expires_in.as_secs())
    }

    fn new_refresh_token(&mut self, family: usize) -> String {
        let token = credential::random_secret();
        self.refresh_tokens
            .insert(Handle::of(&token), RefreshToken::new(family));
        self.remember(&token);
        token
    }

    fn remember(&mut self, secret: &str) {
        if let Some(issued) = &mut self.issued {
            issued.push(secret.to_owned());
        }
    }
}
