//! `vault.attention`: what expires, what fails, what needs a person, and why.

use postgres::types::Json;
use serde_json::{Value, json};
use token_vault_cluster::Result;
use token_vault_oauth_server::{Behaviour, RefreshPolicy};

use crate::provider::{CLIENT, Vault};
use crate::session::{refresh_token, sqlstate};

/// The reasons that are given for the subject's token, or for a client where it is None.
fn reasons(vault: &mut Vault, subject: Option<&str>) -> Result<Vec<(String, bool)>> {
    let query = "SELECT reason, needs_person FROM vault.attention WHERE subject IS NOT DISTINCT FROM $1 ORDER BY reason";
    let rows = vault.db.query(query, &[&subject])?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

fn assert_reason(vault: &mut Vault, subject: &str, reason: &str, needs_person: bool) -> Result<()> {
    let expected = [(reason.to_owned(), needs_person)];
    assert_eq!(reasons(vault, Some(subject))?, expected, "{subject}");
    Ok(())
}

fn add_provider(vault: &mut Vault, name: &str, settings: Value) -> Result<()> {
    let server = vault.server.issuer();
    vault.add_provider(name, &server, settings)?;
    vault.register_at_provider(name, RefreshPolicy::default());
    vault.add_client_of(name, name, json!({}))
}

/// Stores a made-up token.
fn store(vault: &mut Vault, provider: &str, subject: &str, members: Value) -> Result<()> {
    let mut answer = json!({"access_token": "at-example"});
    answer
        .as_object_mut()
        .expect("an object")
        .extend(members.as_object().cloned().unwrap_or_default());
    vault.db.execute(
        "SELECT vault.store_token_response($1, $2, $3::jsonb)",
        &[&provider, &subject, &Json(answer)],
    )?;
    Ok(())
}

#[test]
fn a_healthy_vault_has_nothing_to_say() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.grant("alice")?;
    vault.grant_that_is_due("bob")?;
    // Those that do not expire or live long, and one that is left alone on purpose until it is used.
    store(&mut vault, "acme", "eternal", json!({}))?;
    store(
        &mut vault,
        "acme",
        "young",
        json!({ "expires_in": 864_000 }),
    )?;
    vault.grant("idle")?;
    vault
        .db
        .batch_execute("SELECT vault.set_refresh_policy('acme', 'idle', 'on_use')")?;
    vault.grant_that_is_due("idle")?;
    vault.wait_for_token("idle", "refresh_due_at IS NULL")?;
    vault.wait_for_token("bob", "generation = 2")?;
    add_provider(
        &mut vault,
        "lasting",
        json!({ "grant_lifetime": 8_640_000 }),
    )?;
    store(
        &mut vault,
        "lasting",
        "carol",
        json!({ "expires_in": 3600, "refresh_token": "rt-example" }),
    )?;
    // A client that nothing was obtained with may be off.
    vault.add_client("spare")?;
    vault
        .db
        .batch_execute("SELECT vault.disable_client('spare')")?;
    assert_eq!(vault.count("vault.attention")?, 0);
    Ok(())
}

#[test]
fn a_dead_grant_and_a_failing_refresh_are_told() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.grant("dead")?;
    assert!(vault.server.revoke_family(0));
    assert_eq!(sqlstate(refresh_token(&mut vault.db, "dead")), "TV031");
    assert_reason(&mut vault, "dead", "reauthorization_required", true)?;

    vault.grant("failing")?;
    let faulty = Behaviour::Error {
        status: 400,
        error: "invalid_scope".into(),
    };
    vault.server.misbehave(faulty, None);
    assert_eq!(sqlstate(refresh_token(&mut vault.db, "failing")), "TV032");
    assert_reason(&mut vault, "failing", "refresh_fails", false)?;
    for _ in 2..=5 {
        assert_eq!(sqlstate(refresh_token(&mut vault.db, "failing")), "TV032");
    }
    assert_reason(&mut vault, "failing", "refresh_fails", true)?;
    let row = vault.db.query_one(
        "SELECT error, advice, since <= now(), ends_at > now(), client FROM vault.attention WHERE subject = 'failing'",
        &[],
    )?;
    assert_eq!(row.get::<_, &str>(0), "invalid_scope");
    assert!(row.get::<_, &str>(1).starts_with("failed 5 times"));
    assert!(row.get::<_, bool>(2) && row.get(3));
    assert_eq!(row.get::<_, &str>(4), CLIENT);

    vault.server.behave();
    refresh_token(&mut vault.db, "failing")?;
    assert!(reasons(&mut vault, Some("failing"))?.is_empty());
    Ok(())
}

#[test]
fn an_outcome_that_is_not_known_is_told() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.grant("alice")?;
    // Rotated; then nothing is heard any more.
    vault.server.misbehave(Behaviour::DropBeforeAnswer, Some(1));
    vault
        .server
        .misbehave(Behaviour::DropBeforeProcessing, None);
    assert_eq!(sqlstate(refresh_token(&mut vault.db, "alice")), "TV032");
    vault.wait_for_token("alice", "refresh_failures >= 2")?;
    assert_reason(&mut vault, "alice", "outcome_unknown", false)
}

#[test]
fn what_is_overdue_is_told() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.pause()?;
    vault.grant_that_is_due("alice")?;
    assert!(reasons(&mut vault, Some("alice"))?.is_empty());
    vault.db.batch_execute(
        "UPDATE vault.refresh_schedule SET due_at = due_at - interval '6 minutes'",
    )?;
    assert_reason(&mut vault, "alice", "overdue", true)?;
    vault.grant("alice")?;
    assert!(reasons(&mut vault, Some("alice"))?.is_empty());
    Ok(())
}

