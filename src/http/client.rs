//! The HTTPS client: one request, one answer, over kept-alive connections.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Request, Response, Uri};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use token_vault_core::oauth::{Method, TokenRequest};
use token_vault_core::secret::SecretBytes;
use tokio::time::{Instant, timeout_at};
use zeroize::Zeroizing;

use crate::body::{self, BodyError};
use crate::classify::{lost, unreadable};
use crate::connection::Connection;
use crate::error::{CallError, Cause, NotSent, Unknown};
use crate::idle::Idle;
use crate::network::{Direct, Network};
use crate::policy::Policy;
use crate::proxy::Tunnel;
use crate::resolver::PolicyResolver;
use crate::settings::{Settings, SettingsError};
use crate::target::{self, Target};
use crate::transport::{Calling, HttpAnswer, Transport};
use crate::trust;

/// A client for token endpoints. Calls may run at the same time, as tasks of one tokio runtime.
pub struct Client {
    network: Box<dyn Network>,
    names: Names,
    idle: Arc<Idle>,
    total_timeout: Duration,
    connect_timeout: Duration,
    user_agent: HeaderValue,
}

/// Who resolves the names of hosts.
enum Names {
    /// We do, and judge the addresses.
    Ours(PolicyResolver),
    /// The proxy does: only what shows in the URL can be judged.
    Proxys(Policy),
}

impl Client {
    /// Reads the CA file and checks the settings; opens no connection.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] names the setting.
    pub fn new(settings: &Settings) -> Result<Self, SettingsError> {
        let tls = trust::client_config(settings.ca_file.as_deref())?;
        let network: Box<dyn Network> = match &settings.proxy {
            None => Box::new(Direct(tls)),
            Some(url) => Box::new(Tunnel::new(url, tls)?),
        };
        Self::with_network(settings, PolicyResolver::new, network)
    }

    /// With a way of its own to resolve names and to connect.
    fn with_network(
        settings: &Settings,
        resolver: impl FnOnce(Policy) -> PolicyResolver,
        network: Box<dyn Network>,
    ) -> Result<Self, SettingsError> {
        let user_agent = HeaderValue::from_str(&settings.user_agent)
            .map_err(|_| SettingsError::InvalidUserAgent)?;
        let policy = Policy::new(settings.allowed_networks.clone());
        Ok(Self {
            network,
            names: match settings.proxy {
                None => Names::Ours(resolver(policy)),
                Some(_) => Names::Proxys(policy),
            },
            idle: Arc::new(Idle::new(settings.connections)),
            total_timeout: settings.total_timeout,
            connect_timeout: settings.connect_timeout,
            user_agent,
        })
    }

    async fn answer(
        &self,
        request: &TokenRequest,
        budget: Duration,
    ) -> Result<HttpAnswer, CallError> {
        let deadline = Instant::now() + budget.min(self.total_timeout);
        let target = Target::parse(request.url.expose()).map_err(CallError::NotSent)?;
        let (mut connection, response) = self.send(request, &target, deadline).await?;
        let status = response.status();
        if status.is_informational() {
            // Only 101 comes here: a switch to another protocol that nobody asked for.
            return Err(unreadable(None));
        }
        let content_type = text(response.headers(), &header::CONTENT_TYPE);
        let retry_after = text(response.headers(), &header::RETRY_AFTER);
        let body = match read_body(response, deadline).await {
            Ok(body) => {
                if connection.settle().await {
                    self.idle.keep(&target, connection);
                }
                body
            }
            // The status has decided. A refusal carries no tokens, so nothing is lost with its body.
            Err(_) if !status.is_success() => SecretBytes::from_vec(Vec::new()),
            Err(error) => return Err(error),
        };
        Ok(HttpAnswer {
            status: status.as_u16(),
            content_type,
            retry_after,
            body,
        })
    }

