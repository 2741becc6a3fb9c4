//! Where the client connects: for each line of a corpus, and where a name server changes its mind.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use std::sync::LazyLock;

use token_vault_core::secret::SecretString;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::{Builder, Runtime};

use super::*;
use crate::network::{Connecting, Established};

const CORPUS: &str = include_str!("tests/corpus/outbound.txt");
const ANSWER: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

/// Stands for the network: writes down who is connected to, and serves what it is told to.
#[derive(Clone, Debug, Default)]
struct Fake {
    connected: Arc<Mutex<Vec<SocketAddr>>>,
    /// What everybody answers; none, and nobody is there.
    answer: Option<String>,
}

impl Fake {
    fn answering(answer: impl Into<String>) -> Self {
        Self {
            answer: Some(answer.into()),
            ..Self::default()
        }
    }

    fn connected(&self) -> Vec<String> {
        let connected = self.connected.lock().expect("list");
        connected.iter().map(|a| a.ip().to_string()).collect()
    }
}

impl Network for Fake {
    fn connect<'a>(
        &'a self,
        _target: &'a Target,
        addresses: &'a [SocketAddr],
        _deadline: Instant,
    ) -> Connecting<'a> {
        // Through a proxy no name is resolved here; the attempt alone is what counts.
        let nobody = SocketAddr::from(([0, 0, 0, 0], 0));
        let first = addresses.first().copied();
        let mut connected = self.connected.lock().expect("list");
        connected.push(first.unwrap_or(nobody));
        Box::pin(async move {
            let answer = self.answer.clone().ok_or(NotSent::Connect)?;
            let (ours, theirs) = tokio::io::duplex(4096);
            tokio::spawn(serve(theirs, answer));
            Ok(Established {
                stream: Box::new(ours),
                socket: None,
            })
        })
    }
}

/// Answers each request and stays open.
async fn serve(mut stream: tokio::io::DuplexStream, answer: String) {
    let mut request = Vec::new();
    while stream.read_buf(&mut request).await.is_ok_and(|n| n > 0) {
        if request.ends_with(b"\r\n\r\na=b") {
            request.clear();
            stream.write_all(answer.as_bytes()).await.expect("a reader");
        }
    }
}

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let mut runtime = Builder::new_multi_thread();
    runtime
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("runtime")
});

struct Line {
    verdict: &'static str,
    url: &'static str,
    /// What the name server says, where there is a name.
    addresses: Vec<SocketAddr>,
}

fn corpus() -> Vec<Line> {
    let lines = CORPUS
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty());
    lines
        .map(|line| {
            let mut columns = line.split(" | ");
            let addresses = |list: &'static str| list.split(", ").map(|a| socket(a, 443)).collect();
            Line {
                verdict: columns.next().expect("a verdict"),
                url: columns.next().expect("a URL"),
                addresses: columns.next().map(addresses).unwrap_or_default(),
            }
        })
        .collect()
}

fn socket(address: &str, port: u16) -> SocketAddr {
    SocketAddr::new(address.parse().expect(address), port)
}

fn request(url: &str) -> TokenRequest {
    TokenRequest {
        method: Method::Post,
        url: SecretString::new(url.to_owned()),
        headers: Vec::new(),
        body: SecretBytes::from_vec(b"a=b".to_vec()),
    }
}

fn call(client: &Client, url: &str) -> Result<HttpAnswer, CallError> {
    RUNTIME.block_on(client.call(&request(url), Duration::from_secs(10)))
}

/// The name server knows what the line says; spellings of addresses are left to the operating system, which asks
/// nobody for them.
fn look_up(name: &str, known: &[SocketAddr]) -> io::Result<Vec<SocketAddr>> {
    if !known.is_empty() {
        return Ok(known.to_vec());
    }
    let is_address = name.starts_with(|c: char| c.is_ascii_digit() || c == '[');
    match is_address && !name.contains(".:") {
        true => name.to_socket_addrs().map(Iterator::collect),
        false => Err(io::ErrorKind::NotFound.into()),
    }
}

/// What became of a call, in the words of the corpus.
fn verdict(result: Result<HttpAnswer, CallError>) -> &'static str {
    match result {
        Err(CallError::NotSent(NotSent::Connect)) => "allowed",
        Err(CallError::NotSent(NotSent::InvalidRequest)) => "malformed",
        Err(CallError::NotSent(NotSent::NotHttps)) => "not https",
        Err(CallError::NotSent(NotSent::NameResolution)) => "no address",
        Err(CallError::NotSent(NotSent::Forbidden(kind))) => kind,
        other => panic!("{other:?}"),
    }
}

fn is_expected(expected: &str, verdict: &str) -> bool {
    match expected.trim_end_matches('*').strip_suffix('?') {
        Some(kind) => verdict == kind || verdict == "no address",
        None if expected == "not sent" => matches!(verdict, "malformed" | "not https"),
        None => verdict == expected.trim_end_matches('*'),
    }
}

#[test]
fn each_line_of_the_corpus_has_its_verdict_and_only_allowed_addresses_are_connected_to() {
    let corpus = corpus();
    assert!(corpus.len() >= 300, "{}", corpus.len());
    for line in corpus {
        let network = Fake::default();
        let known = line.addresses.clone();
        let resolver =
            |policy| PolicyResolver::with_lookup(policy, move |name: &str| look_up(name, &known));
        let client =
            Client::with_network(&Settings::default(), resolver, Box::new(network.clone()));
        let verdict = verdict(call(&client.expect("settings"), line.url));
        assert!(
            is_expected(line.verdict, verdict),
            "{}: {verdict}",
            line.url
        );
        let connected = network.connected();
        assert_eq!(
            connected.len(),
            usize::from(verdict == "allowed"),
            "{}",
            line.url
        );
        for address in connected {
            assert_eq!(
                crate::policy::is_forbidden(address.parse().expect("address")),
                None
            );
        }
    }
}

