//! How clients must prove who they are, and what a strict server refuses.

mod common;

use common::{
    Answer, CLIENT, REDIRECT_URI, ROTATE, SCOPE, SECRET, SUBJECT, basic, granted_refresh_token,
    http, raw_basic, refresh, server_with, text,
};
use token_vault_oauth_server::{AuthMethod, ClientAuth, ClientConfig, OAuthServer};

/// A refresh with whatever credentials; returns status and error code.
fn attempt(
    server: &OAuthServer,
    authorization: Option<String>,
    body: &[(&str, &str)],
) -> (u16, String) {
    let token = granted_refresh_token(server);
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", token.as_str()),
    ];
    let mut call = http(server).post(format!("{}/token", server.issuer()));
    if let Some(authorization) = authorization {
        call = call.header("authorization", authorization);
    }
    let answer = Answer::read(call.send_form(form.iter().chain(body).copied())).expect("an answer");
    let body = answer.json();
    (
        answer.status,
        body["error"].as_str().unwrap_or_default().to_owned(),
    )
}

fn outcome(status: u16, error: &str) -> (u16, String) {
    (status, error.to_owned())
}

#[test]
fn basic_credentials_are_form_encoded() {
    let server = server_with(ROTATE);
    assert_eq!(
        attempt(&server, Some(basic(CLIENT, SECRET)), &[]),
        outcome(200, "")
    );
    assert_eq!(
        attempt(&server, Some(raw_basic(&format!("{CLIENT}:{SECRET}"))), &[]),
        outcome(401, "invalid_client")
    );
    for malformed in [
        "Basic ?".to_owned(),
        raw_basic("no colon"),
        "Bearer x".to_owned(),
    ] {
        assert_eq!(
            attempt(&server, Some(malformed), &[]),
            outcome(401, "invalid_client")
        );
    }
    assert_eq!(
        server.journal()[0].auth_method,
        Some(AuthMethod::ClientSecretBasic)
    );
}

#[test]
fn a_wrong_secret_is_challenged_and_spends_nothing() {
    let server = server_with(ROTATE);
    let token = granted_refresh_token(&server);
    let call = http(&server)
        .post(format!("{}/token", server.issuer()))
        .header("authorization", basic(CLIENT, "wrong"));
    let refused =
        Answer::read(call.send_form([("grant_type", "refresh_token"), ("refresh_token", &token)]));
    let refused = refused.expect("an answer");
    assert_eq!(
        (refused.status, text(&refused.json(), "error").as_str()),
        (401, "invalid_client")
    );
    assert!(refused.header("www-authenticate").starts_with("Basic "));
    assert_eq!(refresh(&server, &token).expect("an answer").status, 200);
}

#[test]
fn only_the_registered_method_is_accepted() {
    let server = server_with(ROTATE);
    let in_body = [("client_id", CLIENT), ("client_secret", SECRET)];
    let in_header = || Some(basic(CLIENT, SECRET));
    let register = |auth| {
        let client = ClientConfig::confidential(CLIENT, SECRET, REDIRECT_URI);
        server.register(ClientConfig { auth, ..client });
    };
    assert_eq!(
        attempt(&server, None, &in_body),
        outcome(401, "invalid_client")
    );
    register(ClientAuth::ClientSecretPost);
    assert_eq!(attempt(&server, None, &in_body), outcome(200, ""));
    assert_eq!(
        attempt(&server, in_header(), &[]),
        outcome(401, "invalid_client")
    );
    register(ClientAuth::AnySecret);
    assert_eq!(attempt(&server, None, &in_body), outcome(200, ""));
    assert_eq!(attempt(&server, in_header(), &[]), outcome(200, ""));
    assert_eq!(
        attempt(&server, None, &in_body[..1]),
        outcome(401, "invalid_client")
    );
    assert_eq!(
        attempt(&server, in_header(), &in_body),
        outcome(400, "invalid_request")
    );
    assert_eq!(
        attempt(&server, in_header(), &[("client_id", "other")]),
        outcome(400, "invalid_request")
    );
    assert_eq!(attempt(&server, None, &[]), outcome(400, "invalid_request"));
}

