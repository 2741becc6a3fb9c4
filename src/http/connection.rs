//! One HTTP/1.1 connection: requests go out one after another.

use std::io::ErrorKind;
use std::net::TcpStream;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use http::{Request, Response};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::task::AbortHandle;
use tokio::time::{Duration, Instant, timeout, timeout_at};

use crate::classify::lost;
use crate::error::{CallError, Cause, NotSent, Unknown};
use crate::network::{Established, Stream};

/// The largest head of an answer.
const MAX_HEAD_BYTES: usize = 32 * 1024;
/// Larger than a head may be, or one that is too large would look like a lost connection.
const BUFFER_BYTES: usize = 2 * MAX_HEAD_BYTES;

/// A server that answers before it has read the request does not get the next one.
const SETTLING: Duration = Duration::from_millis(100);

/// A connection, and the task that reads and writes it. Both end when this is dropped.
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    driver: AbortHandle,
    is_sent: Arc<AtomicBool>,
    /// The socket once more, to look what has come in while nobody asked.
    socket: Option<TcpStream>,
}

impl Connection {
    pub(crate) async fn open(established: Established) -> Result<Self, NotSent> {
        let is_sent = Arc::new(AtomicBool::new(false));
        let wire = Wire {
            stream: established.stream,
            is_sent: is_sent.clone(),
        };
        let (sender, driver) = http1::Builder::new()
            .max_header_size(MAX_HEAD_BYTES)
            .max_buf_size(BUFFER_BYTES)
            .handshake(TokioIo::new(wire))
            .await
            .map_err(|_| NotSent::Connect)?;
        Ok(Self {
            sender,
            // What goes wrong in it is told to whoever waits for an answer.
            driver: tokio::spawn(async move { drop(driver.await) }).abort_handle(),
            is_sent,
            socket: established.socket,
        })
    }

    /// Sends one request, and returns the head of its answer.
    pub(crate) async fn send(
        &mut self,
        message: Request<Full<Bytes>>,
        deadline: Instant,
    ) -> Result<Response<Incoming>, CallError> {
        match timeout_at(deadline, self.sender.send_request(message)).await {
            Ok(Ok(response)) => Ok(response),
            _ if !self.is_sent.load(Ordering::Relaxed) => {
                let is_late = deadline <= Instant::now();
                let reason = if is_late {
                    NotSent::Timeout
                } else {
                    NotSent::Connect
                };
                Err(CallError::NotSent(reason))
            }
            Ok(Err(error)) => Err(lost(&error, None)),
            Err(_) => Err(CallError::OutcomeUnknown(Unknown {
                cause: Cause::Timeout,
                status: None,
            })),
        }
    }

    /// Its answer has been read: waits until its task has noticed. False where there can't be another request.
    pub(crate) async fn settle(&mut self) -> bool {
        // What goes out from now on belongs to another request.
        self.is_sent.store(false, Ordering::Relaxed);
        self.is_ready()
            || timeout(SETTLING, self.sender.ready())
                .await
                .is_ok_and(|ready| ready.is_ok())
    }

    /// Whether the next request may be sent: the last answer is at its end, and nothing came after it.
    pub(crate) fn is_ready(&self) -> bool {
        self.sender.is_ready() && self.socket.as_ref().is_none_or(is_silent)
    }
}

/// Nothing has come in, not even the end. What the other side says unasked is its farewell, or somebody else's answer.
fn is_silent(socket: &TcpStream) -> bool {
    let peeked = socket.peek(&mut [0]);
    matches!(peeked, Err(error) if error.kind() == ErrorKind::WouldBlock)
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// Remembers whether a byte of a request was handed to the network: before the write, because one that fails may have
/// sent a part.
struct Wire {
    stream: Stream,
    is_sent: Arc<AtomicBool>,
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        match Pin::new(&mut self.stream).poll_read(context, buffer) {
            // Without TLS's farewell, as careless servers do it: HTTP, or the JSON in it, shows whether the answer is whole.
            Poll::Ready(Err(error)) if error.kind() == ErrorKind::UnexpectedEof => {
                Poll::Ready(Ok(()))
            }
            read => read,
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        self.is_sent.store(true, Ordering::Relaxed);
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        self.is_sent.store(true, Ordering::Relaxed);
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
