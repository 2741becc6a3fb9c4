//! Connections through the tunnel of a proxy (RFC 9110 §9.3.6). The proxy resolves the names of hosts.

use std::net::SocketAddr;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{self, HeaderValue};
use http::{Request, StatusCode, Uri};
use http_body_util::Empty;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use percent_encoding::percent_decode_str;
use rustls::ClientConfig;
use tokio::time::Instant;

use crate::error::NotSent;
use crate::network::{self, Connecting, Established, Network, ReadWrite};
use crate::resolver::PolicyResolver;
use crate::settings::SettingsError;
use crate::target::{self, Target};
use crate::tls;

const HTTP: u16 = 80;

/// A CONNECT proxy.
pub(crate) struct Tunnel {
    host: String,
    port: u16,
    authorization: Option<HeaderValue>,
    tls: Arc<ClientConfig>,
    /// The proxy is the owner's own: it may have any address.
    resolver: PolicyResolver,
}

impl Tunnel {
    /// `url`: `http://[user:password@]host:port`.
    pub(crate) fn new(url: &str, tls: Arc<ClientConfig>) -> Result<Self, SettingsError> {
        let invalid = || SettingsError::InvalidProxy;
        let uri: Uri = url.parse().map_err(|_| invalid())?;
        let is_bare = uri.path_and_query().is_none_or(|rest| rest == "/");
        let (Some("http"), Some(authority), true) = (uri.scheme_str(), uri.authority(), is_bare)
        else {
            return Err(invalid());
        };
        let (credentials, address) = match authority.as_str().rsplit_once('@') {
            Some((credentials, address)) => (Some(credentials), address),
            None => (None, authority.as_str()),
        };
        let (host, port) = target::host_and_port(address, HTTP).ok_or_else(invalid)?;
        let authorization = credentials
            .map(|credentials| basic(credentials).ok_or_else(invalid))
            .transpose()?;
        Ok(Self {
            host,
            port,
            authorization,
            tls,
            resolver: PolicyResolver::unrestricted(),
        })
    }

    async fn established(
        &self,
        target: &Target,
        deadline: Instant,
    ) -> Result<Established, NotSent> {
        let addresses = self.resolver.resolve(&self.host, self.port).await?;
        let tcp = network::tcp(&addresses, deadline).await?;
        let socket = network::duplicate(&tcp);
        let tunnel = self.open(target, tcp).await?;
        let stream = tls::handshake(&self.tls, &target.host, tunnel).await?;
        Ok(Established { stream, socket })
    }

    /// Has the proxy connect to the target.
    async fn open(
        &self,
        target: &Target,
        tcp: tokio::net::TcpStream,
    ) -> Result<impl ReadWrite + use<>, NotSent> {
        let refused = |_: hyper::Error| NotSent::Proxy;
        let (mut sender, driver) = http1::handshake(TokioIo::new(tcp)).await.map_err(refused)?;
        // Ends when the tunnel is open, or cannot be.
        tokio::spawn(driver.with_upgrades());
        let answer = sender
            .send_request(self.request(target)?)
            .await
            .map_err(refused)?;
        if answer.status() != StatusCode::OK {
            return Err(NotSent::Proxy);
        }
        let tunnel = hyper::upgrade::on(answer).await.map_err(refused)?;
        Ok(TokioIo::new(tunnel))
    }

    fn request(&self, target: &Target) -> Result<Request<Empty<Bytes>>, NotSent> {
        let invalid = |_| NotSent::InvalidRequest;
        let authority = target.authority();
        let mut request = Request::connect(&authority)
            .body(Empty::new())
            .map_err(invalid)?;
        let host = HeaderValue::from_str(&authority).map_err(|_| NotSent::InvalidRequest)?;
        request.headers_mut().insert(header::HOST, host);
        if let Some(authorization) = &self.authorization {
            let headers = request.headers_mut();
            headers.insert(header::PROXY_AUTHORIZATION, authorization.clone());
        }
        Ok(request)
    }
}

impl Network for Tunnel {
    fn connect<'a>(
        &'a self,
        target: &'a Target,
        _addresses: &'a [SocketAddr],
        deadline: Instant,
    ) -> Connecting<'a> {
        Box::pin(self.established(target, deadline))
    }
}

/// User and password as they stand in a URL, as a header (RFC 7617).
fn basic(credentials: &str) -> Option<HeaderValue> {
    let plain: Vec<u8> = percent_decode_str(credentials).collect();
    let mut value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(plain))).ok()?;
    value.set_sensitive(true);
    Some(value)
}
