//! What failures mean for a token: tried again later, at once, or never, and served as long as it is valid.

use std::time::Duration;

use serde_json::json;
use token_vault_cluster::{Options, Result};
use token_vault_oauth_server::{Behaviour, Outcome, RefreshPolicy};

use crate::provider::{CLIENT, ROTATION_WITH_LEEWAY, Vault};
use crate::session::{complaint, get_token, refresh_token, sqlstate};

#[test]
fn a_dead_grant_is_never_sent_again_and_its_valid_token_still_served() -> Result<()> {
    let mut vault = Vault::start()?;
    let token = vault.grant("alice")?;
    assert!(vault.server.revoke_family(0));
    let refused = refresh_token(&mut vault.db, "alice");
    assert_eq!(sqlstate(refused), "TV031");
    let row = vault.token("alice")?;
    assert_eq!(row.status, "reauthorization_required");
    assert_eq!(row.last_error.as_deref(), Some("invalid_grant"));
    assert!(!row.is_scheduled);
    // B9: what is still valid is served.
    assert_eq!(get_token(&mut vault.db, "alice")?, token);

    vault.expire("alice")?;
    let expired = get_token(&mut vault.db, "alice");
    assert!(complaint(expired).contains("Its answer was \"invalid_grant\""));
    assert_eq!(sqlstate(refresh_token(&mut vault.db, "alice")), "TV031");
    let due = "SELECT * FROM vault.refresh_due(within => interval '10 days')";
    assert!(vault.db.query(due, &[])?.is_empty());
    assert_eq!(
        vault.refreshes().len(),
        1,
        "B9b: the dead grant was sent again"
    );

    let renewed = vault.grant("alice")?;
    assert_eq!(vault.token("alice")?.status, "valid");
    assert_eq!(get_token(&mut vault.db, "alice")?, renewed);
    refresh_token(&mut vault.db, "alice")?;
    Ok(())
}

#[test]
fn b4_b6_b7_a_provider_in_trouble_is_asked_again_later_and_condemns_nothing() -> Result<()> {
    let mut vault = Vault::start()?;
    let retry_after = |status| Behaviour::RetryAfter {
        status,
        value: "2".to_owned(),
    };
    let cases = [
        ("overloaded", retry_after(503), "temporarily_unavailable", 2),
        ("limited", retry_after(429), "temporarily_unavailable", 2),
        ("gateway", Behaviour::Html { status: 502 }, "status 502", 1),
        ("page", Behaviour::Html { status: 403 }, "status 403", 1),
        ("empty", Behaviour::Empty { status: 500 }, "status 500", 1),
    ];
    for (client, behaviour, error, _) in &cases {
        vault.add_client(client)?;
        let token = vault.grant_of(client, client, json!({}))?;
        vault
            .server
            .misbehave_to(client, behaviour.clone(), Some(1));
        let failed = refresh_token(&mut vault.db, client);
        assert_eq!(sqlstate(failed), "TV032", "{client}");
        let row = vault.token(client)?;
        assert_eq!(row.status, "valid", "{client}");
        assert_eq!(row.last_error.as_deref(), Some(*error), "{client}");
        assert_eq!(get_token(&mut vault.db, client)?, token, "{client}");
    }
    for (client, _, _, wait) in &cases {
        vault.wait_for_token(
            client,
            "generation = 2 AND last_error IS NULL AND refresh_failures = 0",
        )?;
        let requests: Vec<_> = vault
            .refreshes()
            .into_iter()
            .filter(|entry| entry.client_id.as_deref() == Some(client))
            .collect();
        assert_eq!(requests.len(), 2, "{client}");
        assert_eq!(
            requests[0].refresh_token_id, requests[1].refresh_token_id,
            "{client}"
        );
        let pause = requests[1].at.duration_since(requests[0].at)?;
        assert!(
            pause >= Duration::from_secs(*wait),
            "{client}: again after {pause:?}"
        );
    }
    Ok(())
}

