//! The server from outside: the journal's bell, the control port, the binary.

mod common;

use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use common::{
    Answer, CLIENT, REDIRECT_URI, ROTATE, SCOPE, SECRET, SUBJECT, granted_refresh_token, refresh,
    server_with, text,
};
use serde_json::{Value, json};
use token_vault_oauth_server::user_agent::{Application, authorize_and_exchange};
use token_vault_oauth_server::{ClientConfig, Config, OAuthServer};
use ureq::Agent;

#[test]
fn waiting_for_the_journal_wakes_up_and_gives_up() {
    let server = server_with(ROTATE);
    let token = granted_refresh_token(&server);
    let journal = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            server.wait_for_journal(|journal| !journal.is_empty(), Duration::from_secs(10))
        });
        refresh(&server, &token).expect("an answer");
        waiting.join().expect("no panic").expect("woken")
    });
    assert_eq!(journal.len(), 1);
    let given_up = server.wait_for_journal(|journal| journal.len() > 1, Duration::from_millis(20));
    assert_eq!(given_up.expect_err("nothing more comes").0.len(), 1);
}

#[test]
fn requests_over_one_connection_share_its_number() {
    let server = server_with(ROTATE);
    let application = common::application(&server);
    for _ in 0..2 {
        application
            .refresh(&granted_refresh_token(&server))
            .expect("an answer");
    }
    refresh(&server, &granted_refresh_token(&server)).expect("an answer");
    let connections: Vec<_> = server
        .journal()
        .iter()
        .map(|entry| entry.connection)
        .collect();
    assert_eq!(connections[0], connections[1]);
    assert_ne!(connections[0], connections[2]);
}

#[test]
fn a_dropped_server_is_gone_and_its_port_is_free() {
    let server = server_with(ROTATE);
    let issuer = server.issuer();
    let address = issuer.replace("https://localhost", "127.0.0.1");
    let port = issuer
        .rsplit(':')
        .next()
        .and_then(|port| port.parse().ok())
        .expect("a port");
    let mut open = std::net::TcpStream::connect(&address).expect("a connection");
    open.set_read_timeout(Some(Duration::from_secs(10)))
        .expect("a timeout");
    let on_that_port = || {
        OAuthServer::start(Config {
            port,
            ..Config::default()
        })
    };
    assert!(on_that_port().is_err());
    drop(server);
    // A reset where the server had not accepted it yet; anything but a timeout.
    let end = open.read(&mut [0]).map_err(|error| error.kind());
    assert!(
        matches!(end, Ok(0) | Err(ErrorKind::ConnectionReset)),
        "{end:?}"
    );
    assert_eq!(on_that_port().expect("the port is free").issuer(), issuer);
}

#[test]
fn a_load_run_keeps_no_record() {
    let config = Config {
        record: false,
        access_token_bytes: 64,
        ..Config::default()
    };
    let server = OAuthServer::start(config).expect("the server starts");
    server.register(ClientConfig::confidential(CLIENT, SECRET, REDIRECT_URI));
    let answer = refresh(&server, &granted_refresh_token(&server))
        .expect("an answer")
        .json();
    assert_eq!(text(&answer, "access_token").len(), 64);
    assert!(server.journal().is_empty() && server.issued_secrets().is_empty());
    assert_eq!(server.token_requests(), 1);
}

