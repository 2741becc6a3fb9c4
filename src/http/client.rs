//! The HTTPS client: one request, one answer, over kept-alive connections.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use token_vault_core::oauth::{Method, TokenRequest};
use token_vault_core::secret::SecretBytes;
use ureq::config::Config;
use ureq::http::{self, HeaderMap, HeaderName, HeaderValue, Request, Uri, header};
use ureq::unversioned::transport::{ConnectProxyConnector, Connector, TcpConnector};
use ureq::{Agent, Body, Proxy, ProxyProtocol};

use crate::body::{self, BodyError};
use crate::classify::call_error;
use crate::error::{CallError, Cause, NotSent, Unknown};
use crate::policy::Policy;
use crate::resolver::{PolicyResolver, SharedResolver};
use crate::sent;
use crate::settings::{Settings, SettingsError};
use crate::target;
use crate::tls::TlsConnector;
use crate::transport::{HttpAnswer, Transport};
use crate::trust;

/// Below the shortest keep-alive time in common use (5 s: Apache, Node.js). A connection that the server closes while
/// a request is under way leaves that request's outcome unknown, so connections are given up before servers do it.
const MAX_IDLE: Duration = Duration::from_secs(4);
/// Idle connections that a thread keeps, one for each host.
const MAX_IDLE_CONNECTIONS: usize = 4;
/// The largest head of an answer.
const MAX_HEAD_BYTES: usize = 32 * 1024;
/// Larger than a head may be, or one that is too large would look like a lost connection.
const BUFFER_BYTES: usize = 2 * MAX_HEAD_BYTES;

/// A client for token endpoints. Calls may run on many threads at once.
pub struct Client {
    /// Each thread has its own, and with it its own idle connections: one pool for all is searched from end to end, under
    /// a lock, for every request.
    agents: Vec<Agent>,
    /// Where a proxy resolves names.
    policy_of_names: Option<Policy>,
    total_timeout: Duration,
}

impl Client {
    /// Reads the CA file and checks the settings; opens no connection.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] names the setting.
    pub fn new(settings: &Settings) -> Result<Self, SettingsError> {
        let tls = TlsConnector(trust::client_config(settings.ca_file.as_deref())?);
        let connector = || {
            ().chain(ConnectProxyConnector::default())
                .chain(TcpConnector::default())
                .chain(tls.clone())
        };
        Self::with_network(settings, PolicyResolver::new, connector)
    }

    /// With a way of its own to resolve names and to connect.
    fn with_network<C: Connector>(
        settings: &Settings,
        resolver: impl FnOnce(Option<Policy>) -> PolicyResolver,
        connector: impl Fn() -> C,
    ) -> Result<Self, SettingsError> {
        HeaderValue::from_str(&settings.user_agent).map_err(|_| SettingsError::InvalidUserAgent)?;
        let proxy = settings.proxy.as_deref().map(connect_proxy).transpose()?;
        let policy = Policy::new(settings.allowed_networks.clone());
        // A proxy may have any address, and resolves the other names itself.
        let (of_addresses, of_names) = match proxy {
            None => (Some(policy), None),
            Some(_) => (None, Some(policy)),
        };
        let resolver = SharedResolver::new(resolver(of_addresses));
        let agent = |_| {
            let config = config(settings, proxy.clone());
            Agent::with_parts(config, connector(), resolver.clone())
        };
        Ok(Self {
            agents: (0..settings.threads.max(1)).map(agent).collect(),
            policy_of_names: of_names,
            total_timeout: settings.total_timeout,
        })
    }

    fn send(
        agent: &Agent,
        request: &TokenRequest,
        head: Request<()>,
    ) -> Result<http::Response<Body>, ureq::Error> {
        match request.method {
            Method::Get => agent.run(head),
            Method::Post => agent.run(head.map(|()| request.body.expose())),
        }
    }
}

impl Transport for Client {
    fn call(&self, request: &TokenRequest, budget: Duration) -> Result<HttpAnswer, CallError> {
        sent::begin();
        let mut head = request_head(request).map_err(CallError::NotSent)?;
        target::check(head.uri()).map_err(CallError::NotSent)?;
        if let Some(policy) = &self.policy_of_names {
            target::check_name(head.uri(), policy).map_err(CallError::NotSent)?;
        }
        let agent = &self.agents[thread_number() % self.agents.len()];
        head = agent
            .configure_request(head)
            .timeout_global(Some(budget.min(self.total_timeout)))
            .build();
        let mut response = Self::send(agent, request, head).map_err(|e| call_error(&e, None))?;
        let status = response.status();
        if status.is_informational() {
            // Only 101 comes here: a switch to another protocol that nobody asked for.
            return Err(CallError::OutcomeUnknown(Unknown {
                cause: Cause::Unreadable,
                status: None,
            }));
        }
        let body = match body::read(response.body_mut()) {
            Ok(body) => body,
            // The status has decided. A refusal carries no tokens, so nothing is lost with its body.
            Err(_) if !status.is_success() => SecretBytes::from_vec(Vec::new()),
            Err(BodyError::TooLarge) => {
                return Err(CallError::TooLarge {
                    status: status.as_u16(),
                });
            }
            Err(BodyError::Http(error)) => return Err(call_error(&error, Some(status.as_u16()))),
        };
        let headers = response.headers();
        Ok(HttpAnswer {
            status: status.as_u16(),
            content_type: text(headers, &header::CONTENT_TYPE),
            retry_after: text(headers, &header::RETRY_AFTER),
            body,
        })
    }
}

/// A number for the calling thread; those of a pool, started one after another, have consecutive ones.
fn thread_number() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static NUMBER: usize = NEXT.fetch_add(1, Ordering::Relaxed);
    }
    NUMBER.with(|number| *number)
}

fn config(settings: &Settings, proxy: Option<Proxy>) -> Config {
    Agent::config_builder()
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
        .max_idle_connections(MAX_IDLE_CONNECTIONS)
        .max_idle_connections_per_host(1)
        .max_idle_age(MAX_IDLE)
        .build()
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

#[cfg(test)]
#[path = "outbound_tests.rs"]
mod tests;
