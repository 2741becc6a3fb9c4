//! A TLS server on plain threads whose every answer the test decides, and the client that trusts it.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use token_vault_core::oauth::{Method, TokenRequest};
use token_vault_core::secret::{SecretBytes, SecretString};
use token_vault_http::policy::parse_networks;
use token_vault_http::{CallError, Client, HttpAnswer, Settings, Transport};
use tokio::runtime::{Builder, Runtime};

/// No error may show any part of a request; this one is in the URL, the headers and the body of all of them.
pub const CANARY: &str = "s3cr3t-canary";
/// Long enough for everything that is expected to succeed.
pub const BUDGET: Duration = Duration::from_secs(10);

/// What the server does after it has read a request.
pub enum Reply {
    /// Sends the bytes and reads the next request.
    Keep(Vec<u8>),
    /// Sends the bytes and closes the connection in good order.
    Close(Vec<u8>),
    /// Sends the bytes and TLS's farewell in one piece, and leaves the socket open until the client closes it.
    Farewell(Vec<u8>),
    /// Keeps the connection, and sends the second bytes when it is told to; then it says so.
    Twice(Vec<u8>, Vec<u8>, Receiver<()>, Sender<()>),
    /// Sends the bytes and breaks the connection without TLS's farewell.
    Cut(Vec<u8>),
    /// Sends the bytes and then nothing, until the client gives up.
    Hang(Vec<u8>),
}

pub struct Server {
    pub port: u16,
    accepted: Arc<AtomicUsize>,
    requests: Arc<Mutex<Vec<String>>>,
    closed: Mutex<Receiver<()>>,
}

impl Server {
    /// Serves the certificate for 127.0.0.1 and localhost.
    pub fn start(handler: impl Fn(usize) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_with(
            certificate(&["127.0.0.1", "::1", "localhost"], |_| {}),
            handler,
        )
    }

    /// `handler` is given the number of the request, from 0 on, over all connections.
    pub fn start_with(
        config: Arc<ServerConfig>,
        handler: impl Fn(usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("loopback port");
        let port = listener.local_addr().expect("bound").port();
        let accepted = Arc::new(AtomicUsize::new(0));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (on_close, closed) = mpsc::channel();
        let handler = Arc::new(handler);
        let (count, journal) = (accepted.clone(), requests.clone());
        std::thread::spawn(move || {
            for socket in listener.incoming().map_while(Result::ok) {
                count.fetch_add(1, Ordering::SeqCst);
                let (config, journal) = (config.clone(), journal.clone());
                let (handler, on_close) = (handler.clone(), on_close.clone());
                std::thread::spawn(move || serve(socket, config, &journal, &*handler, &on_close));
            }
        });
        Self {
            port,
            accepted,
            requests,
            closed: Mutex::new(closed),
        }
    }

    pub fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    /// Head and body of each request that was read in full.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("journal").clone()
    }

    /// Returns when the server has closed one more connection.
    pub fn wait_for_close(&self) {
        let closed = self.closed.lock().expect("receiver");
        closed
            .recv_timeout(BUDGET)
            .expect("a connection closed by the server");
    }

    pub fn url(&self) -> String {
        format!("https://127.0.0.1:{}/token?q={CANARY}", self.port)
    }

    pub fn call(&self, client: &Client) -> Result<HttpAnswer, CallError> {
        call(client, &post(&self.url()), BUDGET)
    }
}

fn serve(
    socket: TcpStream,
    config: Arc<ServerConfig>,
    journal: &Mutex<Vec<String>>,
    handler: &dyn Fn(usize) -> Reply,
    on_close: &Sender<()>,
) {
    // What is sent is at the client's at once, and does not wait for its acknowledgement of something earlier.
    socket.set_nodelay(true).expect("a TCP socket");
    let tls = ServerConnection::new(config).expect("server configuration");
    let mut stream = BufReader::new(StreamOwned::new(tls, socket));
    while let Ok(request) = read_request(&mut stream) {
        let number = {
            let mut journal = journal.lock().expect("journal");
            journal.push(request);
            journal.len() - 1
        };
        if !send(&mut stream, handler(number)) {
            break;
        }
    }
    drop(stream);
    let _ = on_close.send(());
}

