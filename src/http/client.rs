//! The HTTPS client: one request, one answer, over kept-alive connections.

use std::time::Duration;

use token_vault_core::oauth::{Method, TokenRequest};
use ureq::http::{self, HeaderMap, HeaderName, HeaderValue, Request, Uri, header};
use ureq::unversioned::transport::{ConnectProxyConnector, Connector, TcpConnector};
use ureq::{Agent, Body, Proxy, ProxyProtocol};

use crate::body::{self, BodyError};
use crate::classify::call_error;
use crate::error::{CallError, NotSent};
use crate::policy::Policy;
use crate::resolver::PolicyResolver;
use crate::sent;
use crate::settings::{Settings, SettingsError};
use crate::tls::TlsConnector;
use crate::transport::{HttpAnswer, Transport};
use crate::trust;

/// Below the shortest keep-alive time in common use (5 s: Apache, Node.js). A connection that the server closes while
/// a request is under way leaves that request's outcome unknown, so connections are given up before servers do it.
const MAX_IDLE: Duration = Duration::from_secs(4);
/// The largest head of an answer.
const MAX_HEAD_BYTES: usize = 32 * 1024;
/// Larger than a head may be, or one that is too large would look like a lost connection.
const BUFFER_BYTES: usize = 2 * MAX_HEAD_BYTES;

/// A client for token endpoints. Calls may run on many threads at once.
pub struct Client {
    agent: Agent,
    policy: Policy,
    proxied: bool,
    total_timeout: Duration,
}

impl Client {
    /// Reads the CA file and checks the settings; opens no connection.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] names the setting.
    pub fn new(settings: &Settings) -> Result<Self, SettingsError> {
        HeaderValue::from_str(&settings.user_agent).map_err(|_| SettingsError::InvalidUserAgent)?;
        let proxy = settings.proxy.as_deref().map(connect_proxy).transpose()?;
        let proxied = proxy.is_some();
        let policy = Policy::new(settings.allowed_networks.clone());
        let config = Agent::config_builder()
            .https_only(true)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            // Always set: the library's default is the environment's proxy.
            .proxy(proxy)
            .user_agent(&settings.user_agent)
            .accept_encoding("identity")
            .timeout_connect(Some(settings.connect_timeout))
            .max_response_header_size(MAX_HEAD_BYTES)
            .input_buffer_size(BUFFER_BYTES)
            .output_buffer_size(BUFFER_BYTES)
            .max_idle_connections(settings.threads)
            .max_idle_connections_per_host(settings.threads)
            .max_idle_age(MAX_IDLE)
            .build();
        let connector =
            ().chain(ConnectProxyConnector::default())
                .chain(TcpConnector::default())
                .chain(TlsConnector(trust::client_config(
                    settings.ca_file.as_deref(),
                )?));
        let resolver = PolicyResolver::new((!proxied).then(|| policy.clone()));
        Ok(Self {
            agent: Agent::with_parts(config, connector, resolver),
            policy,
            proxied,
            total_timeout: settings.total_timeout,
        })
    }

    fn check_target(&self, uri: &Uri) -> Result<(), NotSent> {
        if uri.scheme_str() != Some("https") {
            return Err(NotSent::NotHttps);
        }
        let authority = uri.authority().ok_or(NotSent::InvalidRequest)?;
        // "https://known.example@other.example/" is misread by people, and no token endpoint needs it.
        if authority.as_str().contains('@') {
            return Err(NotSent::InvalidRequest);
        }
        if self.proxied {
            self.check_literal(authority.host())?;
        }
        Ok(())
    }

    /// The proxy resolves the name, so only what is recognisably an address can be judged here.
    fn check_literal(&self, host: &str) -> Result<(), NotSent> {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        if let Ok(address) = bare.parse() {
            return match self.policy.refuses(address) {
                Some(kind) => Err(NotSent::Forbidden(kind)),
                None => Ok(()),
            };
        }
        let last = bare
            .trim_end_matches('.')
            .rsplit('.')
            .next()
            .unwrap_or_default();
        // No top-level domain starts with a digit: this is an address in an odd spelling (0x7f.1).
        if last.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(NotSent::Forbidden("ambiguous spelling of an address"));
        }
        if last.eq_ignore_ascii_case("localhost") {
            return Err(NotSent::Forbidden("loopback"));
        }
        Ok(())
    }

    fn send(
        &self,
        request: &TokenRequest,
        head: Request<()>,
    ) -> Result<http::Response<Body>, ureq::Error> {
        match request.method {
            Method::Get => self.agent.run(head),
            Method::Post => self.agent.run(head.map(|()| request.body.expose())),
        }
    }
}

impl Transport for Client {
    fn call(&self, request: &TokenRequest, budget: Duration) -> Result<HttpAnswer, CallError> {
        sent::begin();
        let mut head = request_head(request).map_err(CallError::NotSent)?;
        self.check_target(head.uri()).map_err(CallError::NotSent)?;
        head = self
            .agent
            .configure_request(head)
            .timeout_global(Some(budget.min(self.total_timeout)))
            .build();
        let mut response = self.send(request, head).map_err(|e| call_error(&e, None))?;
        let status = response.status().as_u16();
        let body = body::read(response.body_mut()).map_err(|e| match e {
            BodyError::TooLarge => CallError::TooLarge { status },
            BodyError::Http(e) => call_error(&e, Some(status)),
        })?;
        let headers = response.headers();
        Ok(HttpAnswer {
            status,
            content_type: text(headers, &header::CONTENT_TYPE),
            retry_after: text(headers, &header::RETRY_AFTER),
            body,
        })
    }
}

fn request_head(request: &TokenRequest) -> Result<Request<()>, NotSent> {
    let uri: Uri = request
        .url
        .expose()
        .parse()
        .map_err(|_| NotSent::InvalidRequest)?;
    let mut head = Request::new(());
    *head.method_mut() = match request.method {
        Method::Get => http::Method::GET,
        Method::Post => http::Method::POST,
    };
    *head.uri_mut() = uri;
    for (name, value) in &request.headers {
        let name = HeaderName::try_from(name.as_str()).map_err(|_| NotSent::InvalidRequest)?;
        let mut value =
            HeaderValue::from_str(value.expose()).map_err(|_| NotSent::InvalidRequest)?;
        value.set_sensitive(true);
        head.headers_mut().append(name, value);
    }
    Ok(head)
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

fn connect_proxy(url: &str) -> Result<Proxy, SettingsError> {
    let proxy = Proxy::new(url).map_err(|_| SettingsError::InvalidProxy)?;
    match proxy.protocol() {
        ProxyProtocol::Http => Ok(proxy),
        _ => Err(SettingsError::InvalidProxy),
    }
}
