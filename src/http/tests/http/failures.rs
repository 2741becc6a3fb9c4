//! Calls without an answer: what was sent decides how they are reported.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Barrier;
use std::time::{Duration, Instant};

use token_vault_http::CallError::{NotSent as Nothing, OutcomeUnknown, TooLarge};
use token_vault_http::{
    CallError, Cause, Client, MAX_BODY_BYTES, NotSent, Settings, SettingsError, Unknown,
};

use crate::server::{
    self, BUDGET, Reply, Server, answer, ca_file, call, certificate, client, post, settings,
};

/// Short, for calls that are expected to run out of time.
const SHORT: Duration = Duration::from_millis(300);

fn unknown(cause: Cause, status: Option<u16>) -> CallError {
    OutcomeUnknown(Unknown { cause, status })
}

fn failure(reply: impl Fn() -> Reply + Send + Sync + 'static, budget: Duration) -> CallError {
    let server = Server::start(move |_| reply());
    let error = call(&client(), &post(&server.url()), budget).expect_err("no answer");
    assert_eq!(server.requests().len(), 1, "sent once");
    error
}

#[test]
fn time_up_after_sending_leaves_the_outcome_unknown() {
    let started = Instant::now();
    assert_eq!(
        failure(|| Reply::Hang(vec![]), SHORT),
        unknown(Cause::Timeout, None)
    );
    let half_head = || Reply::Hang(b"HTTP/1.1 200 OK\r\ncontent-le".to_vec());
    assert_eq!(failure(half_head, SHORT), unknown(Cause::Timeout, None));
    let half_body = || Reply::Hang(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{\"a\"".to_vec());
    assert_eq!(
        failure(half_body, SHORT),
        unknown(Cause::Timeout, Some(200))
    );
    assert!(started.elapsed() < 3 * SHORT + BUDGET / 2);
}

#[test]
fn the_total_timeout_caps_the_budget() {
    let server = Server::start(|_| Reply::Hang(vec![]));
    let client = Client::new(&Settings {
        total_timeout: SHORT,
        ..settings()
    })
    .expect("client");
    let started = Instant::now();
    let error = server.call(&client).expect_err("no answer");
    assert_eq!(error, unknown(Cause::Timeout, None));
    assert!(started.elapsed() < BUDGET / 2);
}

#[test]
fn a_connection_lost_after_sending_leaves_the_outcome_unknown() {
    for end in [Reply::Close as fn(Vec<u8>) -> Reply, Reply::Cut] {
        let lost = |bytes: &'static [u8]| failure(move || end(bytes.to_vec()), BUDGET);
        assert_eq!(lost(b""), unknown(Cause::ConnectionLost, None));
        assert_eq!(
            lost(b"HTTP/1.1 200 O"),
            unknown(Cause::ConnectionLost, None)
        );
        let cut = lost(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{\"a\"");
        assert_eq!(cut, unknown(Cause::ConnectionLost, Some(200)));
        let cut = lost(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\n{\"a\"");
        assert_eq!(cut, unknown(Cause::ConnectionLost, Some(200)));
    }
}

#[test]
fn a_request_on_a_kept_connection_is_never_sent_twice() {
    let server = Server::start(|number| match number {
        0 => Reply::Keep(answer("200 OK", "", "{}")),
        _ => Reply::Cut(vec![]),
    });
    let client = client();
    server.call(&client).expect("an answer");
    assert_eq!(
        server.call(&client).expect_err("cut"),
        unknown(Cause::ConnectionLost, None)
    );
    assert_eq!((server.accepted(), server.requests().len()), (1, 2));
}

#[test]
fn after_a_lost_connection_the_next_call_gets_a_new_one() {
    let together = Barrier::new(2);
    let server = Server::start(move |number| match number {
        2 => Reply::Cut(vec![]),
        _ => {
            if number < 2 {
                together.wait();
            }
            Reply::Keep(answer("200 OK", "", "{}"))
        }
    });
    let client = client();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| server.call(&client).expect("an answer"));
        }
    });
    let lost = server.call(&client).expect_err("cut");
    assert_eq!(lost, unknown(Cause::ConnectionLost, None));
    server.call(&client).expect("an answer");
    assert_eq!((server.accepted(), server.requests().len()), (3, 4));
}

