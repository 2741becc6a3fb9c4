//! Connections that fail before a request can be read, or before it can be answered: no client is known yet, so a fault
//! belongs to a port of its own.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use crate::authority::{Flaw, LocalAuthority};
use crate::wire::wait_for_hang_up;

/// What happens to every connection to a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionFault {
    /// Closed as soon as it stands.
    CloseAtOnce,
    /// Reset as soon as it stands.
    ResetAtOnce,
    /// Accepted, and then not a word.
    Silent,
    /// HTTP without TLS.
    PlainHttp,
    /// Another protocol altogether.
    OtherProtocol,
    /// Closed when the client's first message of the handshake has come.
    CloseAfterClientHello,
    /// Closed in the middle of the server's first message.
    CutServerHello,
    /// The server breaks the handshake off with an alert.
    Alert,
    /// The server answers with TLS 1.0.
    OldTls,
    /// The certificate is signed by its own key.
    SelfSigned,
    /// The certificate was valid once.
    Expired,
    /// The certificate will be valid.
    NotYetValid,
    /// The certificate names another host.
    OtherHost,
    /// The server wants a certificate of the client, which with TLS 1.3 it says after the client's first request.
    ClientCertificate,
    /// Closed when the handshake is done, in good order.
    CloseAfterHandshake,
    /// The handshake succeeds, and then not a word.
    SilentAfterHandshake,
}

/// A TLS record (RFC 8446 §5.1): alert, TLS 1.2, two bytes: fatal, handshake_failure.
const ALERT: [u8; 7] = [21, 3, 3, 0, 2, 2, 40];
/// A record that promises 122 bytes of a handshake, and the first of them.
const HALF_SERVER_HELLO: [u8; 12] = [22, 3, 3, 0, 122, 2, 0, 0, 118, 3, 3, 7];

/// A port's fault, for as long as the server misbehaves.
#[derive(Clone)]
pub(crate) struct Fault {
    kind: ConnectionFault,
    flawed: Option<TlsAcceptor>,
    /// Counts how often the server was told to behave.
    healed: Arc<AtomicU64>,
    since: u64,
}

impl Fault {
    pub(crate) fn new(
        kind: ConnectionFault,
        authority: &LocalAuthority,
        healed: &Arc<AtomicU64>,
    ) -> io::Result<Self> {
        let flaw = |flaw| authority.flawed_acceptor(flaw).map(Some);
        Ok(Self {
            kind,
            flawed: match kind {
                ConnectionFault::SelfSigned => flaw(Flaw::SelfSigned)?,
                ConnectionFault::Expired => flaw(Flaw::Expired)?,
                ConnectionFault::NotYetValid => flaw(Flaw::NotYetValid)?,
                ConnectionFault::OtherHost => flaw(Flaw::OtherHost)?,
                ConnectionFault::ClientCertificate => Some(authority.mutual_acceptor()?),
                _ => None,
            },
            healed: Arc::clone(healed),
            since: healed.load(Ordering::Relaxed),
        })
    }

    pub(crate) fn is_on(&self) -> bool {
        self.healed.load(Ordering::Relaxed) == self.since
    }

    /// Does to a connection what is to be done; `good` is the TLS of the honest server.
    pub(crate) async fn play(&self, mut stream: TcpStream, good: &TlsAcceptor) {
        // Whatever fails here fails for the client, which is the purpose.
        let _ = match self.kind {
            ConnectionFault::CloseAtOnce => Ok(()),
            ConnectionFault::ResetAtOnce => stream.set_zero_linger(),
            ConnectionFault::Silent => hold(&mut stream, &[]).await,
            ConnectionFault::PlainHttp => {
                after_hello(
                    &mut stream,
                    b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n",
                )
                .await
            }
            ConnectionFault::OtherProtocol => {
                after_hello(&mut stream, b"220 mail.example ESMTP\r\n").await
            }
            ConnectionFault::CloseAfterClientHello => after_hello(&mut stream, &[]).await,
            ConnectionFault::CutServerHello => after_hello(&mut stream, &HALF_SERVER_HELLO).await,
            ConnectionFault::Alert => after_hello(&mut stream, &ALERT).await,
            ConnectionFault::OldTls => after_hello(&mut stream, &old_server_hello()).await,
            ConnectionFault::SelfSigned
            | ConnectionFault::Expired
            | ConnectionFault::NotYetValid
            | ConnectionFault::OtherHost
            | ConnectionFault::ClientCertificate => {
                let acceptor = self.flawed.as_ref().expect("made with the fault");
                let mut stream = acceptor.accept(stream).await;
                if let Ok(stream) = &mut stream {
                    // A client that takes the certificate is seen by what it sends.
                    wait_for_hang_up(stream).await;
                }
                stream.map(drop)
            }
            ConnectionFault::CloseAfterHandshake => match good.accept(stream).await {
                Ok(mut stream) => stream.shutdown().await,
                Err(error) => Err(error),
            },
            ConnectionFault::SilentAfterHandshake => match good.accept(stream).await {
                Ok(mut stream) => {
                    wait_for_hang_up(&mut stream).await;
                    Ok(())
                }
                Err(error) => Err(error),
            },
        };
    }
}

/// Reads the client's first message, answers, and closes.
async fn after_hello(stream: &mut TcpStream, answer: &[u8]) -> io::Result<()> {
    let mut hello = [0; 4096];
    let _ = stream.read(&mut hello).await?;
    stream.write_all(answer).await?;
    stream.shutdown().await
}

async fn hold(stream: &mut TcpStream, answer: &[u8]) -> io::Result<()> {
    stream.write_all(answer).await?;
    wait_for_hang_up(stream).await;
    Ok(())
}

/// A whole ServerHello of TLS 1.0 (RFC 2246 §7.4.1.3): no session, TLS_RSA_WITH_AES_128_CBC_SHA, no compression.
fn old_server_hello() -> Vec<u8> {
    let mut hello = vec![3, 1];
    hello.extend([7; 32]);
    hello.extend([0, 0, 0x2f, 0]);
    let length = u8::try_from(hello.len()).expect("short");
    let mut record = vec![22, 3, 1, 0, length + 4, 2, 0, 0, length];
    record.extend(hello);
    record
}
