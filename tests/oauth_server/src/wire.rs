//! One connection: HTTP/1.1 by hyper for as long as it goes by the rules, then, where an answer is to break them, the
//! bare stream.

use std::future::poll_fn;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::Response;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::sleep;

use crate::behaviour::{Delivery, Step};
use crate::message::{Reply, Request};

/// Bytes of a request body that are read; more is refused.
const MAX_REQUEST_BODY: usize = 64 * 1024;

/// Pieces in which a paced answer goes out, per second.
const TRICKLES_PER_SECOND: u32 = 20;

/// What answers requests. Its guard lives until the answer has been handed to the connection.
pub(crate) trait Handler: Clone + Send + 'static {
    type Guard: Guard;

    /// Called when a request has arrived whole.
    fn handle(&self, request: &Request) -> (Delivery, Self::Guard);
}

/// What a handler keeps while its answer is under way.
pub(crate) trait Guard: Send + 'static {
    /// The answer has been handed to the connection, whole and as HTTP has it.
    fn delivered(&self) {}
}

impl Guard for () {}

/// The script that a service has left behind for the time after hyper, and the guard that waits for its end.
type Ending<G> = Arc<Mutex<Option<(Vec<Step>, G)>>>;

/// Serves requests on `stream` until the client has enough or a script ends the connection.
pub(crate) async fn serve<S, H>(stream: S, handler: H, connection: u64)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    H: Handler,
{
    let script: Ending<H::Guard> = Arc::default();
    let service = service_fn(|request| {
        let (handler, script) = (handler.clone(), Arc::clone(&script));
        Box::pin(async move {
            let request = read(request, connection).await?;
            let (delivery, guard) = handler.handle(&request);
            match deliver(delivery).await {
                Ok(response) => {
                    guard.delivered();
                    Ok(response)
                }
                Err(steps) => {
                    *script.lock().unwrap_or_else(PoisonError::into_inner) = Some((steps, guard));
                    Err(HungUp)
                }
            }
        })
    });
    let mut http = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    // An error is either ours (a script is to follow) or the client's, who went away.
    let _ = poll_fn(|context| http.poll_without_shutdown(context)).await;
    let parts = http.into_parts();
    let steps = script.lock().unwrap_or_else(PoisonError::into_inner).take();
    match steps {
        // The client may well hang up on a script; that is then its answer.
        Some((steps, _guard)) => drop(play(steps, parts.io.into_inner()).await),
        None => drop(parts.io.into_inner().shutdown().await),
    }
}

/// hyper closes the connection, and writes nothing, when the service fails.
#[derive(Debug)]
struct HungUp;

impl std::fmt::Display for HungUp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the server hung up on purpose")
    }
}

impl std::error::Error for HungUp {}

async fn read(request: hyper::Request<Incoming>, connection: u64) -> Result<Request, HungUp> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, MAX_REQUEST_BODY)
        .collect()
        .await
        .map_err(|_| HungUp)?;
    Ok(Request {
        method: head.method,
        path: head.uri.path().to_owned(),
        query: head.uri.query().map(str::to_owned),
        headers: head.headers,
        body: body.to_bytes(),
        connection,
    })
}

/// The HTTP answer, or the steps to play instead.
async fn deliver(delivery: Delivery) -> Result<Response<Full<Bytes>>, Vec<Step>> {
    let reply = match delivery {
        Delivery::Reply(reply) => reply,
        Delivery::Delayed(pause, reply) => {
            sleep(pause).await;
            reply
        }
        Delivery::Script(steps) => return Err(steps),
    };
    reply.into_http().map_err(raw)
}

/// What hyper refuses to send goes out as it is.
fn raw(reply: Reply) -> Vec<Step> {
    vec![
        Step::Send(reply.head_bytes(reply.body.len() as u64)),
        Step::Send(reply.body),
    ]
}

async fn play(steps: Vec<Step>, mut stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
    for step in steps {
        match step {
            Step::Send(bytes) => stream.write_all(&bytes).await?,
            Step::Fill { byte, count } => fill(&mut stream, byte, count).await?,
            Step::Trickle {
                bytes,
                bytes_per_second,
            } => {
                let piece = (bytes_per_second / TRICKLES_PER_SECOND).max(1);
                let pause =
                    Duration::from_secs_f64(f64::from(piece) / f64::from(bytes_per_second.max(1)));
                for piece in bytes.chunks(piece as usize) {
                    stream.write_all(piece).await?;
                    stream.flush().await?;
                    sleep(pause).await;
                }
            }
            Step::Hold => {
                stream.flush().await?;
                wait_for_hang_up(&mut stream).await;
            }
        }
    }
    // TLS buffers; what was to be sent must be out before the stream is dropped.
    stream.flush().await
}

async fn fill(stream: &mut (impl AsyncWrite + Unpin), byte: u8, mut count: u64) -> io::Result<()> {
    let block = [byte; 16 * 1024];
    while count > 0 {
        let part = count.min(block.len() as u64);
        stream.write_all(&block[..part as usize]).await?;
        count -= part;
    }
    Ok(())
}

/// Returns when the client has closed the connection; what it sends until then is not looked at.
pub(crate) async fn wait_for_hang_up(stream: &mut (impl AsyncRead + Unpin)) {
    let mut ignored = [0; 1024];
    while matches!(stream.read(&mut ignored).await, Ok(count) if count > 0) {}
}