#[test]
fn what_expires_and_is_not_refreshed_is_told() -> Result<()> {
    let mut vault = Vault::start()?;
    store(&mut vault, "acme", "single", json!({ "expires_in": 0 }))?;
    assert_reason(&mut vault, "single", "expires", true)?;
    vault.grant("left")?;
    vault
        .db
        .batch_execute("SELECT vault.set_refresh_policy('acme', 'left', 'never')")?;
    assert!(reasons(&mut vault, Some("left"))?.is_empty(), "not yet");
    vault.grant_that_is_due("left")?;
    assert_reason(&mut vault, "left", "expires", true)?;
    let advice = "SELECT advice FROM vault.attention WHERE subject = 'left'";
    let advice: String = vault.db.query_one(advice, &[])?.get(0);
    assert!(advice.contains("policy is \"never\""), "{advice}");
    Ok(())
}

#[test]
fn a_grant_that_ends_whatever_is_done_is_told() -> Result<()> {
    let mut vault = Vault::start()?;
    add_provider(&mut vault, "ending", json!({ "grant_lifetime": 86_400 }))?;
    store(
        &mut vault,
        "ending",
        "alice",
        json!({ "expires_in": 3600, "refresh_token": "rt-example" }),
    )?;
    assert!(reasons(&mut vault, Some("alice"))?.is_empty(), "not yet");
    vault.db.batch_execute(
        "UPDATE vault.token SET authorized_at = authorized_at - interval '13 hours'",
    )?;
    assert_reason(&mut vault, "alice", "grant_ends", true)?;
    let ends = "SELECT ends_at - now() BETWEEN interval '10 hours' AND interval '11 hours' FROM vault.attention";
    assert!(vault.db.query_one(ends, &[])?.get::<_, bool>(0));
    Ok(())
}

#[test]
fn clients_that_are_off_or_missing_are_told() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.grant("alice")?;
    vault
        .db
        .batch_execute("SELECT vault.disable_client('app')")?;
    assert_eq!(
        reasons(&mut vault, None)?,
        [("client_disabled".to_owned(), true)]
    );
    vault
        .db
        .batch_execute("SELECT vault.enable_client('app')")?;
    assert!(reasons(&mut vault, None)?.is_empty());

    let server = vault.server.issuer();
    vault.add_provider("unregistered", &server, json!({}))?;
    let lasting = json!({ "expires_in": 3600, "refresh_token": "rt-example" });
    store(&mut vault, "unregistered", "bob", lasting)?;
    assert_reason(&mut vault, "bob", "no_client", true)?;
    vault.register_at_provider("late", RefreshPolicy::default());
    vault.add_client_of("unregistered", "late", json!({}))?;
    assert!(reasons(&mut vault, Some("bob"))?.is_empty());
    Ok(())
}

#[test]
fn a_bound_session_sees_its_tenants_rows_and_those_of_all() -> Result<()> {
    let mut vault = Vault::start()?;
    for tenant in ["blue", "red"] {
        vault.db.execute(
            "SELECT vault.store_token('acme', 'alice', 'at-example', expires_in => 0, tenant => $1),
                    vault.register_client('own', 'acme', 'own', tenant => $1)",
            &[&tenant],
        )?;
        vault.db.execute(
            "SELECT vault.store_token('acme', 'bob', 'at-example', 'rt-example', tenant => $1),
                    vault.disable_client('own', tenant => $1)",
            &[&tenant],
        )?;
    }
    vault.grant("shared")?;
    vault
        .db
        .batch_execute("SELECT vault.disable_client('app')")?;
    let tenants = "SELECT array_agg(DISTINCT coalesce(tenant, 'all') ORDER BY coalesce(tenant, 'all')) FROM vault.attention";
    let seen =
        |vault: &mut Vault| -> Result<Vec<String>> { Ok(vault.db.query_one(tenants, &[])?.get(0)) };
    assert_eq!(seen(&mut vault)?, ["all", "blue", "red"]);
    vault.db.batch_execute("SET token_vault.tenant = 'blue'")?;
    assert_eq!(seen(&mut vault)?, ["all", "blue"]);
    Ok(())
}

#[test]
fn only_readers_and_administrators_see_it() -> Result<()> {
    let mut vault = Vault::start()?;
    store(&mut vault, "acme", "single", json!({ "expires_in": 0 }))?;
    for (privilege, sees) in [
        ("read", true),
        ("admin", true),
        ("write", false),
        ("refresh", false),
    ] {
        vault.db.batch_execute(&format!(
            "CREATE ROLE r_{privilege} LOGIN; SELECT vault.grant_access('r_{privilege}', '{{{privilege}}}')"
        ))?;
        let mut session = vault
            .cluster
            .connect(crate::provider::DATABASE, &format!("r_{privilege}"))?;
        let rows = session.query("SELECT reason FROM vault.attention", &[]);
        match rows {
            Ok(rows) => assert_eq!(!rows.is_empty(), sees, "{privilege}"),
            Err(error) => {
                assert!(!sees, "{privilege}: {error}");
                assert_eq!(sqlstate(Err::<(), _>(error)), "42501", "{privilege}");
            }
        }
    }
    Ok(())
}
