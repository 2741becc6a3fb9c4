//! Calls that bring an answer.

use std::sync::{Mutex, mpsc};
use std::time::Duration;

use token_vault_core::oauth::Method;
use token_vault_core::secret::{SecretBytes, SecretString};
use token_vault_http::MAX_BODY_BYTES;

use crate::server::{BUDGET, CANARY, Reply, Server, answer, call, client, post};

#[test]
fn brings_status_headers_and_body() {
    let server = Server::start(|_| {
        let headers = "content-type: application/json\r\nretry-after: 120\r\n";
        Reply::Keep(answer(
            "429 Too Many Requests",
            headers,
            "{\"error\":\"slow_down\"}",
        ))
    });
    let got = server.call(&client()).expect("an answer");
    assert_eq!(got.status, 429);
    assert_eq!(got.content_type.as_deref(), Some("application/json"));
    assert_eq!(got.retry_after.as_deref(), Some("120"));
    assert_eq!(got.body.expose(), b"{\"error\":\"slow_down\"}");
}

#[test]
fn sends_what_the_request_says() {
    let server = Server::start(|_| Reply::Keep(answer("200 OK", "", "{}")));
    let client = client();
    server.call(&client).expect("an answer");
    let mut get = post(&server.url());
    get.method = Method::Get;
    get.body = SecretBytes::from_vec(vec![]);
    call(&client, &get, BUDGET).expect("an answer");

    let requests = server.requests();
    let sent = requests[0].to_ascii_lowercase();
    assert!(
        sent.starts_with(&format!("post /token?q={CANARY} http/1.1\r\n")),
        "{sent}"
    );
    for line in [
        &format!("host: 127.0.0.1:{}\r\n", server.port),
        "content-type: application/x-www-form-urlencoded\r\n",
        &format!("authorization: basic {CANARY}\r\n"),
        &format!("user-agent: token_vault/{}\r\n", env!("CARGO_PKG_VERSION")),
        "accept-encoding: identity\r\n",
    ] {
        assert_eq!(sent.matches(line).count(), 1, "{line} in {sent}");
    }
    assert!(
        sent.ends_with(&format!("\r\n\r\nrefresh_token={CANARY}")),
        "{sent}"
    );
    assert!(requests[1].starts_with("GET /token?q="), "{}", requests[1]);
    assert!(requests[1].ends_with("\r\n\r\n") && !requests[1].contains("content-length"));
}

#[test]
fn a_provider_may_want_another_user_agent() {
    let server = Server::start(|_| Reply::Keep(answer("200 OK", "", "{}")));
    let mut request = post(&server.url());
    let theirs = SecretString::new("linux:example:v1".into());
    request.headers.push(("user-agent".into(), theirs));
    call(&client(), &request, BUDGET).expect("an answer");
    let sent = server.requests()[0].to_ascii_lowercase();
    assert!(sent.contains("user-agent: linux:example:v1\r\n"), "{sent}");
    assert_eq!(sent.matches("user-agent:").count(), 1, "{sent}");
}

#[test]
fn one_connection_serves_many_calls() {
    let server = Server::start(|_| Reply::Keep(answer("200 OK", "", "{}")));
    let client = client();
    for _ in 0..20 {
        server.call(&client).expect("an answer");
    }
    assert_eq!((server.accepted(), server.requests().len()), (1, 20));
}

#[test]
fn time_limits_of_their_own_do_not_cost_the_connection() {
    let server = Server::start(|_| Reply::Keep(answer("200 OK", "", "{}")));
    let client = client();
    for seconds in 1..10 {
        call(&client, &post(&server.url()), Duration::from_secs(seconds)).expect("an answer");
    }
    assert_eq!(server.accepted(), 1);
}

#[test]
fn a_connection_that_the_server_closed_meanwhile_is_not_an_outage() {
    for farewell in [Reply::Close as fn(Vec<u8>) -> Reply, Reply::Cut] {
        let server = Server::start(move |_| farewell(answer("200 OK", "", "{}")));
        let client = client();
        for _ in 0..10 {
            server.call(&client).expect("an answer");
            server.wait_for_close();
        }
        assert_eq!((server.accepted(), server.requests().len()), (10, 10));
    }
}

