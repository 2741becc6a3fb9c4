//! TLS over a connected socket, as the last link of the HTTP library's connector chain.
//!
//! The library's own TLS connector cannot add authorities to the built-in ones and rebuilds its configuration for every
//! connection when a call has its own time limit. Ours also marks the moment the request goes out ([`sent`]), and hears
//! when a server says that it closes.

use std::error::Error as StdError;
use std::fmt;
use std::io::{self, Read, Write};
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{CertificateError, ClientConfig, ClientConnection, StreamOwned};
use ureq::Error;
use ureq::unversioned::transport::time::{Duration, Instant};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, NextTimeout, Transport, TransportAdapter,
};

use crate::buffers::PlaintextBuffers;
use crate::sent;

/// Wraps connections to https URLs in TLS.
#[derive(Clone)]
pub(crate) struct TlsConnector(pub(crate) Arc<ClientConfig>);

/// A failed handshake, on its way through the library's error type to [`classify`](crate::classify).
#[derive(Debug)]
pub(crate) struct HandshakeFailed(pub(crate) &'static str);

impl<In: Transport> Connector<In> for TlsConnector {
    type Out = Either<In, TlsTransport>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        let Some(transport) = chained else {
            return Ok(None);
        };
        // The way to a proxy is plain; TLS goes through its tunnel.
        if !details.needs_tls() {
            return Ok(Some(Either::A(transport)));
        }
        let stream = handshake(self.0.clone(), details, transport.boxed())?;
        let buffers = PlaintextBuffers::new(
            details.config.input_buffer_size(),
            details.config.output_buffer_size(),
        );
        Ok(Some(Either::B(TlsTransport { buffers, stream })))
    }
}

type Stream = StreamOwned<ClientConnection, TransportAdapter>;

fn handshake(
    config: Arc<ClientConfig>,
    details: &ConnectionDetails<'_>,
    transport: Box<dyn Transport>,
) -> Result<Stream, Error> {
    let host = details.uri.host().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let name =
        ServerName::try_from(host.to_owned()).map_err(|_| failed("the host name is invalid"))?;
    let mut connection =
        ClientConnection::new(config, name).map_err(|_| failed("the TLS handshake failed"))?;
    let mut socket = TransportAdapter::new(transport, details.current_time.clone());
    socket.set_timeout(remaining(details));
    connection
        .complete_io(&mut socket)
        .map_err(handshake_error)?;
    Ok(StreamOwned::new(connection, socket))
}

/// What the TCP connect has left of the time limit.
fn remaining(details: &ConnectionDetails<'_>) -> NextTimeout {
    let mut timeout = details.timeout;
    if let (Duration::Exact(limit), Instant::Exact(start), Instant::Exact(now)) =
        (timeout.after, details.now, (details.current_time)())
    {
        timeout.after = Duration::Exact(limit.saturating_sub(now.duration_since(start)));
    }
    timeout
}

fn handshake_error(error: io::Error) -> Error {
    let Some(tls) = error
        .get_ref()
        .and_then(|e| e.downcast_ref::<rustls::Error>())
    else {
        return match Error::from(error) {
            timeout @ Error::Timeout(_) => timeout,
            _ => failed("the connection was lost during the TLS handshake"),
        };
    };
    use rustls::Error::{AlertReceived, InvalidCertificate};
    failed(match tls {
        InvalidCertificate(CertificateError::UnknownIssuer) => "the certificate is not trusted",
        InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => "the certificate is for another host name",
        InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => {
            "the certificate has expired"
        }
        InvalidCertificate(
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. },
        ) => "the certificate is not valid yet",
        InvalidCertificate(_) => "the certificate is invalid",
        AlertReceived(_) => "the server refused the TLS handshake",
        _ => "the TLS handshake failed",
    })
}

fn failed(problem: &'static str) -> Error {
    Error::Other(Box::new(HandshakeFailed(problem)))
}

/// An established TLS connection.
pub(crate) struct TlsTransport {
    buffers: PlaintextBuffers,
    stream: Stream,
}

impl TlsTransport {
    /// Whether the server has said that it closes. A farewell that came together with the last answer is not in the
    /// socket any more, where the check below this layer would find it.
    fn farewell_received(&mut self) -> bool {
        let undecrypted = !self.stream.sock.get_mut().buffers().input().is_empty();
        let closed = match self.stream.conn.process_new_packets() {
            Ok(state) => state.peer_has_closed() || state.plaintext_bytes_to_read() > 0,
            Err(_) => true,
        };
        undecrypted || closed
    }
}

impl Transport for TlsTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.buffers.as_dyn()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        sent::mark();
        self.stream.sock.set_timeout(timeout);
        let Self { buffers, stream } = self;
        Ok(buffers.send(amount, |output| stream.write_all(output))?)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.stream.sock.set_timeout(timeout);
        let Self { buffers, stream } = self;
        let amount = buffers.receive(|free| stream.read(free))?;
        Ok(amount > 0)
    }

    /// Asked before a connection is kept and before it is used again.
    fn is_open(&mut self) -> bool {
        if self.buffers.all_read() {
            self.buffers.wipe_input();
        }
        !self.farewell_received() && self.stream.sock.get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

impl fmt::Debug for TlsTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsTransport").finish_non_exhaustive()
    }
}

impl fmt::Debug for TlsConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsConnector").finish_non_exhaustive()
    }
}

impl fmt::Display for HandshakeFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl StdError for HandshakeFailed {}
