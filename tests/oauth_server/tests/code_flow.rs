//! The authorization-code grant with PKCE, as a browser and an application live it.

mod common;

use common::{
    CLIENT, REDIRECT_URI, ROTATE, SCOPE, SECRET, SUBJECT, application, http, me, server_with, text,
};
use serde_json::json;
use token_vault_oauth_server::user_agent::{
    Application, Approved, UserAgentError, authorize_and_exchange,
};
use token_vault_oauth_server::{ClientConfig, Endpoint, Outcome};

#[test]
fn the_whole_flow_yields_working_tokens() {
    let server = server_with(ROTATE);
    let (issuer, ca) = (server.issuer(), server.ca_pem());
    let answer = authorize_and_exchange(
        &issuer,
        ca,
        CLIENT,
        Some(SECRET),
        REDIRECT_URI,
        SUBJECT,
        SCOPE,
    )
    .expect("the flow succeeds");

    assert_eq!(answer["token_type"], "Bearer");
    assert_eq!(answer["expires_in"], 3600);
    assert_eq!(answer["scope"], SCOPE);
    assert_eq!(text(&answer, "access_token").len(), 1200);
    assert_eq!(text(&answer, "refresh_token").len(), 43);
    let who = me(&server, &text(&answer, "access_token"));
    assert_eq!((who.status, &who.json()["subject"]), (200, &json!(SUBJECT)));

    let issued = server.issued_secrets();
    for secret in [
        text(&answer, "access_token"),
        text(&answer, "refresh_token"),
        SECRET.to_owned(),
    ] {
        assert!(issued.contains(&secret), "the list of secrets lacks one");
    }
    let journal = server.journal();
    assert_eq!(journal.len(), 1);
    assert_eq!(
        (journal[0].endpoint, journal[0].outcome),
        (Endpoint::Token, Outcome::Issued)
    );
    assert_eq!(journal[0].grant_type.as_deref(), Some("authorization_code"));
    let written = json!(journal).to_string();
    assert!(
        !issued
            .iter()
            .any(|secret| written.contains(secret.as_str())),
        "a secret is in the journal"
    );
}

#[test]
fn a_public_client_needs_no_secret() {
    let server = server_with(ROTATE);
    server.register(ClientConfig::public("spa", REDIRECT_URI));
    let answer = authorize_and_exchange(
        &server.issuer(),
        server.ca_pem(),
        "spa",
        None,
        REDIRECT_URI,
        SUBJECT,
        SCOPE,
    );
    let access_token = text(&answer.expect("the flow succeeds"), "access_token");
    assert_eq!(me(&server, &access_token).json()["client_id"], "spa");
}

#[test]
fn a_wrong_verifier_is_refused_and_spends_the_code() {
    let server = server_with(ROTATE);
    let application = application(&server);
    let approved = application
        .authorize(REDIRECT_URI, SUBJECT, SCOPE)
        .expect("a code");
    let stolen = Approved {
        code: approved.code.clone(),
        code_verifier: "v".repeat(43),
        redirect_uri: REDIRECT_URI.to_owned(),
    };
    assert_eq!(
        application.exchange(&stolen).expect("an answer").error(),
        Some("invalid_grant")
    );
    assert_eq!(
        application.exchange(&approved).expect("an answer").error(),
        Some("invalid_grant")
    );
    assert!(
        server
            .journal()
            .iter()
            .all(|entry| entry.outcome == Outcome::Refused)
    );
}

#[test]
fn another_redirect_uri_is_refused_at_the_exchange() {
    let server = server_with(ROTATE);
    let application = application(&server);
    let mut approved = application
        .authorize(REDIRECT_URI, SUBJECT, SCOPE)
        .expect("a code");
    approved.redirect_uri.push('/');
    assert_eq!(
        application.exchange(&approved).expect("an answer").error(),
        Some("invalid_grant")
    );
}

#[test]
fn a_code_used_twice_revokes_what_it_was_exchanged_for() {
    let server = server_with(ROTATE);
    let application = application(&server);
    let approved = application
        .authorize(REDIRECT_URI, SUBJECT, SCOPE)
        .expect("a code");
    let answer = application
        .exchange(&approved)
        .and_then(|answer| answer.into_success())
        .expect("tokens");
    assert_eq!(me(&server, &text(&answer, "access_token")).status, 200);

    assert_eq!(
        application.exchange(&approved).expect("an answer").error(),
        Some("invalid_grant")
    );
    assert_eq!(me(&server, &text(&answer, "access_token")).status, 401);
    let refreshed = application
        .refresh(&text(&answer, "refresh_token"))
        .expect("an answer");
    assert_eq!(refreshed.error(), Some("invalid_grant"));
    let outcomes: Vec<_> = server.journal().iter().map(|entry| entry.outcome).collect();
    assert_eq!(
        outcomes,
        [Outcome::Issued, Outcome::ReuseDetected, Outcome::Refused]
    );
}

#[test]
fn another_client_cannot_use_a_code() {
    let server = server_with(ROTATE);
    server.register(ClientConfig::confidential(
        "thief",
        "another secret",
        REDIRECT_URI,
    ));
    let application = application(&server);
    let approved = application
        .authorize(REDIRECT_URI, SUBJECT, SCOPE)
        .expect("a code");
    let thief = Application::discover(
        &server.issuer(),
        server.ca_pem(),
        "thief",
        Some("another secret"),
    );
    let theft = thief
        .expect("metadata")
        .exchange(&approved)
        .expect("an answer");
    assert_eq!(theft.error(), Some("invalid_grant"));
    assert_eq!(
        application.exchange(&approved).expect("an answer").status,
        200
    );
}

#[test]
fn authorization_without_s256_is_refused() {
    let server = server_with(ROTATE);
    let base = format!(
        "{}/authorize?client_id={CLIENT}&redirect_uri=https%3A%2F%2Fapp.example%2Fcallback%3Ftenant%3D1\
         &response_type=code&login_hint=u&state=xyz",
        server.issuer()
    );
    for pkce in [
        "",
        "&code_challenge=abc&code_challenge_method=plain",
        "&code_challenge_method=S256",
    ] {
        let answer = http(&server)
            .get(format!("{base}{pkce}"))
            .call()
            .expect("an answer");
        let location = answer.headers()["location"].to_str().expect("ASCII");
        assert!(
            location.starts_with(&format!(
                "{REDIRECT_URI}&error=invalid_request&state=xyz&iss="
            )),
            "{location}"
        );
    }
}

#[test]
fn an_unregistered_redirect_uri_is_never_redirected_to() {
    let server = server_with(ROTATE);
    let refused = application(&server)
        .authorize("https://evil.example/callback", SUBJECT, SCOPE)
        .err();
    assert!(
        matches!(refused, Some(UserAgentError::Refused { status: 400, .. })),
        "{refused:?}"
    );
}
