//! Calls through a CONNECT proxy.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver};
use std::thread;

use token_vault_http::CallError::{NotSent as Nothing, OutcomeUnknown};
use token_vault_http::{Cause, Client, NotSent, Settings, Unknown};

use crate::server::{BUDGET, CANARY, Reply, Server, answer, call, post, settings};

/// A proxy that answers each CONNECT with `answer`, and opens the tunnel where that is a 200. Gives the heads it read.
fn proxy(answer: &'static str) -> (String, Receiver<String>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("loopback port");
    let url = format!("http://user:pass@{}", listener.local_addr().expect("bound"));
    let (heads, received) = mpsc::channel();
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let head = read_head(&client);
            let target = head.split(' ').nth(1).map(str::to_owned);
            let _ = heads.send(head);
            let _ = (&client).write_all(format!("HTTP/1.1 {answer}\r\n\r\n").as_bytes());
            if let (true, Some(target)) = (answer.starts_with("200"), target) {
                tunnel(client, TcpStream::connect(target).expect("target"));
            }
        }
    });
    (url, received)
}

fn read_head(client: &TcpStream) -> String {
    let mut head = String::new();
    let mut reader = BufReader::with_capacity(1, client);
    while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).is_ok_and(|n| n > 0) {}
    head
}

fn tunnel(client: TcpStream, target: TcpStream) {
    for (mut from, mut to) in [
        (
            client.try_clone().expect("socket"),
            target.try_clone().expect("socket"),
        ),
        (target, client),
    ] {
        thread::spawn(move || {
            let _ = io::copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Write);
        });
    }
}

fn client(proxy: &str, allowed: &str) -> Client {
    let settings = Settings {
        proxy: Some(proxy.to_owned()),
        allowed_networks: token_vault_http::policy::parse_networks(allowed).expect("networks"),
        ..settings()
    };
    Client::new(&settings).expect("client")
}

#[test]
fn the_tunnel_carries_tls_and_the_proxy_sees_no_secret() {
    let server = Server::start(|_| Reply::Keep(answer("200 OK", "", "{}")));
    let (url, heads) = proxy("200 Connected");
    let client = client(&url, "127.0.0.1");
    for _ in 0..3 {
        assert_eq!(server.call(&client).expect("an answer").status, 200);
    }
    let head = heads.recv_timeout(BUDGET).expect("CONNECT");
    assert!(
        head.starts_with(&format!("CONNECT 127.0.0.1:{} ", server.port)),
        "{head}"
    );
    assert!(
        head.contains("proxy-authorization: Basic dXNlcjpwYXNz"),
        "{head}"
    );
    assert!(!head.contains(CANARY), "{head}");
    assert!(heads.try_recv().is_err(), "one tunnel serves all calls");
    assert_eq!((server.accepted(), server.requests().len()), (1, 3));
}

#[test]
fn a_refused_tunnel_means_that_nothing_was_sent() {
    let (url, _heads) = proxy("403 Forbidden");
    let error = call(
        &client(&url, "127.0.0.1"),
        &post("https://127.0.0.1:1/"),
        BUDGET,
    );
    assert_eq!(error.expect_err("refused"), Nothing(NotSent::Proxy));
}

#[test]
fn a_connection_lost_inside_the_tunnel_leaves_the_outcome_unknown() {
    let server = Server::start(|_| Reply::Cut(vec![]));
    let (url, _heads) = proxy("200 Connected");
    let error = server.call(&client(&url, "127.0.0.1")).expect_err("cut");
    let lost = Unknown {
        cause: Cause::ConnectionLost,
        status: None,
    };
    assert_eq!(error, OutcomeUnknown(lost));
}

#[test]
fn literal_forbidden_addresses_are_refused_without_asking_the_proxy() {
    let (url, heads) = proxy("403 Forbidden");
    let client = client(&url, "");
    for host in [
        "127.0.0.1",
        "[::1]",
        "[::ffff:10.0.0.1]",
        "169.254.169.254",
        "localhost",
        "api.localhost",
        "0x7f.1",
        "2130706433",
        "127.1.",
    ] {
        let error = call(&client, &post(&format!("https://{host}/")), BUDGET).expect_err(host);
        assert!(
            matches!(error, Nothing(NotSent::Forbidden(_))),
            "{host}: {error:?}"
        );
    }
    assert!(heads.try_recv().is_err());
}