    /// Sends the request over a connection that is there, or a new one.
    async fn send(
        &self,
        request: &TokenRequest,
        target: &Target,
        deadline: Instant,
    ) -> Result<(Connection, Response<Incoming>), CallError> {
        let addresses = self
            .admit(target, deadline)
            .await
            .map_err(CallError::NotSent)?;
        while let Some(mut connection) = self.idle.take(target) {
            let message = self.message(request, target)?;
            match connection.send(message, deadline).await {
                Ok(response) => return Ok((connection, response)),
                // The server has closed it just now: nothing went out.
                Err(CallError::NotSent(_)) => {}
                Err(error) => {
                    // The others may be as dead: whoever asks again gets a new one.
                    self.idle.forget(target);
                    return Err(error);
                }
            }
        }
        let message = self.message(request, target)?;
        let mut connection = self
            .connect(target, &addresses, deadline)
            .await
            .map_err(CallError::NotSent)?;
        let response = connection.send(message, deadline).await?;
        Ok((connection, response))
    }

    /// The addresses of the target, all of them allowed; none where a proxy finds them.
    async fn admit(
        &self,
        target: &Target,
        deadline: Instant,
    ) -> Result<Arc<[SocketAddr]>, NotSent> {
        if deadline <= Instant::now() {
            return Err(NotSent::Timeout);
        }
        match &self.names {
            Names::Ours(resolver) => {
                let resolved = resolver.resolve(&target.host, target.port);
                timeout_at(deadline, resolved)
                    .await
                    .map_err(|_| NotSent::Timeout)?
            }
            Names::Proxys(policy) => {
                target::check_name(&target.host, policy)?;
                Ok(Arc::default())
            }
        }
    }

    async fn connect(
        &self,
        target: &Target,
        addresses: &[SocketAddr],
        deadline: Instant,
    ) -> Result<Connection, NotSent> {
        let deadline = deadline.min(Instant::now() + self.connect_timeout);
        let connected = async {
            let established = self.network.connect(target, addresses, deadline).await?;
            Connection::open(established).await
        };
        timeout_at(deadline, connected)
            .await
            .map_err(|_| NotSent::Timeout)?
    }

    fn message(
        &self,
        request: &TokenRequest,
        target: &Target,
    ) -> Result<Request<Full<Bytes>>, CallError> {
        let mut message = Request::new(Full::default());
        *message.uri_mut() = Uri::from(target.path_and_query.clone());
        match request.method {
            Method::Get => *message.method_mut() = http::Method::GET,
            Method::Post => {
                *message.method_mut() = http::Method::POST;
                // Wiped when the last reference to it is dropped.
                let body = Zeroizing::new(request.body.expose().to_vec());
                *message.body_mut() = Full::new(Bytes::from_owner(body));
            }
        }
        let headers = message.headers_mut();
        append(headers, request).map_err(CallError::NotSent)?;
        headers.insert(header::HOST, target.host_header.clone());
        // Some providers want another one.
        let user_agent = headers.entry(header::USER_AGENT);
        user_agent.or_insert_with(|| self.user_agent.clone());
        headers.insert(
            header::ACCEPT_ENCODING,
            HeaderValue::from_static("identity"),
        );
        Ok(message)
    }
}

impl Transport for Client {
    fn call<'a>(&'a self, request: &'a TokenRequest, budget: Duration) -> Calling<'a> {
        Box::pin(self.answer(request, budget))
    }
}

fn append(headers: &mut HeaderMap, request: &TokenRequest) -> Result<(), NotSent> {
    for (name, value) in &request.headers {
        let name = HeaderName::try_from(name.as_str()).map_err(|_| NotSent::InvalidRequest)?;
        let mut value =
            HeaderValue::from_str(value.expose()).map_err(|_| NotSent::InvalidRequest)?;
        value.set_sensitive(true);
        headers.append(name, value);
    }
    Ok(())
}

async fn read_body(
    response: Response<Incoming>,
    deadline: Instant,
) -> Result<SecretBytes, CallError> {
    let status = response.status().as_u16();
    match timeout_at(deadline, body::read(response.into_body())).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(BodyError::TooLarge)) => Err(CallError::TooLarge { status }),
        Ok(Err(BodyError::Http(error))) => Err(lost(&error, Some(status))),
        Err(_) => Err(CallError::OutcomeUnknown(Unknown {
            cause: Cause::Timeout,
            status: Some(status),
        })),
    }
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

#[cfg(test)]
#[path = "outbound_tests.rs"]
mod tests;