#[test]
fn the_binary_does_everything_through_its_control_port() {
    let mut process = Process::start();
    let control = Control::of(&process.ready);
    let client = json!({
        "client_id": CLIENT,
        "client_secrets": [SECRET],
        "redirect_uris": [REDIRECT_URI],
        "refresh": {"policy": "rotate", "reuse_detection": true, "leeway": 30},
        "expires_in": 2,
    });
    control.post("/control/client", &client);
    let (issuer, ca) = (
        text(&process.ready, "issuer"),
        text(&process.ready, "ca_pem"),
    );
    let answer = authorize_and_exchange(
        &issuer,
        &ca,
        CLIENT,
        Some(SECRET),
        REDIRECT_URI,
        SUBJECT,
        SCOPE,
    );
    assert_eq!(answer.expect("the flow succeeds")["expires_in"], 2);

    let application = Application::discover(&issuer, &ca, CLIENT, Some(SECRET)).expect("metadata");
    let issue = json!({"client_id": CLIENT, "subject": "bulk"});
    let token = text(&control.post("/control/issue", &issue), "refresh_token");
    control.post(
        "/control/behaviour",
        &json!({"behaviour": {"kind": "html", "status": 503}, "times": 1}),
    );
    assert_eq!(application.refresh(&token).expect("an answer").status, 503);
    control.post(
        "/control/behaviour",
        &json!({"behaviour": {"kind": "html", "status": 503}}),
    );
    control.delete("/control/behaviour");
    assert_eq!(application.refresh(&token).expect("an answer").status, 200);
    control.post(
        "/control/secrets",
        &json!({"client_id": CLIENT, "client_secrets": ["changed"]}),
    );
    assert_eq!(
        application.refresh(&token).expect("an answer").error(),
        Some("invalid_client")
    );
    control.post("/control/expire", &json!({}));

    let journal = control.get("/journal?since=1");
    let outcomes: Vec<_> = journal
        .as_array()
        .expect("a list")
        .iter()
        .map(|entry| text(entry, "outcome"))
        .collect();
    assert_eq!(outcomes, ["not_processed", "rotated", "refused"]);
    control.post(
        "/control/revoke_family",
        &json!({"family": journal[1]["family"]}),
    );
    assert!(
        control
            .get("/control/issued")
            .as_array()
            .expect("a list")
            .contains(&json!(token))
    );

    drop(process.child.stdin.take());
    assert!(process.child.wait().expect("an end").success());
}

#[test]
fn the_binary_ends_on_sigterm() {
    let mut process = Process::start();
    let pid = process.child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .expect("kill runs")
            .success()
    );
    assert!(process.child.wait().expect("an end").success());
}

#[test]
fn the_control_port_refuses_nonsense() {
    let server = server_with(ROTATE);
    let control = Control(server.control_url());
    let unknown = json!({"client_id": "nobody", "subject": "x", "client_secrets": []});
    assert_eq!(control.status("/control/issue", &unknown), 404);
    assert_eq!(control.status("/control/secrets", &unknown), 404);
    assert_eq!(
        control.status("/control/revoke_family", &json!({"family": 7})),
        404
    );
    assert_eq!(
        control.status(
            "/control/behaviour",
            &json!({"behaviour": {"kind": "unheard_of"}})
        ),
        400
    );
    assert_eq!(control.status("/nowhere", &json!({})), 404);
}

/// The binary, ended with the test.
struct Process {
    child: Child,
    ready: Value,
}

impl Process {
    fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_oauth_server"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("a pipe");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        Self {
            child,
            ready: serde_json::from_str(&line).expect("JSON"),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Control(String);

impl Control {
    fn of(ready: &Value) -> Self {
        Self(text(ready, "control_url"))
    }

    fn get(&self, path: &str) -> Value {
        let answer =
            Answer::read(self.agent().get(format!("{}{path}", self.0)).call()).expect("an answer");
        assert_eq!(answer.status, 200, "GET {path}");
        answer.json()
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        let answer = self.send(path, body);
        assert_eq!(answer.status, 200, "POST {path}");
        answer.json()
    }

    fn delete(&self, path: &str) {
        let answer = Answer::read(self.agent().delete(format!("{}{path}", self.0)).call())
            .expect("an answer");
        assert_eq!(answer.status, 200, "DELETE {path}");
    }

    fn status(&self, path: &str, body: &Value) -> u16 {
        self.send(path, body).status
    }

    fn send(&self, path: &str, body: &Value) -> Answer {
        let call = self.agent().post(format!("{}{path}", self.0));
        Answer::read(call.send(body.to_string().as_str())).expect("an answer")
    }

    fn agent(&self) -> Agent {
        Agent::config_builder()
            .proxy(None)
            .http_status_as_error(false)
            .build()
            .new_agent()
    }
}
