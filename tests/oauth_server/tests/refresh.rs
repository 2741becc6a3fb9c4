//! The refresh grant: rotation, replays, families, scopes, lifetimes, revocation.

mod common;

use std::time::{Duration, Instant};

use common::{
    Answer, CLIENT, REDIRECT_URI, ROTATE, SCOPE, SECRET, SUBJECT, application, basic,
    granted_refresh_token, http, me, refresh, server_with, text,
};
use token_vault_oauth_server::{ClientConfig, OAuthServer, Outcome, RefreshPolicy};

fn outcomes(server: &OAuthServer) -> Vec<Outcome> {
    server.journal().iter().map(|entry| entry.outcome).collect()
}

#[test]
fn rotation_returns_a_new_pair_each_time() {
    let server = server_with(ROTATE);
    let first = granted_refresh_token(&server);
    let second = refresh(&server, &first).expect("an answer");
    assert_eq!(second.header("cache-control"), "no-store");
    let second = second.json();
    let third = refresh(&server, &text(&second, "refresh_token"))
        .expect("an answer")
        .json();
    assert_ne!(first, text(&second, "refresh_token"));
    assert_ne!(
        text(&second, "refresh_token"),
        text(&third, "refresh_token")
    );
    assert_eq!(me(&server, &text(&third, "access_token")).status, 200);

    let journal = server.journal();
    let generations: Vec<_> = journal
        .iter()
        .map(|entry| (entry.generation_before, entry.generation_after))
        .collect();
    assert_eq!(generations, [(Some(0), Some(1)), (Some(1), Some(2))]);
    assert_eq!(journal[0].new_refresh_token_id, journal[1].refresh_token_id);
    assert_eq!(journal[0].family, journal[1].family);
    assert_eq!(journal[1].seq, 1);
    assert_eq!(journal[0].client_id.as_deref(), Some(CLIENT));
}

#[test]
fn a_static_refresh_token_stays_and_is_not_repeated() {
    let server = server_with(RefreshPolicy::Static);
    let token = granted_refresh_token(&server);
    for _ in 0..2 {
        let answer = refresh(&server, &token).expect("an answer").json();
        assert!(answer.get("refresh_token").is_none());
        assert_eq!(me(&server, &text(&answer, "access_token")).status, 200);
    }
    assert_eq!(outcomes(&server), [Outcome::Refreshed, Outcome::Refreshed]);
}

#[test]
fn a_replay_without_leeway_revokes_the_family_and_no_other() {
    let server = server_with(ROTATE);
    let first = granted_refresh_token(&server);
    let bystander = granted_refresh_token(&server);
    let second = refresh(&server, &first).expect("an answer").json();

    let replay = refresh(&server, &first).expect("an answer");
    assert_eq!(
        (replay.status, text(&replay.json(), "error").as_str()),
        (400, "invalid_grant")
    );
    assert_eq!(
        refresh(&server, &text(&second, "refresh_token"))
            .expect("an answer")
            .status,
        400
    );
    assert_eq!(me(&server, &text(&second, "access_token")).status, 401);
    assert_eq!(refresh(&server, &bystander).expect("an answer").status, 200);
    assert_eq!(
        outcomes(&server),
        [
            Outcome::Rotated,
            Outcome::ReuseDetected,
            Outcome::Refused,
            Outcome::Rotated
        ]
    );
}

#[test]
fn a_replay_without_reuse_detection_is_only_refused() {
    let server = server_with(RefreshPolicy::Rotate {
        reuse_detection: false,
        leeway: Duration::ZERO,
    });
    let first = granted_refresh_token(&server);
    let second = refresh(&server, &first).expect("an answer").json();
    assert_eq!(refresh(&server, &first).expect("an answer").status, 400);
    assert_eq!(
        refresh(&server, &text(&second, "refresh_token"))
            .expect("an answer")
            .status,
        200
    );
    assert_eq!(
        outcomes(&server),
        [Outcome::Rotated, Outcome::Refused, Outcome::Rotated]
    );
}

#[test]
fn a_replay_inside_the_leeway_gets_the_same_pair() {
    let server = server_with(RefreshPolicy::Rotate {
        reuse_detection: true,
        leeway: Duration::from_secs(60),
    });
    let first = granted_refresh_token(&server);
    let second = refresh(&server, &first).expect("an answer").json();
    let again = refresh(&server, &first).expect("an answer").json();
    assert_eq!(again, second);
    assert_eq!(
        refresh(&server, &text(&again, "refresh_token"))
            .expect("an answer")
            .status,
        200
    );
    assert_eq!(
        outcomes(&server),
        [Outcome::Rotated, Outcome::Repeated, Outcome::Rotated]
    );
}

