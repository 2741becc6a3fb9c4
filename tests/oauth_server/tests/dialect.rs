//! Token endpoints in dialects: strict about requests, and answers in the dialect's own shape.

mod common;

use serde_json::{Value, json};
use token_vault_oauth_server::dialect::catalogue::{self, Provider};
use token_vault_oauth_server::{Behaviour, ClientConfig, Config, OAuthServer, Outcome};

use common::{Answer, SCOPE, SUBJECT, http, raw_basic, text};

const SECRET: &str = "s%cr+t";

/// A server with one client, which is called like the provider whose dialect it has.
fn server(name: &str) -> (OAuthServer, Provider) {
    let found = catalogue::providers()
        .into_iter()
        .find(|said| said.name == name);
    let said = found.expect("a provider of the catalogue");
    let server = OAuthServer::start(Config::default()).expect("the server starts");
    server.register(ClientConfig {
        dialect: Some(said.dialect.clone()),
        ..ClientConfig::confidential(name, SECRET, "https://app.example/callback")
    });
    (server, said)
}

fn url(server: &OAuthServer, said: &Provider) -> String {
    format!(
        "{}/dialect/{}{}",
        server.issuer(),
        said.name,
        said.dialect.path
    )
}

fn post(server: &OAuthServer, url: &str, form: &[(&str, &str)]) -> Answer {
    let call = http(server).post(url).send_form(form.iter().copied());
    Answer::read(call).expect("an answer")
}

#[test]
fn a_nested_answer_to_a_request_with_a_parameter_of_its_own() {
    let (server, said) = server("withings");
    let first = server.issue_in_dialect("withings", SUBJECT, SCOPE);
    assert_eq!(first["status"], 0);
    let refresh_token = text(&first["body"], "refresh_token");
    let mut form = vec![
        ("grant_type", "refresh_token"),
        ("refresh_token", &refresh_token),
        ("client_id", "withings"),
        ("client_secret", SECRET),
    ];
    let endpoint = url(&server, &said);
    let refused = post(&server, &endpoint, &form);
    assert_eq!(refused.status, 400);
    assert_eq!(
        refused.json()["error_description"],
        "action is missing in the body"
    );
    form.push(("action", "requesttoken"));
    let answer = post(&server, &endpoint, &form).json();
    assert_eq!(answer["status"], 0);
    assert_ne!(
        answer["body"]["access_token"],
        first["body"]["access_token"]
    );
    // Spent: the same as always, in this provider's words.
    let again = post(&server, &endpoint, &form);
    assert_eq!(again.status, 200);
    assert_eq!(
        again.json()["error"],
        "Invalid Params: invalid refresh_token"
    );
    form[3] = ("client_secret", "wrong");
    let wrong = post(&server, &endpoint, &form).json();
    assert_eq!(wrong["error"], "Invalid Params: invalid client_secret");
    let outcomes: Vec<_> = server.journal().iter().map(|entry| entry.outcome).collect();
    let expected = [
        Outcome::Refused,
        Outcome::Rotated,
        Outcome::ReuseDetected,
        Outcome::Refused,
    ];
    assert_eq!(outcomes, expected);
}

#[test]
fn an_access_token_is_exchanged_by_get() {
    let (server, said) = server("threads");
    let first = server.issue_in_dialect("threads", SUBJECT, SCOPE);
    assert!(first.get("refresh_token").is_none());
    let get = |token: &str| {
        let call = http(&server)
            .get(url(&server, &said))
            .query("grant_type", "th_refresh_token")
            .query("access_token", token);
        Answer::read(call.call()).expect("an answer")
    };
    let answer = get(&text(&first, "access_token"));
    assert_eq!(answer.status, 200);
    assert_ne!(answer.json()["access_token"], first["access_token"]);
    assert_eq!(
        common::me(&server, &text(&answer.json(), "access_token")).json()["subject"],
        SUBJECT
    );
    let refused = get("another");
    assert_eq!(
        (refused.status, &refused.json()["error"]["code"]),
        (400, &json!(190))
    );
}

#[test]
fn the_client_asks_for_itself() {
    let (server, said) = server("zoom_s2s");
    let ask = |credentials: &str, account: &str| {
        let form = [
            ("grant_type", "account_credentials"),
            ("account_id", account),
        ];
        let call = http(&server)
            .post(url(&server, &said))
            .header("authorization", raw_basic(credentials));
        Answer::read(call.send_form(form)).expect("an answer")
    };
    let answer = ask("zoom_s2s:s%25cr%2Bt", "abc123");
    assert_eq!(answer.status, 200);
    assert!(answer.json().get("refresh_token").is_none());
    assert_eq!(ask("zoom_s2s:s%25cr%2Bt", "other").status, 400);
    assert_eq!(
        ask("zoom_s2s:wrong", "abc123").json()["error"],
        "invalid_client"
    );
    // A secret that is not form-encoded means another one.
    assert_eq!(
        ask(&format!("zoom_s2s:{SECRET}"), "abc123").json()["error"],
        "invalid_client"
    );
}

#[test]
fn misbehaviour_reaches_dialects_too() {
    let (server, said) = server("dingtalk");
    let first = server.issue_in_dialect("dingtalk", SUBJECT, SCOPE);
    let body = json!({
        "clientId": "dingtalk", "clientSecret": SECRET, "grantType": "refresh_token",
        "refreshToken": text(&first, "refreshToken"),
    });
    let ask = || {
        let call = http(&server).post(url(&server, &said));
        Answer::read(
            call.header("content-type", "application/json")
                .send(body.to_string()),
        )
    };
    server.misbehave_to("dingtalk", Behaviour::Html { status: 502 }, Some(1));
    assert_eq!(ask().expect("an answer").status, 502);
    server.misbehave_to(
        "dingtalk",
        Behaviour::ExpiresInAs { value: Value::Null },
        Some(1),
    );
    let answer = ask().expect("an answer");
    assert!(answer.json()["accessToken"].is_string());
    assert_eq!(answer.json()["expires_in"], Value::Null);
}

#[test]
fn there_is_nothing_without_a_dialect() {
    let server = common::server_with(common::ROTATE);
    let endpoint = format!("{}/dialect/{}/token", server.issuer(), common::CLIENT);
    assert_eq!(post(&server, &endpoint, &[]).status, 404);
    let unknown = format!("{}/dialect/nobody/token", server.issuer());
    assert_eq!(post(&server, &unknown, &[]).status, 404);
}
