//! The outbound policy as the client applies it: forbidden addresses get no connection, however they are spelled.

use std::net::{Ipv4Addr, TcpListener};
use std::process::Command;

use token_vault_http::policy::parse_networks;
use token_vault_http::{CallError, Client, NotSent, Settings};

use crate::server::{BUDGET, Reply, Server, answer, call, certificate, client, post, settings};

/// Spellings of an IPv4 address that some resolver understands (inet_aton(3), WHATWG URL, RFC 4291).
fn spellings(address: Ipv4Addr) -> Vec<String> {
    let [a, b, c, d] = address.octets();
    let number = u32::from(address);
    let (low24, low16) = (number & 0xff_ffff, number & 0xffff);
    let (high, low) = (number >> 16, number & 0xffff);
    vec![
        format!("{a}.{b}.{c}.{d}"),
        format!("{a}.{b}.{c}.{d}."),
        format!("{a}.{low24}"),
        format!("{a}.{b}.{low16}"),
        format!("{number}"),
        format!("0x{number:x}"),
        format!("0X{number:08X}"),
        format!("0{number:o}"),
        format!("0x{a:x}.0x{b:x}.0x{c:x}.0x{d:x}"),
        format!("0{a:o}.0{b:o}.0{c:o}.0{d:o}"),
        format!("000{a:o}.{b}.0x{c:x}.{d}"),
        format!("0x{a:x}.{low24}"),
        format!("[::ffff:{address}]"),
        format!("[::ffff:{high:x}:{low:x}]"),
        format!("[0:0:0:0:0:FFFF:{high:04X}:{low:04X}]"),
        format!("[::{address}]"),
        format!("[::ffff:0:{address}]"),
        format!("[64:ff9b::{address}]"),
        format!("[64:ff9b:1::{high:x}:{low:x}]"),
        format!("[2002:{high:x}:{low:x}::]"),
        format!("[2002:{high:x}:{low:x}:1::1]"),
    ]
}

/// True where the call ended before any connection was tried.
fn ended_before_connecting(error: CallError) -> bool {
    use NotSent::{Forbidden, InvalidRequest, NameResolution};
    matches!(
        error,
        CallError::NotSent(Forbidden(_) | InvalidRequest | NameResolution)
    )
}

#[test]
fn forbidden_addresses_get_no_connection_in_any_spelling() {
    let server = Server::start(|_| Reply::Keep(answer("200 OK", "", "{}")));
    let client = Client::new(&Settings {
        allowed_networks: vec![],
        ..settings()
    })
    .expect("client");
    let mut hosts: Vec<String> = [
        "localhost",
        "LOCALHOST",
        "localhost.",
        "[::1]",
        "[::]",
        "[0:0:0:0:0:0:0:1]",
    ]
    .map(String::from)
    .to_vec();
    for address in [
        "127.0.0.1",
        "127.1.2.3",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "240.0.0.1",
    ] {
        hosts.extend(spellings(address.parse().expect(address)));
    }
    hosts.extend(
        [
            "[fe80::1]",
            "[fd00:ec2::254]",
            "[fec0::1]",
            "[ff02::1]",
            "[2001:db8::1]",
        ]
        .map(String::from),
    );
    assert!(hosts.len() > 300);
    for host in &hosts {
        let url = format!("https://{host}:{}/token", server.port);
        let error = call(&client, &post(&url), BUDGET).expect_err(host);
        assert!(ended_before_connecting(error), "{host}: {error:?}");
    }
    assert_eq!(server.accepted(), 0);
}

#[test]
fn the_usual_spellings_are_refused_for_the_right_reason() {
    let client = Client::new(&Settings {
        allowed_networks: vec![],
        ..settings()
    })
    .expect("client");
    for (host, kind) in [
        ("127.0.0.1", "loopback"),
        ("localhost", "loopback"),
        ("2130706433", "loopback"),
        ("0x7f000001", "loopback"),
        ("0177.0.0.1", "loopback"),
        ("127.1", "loopback"),
        ("[::1]", "loopback"),
        ("[::ffff:127.0.0.1]", "loopback"),
        ("169.254.169.254", "cloud metadata service"),
        ("[::ffff:a9fe:a9fe]", "cloud metadata service"),
        ("0.0.0.0", "unspecified address"),
        ("10.1.2.3", "private network"),
        ("[64:ff9b::10.1.2.3]", "private network"),
    ] {
        let error = call(&client, &post(&format!("https://{host}/")), BUDGET).expect_err(host);
        assert_eq!(
            error,
            CallError::NotSent(NotSent::Forbidden(kind)),
            "{host}"
        );
    }
}

#[test]
fn an_exception_opens_its_network_and_no_other() {
    let server = Server::start(|_| Reply::Keep(answer("200 OK", "", "{}")));
    server.call(&client()).expect("127.0.0.0/8 is allowed");
    let other = Settings {
        allowed_networks: parse_networks("127.0.0.2/32, 10.0.0.0/8").expect("networks"),
        ..settings()
    };
    let error = server
        .call(&Client::new(&other).expect("client"))
        .expect_err("127.0.0.1");
    assert_eq!(error, CallError::NotSent(NotSent::Forbidden("loopback")));
    assert_eq!(server.accepted(), 1);
}

#[test]
fn a_name_is_connected_at_the_address_that_was_checked() {
    let config = certificate(&["localhost"], |_| {});
    let server = Server::start_with(config, |_| Reply::Keep(answer("200 OK", "", "{}")));
    let both = Settings {
        allowed_networks: parse_networks("127.0.0.0/8, ::1").expect("networks"),
        ..settings()
    };
    let client = Client::new(&both).expect("client");
    let url = format!("https://localhost:{}/", server.port);
    assert_eq!(
        call(&client, &post(&url), BUDGET)
            .expect("an answer")
            .status,
        200
    );
}

/// The variables of the environment can only be set for a new process, so this test runs itself once more.
#[test]
fn the_environments_proxy_is_ignored() {
    const INNER: &str = "TOKEN_VAULT_HTTP_TEST_INNER";
    if std::env::var_os(INNER).is_some() {
        let server = Server::start(|_| Reply::Keep(answer("200 OK", "", "{}")));
        server.call(&client()).expect("a direct answer");
        assert_eq!(server.accepted(), 1);
        return;
    }
    let trap = TcpListener::bind(("127.0.0.1", 0)).expect("loopback port");
    trap.set_nonblocking(true).expect("non-blocking");
    let proxy = format!("http://{}", trap.local_addr().expect("bound"));
    let mut inner = Command::new(std::env::current_exe().expect("this test"));
    inner
        .args(["--exact", "outbound::the_environments_proxy_is_ignored"])
        .env(INNER, "1");
    for name in ["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY"] {
        inner
            .env(name, &proxy)
            .env(name.to_ascii_lowercase(), &proxy);
    }
    let output = inner.output().expect("second process");
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && shown.contains("1 passed"),
        "{shown}"
    );
    assert_eq!(
        trap.accept().err().map(|e| e.kind()),
        Some(std::io::ErrorKind::WouldBlock)
    );
}
