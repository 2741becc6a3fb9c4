//! The OAuth provider beside the demo, and the application's dealings with it.

use std::time::Duration;

use serde_json::Value;
use token_vault_cluster::Result;
use token_vault_oauth_server::{
    ClientConfig, Config, Entry, OAuthServer, Outcome, user_agent::authorize_and_exchange,
};
use ureq::tls::{Certificate, RootCerts, TlsConfig};

const CLIENT_ID: &str = "demo-app";
const REDIRECT_URI: &str = "https://app.example/callback";

/// How soon the first access token expires; the refreshed ones live as long as usual.
pub const FIRST_LIFETIME: Duration = Duration::from_secs(6);

/// A strict authorization server on the loopback with one registered application.
pub struct Provider {
    server: OAuthServer,
    client_secret: String,
}

impl Provider {
    /// Starts it. Its refresh tokens rotate, and one that is used twice ends the grant (RFC 9700 §4.14.2).
    pub fn start() -> Result<Self> {
        let provider = Self {
            server: OAuthServer::start(Config::default())?,
            client_secret: "cs-4b7f0a9e1d5c43e8b6f2a7d98c01".to_owned(),
        };
        provider.access_tokens_live(Some(FIRST_LIFETIME));
        Ok(provider)
    }

    pub fn server(&self) -> &OAuthServer {
        &self.server
    }

    pub fn client_id(&self) -> &'static str {
        CLIENT_ID
    }

    pub fn client_secret(&self) -> &str {
        &self.client_secret
    }

    /// From now on; `None`: an hour.
    pub fn access_tokens_live(&self, expires_in: Option<Duration>) {
        let client = ClientConfig::confidential(CLIENT_ID, &self.client_secret, REDIRECT_URI);
        self.server.register(ClientConfig {
            expires_in,
            ..client
        });
    }

    /// The user's consent in a browser and the exchange of the code, with PKCE: the provider's JSON answer.
    pub fn authorize(&self, subject: &str) -> Result<Value> {
        let (issuer, ca) = (self.server.issuer(), self.server.ca_pem());
        let (secret, scope) = (Some(&*self.client_secret), "profile offline_access");
        Ok(authorize_and_exchange(
            &issuer,
            ca,
            CLIENT_ID,
            secret,
            REDIRECT_URI,
            subject,
            scope,
        )?)
    }

    /// Whom the provider's API takes the bearer of an access token for (RFC 6750).
    pub fn who_is(&self, access_token: &str) -> Result<String> {
        let ca = Certificate::from_pem(self.server.ca_pem().as_bytes())?;
        let roots = RootCerts::new_with_certs(&[ca]);
        let tls = TlsConfig::builder().root_certs(roots).build();
        let agent = ureq::Agent::config_builder()
            .tls_config(tls)
            .build()
            .new_agent();
        let mut answer = agent
            .get(format!("{}/api/me", self.server.issuer()))
            .header("authorization", format!("Bearer {access_token}"))
            .call()?;
        let body: Value = serde_json::from_str(&answer.body_mut().read_to_string()?)?;
        Ok(body["subject"]
            .as_str()
            .ok_or("the API names no subject")?
            .to_owned())
    }

    /// The first `count` refreshes that the provider has noted, once there are so many.
    pub fn refreshes(&self, count: usize, limit: Duration) -> Result<Vec<Entry>> {
        let is_refresh = |entry: &Entry| entry.grant_type.as_deref() == Some("refresh_token");
        let enough = |entries: &[Entry]| entries.iter().filter(|e| is_refresh(e)).count() >= count;
        let journal = self
            .server
            .wait_for_journal(enough, limit)
            .map_err(|_| "a refresh did not reach the provider in time")?;
        Ok(journal.into_iter().filter(is_refresh).collect())
    }

    /// Did this refresh replace the refresh token?
    pub fn rotated(entry: &Entry) -> bool {
        entry.outcome == Outcome::Rotated && entry.refresh_token_id != entry.new_refresh_token_id
    }
}
