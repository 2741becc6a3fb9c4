//! What the journal says of answers on their way.

mod common;

use std::time::{Duration, SystemTime};

use common::{
    CLIENT, ROTATE, SECRET, basic, granted_refresh_token, http, refresh, server_with, text,
};
use token_vault_oauth_server::{Behaviour, Outcome, handle};

#[test]
fn an_answer_is_delivered_when_it_has_been_handed_over() {
    let server = server_with(ROTATE);
    server.misbehave(Behaviour::Delay { ms: 100 }, Some(1));
    let token = granted_refresh_token(&server);
    let answer = refresh(&server, &token).expect("an answer").json();
    let entry = server.journal().remove(0);
    let delivered_at = entry.delivered_at.expect("delivered");
    assert!(delivered_at >= entry.at + Duration::from_millis(100));
    assert!(delivered_at <= SystemTime::now());
    assert_eq!(entry.refresh_token_id, Some(handle(&token)));
    let new = text(&answer, "refresh_token");
    assert_eq!(entry.new_refresh_token_id, Some(handle(&new)));
}

#[test]
fn an_answer_that_nobody_waits_for_or_that_is_cut_is_not_delivered() {
    let server = server_with(ROTATE);
    server.misbehave(Behaviour::Delay { ms: 200 }, Some(1));
    server.misbehave(Behaviour::CutInBody, Some(1));
    let impatient = http(&server)
        .post(format!("{}/token", server.issuer()))
        .config()
        .timeout_global(Some(Duration::from_millis(100)))
        .build()
        .header("authorization", basic(CLIENT, SECRET))
        .send_form([
            ("grant_type", "refresh_token"),
            ("refresh_token", &granted_refresh_token(&server)),
        ]);
    assert!(impatient.is_err());
    assert!(refresh(&server, &granted_refresh_token(&server)).is_err());
    // Over by now: the next answer comes after the delay.
    server.misbehave(Behaviour::Delay { ms: 300 }, Some(1));
    refresh(&server, &granted_refresh_token(&server)).expect("an answer");
    let journal = server.journal();
    assert!(
        journal
            .iter()
            .all(|entry| entry.outcome == Outcome::Rotated)
    );
    let delivered: Vec<_> = journal
        .iter()
        .map(|entry| entry.delivered_at.is_some())
        .collect();
    assert_eq!(delivered, [false, false, true]);
}