/// Sends a reply; false where the connection is at its end.
fn send(stream: &mut BufReader<StreamOwned<ServerConnection, TcpStream>>, reply: Reply) -> bool {
    let tls = stream.get_mut();
    let (Reply::Keep(bytes)
    | Reply::Twice(bytes, ..)
    | Reply::Close(bytes)
    | Reply::Farewell(bytes)
    | Reply::Cut(bytes)
    | Reply::Hang(bytes)) = &reply;
    tls.conn.set_buffer_limit(None);
    tls.conn.writer().write_all(bytes).expect("buffered");
    if matches!(reply, Reply::Close(_) | Reply::Farewell(_)) {
        tls.conn.send_close_notify();
    }
    if tls.flush().is_err() {
        return false;
    }
    if matches!(reply, Reply::Hang(_) | Reply::Farewell(_)) {
        // Ends when the client closes.
        let _ = stream.read(&mut [0]);
    }
    if let Reply::Twice(_, second, told, done) = &reply {
        let sent = told.recv().is_ok() && tls_send(stream, second).is_ok();
        return sent && done.send(()).is_ok();
    }
    matches!(reply, Reply::Keep(_))
}

fn tls_send(
    stream: &mut BufReader<StreamOwned<ServerConnection, TcpStream>>,
    bytes: &[u8],
) -> io::Result<()> {
    stream.get_mut().write_all(bytes)?;
    stream.get_mut().flush()
}

fn read_request(stream: &mut impl BufRead) -> io::Result<String> {
    let mut request = String::new();
    let mut length = 0;
    loop {
        let start = request.len();
        if stream.read_line(&mut request)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let line = request[start..].trim_end().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().expect("content-length");
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    request.push_str(&String::from_utf8(body).expect("text body"));
    Ok(request)
}

/// A complete answer that keeps the connection.
pub fn answer(status: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{headers}\r\n{body}").into_bytes()
}

struct Authority {
    issuer: Issuer<'static, KeyPair>,
    file: PathBuf,
}

static AUTHORITY: LazyLock<Authority> = LazyLock::new(|| {
    let key = KeyPair::generate().expect("key");
    let mut params = CertificateParams::new(vec![]).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let pem = params.self_signed(&key).expect("certificate").pem();
    let file =
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("ca-{}.pem", std::process::id()));
    std::fs::write(&file, pem).expect("CA file");
    Authority {
        issuer: Issuer::new(params, key),
        file,
    }
});

/// The PEM file of the authority that signs [`certificate`]s.
pub fn ca_file() -> PathBuf {
    AUTHORITY.file.clone()
}

/// A server certificate for `names`, changed by `change` before it is signed.
pub fn certificate(names: &[&str], change: impl Fn(&mut CertificateParams)) -> Arc<ServerConfig> {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let key = KeyPair::generate().expect("key");
    let mut params = CertificateParams::new(names).expect("parameters");
    change(&mut params);
    let certificate = params
        .signed_by(&key, &AUTHORITY.issuer)
        .expect("certificate");
    let chain = vec![CertificateDer::from(certificate.der().to_vec())];
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("protocol versions")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("certificate and key");
    Arc::new(config)
}

/// Settings that trust the authority and allow IPv4 loopback.
pub fn settings() -> Settings {
    Settings {
        ca_file: Some(ca_file()),
        allowed_networks: parse_networks("127.0.0.0/8").expect("network"),
        ..Settings::default()
    }
}

pub fn client() -> Client {
    Client::new(&settings()).expect("client")
}

pub fn post(url: &str) -> TokenRequest {
    let header = |name: &str, value: String| (name.to_owned(), SecretString::new(value));
    TokenRequest {
        method: Method::Post,
        url: SecretString::new(url.to_owned()),
        headers: vec![
            header("content-type", "application/x-www-form-urlencoded".into()),
            header("authorization", format!("Basic {CANARY}")),
        ],
        body: SecretBytes::from_vec(format!("refresh_token={CANARY}").into_bytes()),
    }
}

/// What the tests' clients run on; its thread works for their connections also between calls.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let mut runtime = Builder::new_multi_thread();
    runtime
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("runtime")
});

/// Makes the call, and checks that a failure shows nothing of the request.
pub fn call(
    client: &Client,
    request: &TokenRequest,
    budget: Duration,
) -> Result<HttpAnswer, CallError> {
    let result = RUNTIME.block_on(client.call(request, budget));
    if let Err(error) = &result {
        let shown = format!("{error:?} {error}");
        assert!(
            !shown.contains(CANARY) && !shown.contains("127.0.0.1"),
            "{shown}"
        );
    }
    result
}