#[test]
fn a7_a_lost_answer_is_asked_for_again_at_once_and_recovered() -> Result<()> {
    let options = Options::new()
        .without_fsync()
        .set("token_vault.request_timeout", "1s");
    let mut vault = Vault::start_with(&options)?;
    let cases = [
        ("dropped", Behaviour::DropBeforeAnswer),
        ("headers", Behaviour::CutInHeaders),
        ("body", Behaviour::CutInBody),
        ("late", Behaviour::Delay { ms: 20_000 }),
        ("json", Behaviour::InvalidJson),
    ];
    for (client, behaviour) in &cases {
        vault.add_client(client)?;
        vault.register_at_provider(client, ROTATION_WITH_LEEWAY);
        vault
            .server
            .misbehave_to(client, behaviour.clone(), Some(1));
        vault.grant_of(client, client, json!({ "expires_in": 0 }))?;
    }
    for (client, _) in &cases {
        vault.wait_for_token(client, "generation = 2")?;
        let requests: Vec<_> = vault
            .refreshes()
            .into_iter()
            .filter(|entry| entry.client_id.as_deref() == Some(client))
            .collect();
        let outcomes: Vec<_> = requests.iter().map(|entry| entry.outcome).collect();
        assert_eq!(outcomes, [Outcome::Rotated, Outcome::Repeated], "{client}");
        assert_eq!(
            requests[0].refresh_token_id, requests[1].refresh_token_id,
            "{client}"
        );
        let pause = requests[1].at.duration_since(requests[0].at)?;
        assert!(
            pause < Duration::from_secs(5),
            "{client}: again after {pause:?}"
        );

        // The grant lives on with the new refresh token.
        refresh_token(&mut vault.db, client)?;
        let token = get_token(&mut vault.db, client)?;
        assert_eq!(vault.who_is(&token)?, *client);
    }
    Ok(())
}

#[test]
fn a7_a_waiting_session_gets_the_token_whose_first_answer_was_lost() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.register_at_provider(CLIENT, ROTATION_WITH_LEEWAY);
    let old = vault.grant("alice")?;
    vault.expire("alice")?;
    vault.server.misbehave(Behaviour::DropBeforeAnswer, Some(1));
    let token = get_token(&mut vault.db, "alice")?;
    assert_ne!(token, old);
    assert_eq!(vault.refreshes().len(), 2);
    assert_eq!(vault.who_is(&token)?, "alice");
    Ok(())
}

#[test]
fn where_a_strict_provider_has_rotated_and_the_answer_was_lost_the_error_says_so() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.register_at_provider(CLIENT, RefreshPolicy::default());
    vault.server.misbehave(Behaviour::DropBeforeAnswer, Some(1));
    vault.grant_that_is_due("alice")?;
    vault.wait_for_token("alice", "status = 'reauthorization_required'")?;
    let error = vault.token("alice")?.last_error.unwrap_or_default();
    assert!(error.contains("lost answer"), "{error}");
    assert_eq!(sqlstate(get_token(&mut vault.db, "alice")), "TV031");
    let outcomes = vault.outcomes();
    assert_eq!(outcomes, [Outcome::Rotated, Outcome::ReuseDetected]);
    Ok(())
}

#[test]
fn a_lost_answer_is_remembered_through_later_failures() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.register_at_provider(CLIENT, RefreshPolicy::default());
    vault.server.misbehave(Behaviour::DropBeforeAnswer, Some(1));
    vault
        .server
        .misbehave(Behaviour::Html { status: 503 }, Some(1));
    vault.grant_that_is_due("alice")?;
    vault.wait_for_token("alice", "status = 'reauthorization_required'")?;
    let error = vault.token("alice")?.last_error.unwrap_or_default();
    assert!(error.contains("lost answer"), "{error}");
    Ok(())
}

#[test]
fn a_request_that_never_arrived_costs_nothing() -> Result<()> {
    let mut vault = Vault::start()?;
    vault
        .server
        .misbehave(Behaviour::DropBeforeProcessing, Some(1));
    vault.grant_that_is_due("alice")?;
    vault.wait_for_token("alice", "generation = 2")?;
    let outcomes = vault.outcomes();
    assert_eq!(outcomes, [Outcome::NotProcessed, Outcome::Rotated]);
    Ok(())
}

#[test]
fn b2_an_error_with_status_200_is_an_error() -> Result<()> {
    let mut vault = Vault::start()?;
    let token = vault.grant("alice")?;
    let body = json!({ "error": "invalid_grant" });
    vault
        .server
        .misbehave(Behaviour::ErrorIn200 { body }, Some(1));
    assert_eq!(sqlstate(refresh_token(&mut vault.db, "alice")), "TV031");
    assert_eq!(get_token(&mut vault.db, "alice")?, token);
    Ok(())
}

#[test]
fn c4_an_answer_without_expires_in_is_a_token_that_is_not_known_to_expire() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.grant("alice")?;
    vault.server.misbehave(Behaviour::OmitExpiresIn, Some(1));
    refresh_token(&mut vault.db, "alice")?;
    vault.wait_for_token(
        "alice",
        "generation = 2 AND expires_at IS NULL AND status = 'valid'",
    )?;
    // D8: it is not refreshed all the time, and can be refreshed on request.
    assert!(!vault.token("alice")?.is_scheduled);
    refresh_token(&mut vault.db, "alice")?;
    vault.wait_for_token("alice", "generation = 3 AND expires_at IS NOT NULL")?;
    assert!(vault.token("alice")?.is_scheduled);
    assert_eq!(vault.refreshes().len(), 2);
    Ok(())
}
