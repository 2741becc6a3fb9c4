//! Refresh tokens that die of disuse are used in time, also where nobody needs a new access token.

use postgres::types::Json;
use serde_json::{Value, json};
use token_vault_cluster::Result;
use token_vault_oauth_server::Behaviour;

use crate::provider::Vault;

/// How long the provider's refresh tokens live without being used, in seconds; they are used in the first half.
const LIFETIME: i64 = 12;

/// A vault whose provider forgets refresh tokens that are not used.
fn forgetful() -> Result<Vault> {
    let mut vault = Vault::start()?;
    let server = vault.server.issuer();
    vault.add_provider(
        "acme",
        &server,
        json!({ "refresh_token_lifetime": LIFETIME }),
    )?;
    Ok(vault)
}

/// Stores a token that is not known to expire.
fn grant_for_ever(vault: &mut Vault, subject: &str, changes: Value) -> Result<()> {
    let mut answer = vault.server.issue("app", subject, "profile");
    let answer_members = answer.as_object_mut().ok_or("an object")?;
    answer_members.remove("expires_in");
    answer_members.extend(changes.as_object().cloned().unwrap_or_default());
    vault.db.execute(
        "SELECT vault.store_token_response('acme', $1, $2::jsonb)",
        &[&subject, &Json(&answer)],
    )?;
    Ok(())
}

/// Waits for so many refreshes, and checks that each came before the end of the refresh token that it used.
fn wait_for_timely_refreshes(vault: &mut Vault, subject: &str, refreshes: i64) -> Result<()> {
    let times = "SELECT coalesce(refreshed_at, issued_at), refresh_token_expires_at FROM vault.tokens WHERE subject = $1";
    let mut dies_at: std::time::SystemTime = vault.db.query_one(times, &[&subject])?.get(1);
    for generation in 2..2 + refreshes {
        vault.wait_for_token(subject, &format!("generation >= {generation}"))?;
        let row = vault.db.query_one(times, &[&subject])?;
        let refreshed_at: std::time::SystemTime = row.get(0);
        assert!(refreshed_at < dies_at, "{subject}, generation {generation}");
        dies_at = row.get(1);
    }
    Ok(())
}

#[test]
fn d4_a_refresh_token_is_used_before_it_dies_again_and_again() -> Result<()> {
    let mut vault = forgetful()?;
    grant_for_ever(&mut vault, "alice", json!({}))?;
    vault.wait_for_token(
        "alice",
        "expires_at IS NULL AND refresh_due_at < refresh_token_expires_at",
    )?;
    wait_for_timely_refreshes(&mut vault, "alice", 3)
}

#[test]
fn d4_so_it_is_where_the_answer_says_how_long_it_lives() -> Result<()> {
    let mut vault = Vault::start()?;
    let lifetime = json!({ "refresh_token_expires_in": LIFETIME });
    let fields = lifetime.as_object().cloned().unwrap_or_default();
    vault
        .server
        .misbehave(Behaviour::ExtraFields { fields }, Some(1));
    grant_for_ever(&mut vault, "alice", lifetime)?;
    wait_for_timely_refreshes(&mut vault, "alice", 1)?;
    // The next answer says nothing of the new refresh token.
    vault.wait_for_token(
        "alice",
        "generation = 3 AND refresh_token_expires_at IS NULL",
    )
}

#[test]
fn an_unused_grant_is_kept_alive_unless_its_policy_is_never() -> Result<()> {
    let mut vault = forgetful()?;
    for (subject, policy) in [("idle", "on_use"), ("left", "never")] {
        grant_for_ever(&mut vault, subject, json!({}))?;
        let set = "SELECT vault.set_refresh_policy('acme', $1, $2)";
        vault.db.execute(set, &[&subject, &policy])?;
    }
    // Its access token expires first, and is let go.
    vault.grant_for("short", json!({ "expires_in": 2 }))?;
    vault
        .db
        .batch_execute("SELECT vault.set_refresh_policy('acme', 'short', 'on_use')")?;
    vault.wait_for_token(
        "short",
        "status = 'expired' AND refresh_due_at > now() AND generation = 1",
    )?;
    for subject in ["idle", "short"] {
        wait_for_timely_refreshes(&mut vault, subject, 2)?;
    }
    let left = vault.token("left")?;
    assert_eq!((left.generation, left.is_scheduled), (1, false));
    Ok(())
}

#[test]
fn a_grant_whose_policy_is_not_never_any_longer_is_kept_alive_again() -> Result<()> {
    let mut vault = forgetful()?;
    grant_for_ever(&mut vault, "alice", json!({}))?;
    for (policy, is_scheduled) in [
        ("never", false),
        ("always", true),
        ("never", false),
        ("on_use", true),
    ] {
        let set = "SELECT vault.set_refresh_policy('acme', 'alice', $1)";
        vault.db.execute(set, &[&policy])?;
        assert_eq!(vault.token("alice")?.is_scheduled, is_scheduled, "{policy}");
    }
    wait_for_timely_refreshes(&mut vault, "alice", 1)
}

/// It rested until its grant has to be kept alive, in days.
#[test]
fn a_token_that_rests_for_days_goes_on_when_its_policy_is_always_again() -> Result<()> {
    let mut vault = Vault::start()?;
    let server = vault.server.issuer();
    vault.add_provider(
        "acme",
        &server,
        json!({ "refresh_token_lifetime": 864_000 }),
    )?;
    vault.grant("alice")?;
    vault
        .db
        .batch_execute("SELECT vault.set_refresh_policy('acme', 'alice', 'on_use')")?;
    vault.grant_that_is_due("alice")?;
    vault.wait_for_token("alice", "refresh_due_at > now() + interval '1 day'")?;
    vault
        .db
        .batch_execute("SELECT vault.set_refresh_policy('acme', 'alice', 'always')")?;
    vault.wait_for_token("alice", "generation = 3")?;
    Ok(())
}
