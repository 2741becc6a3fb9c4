//! What listeners are told of refreshes: names and codes as JSON, never a secret.

use postgres::types::Json;
use serde_json::{Value, json};
use token_vault_cluster::{Options, Result, wait::wait_for};
use token_vault_oauth_server::{Behaviour, Outcome};

use crate::events::Listener;
use crate::provider::{CLIENT, LIMIT, Vault};
use crate::session::{get_token, refresh_token, sqlstate};

fn start() -> Result<(Vault, Listener)> {
    let vault = Vault::start()?;
    let listener = Listener::start(&vault)?;
    Ok((vault, listener))
}

/// Nothing that a provider has ever issued is in what the listener was sent.
fn assert_no_secret(vault: &Vault, listener: &Listener) {
    let secrets = vault.server.issued_secrets();
    assert!(!secrets.is_empty() && !listener.payloads.is_empty());
    for payload in &listener.payloads {
        assert!(!secrets.iter().any(|secret| payload.contains(secret)));
    }
}

fn of_alice(event: &str, facts: Value) -> Value {
    let mut expected = json!({"event": event, "tenant": "default", "provider": "acme", "subject": "alice", "label": ""});
    let members = expected.as_object_mut().expect("an object");
    members.extend(facts.as_object().cloned().unwrap_or_default());
    expected
}

#[test]
fn a_refresh_is_told_with_its_expiry_and_its_silence_can_be_set() -> Result<()> {
    let (mut vault, mut listener) = start()?;
    vault.grant("alice")?;
    refresh_token(&mut vault.db, "alice")?;
    let mut event = listener.wait_for("refreshed")?;
    let expires_at = event["expires_at"].take();
    assert_eq!(event, of_alice("refreshed", json!({ "expires_at": null })));
    let expires_at = expires_at.as_str().ok_or("a time")?;
    let is_it =
        "SELECT expires_at = ($1::text)::timestamptz FROM vault.tokens WHERE subject = 'alice'";
    assert!(vault.db.query_one(is_it, &[&expires_at])?.get::<_, bool>(0));

    // One that does not expire.
    vault.server.misbehave(Behaviour::OmitExpiresIn, Some(1));
    refresh_token(&mut vault.db, "alice")?;
    let event = listener.wait_for("refreshed")?;
    assert_eq!(event, of_alice("refreshed", json!({ "expires_at": null })));

    vault.alter_system("token_vault.notify_refreshed", "off")?;
    vault.grant("bob")?;
    // The refresher may read the file a moment later than new sessions do.
    wait_for("silence", LIMIT, || {
        let before = listener.count("refreshed")?;
        refresh_token(&mut vault.db, "bob")?;
        Ok((listener.count("refreshed")? == before).then_some(()))
    })?;
    assert!(vault.server.revoke_family(0));
    assert_eq!(sqlstate(refresh_token(&mut vault.db, "alice")), "TV031");
    listener.wait_for("reauthorization_required")?;
    assert_no_secret(&vault, &listener);
    Ok(())
}

#[test]
fn a_dead_grant_is_told_with_its_attempt() -> Result<()> {
    let (mut vault, mut listener) = start()?;
    vault.grant("alice")?;
    assert!(vault.server.revoke_family(0));
    assert_eq!(sqlstate(refresh_token(&mut vault.db, "alice")), "TV031");
    let mut event = listener.wait_for("reauthorization_required")?;
    assert!(event["attempt"].take().is_i64());
    let expected = of_alice(
        "reauthorization_required",
        json!({"error": "invalid_grant", "attempt": null}),
    );
    assert_eq!(event, expected);
    assert_no_secret(&vault, &listener);
    Ok(())
}

#[test]
fn five_failures_in_a_row_are_told_once() -> Result<()> {
    let (mut vault, mut listener) = start()?;
    vault.grant("alice")?;
    let faulty = Behaviour::Error {
        status: 400,
        error: "invalid_scope".into(),
    };
    vault.server.misbehave(faulty, None);
    for failures in 1..=7 {
        assert_eq!(
            listener.count("refresh_fails")?,
            usize::from(failures > 5),
            "{failures}"
        );
        assert_eq!(sqlstate(refresh_token(&mut vault.db, "alice")), "TV032");
    }
    let mut event = listener.wait_for("refresh_fails")?;
    assert!(event["attempt"].take().is_i64());
    let expected = of_alice(
        "refresh_fails",
        json!({"error": "invalid_scope", "attempt": null}),
    );
    assert_eq!(event, expected);
    assert_eq!(listener.count("refresh_fails")?, 0);
    assert_no_secret(&vault, &listener);
    Ok(())
}