#[test]
fn the_leeway_ends() {
    let leeway = Duration::from_millis(100);
    let server = server_with(RefreshPolicy::Rotate {
        reuse_detection: true,
        leeway,
    });
    let first = granted_refresh_token(&server);
    let before = Instant::now();
    let answer = refresh(&server, &first).expect("an answer").json();
    while refresh(&server, &first).expect("an answer").status == 200 {
        assert!(
            before.elapsed() < Duration::from_secs(10),
            "the leeway has no end"
        );
    }
    assert!(before.elapsed() >= leeway);
    assert_eq!(outcomes(&server).last(), Some(&Outcome::ReuseDetected));
    assert_eq!(me(&server, &text(&answer, "access_token")).status, 401);
}

#[test]
fn scope_may_shrink_and_not_grow() {
    let server = server_with(ROTATE);
    let application = application(&server);
    let token = granted_refresh_token(&server);
    let ask = |token: &str, scope: &str| {
        let parameters = [
            ("grant_type", "refresh_token"),
            ("refresh_token", token),
            ("scope", scope),
        ];
        application.token(&parameters).expect("an answer")
    };
    assert_eq!(ask(&token, "read admin").error(), Some("invalid_scope"));
    let narrowed = ask(&token, "read").into_success().expect("tokens");
    assert_eq!(narrowed["scope"], "read");
    let full = application
        .refresh(&text(&narrowed, "refresh_token"))
        .and_then(|answer| answer.into_success());
    assert_eq!(full.expect("tokens")["scope"], SCOPE);
}

#[test]
fn access_tokens_expire_by_themselves_and_on_demand() {
    let server = server_with(ROTATE);
    let long = text(&server.issue(CLIENT, SUBJECT, SCOPE), "access_token");
    server.register(ClientConfig {
        expires_in: Some(Duration::from_secs(1)),
        ..ClientConfig::confidential(CLIENT, SECRET, REDIRECT_URI)
    });
    let issued = Instant::now();
    let short = server.issue(CLIENT, SUBJECT, SCOPE);
    assert_eq!(short["expires_in"], 1);
    while me(&server, &text(&short, "access_token")).status == 200 {
        assert!(
            issued.elapsed() < Duration::from_secs(10),
            "the token does not expire"
        );
    }
    assert!(issued.elapsed() >= Duration::from_secs(1));

    assert_eq!(me(&server, &long).status, 200);
    server.expire_access_tokens();
    let refused = me(&server, &long);
    assert_eq!(
        (refused.status, refused.header("www-authenticate")),
        (401, "Bearer error=\"invalid_token\"")
    );
    server.register(ClientConfig::confidential(CLIENT, SECRET, REDIRECT_URI));
    assert_eq!(
        me(
            &server,
            &text(&server.issue(CLIENT, SUBJECT, SCOPE), "access_token")
        )
        .status,
        200
    );
}

#[test]
fn revocation_takes_a_grant_or_an_access_token() {
    let server = server_with(ROTATE);
    let answer = server.issue(CLIENT, SUBJECT, SCOPE);
    let (access_token, refresh_token) = (
        text(&answer, "access_token"),
        text(&answer, "refresh_token"),
    );
    let revoke = |token: &str| {
        let call = http(&server).post(format!("{}/revoke", server.issuer()));
        Answer::read(
            call.header("authorization", basic(CLIENT, SECRET))
                .send_form([("token", token)]),
        )
        .expect("an answer")
        .status
    };
    assert_eq!(revoke("unknown"), 200);
    assert_eq!(revoke(&access_token), 200);
    assert_eq!(me(&server, &access_token).status, 401);
    let refreshed = refresh(&server, &refresh_token).expect("an answer").json();
    assert_eq!(revoke(&text(&refreshed, "refresh_token")), 200);
    assert_eq!(me(&server, &text(&refreshed, "access_token")).status, 401);
    assert_eq!(
        refresh(&server, &text(&refreshed, "refresh_token"))
            .expect("an answer")
            .status,
        400
    );
}

#[test]
fn a_test_can_revoke_a_family() {
    let server = server_with(ROTATE);
    let token = granted_refresh_token(&server);
    let rotated = refresh(&server, &token).expect("an answer").json();
    let family = server.journal()[0].family.expect("a family");
    assert!(server.revoke_family(family));
    assert!(!server.revoke_family(family + 1));
    let refused = refresh(&server, &text(&rotated, "refresh_token")).expect("an answer");
    assert_eq!(text(&refused.json(), "error"), "invalid_grant");
}
