//! The misbehaviours: what the client gets, and whether the server has rotated meanwhile.

mod common;

use std::time::{Duration, Instant};

use common::{CLIENT, ROTATE, granted_refresh_token, refresh, server_with, text};
use serde_json::{Value, json};
use token_vault_oauth_server::{Behaviour, OAuthServer, Outcome};

/// Whether the token that was presented has been spent: the honest server refuses it then.
fn spent(server: &OAuthServer, token: &str) -> bool {
    server.behave();
    refresh(server, token).expect("an answer").status == 400
}

#[test]
fn answers_instead_of_the_server_leave_the_token_alone() {
    let cases = [
        (
            json!({"kind": "status", "code": 418, "body": "teapot"}),
            418,
            "text/plain",
            "teapot",
        ),
        (
            json!({"kind": "html", "status": 502}),
            502,
            "text/html",
            "<!DOCTYPE html>",
        ),
        (json!({"kind": "empty", "status": 200}), 200, "", ""),
        (
            json!({"kind": "error", "status": 400, "error": "invalid_grant"}),
            400,
            "application/json",
            "invalid_grant",
        ),
        (
            json!({"kind": "error_in200", "body": {"ok": false}}),
            200,
            "application/json",
            "{\"ok\":false}",
        ),
        (
            json!({"kind": "retry_after", "status": 429, "value": "7"}),
            429,
            "application/json",
            "unavailable",
        ),
        (
            json!({"kind": "redirect", "status": 307, "location": "https://x.example/"}),
            307,
            "",
            "",
        ),
    ];
    let server = server_with(ROTATE);
    for (behaviour, status, content_type, part) in cases {
        let token = granted_refresh_token(&server);
        server.misbehave(
            serde_json::from_value(behaviour.clone()).expect("a behaviour"),
            Some(1),
        );
        let answer = refresh(&server, &token).expect("an answer");
        assert_eq!(answer.status, status, "{behaviour}");
        assert_eq!(answer.header("content-type"), content_type, "{behaviour}");
        assert!(
            String::from_utf8_lossy(&answer.body).contains(part),
            "{behaviour}"
        );
        assert!(!spent(&server, &token), "{behaviour}");
        match behaviour["kind"].as_str() {
            Some("retry_after") => assert_eq!(answer.header("retry-after"), "7"),
            Some("redirect") => assert_eq!(answer.header("location"), "https://x.example/"),
            _ => {}
        }
    }
    let journal = server.journal();
    assert_eq!(journal[0].outcome, Outcome::NotProcessed);
    assert!(matches!(
        journal[0].behaviour,
        Some(Behaviour::Status { code: 418, .. })
    ));
    assert!(journal[0].refresh_token_id.is_some());
}

#[test]
fn processed_makes_them_spend_the_token() {
    let server = server_with(ROTATE);
    let token = granted_refresh_token(&server);
    let then = Box::new(Behaviour::Html { status: 504 });
    server.misbehave(Behaviour::Processed { then }, Some(1));
    assert_eq!(refresh(&server, &token).expect("an answer").status, 504);
    assert_eq!(server.journal()[0].outcome, Outcome::Rotated);
    assert!(spent(&server, &token));
}

#[test]
fn broken_connections_are_errors_and_only_one_of_them_spares_the_token() {
    let cases = [
        (Behaviour::DropBeforeProcessing, false),
        (Behaviour::DropBeforeAnswer, true),
        (Behaviour::CutInHeaders, true),
        (Behaviour::CutInBody, true),
    ];
    let server = server_with(ROTATE);
    for (behaviour, rotated) in cases {
        let token = granted_refresh_token(&server);
        server.misbehave(behaviour.clone(), None);
        assert!(refresh(&server, &token).is_err(), "{behaviour:?}");
        assert_eq!(spent(&server, &token), rotated, "{behaviour:?}");
    }
}

#[test]
fn damaged_bodies_are_damaged() {
    let server = server_with(ROTATE);
    let mut bodies = Vec::new();
    for behaviour in [Behaviour::InvalidJson, Behaviour::InvalidUtf8] {
        let token = granted_refresh_token(&server);
        server.misbehave(behaviour, Some(1));
        let answer = refresh(&server, &token).expect("an answer");
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (200, "application/json")
        );
        assert!(serde_json::from_slice::<Value>(&answer.body).is_err());
        assert!(spent(&server, &token));
        bodies.push(answer.body);
    }
    assert!(std::str::from_utf8(&bodies[0]).is_ok());
    assert!(std::str::from_utf8(&bodies[1]).is_err());
}