#[test]
fn through_a_proxy_what_shows_an_address_is_refused_all_the_same() {
    for line in corpus() {
        let network = Fake::default();
        let settings = Settings {
            proxy: Some("http://proxy.example:3128".into()),
            ..Settings::default()
        };
        let client =
            Client::with_network(&settings, PolicyResolver::new, Box::new(network.clone()));
        let verdict = verdict(call(&client.expect("settings"), line.url));
        let is_allowed = line.verdict == "allowed" || line.verdict.ends_with('*');
        assert_eq!(verdict == "allowed", is_allowed, "{}: {verdict}", line.url);
        assert_eq!(
            network.connected().len(),
            usize::from(is_allowed),
            "{}",
            line.url
        );
    }
}

/// A name that is public when it is asked for the first time, and private from then on.
fn rebinding(asked: &Arc<AtomicUsize>, reuse: Duration) -> impl FnOnce(Policy) -> PolicyResolver {
    let asked = Arc::clone(asked);
    move |policy| {
        let lookup = move |_: &str| {
            let first = asked.fetch_add(1, Ordering::SeqCst) == 0;
            Ok(vec![socket(
                if first { "8.8.8.8" } else { "10.0.0.1" },
                443,
            )])
        };
        PolicyResolver::with_lookup(policy, lookup).reusing(reuse)
    }
}

const REBINDING: &str = "https://rebinding.example/token";

#[test]
fn a_name_that_becomes_private_is_not_connected_to() {
    let (asked, network) = (Arc::default(), Fake::default());
    let resolver = rebinding(&asked, Duration::ZERO);
    let client = Client::with_network(&Settings::default(), resolver, Box::new(network.clone()));
    let client = client.expect("settings");
    assert_eq!(verdict(call(&client, REBINDING)), "allowed");
    for _ in 0..3 {
        assert_eq!(verdict(call(&client, REBINDING)), "private network");
    }
    assert_eq!(network.connected(), ["8.8.8.8"]);
}

#[test]
fn a_kept_connection_stays_with_the_address_that_was_checked() {
    let network = Fake::answering(ANSWER);
    // While the first answer of the name server counts, it is not asked again …
    let asked = Arc::default();
    let resolver = rebinding(&asked, Duration::from_secs(3600));
    let client = Client::with_network(&Settings::default(), resolver, Box::new(network.clone()));
    let client = client.expect("settings");
    for _ in 0..3 {
        assert_eq!(call(&client, REBINDING).expect("an answer").status, 200);
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    assert_eq!(network.connected(), ["8.8.8.8"]);

    // … and after that, not even the connection that is there serves a name that has become private.
    let asked = Arc::default();
    let resolver = rebinding(&asked, Duration::ZERO);
    let client = Client::with_network(&Settings::default(), resolver, Box::new(network.clone()));
    let client = client.expect("settings");
    assert_eq!(call(&client, REBINDING).expect("an answer").status, 200);
    assert_eq!(verdict(call(&client, REBINDING)), "private network");
    assert_eq!(network.connected(), ["8.8.8.8", "8.8.8.8"]);
}

#[test]
fn no_answer_makes_the_client_go_elsewhere() {
    for status in 300..400 {
        for location in [
            "https://10.0.0.1/",
            "https://other.example/",
            "/token",
            "//10.0.0.1",
            "",
        ] {
            let network = Fake::answering(format!(
                "HTTP/1.1 {status} Elsewhere\r\nlocation: {location}\r\nrefresh: 0; url={location}\r\n\
                 alt-svc: h2=\"10.0.0.1:443\"\r\ncontent-length: 0\r\n\r\n"
            ));
            let resolver = |policy| {
                PolicyResolver::with_lookup(policy, |name: &str| {
                    assert_eq!(name, "auth.example.com:443");
                    Ok(vec![socket("8.8.8.8", 443)])
                })
            };
            let client =
                Client::with_network(&Settings::default(), resolver, Box::new(network.clone()));
            let client = client.expect("settings");
            for _ in 0..2 {
                let answer = call(&client, "https://auth.example.com/token").expect("an answer");
                assert_eq!(answer.status, status);
            }
            assert_eq!(network.connected(), ["8.8.8.8"], "{status} {location}");
        }
    }
}

#[test]
fn a_name_server_that_does_not_answer_costs_no_more_than_the_budget() {
    let (answer, answered) = std::sync::mpsc::channel::<()>();
    let answered = Mutex::new(answered);
    let resolver = |policy| {
        PolicyResolver::with_lookup(policy, move |_: &str| {
            // Ends when the test drops its end.
            let _ = answered.lock().expect("gate").recv();
            Err(io::ErrorKind::NotFound.into())
        })
    };
    let network = Fake::default();
    let client = Client::with_network(&Settings::default(), resolver, Box::new(network.clone()));
    let client = client.expect("settings");
    let request = request("https://slow.example/token");
    let late = RUNTIME.block_on(client.call(&request, Duration::from_millis(20)));
    assert_eq!(
        late.expect_err("late"),
        CallError::NotSent(NotSent::Timeout)
    );
    assert!(network.connected().is_empty());
    drop(answer);
}