#[test]
fn a_connection_that_was_said_farewell_to_is_not_used_again() {
    // The TLS library reads 4 KiB at a time: around that length the farewell is left over, read but not decrypted.
    for length in (3_500..4_100).step_by(20).chain([2, 100_000]) {
        let body = "x".repeat(length);
        let server = Server::start(move |_| Reply::Farewell(answer("200 OK", "", &body)));
        let client = client();
        for _ in 0..2 {
            server.call(&client).expect("an answer");
        }
        assert_eq!((server.accepted(), server.requests().len()), (2, 2));
    }
}

#[test]
fn a_second_answer_is_nobodys() {
    let ours = || answer("200 OK", "", "ours");
    let stray = || answer("200 OK", "", "somebody else's");
    let server = Server::start(move |_| Reply::Keep([ours(), stray()].concat()));
    let at_once = client();
    for _ in 0..3 {
        assert_eq!(
            server.call(&at_once).expect("an answer").body.expose(),
            b"ours"
        );
    }
    assert_eq!(server.accepted(), 3);

    // Also where it comes while the connection waits for its next use.
    let (tell, told) = mpsc::channel();
    let (done, is_done) = mpsc::channel();
    let late = Mutex::new(Some((told, done)));
    let server = Server::start(move |_| match late.lock().expect("lock").take() {
        Some((told, done)) => Reply::Twice(ours(), stray(), told, done),
        None => Reply::Keep(ours()),
    });
    let later = client();
    assert_eq!(
        server.call(&later).expect("an answer").body.expose(),
        b"ours"
    );
    tell.send(()).expect("the server waits");
    is_done.recv_timeout(BUDGET).expect("the second answer");
    assert_eq!(
        server.call(&later).expect("an answer").body.expose(),
        b"ours"
    );
    assert_eq!(server.accepted(), 2);
}

#[test]
fn a_redirect_is_an_answer_and_is_not_followed() {
    let target = Server::start(|_| Reply::Keep(answer("200 OK", "", "stolen")));
    let location = format!("location: {}\r\n", target.url());
    for (status, body) in [
        ("301 Moved", ""),
        ("302 Found", "moved"),
        ("307 Moved", "moved"),
        ("308 Moved", ""),
    ] {
        let headers = location.clone();
        let server = Server::start(move |_| Reply::Keep(answer(status, &headers, body)));
        let got = server.call(&client()).expect("an answer");
        assert_eq!(got.status.to_string(), &status[..3]);
        assert_eq!(got.body.expose(), body.as_bytes());
        assert_eq!(server.requests().len(), 1);
    }
    assert_eq!(target.accepted(), 0);
}

#[test]
fn bodies_of_every_framing_are_read() {
    let framings: [fn() -> Reply; 6] = [
        || Reply::Keep(answer("200 OK", "", "{\"a\":1}")),
        || {
            Reply::Keep(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\n{\"a\r\n4\r\n\":1}\r\n0\r\n\r\n".to_vec())
        },
        || Reply::Close(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{\"a\":1}".to_vec()),
        || Reply::Close(b"HTTP/1.0 200 OK\r\n\r\n{\"a\":1}".to_vec()),
        // Without TLS's farewell, as careless servers do it: JSON shows by itself whether it is whole.
        || Reply::Cut(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{\"a\":1}".to_vec()),
        || {
            Reply::Keep(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n{\"a\":1}".to_vec())
        },
    ];
    for (number, framing) in framings.into_iter().enumerate() {
        let server = Server::start(move |_| framing());
        let got = server
            .call(&client())
            .unwrap_or_else(|e| panic!("framing {number}: {e}"));
        assert_eq!(
            (got.status, got.body.expose()),
            (200, &b"{\"a\":1}"[..]),
            "framing {number}"
        );
    }
}

#[test]
fn a_body_of_exactly_the_limit_is_read() {
    let server = Server::start(|_| Reply::Keep(answer("200 OK", "", &"x".repeat(MAX_BODY_BYTES))));
    let got = server.call(&client()).expect("an answer");
    assert_eq!(got.body.expose().len(), MAX_BODY_BYTES);
    assert!(!format!("{got:?}").contains("xx"));
}

#[test]
fn an_answer_without_body_is_an_answer() {
    let server = Server::start(|_| Reply::Keep(b"HTTP/1.1 204 No Content\r\n\r\n".to_vec()));
    let got = server.call(&client()).expect("an answer");
    assert_eq!((got.status, got.body.expose()), (204, &b""[..]));
}
