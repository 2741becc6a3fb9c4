//! What every test here needs: a server with one client, and a bare HTTP client that shows answers as they are.

// Each test binary uses its own part of this.
#![allow(dead_code)]

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use token_vault_oauth_server::user_agent::Application;
use token_vault_oauth_server::{ClientConfig, Config, OAuthServer, RefreshPolicy};
use ureq::Agent;
use ureq::http::Response;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

pub const CLIENT: &str = "app";
/// Needs form-encoding in Basic credentials.
pub const SECRET: &str = "s3cret/with+reserved:chars=%41 ~";
pub const REDIRECT_URI: &str = "https://app.example/callback?tenant=1";
pub const SUBJECT: &str = "user-42";
pub const SCOPE: &str = "read write";

pub const ROTATE: RefreshPolicy = RefreshPolicy::Rotate {
    reuse_detection: true,
    leeway: Duration::ZERO,
};

/// A server with one confidential client.
pub fn server_with(refresh: RefreshPolicy) -> OAuthServer {
    let server = OAuthServer::start(Config::default()).expect("the server starts");
    server.register(ClientConfig {
        refresh,
        ..ClientConfig::confidential(CLIENT, SECRET, REDIRECT_URI)
    });
    server
}

/// That client, as an application.
pub fn application(server: &OAuthServer) -> Application {
    Application::discover(&server.issuer(), server.ca_pem(), CLIENT, Some(SECRET))
        .expect("metadata")
}

/// A refresh token of a grant that has just been made.
pub fn granted_refresh_token(server: &OAuthServer) -> String {
    text(&server.issue(CLIENT, SUBJECT, SCOPE), "refresh_token")
}

/// A member of a JSON object that has to be there.
pub fn text(answer: &Value, member: &str) -> String {
    answer[member]
        .as_str()
        .unwrap_or_else(|| panic!("{member} is missing"))
        .to_owned()
}

/// An HTTP client that trusts the server and takes every answer as it is.
pub fn http(server: &OAuthServer) -> Agent {
    http_within(server, Duration::from_secs(10))
}

/// The same with less patience.
pub fn http_within(server: &OAuthServer, limit: Duration) -> Agent {
    let ca = Certificate::from_pem(server.ca_pem().as_bytes()).expect("PEM");
    Agent::config_builder()
        .tls_config(
            TlsConfig::builder()
                .root_certs(RootCerts::Specific(Arc::new(vec![ca])))
                .build(),
        )
        .proxy(None)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .timeout_global(Some(limit))
        .build()
        .new_agent()
}

/// An answer, read whole.
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
    headers: ureq::http::HeaderMap,
}

impl Answer {
    pub fn read(response: Result<Response<ureq::Body>, ureq::Error>) -> Result<Self, ureq::Error> {
        let mut response = response?;
        Ok(Self {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response
                .body_mut()
                .with_config()
                .limit(64 << 20)
                .read_to_vec()?,
        })
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().expect("ASCII"))
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a JSON body")
    }
}

/// A refresh with the client's credentials in the body's place of choice.
pub fn refresh(server: &OAuthServer, refresh_token: &str) -> Result<Answer, ureq::Error> {
    refresh_at(server, &server.issuer(), refresh_token)
}

/// The same at another of the server's ports.
pub fn refresh_at(
    server: &OAuthServer,
    base: &str,
    refresh_token: &str,
) -> Result<Answer, ureq::Error> {
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh_token),
    ];
    Answer::read(
        http(server)
            .post(format!("{base}/token"))
            .header("authorization", basic(CLIENT, SECRET))
            .send_form(form),
    )
}

/// Basic credentials, encoded here independently of the library: every byte escaped.
pub fn basic(client_id: &str, secret: &str) -> String {
    let encode = |word: &str| {
        word.bytes()
            .map(|byte| format!("%{byte:02X}"))
            .collect::<String>()
    };
    raw_basic(&format!("{}:{}", encode(client_id), encode(secret)))
}

/// Basic credentials as they are.
pub fn raw_basic(credentials: &str) -> String {
    use base64::Engine;
    format!(
        "Basic {}",
        base64::engine::general_purpose::STANDARD.encode(credentials)
    )
}

/// Status of a call to the protected resource.
pub fn me(server: &OAuthServer, access_token: &str) -> Answer {
    let call = http(server).get(format!("{}/api/me", server.issuer()));
    Answer::read(
        call.header("authorization", format!("Bearer {access_token}"))
            .call(),
    )
    .expect("an answer")
}
