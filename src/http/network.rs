//! From a target to an encrypted connection.

use std::future::Future;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::pin::Pin;
use std::sync::Arc;

use rustls::ClientConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use crate::error::NotSent;
use crate::target::Target;
use crate::tls;

/// Bytes in both directions.
pub(crate) trait ReadWrite: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> ReadWrite for T {}
pub(crate) type Stream = Box<dyn ReadWrite>;

/// A connection on which nothing of a request has been sent.
pub(crate) struct Established {
    pub(crate) stream: Stream,
    /// The socket under it.
    pub(crate) socket: Option<std::net::TcpStream>,
}

pub(crate) type Connecting<'a> =
    Pin<Box<dyn Future<Output = Result<Established, NotSent>> + Send + 'a>>;

/// What connects.
pub(crate) trait Network: Send + Sync {
    /// Connects to the target at one of these addresses, those that were checked. No name is looked up.
    fn connect<'a>(
        &'a self,
        target: &'a Target,
        addresses: &'a [SocketAddr],
        deadline: Instant,
    ) -> Connecting<'a>;
}

/// Without a proxy.
pub(crate) struct Direct(pub(crate) Arc<ClientConfig>);

impl Network for Direct {
    fn connect<'a>(
        &'a self,
        target: &'a Target,
        addresses: &'a [SocketAddr],
        deadline: Instant,
    ) -> Connecting<'a> {
        Box::pin(async move {
            let tcp = tcp(addresses, deadline).await?;
            let socket = duplicate(&tcp);
            let stream = tls::handshake(&self.0, &target.host, tcp).await?;
            Ok(Established { stream, socket })
        })
    }
}

/// Tries the addresses in their order; one that does not answer leaves time for the others.
pub(crate) async fn tcp(addresses: &[SocketAddr], deadline: Instant) -> Result<TcpStream, NotSent> {
    let mut problem = NotSent::Connect;
    for (tried, address) in addresses.iter().enumerate() {
        let left = deadline.saturating_duration_since(Instant::now());
        let others = u32::try_from(addresses.len() - tried).unwrap_or(u32::MAX);
        match timeout(left / others, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                // A small request is sent at once; where that can't be asked for, it is a little slower.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Ok(Err(_)) => problem = NotSent::Connect,
            Err(_) => problem = NotSent::Timeout,
        }
    }
    Err(problem)
}

/// The same socket, to be looked at beside whoever reads it.
pub(crate) fn duplicate(tcp: &TcpStream) -> Option<std::net::TcpStream> {
    let descriptor = tcp.as_fd().try_clone_to_owned().ok()?;
    Some(descriptor.into())
}
