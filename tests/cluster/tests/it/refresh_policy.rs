//! Which tokens are refreshed ahead of time: all, those that are used, or none; said for a client and for single tokens.

use serde_json::json;
use token_vault_cluster::Result;

use crate::provider::{CLIENT, Vault};
use crate::session::{get_token, refresh_token, sqlstate};

fn set_policy(vault: &mut Vault, subject: &str, policy: Option<&str>) -> Result<bool> {
    let set = "SELECT vault.set_refresh_policy('acme', $1, $2)";
    Ok(vault.db.query_one(set, &[&subject, &policy])?.get(0))
}

fn set_client_policy(vault: &mut Vault, policy: &str) -> Result<()> {
    vault.add_client_of("acme", CLIENT, json!({ "refresh_policy": policy }))
}

/// The vault's policy of a token, and whether it waits for a refresh.
fn policy(vault: &mut Vault, subject: &str) -> Result<(String, bool)> {
    let query =
        "SELECT refresh_policy, refresh_due_at IS NOT NULL FROM vault.tokens WHERE subject = $1";
    let row = vault.db.query_one(query, &[&subject])?;
    Ok((row.get(0), row.get(1)))
}

/// Waits until a token that is due later than those before has been refreshed: these were looked at.
fn wait_for_a_later_one(vault: &mut Vault, subject: &str) -> Result<()> {
    vault.grant(subject)?;
    set_policy(vault, subject, Some("always"))?;
    vault.grant_that_is_due(subject)?;
    vault.wait_for_token(subject, "generation = 3")
}

#[test]
fn a_token_of_policy_never_is_refreshed_by_nobody() -> Result<()> {
    let mut vault = Vault::start()?;
    set_client_policy(&mut vault, "never")?;
    vault.grant_that_is_due("alice")?;
    assert_eq!(policy(&mut vault, "alice")?, ("never".into(), false));
    assert_eq!(sqlstate(get_token(&mut vault.db, "alice")), "TV030");
    assert_eq!(sqlstate(refresh_token(&mut vault.db, "alice")), "TV037");
    let due = "vault.refresh_due(within => interval '10 days')";
    assert_eq!(vault.count(due)?, 0);
    // One that is valid is served.
    let token = vault.grant("bob")?;
    assert_eq!(get_token(&mut vault.db, "bob")?, token);
    assert_eq!(sqlstate(refresh_token(&mut vault.db, "bob")), "TV037");

    wait_for_a_later_one(&mut vault, "carol")?;
    assert_eq!(vault.token("alice")?.generation, 1);
    assert_eq!(vault.refreshes().len(), 1);
    Ok(())
}

#[test]
fn a_single_token_may_have_a_policy_of_its_own_and_give_it_up() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.grant_for("alice", json!({ "expires_in": 3600 }))?;
    assert!(!set_policy(&mut vault, "nobody", Some("never"))?);
    assert!(set_policy(&mut vault, "alice", Some("never"))?);
    assert_eq!(policy(&mut vault, "alice")?, ("never".into(), false));
    assert_eq!(sqlstate(refresh_token(&mut vault.db, "alice")), "TV037");
    // What is stored in its place keeps the policy.
    vault.grant_that_is_due("alice")?;
    assert_eq!(policy(&mut vault, "alice")?, ("never".into(), false));
    assert_eq!(sqlstate(get_token(&mut vault.db, "alice")), "TV030");
    // Its client's policy is none of its business.
    set_client_policy(&mut vault, "always")?;
    assert_eq!(policy(&mut vault, "alice")?, ("never".into(), false));

    assert!(set_policy(&mut vault, "alice", None)?);
    vault.wait_for_token("alice", "generation = 3 AND refresh_policy = 'always'")?;
    assert_eq!(vault.refreshes().len(), 1);
    Ok(())
}

#[test]
fn a_policy_that_is_taken_back_with_its_transaction_changes_nothing() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.grant("alice")?;
    let mut transaction = vault.db.transaction()?;
    transaction.batch_execute("SELECT vault.set_refresh_policy('acme', 'alice', 'never')")?;
    transaction.rollback()?;
    assert_eq!(policy(&mut vault, "alice")?, ("always".into(), true));
    let faulty = set_policy(&mut vault, "alice", Some("sometimes"));
    assert!(faulty.unwrap_err().to_string().contains("db error"));
    refresh_token(&mut vault.db, "alice")?;
    Ok(())
}

