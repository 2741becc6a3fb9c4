//! Answers written by hand, byte for byte, and ports whose connections fail.

mod common;

use std::time::Duration;

use common::{ROTATE, granted_refresh_token, refresh, refresh_at, server_with, text};
use serde_json::json;
use token_vault_oauth_server::{Behaviour, ConnectionFault, OAuthServer, Outcome};

fn misbehave(server: &OAuthServer, behaviour: serde_json::Value) {
    let behaviour: Behaviour = serde_json::from_value(behaviour).expect("a behaviour");
    server.misbehave(behaviour, Some(1));
}

#[test]
fn an_answer_by_hand_holds_what_the_server_would_have_said() {
    let server = server_with(ROTATE);
    let token = granted_refresh_token(&server);
    misbehave(
        &server,
        json!({
            "kind": "answer", "status": 203, "content_type": "text/plain", "headers": [["x-note", "1"]],
            "body": r#"{"access_token":"{access_token}","refresh_token":"{refresh_token}","was":{body}}"#,
        }),
    );
    let answer = refresh(&server, &token).expect("an answer");
    assert_eq!((answer.status, answer.header("x-note")), (203, "1"));
    assert_eq!(answer.header("content-type"), "text/plain");
    let body = answer.json();
    assert_eq!(body["access_token"], body["was"]["access_token"]);
    assert_eq!(server.journal()[0].outcome, Outcome::Rotated);
    let next = text(&body, "refresh_token");
    assert_eq!(refresh(&server, &next).expect("an answer").status, 200);
}

#[test]
fn pieces_go_over_the_wire_as_they_are() {
    let server = server_with(ROTATE);
    for (head, rest) in [
        (
            "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n",
            "{first_half}{second_half}",
        ),
        ("HTTP/1.0 200 OK\r\n\r\n", "{body}"),
        (
            "HTTP/1.1 200\r\ntransfer-encoding: chunked\r\n\r\n",
            "{chunked}",
        ),
    ] {
        let token = granted_refresh_token(&server);
        misbehave(
            &server,
            json!({"kind": "wire", "pieces": [{"send": head}, {"send": rest}]}),
        );
        let answer = refresh(&server, &token).expect("an answer");
        assert!(!text(&answer.json(), "access_token").is_empty(), "{head}");
    }
    misbehave(
        &server,
        json!({"kind": "wire", "pieces": [
            {"send": "HTTP/1.1 200 OK\r\n\r\n"}, {"bytes": [255, 0]}, {"repeat": {"byte": 97, "times": 70000}},
        ]}),
    );
    let answer = refresh(&server, "any").expect("an answer");
    assert_eq!(answer.body.len(), 70_002);
    assert_eq!(answer.body[..3], [255, 0, 97]);
}

#[test]
fn a_script_can_stop_and_hold_the_connection() {
    let server = server_with(ROTATE);
    let token = granted_refresh_token(&server);
    misbehave(
        &server,
        json!({"kind": "wire", "pieces": [{"send": "HTTP/1.1 200 OK\r\n"}, "hold"]}),
    );
    let result = common::http_within(&server, Duration::from_millis(300))
        .post(format!("{}/token", server.issuer()))
        .send_form([("grant_type", "refresh_token"), ("refresh_token", &token)]);
    assert!(matches!(result, Err(ureq::Error::Timeout(_))), "{result:?}");
}

#[test]
fn faulty_ports_answer_nobody_until_the_server_behaves() {
    use ConnectionFault::*;
    let server = server_with(ROTATE);
    let faults = [
        CloseAtOnce,
        ResetAtOnce,
        PlainHttp,
        OtherProtocol,
        CloseAfterClientHello,
        CutServerHello,
        Alert,
        OldTls,
        SelfSigned,
        Expired,
        NotYetValid,
        OtherHost,
        ClientCertificate,
        CloseAfterHandshake,
    ];
    let ports = faults.map(|fault| (fault, server.open_faulty_port(fault).expect("a port")));
    let base = |port| format!("https://localhost:{port}");
    let token = granted_refresh_token(&server);
    for (fault, port) in ports {
        assert!(
            refresh_at(&server, &base(port), &token).is_err(),
            "{fault:?}"
        );
    }
    for fault in [Silent, SilentAfterHandshake] {
        let port = server.open_faulty_port(fault).expect("a port");
        let result = common::http_within(&server, Duration::from_millis(300))
            .get(format!("{}/api/me", base(port)))
            .call();
        assert!(
            matches!(result, Err(ureq::Error::Timeout(_))),
            "{fault:?}: {result:?}"
        );
    }
    assert!(server.journal().is_empty());

    server.behave();
    let mut token = token;
    for (fault, port) in ports {
        let answer = refresh_at(&server, &base(port), &token).expect("an answer");
        assert_eq!(answer.status, 200, "{fault:?}");
        token = text(&answer.json(), "refresh_token");
    }
}