#[test]
fn a_public_client_must_not_send_an_empty_secret() {
    let server = server_with(ROTATE);
    server.register(ClientConfig::public("spa", REDIRECT_URI));
    let token = text(&server.issue("spa", SUBJECT, SCOPE), "refresh_token");
    let attempt = |extra: &[(&str, &str)]| {
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", token.as_str()),
            ("client_id", "spa"),
        ];
        let call = http(&server).post(format!("{}/token", server.issuer()));
        Answer::read(call.send_form(form.iter().chain(extra).copied()))
            .expect("an answer")
            .status
    };
    assert_eq!(attempt(&[("client_secret", "")]), 401);
    assert_eq!(attempt(&[]), 200);
}

#[test]
fn several_secrets_are_valid_and_can_change() {
    let server = server_with(ROTATE);
    let secrets = |list: &[&str]| {
        list.iter()
            .map(|secret| (*secret).to_owned())
            .collect::<Vec<_>>()
    };
    server.set_secrets(CLIENT, secrets(&["old", "new"]));
    assert_eq!(attempt(&server, Some(basic(CLIENT, "old")), &[]).0, 200);
    assert_eq!(attempt(&server, Some(basic(CLIENT, "new")), &[]).0, 200);
    server.set_secrets(CLIENT, secrets(&["new"]));
    assert_eq!(attempt(&server, Some(basic(CLIENT, "old")), &[]).0, 401);
    let indexes: Vec<_> = server
        .journal()
        .iter()
        .map(|entry| entry.secret_index)
        .collect();
    assert_eq!(indexes, [Some(0), Some(1), None]);
    assert!(server.issued_secrets().contains(&"old".to_owned()));
}

#[test]
fn another_clients_refresh_token_is_refused() {
    let server = server_with(ROTATE);
    server.register(ClientConfig::confidential("other", "x", REDIRECT_URI));
    let foreign = text(&server.issue("other", SUBJECT, SCOPE), "refresh_token");
    let refused = refresh(&server, &foreign).expect("an answer");
    assert_eq!(text(&refused.json(), "error"), "invalid_grant");
}

#[test]
fn malformed_requests_are_refused() {
    let server = server_with(ROTATE);
    let token = granted_refresh_token(&server);
    let url = format!("{}/token", server.issuer());
    let form = format!("grant_type=refresh_token&refresh_token={token}");
    let send = |url: &str, content_type: &str, body: &str| {
        let call = http(&server)
            .post(url)
            .header("authorization", basic(CLIENT, SECRET));
        let answer =
            Answer::read(call.header("content-type", content_type).send(body)).expect("an answer");
        (answer.status, text(&answer.json(), "error"))
    };
    let urlencoded = "application/x-www-form-urlencoded";
    assert_eq!(
        send(&url, "application/json", "{}"),
        outcome(400, "invalid_request")
    );
    assert_eq!(
        send(&format!("{url}?{form}"), urlencoded, &form),
        outcome(400, "invalid_request")
    );
    assert_eq!(
        send(&url, urlencoded, &format!("{form}&refresh_token=x")),
        outcome(400, "invalid_request")
    );
    assert_eq!(
        send(&url, urlencoded, "grant_type=password"),
        outcome(400, "unsupported_grant_type")
    );
    assert_eq!(
        send(&url, urlencoded, "grant_type=refresh_token&refresh_token="),
        outcome(400, "invalid_request")
    );
    let get = http(&server).get(&url).call().expect("an answer");
    assert_eq!(
        (
            get.status().as_u16(),
            get.headers()["allow"].to_str().expect("ASCII")
        ),
        (405, "POST")
    );
    assert_eq!(refresh(&server, &token).expect("an answer").status, 200);
}
