//! The listeners: TLS for clients, plain HTTP on loopback for control, and ports whose connections fail.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;

use crate::fault::Fault;
use crate::wire::{Handler, serve};

/// Pairs of ports that are tried until one is free on both loopback addresses.
const ATTEMPTS: usize = 20;

/// What stands between a connection and HTTP.
#[derive(Clone)]
pub(crate) enum Tls {
    Off,
    On(TlsAcceptor),
    /// The fault, as long as it is on; then this TLS.
    Faulty(Fault, TlsAcceptor),
}

/// Both loopback addresses on one port, because `localhost` may mean either.
pub(crate) struct Loopback {
    pub port: u16,
    sockets: Vec<StdListener>,
}

impl Loopback {
    /// Binds `port`, or a free one for 0. Where the machine has no IPv6, 127.0.0.1 alone.
    pub(crate) fn bind(port: u16) -> io::Result<Self> {
        let mut attempt = 1;
        loop {
            match Self::try_bind(port) {
                Err(error)
                    if port == 0
                        && attempt < ATTEMPTS
                        && error.kind() == io::ErrorKind::AddrInUse =>
                {
                    attempt += 1;
                }
                result => return result,
            }
        }
    }

    fn try_bind(port: u16) -> io::Result<Self> {
        let v4 = listen(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
        let port = v4.local_addr()?.port();
        let mut sockets = vec![v4];
        match listen(SocketAddr::from((Ipv6Addr::LOCALHOST, port))) {
            Ok(v6) => sockets.push(v6),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Err(error),
            Err(_) => {}
        }
        Ok(Self { port, sockets })
    }

    /// Accepts until the runtime ends. Must be called inside one.
    pub(crate) fn accept<H: Handler + Sync>(self, tls: Tls, handler: H) -> io::Result<()> {
        let connections = Arc::new(AtomicU64::new(1));
        for socket in self.sockets {
            let socket = TcpListener::from_std(socket)?;
            tokio::spawn(accept_all(
                socket,
                tls.clone(),
                handler.clone(),
                Arc::clone(&connections),
            ));
        }
        Ok(())
    }
}

fn listen(address: SocketAddr) -> io::Result<StdListener> {
    let listener = StdListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

async fn accept_all<H: Handler + Sync>(
    socket: TcpListener,
    tls: Tls,
    handler: H,
    connections: Arc<AtomicU64>,
) {
    loop {
        let Ok((stream, _)) = socket.accept().await else {
            // One connection failed, or the process is out of file descriptors: that passes, but not at once.
            sleep(Duration::from_millis(10)).await;
            continue;
        };
        let connection = connections.fetch_add(1, Ordering::Relaxed);
        tokio::spawn(serve_one(stream, tls.clone(), handler.clone(), connection));
    }
}

async fn serve_one<H: Handler + Sync>(stream: TcpStream, tls: Tls, handler: H, connection: u64) {
    // Answers are small and single: waiting for more to send would only delay them.
    let _ = stream.set_nodelay(true);
    match tls {
        Tls::Off => serve(stream, handler, connection).await,
        Tls::Faulty(fault, good) if fault.is_on() => fault.play(stream, &good).await,
        Tls::On(tls) | Tls::Faulty(_, tls) => {
            if let Ok(stream) = tls.accept(stream).await {
                serve(stream, handler, connection).await;
            }
        }
    }
}