#[test]
fn what_is_not_http_is_unreadable() {
    let garbage = || Reply::Close(b"SSH-2.0-OpenSSH_9.2\r\n\r\n".to_vec());
    assert_eq!(failure(garbage, BUDGET), unknown(Cause::Unreadable, None));
    let endless_head =
        || Reply::Hang([b"HTTP/1.1 200 OK\r\nx: ".to_vec(), vec![b'x'; 64 * 1024]].concat());
    assert_eq!(
        failure(endless_head, BUDGET),
        unknown(Cause::Unreadable, None)
    );
    let bad_chunk =
        || Reply::Close(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n".to_vec());
    assert_eq!(
        failure(bad_chunk, BUDGET),
        unknown(Cause::Unreadable, Some(200))
    );
}

#[test]
fn oversized_bodies_are_given_up() {
    let declared = || Reply::Hang(b"HTTP/1.1 200 OK\r\ncontent-length: 1048577\r\n\r\n".to_vec());
    assert_eq!(failure(declared, BUDGET), TooLarge { status: 200 });
    let endless = || {
        let head = b"HTTP/1.1 201 Made\r\nconnection: close\r\n\r\n".to_vec();
        Reply::Hang([head, vec![b'x'; MAX_BODY_BYTES + 1]].concat())
    };
    assert_eq!(failure(endless, BUDGET), TooLarge { status: 201 });
}

#[test]
fn a_refusal_is_one_whatever_becomes_of_its_body() {
    let endless = [b'x'; MAX_BODY_BYTES + 1];
    for (status, head) in [
        (307, "HTTP/1.1 307 Moved\r\ncontent-length: 9\r\n\r\n"),
        (400, "HTTP/1.1 400 Bad\r\ncontent-length: 9\r\n\r\n"),
        (
            401,
            "HTTP/1.1 401 Bad\r\ntransfer-encoding: chunked\r\n\r\n9\r\n",
        ),
        (403, "HTTP/1.1 403 Bad\r\ncontent-length: 99999999\r\n\r\n"),
        (502, "HTTP/1.1 502 Bad\r\n\r\n"),
    ] {
        for end in [
            Reply::Close as fn(Vec<u8>) -> Reply,
            Reply::Cut,
            Reply::Hang,
        ] {
            let body: &[u8] = if status == 502 { &endless } else { b"{\"a\"" };
            let bytes = [head.as_bytes(), body].concat();
            let server = Server::start(move |_| end(bytes.clone()));
            let answer = call(&client(), &post(&server.url()), SHORT).expect("an answer");
            assert_eq!((answer.status, answer.body.expose()), (status, &b""[..]));
            assert_eq!(server.requests().len(), 1);
        }
    }
}

#[test]
fn a_protocol_that_nobody_asked_for_is_unreadable() {
    let switch = || Reply::Hang(b"HTTP/1.1 101 Switching\r\nupgrade: h2c\r\n\r\n".to_vec());
    assert_eq!(failure(switch, BUDGET), unknown(Cause::Unreadable, None));
}

#[test]
fn bad_certificates_are_refused_before_anything_is_sent() {
    let expired = certificate(&["127.0.0.1"], |c| {
        c.not_before = rcgen::date_time_ymd(2019, 1, 1);
        c.not_after = rcgen::date_time_ymd(2020, 1, 1);
    });
    let early = certificate(&["127.0.0.1"], |c| {
        c.not_before = rcgen::date_time_ymd(4000, 1, 1)
    });
    let stranger = Settings {
        ca_file: None,
        ..settings()
    };
    for (config, settings, problem) in [
        (
            certificate(&["127.0.0.1"], |_| {}),
            stranger,
            "the certificate is not trusted",
        ),
        (
            certificate(&["other.example"], |_| {}),
            settings(),
            "the certificate is for another host name",
        ),
        (expired, settings(), "the certificate has expired"),
        (early, settings(), "the certificate is not valid yet"),
    ] {
        let server = Server::start_with(config, |_| Reply::Keep(answer("200 OK", "", "{}")));
        let client = Client::new(&settings).expect("client");
        assert_eq!(
            server.call(&client).expect_err(problem),
            Nothing(NotSent::Tls(problem))
        );
        assert_eq!(server.requests(), Vec::<String>::new());
    }
}

/// Calls a port where `behave` meets the connection.
fn plain(behave: impl FnOnce(TcpListener) + Send + 'static) -> CallError {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("loopback port");
    let port = listener.local_addr().expect("bound").port();
    let server = std::thread::spawn(move || behave(listener));
    let error = call(
        &client(),
        &post(&format!("https://127.0.0.1:{port}/")),
        SHORT,
    )
    .expect_err("no answer");
    server.join().expect("server");
    error
}

#[test]
fn a_server_without_tls_gets_nothing() {
    let error = plain(|listener| {
        let (mut socket, _) = listener.accept().expect("connection");
        let mut hello = [0; 4096];
        let n = socket.read(&mut hello).expect("client hello");
        assert!(!String::from_utf8_lossy(&hello[..n]).contains(server::CANARY));
        // The client may be gone before the whole answer is written.
        let _ = socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    assert_eq!(error, Nothing(NotSent::Tls("the TLS handshake failed")));
    let error = plain(|listener| drop(listener.accept()));
    assert_eq!(
        error,
        Nothing(NotSent::Tls(
            "the connection was lost during the TLS handshake"
        ))
    );
}

#[test]
fn nothing_was_sent_where_no_connection_stands() {
    // An address of its own, so that no other test is given the port that has just become free.
    let gone = TcpListener::bind(("127.77.0.1", 0)).expect("loopback port");
    let url = format!("https://{}/", gone.local_addr().expect("bound"));
    drop(gone);
    assert_eq!(
        call(&client(), &post(&url), BUDGET).expect_err("refused"),
        Nothing(NotSent::Connect)
    );
    let silent = TcpListener::bind(("127.0.0.1", 0)).expect("loopback port");
    let url = format!(
        "https://127.0.0.1:{}/",
        silent.local_addr().expect("bound").port()
    );
    assert_eq!(
        call(&client(), &post(&url), SHORT).expect_err("silent"),
        Nothing(NotSent::Timeout)
    );
    let impatient = Client::new(&Settings {
        connect_timeout: SHORT,
        ..settings()
    })
    .expect("client");
    assert_eq!(
        call(&impatient, &post(&url), BUDGET).expect_err("silent"),
        Nothing(NotSent::Timeout)
    );
    let none = call(&client(), &post(&url), Duration::ZERO);
    assert_eq!(none.expect_err("no time"), Nothing(NotSent::Timeout));
}

#[test]
fn malformed_requests_are_not_sent() {
    let server = Server::start(|_| Reply::Keep(answer("200 OK", "", "{}")));
    let port = server.port;
    for (url, expected) in [
        (format!("http://127.0.0.1:{port}/"), NotSent::NotHttps),
        (format!("ftp://127.0.0.1:{port}/"), NotSent::NotHttps),
        ("/token".into(), NotSent::NotHttps),
        (String::new(), NotSent::InvalidRequest),
        ("https://".into(), NotSent::InvalidRequest),
        (
            format!("https://127.0.0.1:{port}/a b"),
            NotSent::InvalidRequest,
        ),
        (
            format!("https://user:pass@127.0.0.1:{port}/"),
            NotSent::InvalidRequest,
        ),
        (
            format!("https://127.0.0.1:{port}\r\nx: y/"),
            NotSent::InvalidRequest,
        ),
    ] {
        assert_eq!(
            call(&client(), &post(&url), BUDGET).expect_err(&url),
            Nothing(expected),
            "{url}"
        );
    }
    let mut request = post(&server.url());
    request.headers[0].0 = "two words".into();
    assert_eq!(
        call(&client(), &request, BUDGET).expect_err("name"),
        Nothing(NotSent::InvalidRequest)
    );
    let mut request = post(&server.url());
    request.headers[0].1 = token_vault_core::secret::SecretString::new("a\r\nb: c".into());
    assert_eq!(
        call(&client(), &request, BUDGET).expect_err("value"),
        Nothing(NotSent::InvalidRequest)
    );
    assert_eq!(server.accepted(), 0);
}

#[test]
fn unusable_settings_are_named() {
    let refused = |settings| Client::new(&settings).err().expect("refused").to_string();
    let missing = ca_file().with_extension("missing");
    let message = refused(Settings {
        ca_file: Some(missing),
        ..settings()
    });
    assert!(
        message.starts_with("could not read CA file") && message.ends_with("not found"),
        "{message}"
    );

    let pem = std::fs::read_to_string(ca_file()).expect("CA file");
    let damaged = pem.replacen("MII", "AAA", 1);
    for (number, content) in ["", "no certificate", &damaged].into_iter().enumerate() {
        let file = ca_file().with_extension(format!("bad{number}"));
        std::fs::write(&file, content).expect("file");
        let error = Client::new(&Settings {
            ca_file: Some(file),
            ..settings()
        })
        .err();
        assert!(
            matches!(error, Some(SettingsError::CaFileInvalid(_))),
            "{content:?}: {error:?}"
        );
    }
    for proxy in [
        "",
        "socks5://127.0.0.1:1080",
        "https://127.0.0.1:1",
        "ftp://x",
        "http://",
        "http://proxy:99999",
        "http://proxy:0",
        "http://proxy:3128/path",
    ] {
        let message = refused(Settings {
            proxy: Some(proxy.into()),
            ..settings()
        });
        assert_eq!(
            message, "proxy must have the form http://host:port",
            "{proxy}"
        );
    }
    let message = refused(Settings {
        user_agent: "a\nb".into(),
        ..settings()
    });
    assert_eq!(message, "user agent contains invalid characters");
}
