//! Starts the certified OpenID provider in `tests/oidc_provider` (node) beside a test, and ends it with the test.

use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::authority::LocalAuthority;

/// The provider's one client and its token lifetime.
pub struct OidcProviderConfig {
    pub client_id: String,
    /// The client authenticates with `client_secret_basic`.
    pub client_secret: String,
    pub redirect_uri: String,
    /// In whole seconds.
    pub access_token_ttl: Duration,
}

/// A running provider. Dropping it ends the process.
pub struct OidcProvider {
    child: Child,
    /// The provider lives as long as this is open, so it cannot outlive a test that is killed.
    stdin: Option<ChildStdin>,
    authority: LocalAuthority,
    issuer: String,
    control_url: String,
}

impl OidcProvider {
    /// Starts the provider and waits until it accepts connections.
    ///
    /// # Errors
    /// Where node is missing, or `npm ci` has not been run in `tests/oidc_provider`.
    pub fn start(config: &OidcProviderConfig) -> io::Result<Self> {
        let directory = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../oidc_provider"));
        if !directory.join("node_modules").is_dir() {
            return Err(io::Error::other(
                "tests/oidc_provider has no node_modules: run npm ci there",
            ));
        }
        let authority = LocalAuthority::generate()?;
        let mut child = Command::new("node")
            .arg("server.mjs")
            .current_dir(directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take();
        // From here on, dropping the value ends the process, whatever fails below.
        let mut provider = Self {
            child,
            stdin,
            authority,
            issuer: String::new(),
            control_url: String::new(),
        };
        provider.send_settings(config)?;
        let mut line = String::new();
        BufReader::new(stdout.ok_or(io::ErrorKind::BrokenPipe)?).read_line(&mut line)?;
        let ready: Value = serde_json::from_str(&line)
            .map_err(|_| io::Error::other("the provider did not start"))?;
        provider.issuer = ready["issuer"].as_str().unwrap_or_default().to_owned();
        provider.control_url = ready["control_url"].as_str().unwrap_or_default().to_owned();
        Ok(provider)
    }

    /// The issuer identifier, `https://localhost:PORT`; the token endpoint is `/token`.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The certificate a client has to trust.
    pub fn ca_pem(&self) -> &str {
        &self.authority.ca_pem
    }

    /// The token requests so far: `{seq, at, client_id, grant_type, status, error, refresh_token_id,
    /// new_refresh_token_id}`; the handles are those of [`crate::Entry`].
    ///
    /// # Errors
    /// Where the provider is gone.
    pub fn journal(&self) -> io::Result<Vec<Value>> {
        self.control("/journal")
    }

    /// Plaintext of every token it has issued, for the canary search.
    ///
    /// # Errors
    /// Where the provider is gone.
    pub fn issued_secrets(&self) -> io::Result<Vec<String>> {
        self.control("/issued")
    }

    /// The certificate, the key and the client go through standard input: no file, no argument list holds them.
    fn send_settings(&mut self, config: &OidcProviderConfig) -> io::Result<()> {
        let settings = json!({
            "certificate": self.authority.certificate_pem,
            "key": self.authority.key_pem,
            "client_id": config.client_id,
            "client_secret": config.client_secret,
            "redirect_uri": config.redirect_uri,
            "access_token_ttl": config.access_token_ttl.as_secs(),
        });
        let stdin = self.stdin.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        stdin.write_all(format!("{settings}\n").as_bytes())
    }

    fn control<T: DeserializeOwned>(&self, path: &str) -> io::Result<T> {
        let agent = ureq::Agent::config_builder()
            .proxy(None)
            .build()
            .new_agent();
        let url = format!("{}{path}", self.control_url);
        let body = agent
            .get(url)
            .call()
            .and_then(|mut answer| answer.body_mut().read_to_vec());
        serde_json::from_slice(&body.map_err(io::Error::other)?).map_err(io::Error::other)
    }
}

impl Drop for OidcProvider {
    fn drop(&mut self) {
        drop(self.stdin.take());
        // Its own child, by its own handle; the wait leaves no zombie.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
