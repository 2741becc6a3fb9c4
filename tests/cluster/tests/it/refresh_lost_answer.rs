//! A lost answer is remembered by the number of its attempt, whatever comes after it, until an answer comes.

use serde_json::json;
use token_vault_cluster::Result;
use token_vault_oauth_server::{Behaviour, Outcome};

use crate::events::Listener;
use crate::provider::{CLIENT, ROTATION_WITH_LEEWAY, Vault};
use crate::session::{refresh_token, sqlstate};

fn attempt(vault: &mut Vault, subject: &str) -> Result<Option<i64>> {
    let query = "SELECT refresh_attempt FROM vault.tokens WHERE subject = $1";
    Ok(vault.db.query_one(query, &[&subject])?.get(0))
}

/// The number of the attempt that was made last.
fn last_attempt(vault: &mut Vault) -> Result<i64> {
    let query = "SELECT last_value FROM vault.refresh_attempt";
    Ok(vault.db.query_one(query, &[])?.get(0))
}

#[test]
fn a_strict_provider_that_lost_an_answer_is_blamed_with_its_attempt() -> Result<()> {
    let mut vault = Vault::start()?;
    let mut listener = Listener::start(&vault)?;
    vault.grant("alice")?;
    vault.grant("bob")?;
    refresh_token(&mut vault.db, "bob")?;
    let lost = last_attempt(&mut vault)? + 1;
    vault.server.misbehave(Behaviour::DropBeforeAnswer, Some(1));
    assert_eq!(sqlstate(refresh_token(&mut vault.db, "alice")), "TV031");
    let error = format!("invalid_grant after a lost answer (attempt {lost})");
    assert_eq!(vault.token("alice")?.last_error.as_deref(), Some(&*error));
    let event = listener.wait_for("reauthorization_required")?;
    assert_eq!(event["error"], error);
    assert_eq!(event["attempt"], lost + 1, "the one that was refused");
    let outcomes = vault.outcomes();
    assert_eq!(
        outcomes,
        [Outcome::Rotated, Outcome::Rotated, Outcome::ReuseDetected]
    );
    Ok(())
}

/// The provider may have rotated, and what it says later does not tell: only an answer, or the grant's end, does.
#[test]
fn later_failures_keep_the_attempt_on_record() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.grant("alice")?;
    vault.grant("bob")?;
    refresh_token(&mut vault.db, "bob")?;
    let lost = last_attempt(&mut vault)? + 1;
    vault.server.misbehave(Behaviour::DropBeforeAnswer, Some(1));
    vault.server.misbehave(
        Behaviour::Error {
            status: 400,
            error: "invalid_request".into(),
        },
        Some(1),
    );
    assert_eq!(sqlstate(refresh_token(&mut vault.db, "alice")), "TV032");
    vault.wait_for_token("alice", "last_error = 'invalid_request'")?;
    assert_eq!(attempt(&mut vault, "alice")?, Some(lost));
    for behaviour in [
        Behaviour::Html { status: 503 },
        Behaviour::Error {
            status: 401,
            error: "invalid_client".into(),
        },
        Behaviour::Error {
            status: 400,
            error: "invalid_scope".into(),
        },
    ] {
        vault.server.behave();
        vault.server.misbehave(behaviour.clone(), None);
        vault
            .db
            .batch_execute("SELECT vault.enable_client('app')")?;
        assert_eq!(
            sqlstate(refresh_token(&mut vault.db, "alice")),
            "TV032",
            "{behaviour:?}"
        );
        vault.wait_for_activity("query NOT LIKE 'refreshing%'")?;
        assert_eq!(attempt(&mut vault, "alice")?, Some(lost), "{behaviour:?}");
    }
    vault.server.behave();
    vault
        .db
        .batch_execute("SELECT vault.enable_client('app')")?;
    vault.wait_for_token("alice", "status = 'reauthorization_required'")?;
    let error = format!("invalid_grant after a lost answer (attempt {lost})");
    assert_eq!(vault.token("alice")?.last_error.as_deref(), Some(&*error));
    Ok(())
}

#[test]
fn an_answer_to_the_repetition_ends_the_matter() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.register_at_provider(CLIENT, ROTATION_WITH_LEEWAY);
    vault.grant("alice")?;
    vault.server.misbehave(Behaviour::DropBeforeAnswer, Some(2));
    vault.grant_for("alice", json!({ "expires_in": 0 }))?;
    vault.wait_for_token(
        "alice",
        "generation = 3 AND refresh_attempt IS NULL AND refresh_failures = 0",
    )?;
    assert!(vault.server.revoke_family(1));
    assert_eq!(sqlstate(refresh_token(&mut vault.db, "alice")), "TV031");
    assert_eq!(
        vault.token("alice")?.last_error.as_deref(),
        Some("invalid_grant")
    );
    Ok(())
}