#[test]
fn edited_answers_are_otherwise_honest() {
    let server = server_with(ROTATE);
    type Holds = fn(&Value) -> bool;
    let cases: [(Behaviour, Holds); 4] = [
        (Behaviour::OmitRefreshToken, |answer| {
            answer.get("refresh_token").is_none()
        }),
        (Behaviour::OmitExpiresIn, |answer| {
            answer.get("expires_in").is_none()
        }),
        (
            Behaviour::ExpiresInAs {
                value: json!("3600"),
            },
            |answer| answer["expires_in"] == "3600",
        ),
        (
            Behaviour::ExtraFields {
                fields: json!({"ok": true, "token_type": null})
                    .as_object()
                    .expect("an object")
                    .clone(),
            },
            |answer| answer["ok"] == true && answer["token_type"].is_null(),
        ),
    ];
    for (behaviour, holds) in cases {
        let token = granted_refresh_token(&server);
        server.misbehave(behaviour.clone(), Some(1));
        let answer = refresh(&server, &token).expect("an answer").json();
        assert!(holds(&answer), "{behaviour:?}");
        assert!(!text(&answer, "access_token").is_empty());
        assert!(spent(&server, &token), "{behaviour:?}");
    }
}

#[test]
fn a_huge_body_is_as_long_as_asked_for_and_still_json() {
    let server = server_with(ROTATE);
    let bytes = 3_000_000;
    server.misbehave(Behaviour::HugeBody { bytes }, Some(1));
    let answer = refresh(&server, &granted_refresh_token(&server)).expect("an answer");
    assert_eq!(answer.body.len() as u64, bytes);
    assert_eq!(answer.json()["token_type"], "Bearer");
}

#[test]
fn slow_and_late_answers_take_their_time_and_are_whole() {
    let server = server_with(ROTATE);
    let cases = [
        (Behaviour::Delay { ms: 200 }, Duration::from_millis(200)),
        // About 1.5 kB.
        (
            Behaviour::Slow {
                bytes_per_second: 5_000,
            },
            Duration::from_millis(200),
        ),
    ];
    for (behaviour, at_least) in cases {
        let token = granted_refresh_token(&server);
        server.misbehave(behaviour.clone(), Some(1));
        let before = Instant::now();
        let answer = refresh(&server, &token).expect("an answer").json();
        assert!(before.elapsed() >= at_least, "{behaviour:?}");
        assert!(!text(&answer, "refresh_token").is_empty());
    }
}

#[test]
fn concurrent_requests_are_counted() {
    let server = server_with(ROTATE);
    server.misbehave(Behaviour::Delay { ms: 1500 }, Some(2));
    let tokens = [
        granted_refresh_token(&server),
        granted_refresh_token(&server),
    ];
    std::thread::scope(|scope| {
        for token in &tokens {
            scope.spawn(|| refresh(&server, token).expect("an answer"));
        }
    });
    refresh(&server, &granted_refresh_token(&server)).expect("an answer");
    let concurrent: Vec<_> = server
        .journal()
        .iter()
        .map(|entry| entry.concurrent)
        .collect();
    assert_eq!(concurrent, [1, 2, 1]);
    assert_eq!(server.token_requests(), 3);
}

#[test]
fn a_misbehaviour_can_be_for_one_client_and_what_http_forbids_is_sent_anyway() {
    let server = server_with(ROTATE);
    server.misbehave_to("other", Behaviour::DropBeforeAnswer, None);
    let forbidden = Behaviour::Status {
        code: 200,
        body: "{}".to_owned(),
        content_type: "application/json".to_owned(),
        headers: vec![("bad header".to_owned(), "x".to_owned())],
    };
    server.misbehave_to(CLIENT, forbidden, Some(1));
    let token = granted_refresh_token(&server);
    assert!(
        refresh(&server, &token).is_err(),
        "the client takes a malformed header"
    );
    assert_eq!(refresh(&server, &token).expect("an answer").status, 200);
}