#[test]
fn a_clients_policy_takes_hold_of_its_tokens_at_once() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.add_client("other")?;
    vault.grant_of("other", "bob", json!({}))?;
    vault.grant("alice")?;
    set_client_policy(&mut vault, "never")?;
    assert_eq!(policy(&mut vault, "alice")?, ("never".into(), false));
    assert_eq!(policy(&mut vault, "bob")?, ("always".into(), true));
    vault.grant_that_is_due("alice")?;
    assert_eq!(vault.refreshes().len(), 0);
    set_client_policy(&mut vault, "always")?;
    vault.wait_for_token("alice", "generation = 3")?;
    Ok(())
}

#[test]
fn on_use_leaves_unused_tokens_alone_until_somebody_asks() -> Result<()> {
    let mut vault = Vault::start()?;
    set_client_policy(&mut vault, "on_use")?;
    let old = vault.grant_that_is_due("alice")?;
    wait_for_a_later_one(&mut vault, "bob")?;
    vault.wait_for_token("alice", "refresh_due_at IS NULL AND generation = 1")?;
    assert_eq!(vault.refreshes().len(), 1);
    let new = get_token(&mut vault.db, "alice")?;
    assert_ne!(new, old);
    assert_eq!(vault.who_is(&new)?, "alice");
    assert_eq!(vault.count("vault.attention")?, 0, "all is as it should be");
    Ok(())
}

#[test]
fn on_use_refreshes_ahead_what_was_used_and_lets_the_new_one_rest() -> Result<()> {
    let mut vault = Vault::start()?;
    set_client_policy(&mut vault, "on_use")?;
    let short = json!({ "expires_in": 6 });
    let used = vault.grant_for("used", short.clone())?;
    vault.grant_for("unused", short)?;
    vault.server.misbehave(
        token_vault_oauth_server::Behaviour::ExpiresInAs { value: json!(2) },
        Some(1),
    );
    assert_eq!(get_token(&mut vault.db, "used")?, used);
    // Nobody asks; the new one is not used by anybody, and so it expires.
    vault.wait_for_token("used", "generation = 2")?;
    vault.wait_for_token("used", "status = 'expired' AND refresh_due_at IS NULL")?;
    vault.wait_for_token("unused", "status = 'expired' AND refresh_due_at IS NULL")?;
    assert_eq!(vault.token("used")?.generation, 2);
    assert_eq!(vault.token("unused")?.generation, 1);
    assert_eq!(vault.refreshes().len(), 1);
    Ok(())
}

#[test]
fn on_use_refreshes_soon_what_is_used_while_it_is_about_to_expire() -> Result<()> {
    let mut vault = Vault::start()?;
    set_client_policy(&mut vault, "on_use")?;
    let old = vault.grant_for("alice", json!({ "expires_in": 20 }))?;
    // Its time came, and it was left alone.
    vault.wait_for_token("alice", "refresh_due_at IS NULL")?;
    assert_eq!(get_token(&mut vault.db, "alice")?, old, "it is still valid");
    vault.wait_for_token("alice", "generation = 2")?;
    assert_ne!(get_token(&mut vault.db, "alice")?, old);
    assert_eq!(vault.refreshes().len(), 1);
    Ok(())
}

#[test]
fn a_token_that_rested_goes_on_when_its_policy_is_always_again() -> Result<()> {
    for policy in [Some("always"), None] {
        let mut vault = Vault::start()?;
        vault.grant("alice")?;
        set_policy(&mut vault, "alice", Some("on_use"))?;
        vault.grant_that_is_due("alice")?;
        vault.wait_for_token("alice", "refresh_due_at IS NULL")?;
        set_policy(&mut vault, "alice", policy)?;
        vault.wait_for_token("alice", "generation = 3")?;
    }
    Ok(())
}

/// The claim was made under the policy of before.
#[test]
fn a_policy_that_changes_while_the_token_is_looked_at_counts() -> Result<()> {
    let options = token_vault_cluster::Options::new();
    let mut vault = Vault::start_with(&options.without_fsync().with_fault_points())?;
    vault.grant("alice")?;
    vault.grant("bob")?;
    for subject in ["alice", "bob"] {
        set_policy(&mut vault, subject, Some("on_use"))?;
    }
    // The refresher has claimed both, and has not yet let them rest.
    vault.cluster.arm_fault("claim_committed:pause")?;
    vault.db.batch_execute(
        "SELECT vault.store_token('acme', subject, 'at-example', expires_in => 0) FROM unnest('{alice,bob}'::text[]) AS t (subject)",
    )?;
    vault.cluster.wait_for_fault()?;
    set_policy(&mut vault, "alice", Some("always"))?;
    vault.cluster.disarm_fault()?;
    vault.wait_for_token("alice", "generation = 3")?;
    vault.wait_for_token("bob", "generation = 2 AND refresh_due_at IS NULL")?;
    assert_eq!(vault.refreshes().len(), 1);
    Ok(())
}