/// Nothing is told of what was not written: the token was stored anew meanwhile.
#[test]
fn an_outcome_that_came_too_late_is_not_told() -> Result<()> {
    let (mut vault, mut listener) = start()?;
    vault.grant("alice")?;
    vault
        .server
        .misbehave(Behaviour::Delay { ms: 1500 }, Some(1));
    vault.grant_that_is_due("alice")?;
    vault.wait_for_refreshes(1)?;
    vault.grant("alice")?;
    vault.wait_for_activity("query NOT LIKE 'refreshing%'")?;
    vault.grant("bob")?;
    refresh_token(&mut vault.db, "bob")?;
    let event = listener.wait_for("refreshed")?;
    assert_eq!(event["subject"], "bob");
    assert_eq!(vault.token("alice")?.generation, 3);
    Ok(())
}

#[test]
fn names_of_any_length_and_letters_fit() -> Result<()> {
    let (mut vault, mut listener) = start()?;
    // 512 bytes each; quotes and backslashes take twice as many in JSON.
    let awkward = [
        "\"".repeat(512),
        "\\".repeat(512),
        "𝄞".repeat(128),
        "é".repeat(256),
    ];
    for (number, name) in awkward.iter().enumerate() {
        let provider = format!(
            "{number}{}",
            &name[name.char_indices().nth(1).map_or(0, |(at, _)| at)..]
        );
        let provider: String = provider.chars().take(100).collect();
        let server = vault.server.issuer();
        vault.add_provider(&provider, &server, json!({}))?;
        vault.db.execute(
            "SELECT vault.register_client($1, provider => $1, client_id => 'app', client_secret => $2)",
            &[&provider, &crate::provider::secret(CLIENT)],
        )?;
        let answer = Json(vault.server.issue(CLIENT, "somebody", "profile"));
        vault.db.execute(
            "SELECT vault.store_token_response($1, $2, $3::jsonb, tenant => $2, label => $2)",
            &[&provider, name, &answer],
        )?;
        vault.db.execute(
            "SELECT vault.refresh_token($1, $2, tenant => $2, label => $2)",
            &[&provider, name],
        )?;
        let event = listener.wait_for("refreshed")?;
        assert_eq!(event["truncated"], Value::Null, "{number}");
        for fact in ["tenant", "subject", "label"] {
            assert_eq!(event[fact], **name, "{number}: {fact}");
        }
        assert_eq!(event["provider"], *provider);
    }
    assert_no_secret(&vault, &listener);
    Ok(())
}

/// Nobody has read the server's queue of notifications for long: refreshes go on without news, and one line of the log
/// says so.
#[test]
fn a_full_queue_costs_the_news_and_no_token() -> Result<()> {
    const WARNING: &str = "token_vault sends no events";
    let options = Options::new().without_fsync().with_fault_points();
    let mut vault = Vault::start_with(&options)?;
    let mut listener = Listener::start(&vault)?;
    vault.grant("alice")?;
    for _ in 0..3 {
        vault.cluster.arm_fault("events_sent:queue_full")?;
        refresh_token(&mut vault.db, "alice")?;
        assert!(vault.cluster.fault_has_struck());
    }
    assert_eq!(vault.outcomes(), [Outcome::Rotated; 3]);
    assert_eq!(vault.token("alice")?.generation, 4);
    assert_eq!(vault.cluster.log()?.matches(WARNING).count(), 1);
    assert_eq!(listener.count("refreshed")?, 0);

    // There is room again, and then there is none: that is said once more.
    refresh_token(&mut vault.db, "alice")?;
    listener.wait_for("refreshed")?;
    vault.cluster.arm_fault("events_sent:queue_full")?;
    refresh_token(&mut vault.db, "alice")?;
    assert_eq!(vault.cluster.log()?.matches(WARNING).count(), 2);
    let token = get_token(&mut vault.db, "alice")?;
    assert_eq!(vault.who_is(&token)?, "alice");
    vault.cluster.assert_never_crashed();
    Ok(())
}
