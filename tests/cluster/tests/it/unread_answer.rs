//! An answer that the provider's row does not describe may hold a rotated refresh token: it is kept, sealed, and read
//! again once the row has been mended. The provider of these tests is strict: a spent refresh token ends the grant.

use serde_json::json;
use token_vault_cluster::canary::Search;
use token_vault_cluster::wait::wait_for_sql;
use token_vault_cluster::{Options, Result, StopMode};
use token_vault_oauth_server::Behaviour;

use crate::provider::{CLIENT, LIMIT, ROTATION_WITH_LEEWAY, Vault};
use crate::session::{get_token, refresh_token, sqlstate};

/// The row says that tokens are in a member `data`, where this provider has none.
fn misdescribe(vault: &mut Vault) -> Result<()> {
    let server = vault.server.issuer();
    vault.add_provider("acme", &server, json!({ "response_objects": ["/data"] }))
}

fn mend(vault: &mut Vault) -> Result<()> {
    let server = vault.server.issuer();
    vault.add_provider("acme", &server, json!({}))
}

/// A grant whose second pair of tokens is in an answer that was not understood.
fn unread() -> Result<(Vault, String)> {
    unread_with(&Options::new().without_fsync())
}

fn unread_with(options: &Options) -> Result<(Vault, String)> {
    let mut vault = Vault::start_with(options)?;
    let token = vault.grant("alice")?;
    misdescribe(&mut vault)?;
    assert_eq!(sqlstate(refresh_token(&mut vault.db, "alice")), "TV032");
    vault.wait_for_token("alice", "has_unread_answer AND status = 'valid'")?;
    Ok((vault, token))
}

/// The kept answer is enough: no request is sent for what it brings.
fn assert_recovered(vault: &mut Vault, old: &str) -> Result<()> {
    vault.wait_for_token(
        "alice",
        "generation = 2 AND NOT has_unread_answer AND status = 'valid'",
    )?;
    assert_eq!(vault.refreshes().len(), 1);
    let new = get_token(&mut vault.db, "alice")?;
    assert_ne!(new, old);
    assert_eq!(vault.who_is(&new)?, "alice");
    // The refresh token in it is the one that counts.
    refresh_token(&mut vault.db, "alice")?;
    assert_eq!(vault.token("alice")?.status, "valid");
    Ok(())
}

#[test]
fn a_grant_outlives_an_answer_that_was_not_understood() -> Result<()> {
    let (mut vault, old) = unread()?;
    assert_eq!(get_token(&mut vault.db, "alice")?, old, "it is still valid");
    let reason = "SELECT reason, needs_person FROM vault.attention WHERE subject = 'alice'";
    let row = vault.db.query_one(reason, &[])?;
    assert_eq!((row.get(0), row.get(1)), ("unread_answer", true));
    mend(&mut vault)?;
    assert_recovered(&mut vault, &old)
}

#[test]
fn who_asks_for_it_does_not_spend_the_refresh_token_again() -> Result<()> {
    let (mut vault, old) = unread()?;
    for _ in 0..3 {
        assert_eq!(sqlstate(refresh_token(&mut vault.db, "alice")), "TV032");
    }
    mend(&mut vault)?;
    assert_recovered(&mut vault, &old)
}

#[test]
fn it_is_kept_through_a_restart() -> Result<()> {
    let (mut vault, old) = unread()?;
    vault.cluster.restart(StopMode::Immediate)?;
    vault.db = vault.session()?;
    vault.refresher()?;
    vault.wait_for_token("alice", "has_unread_answer AND status = 'valid'")?;
    mend(&mut vault)?;
    assert_recovered(&mut vault, &old)
}

#[test]
fn it_is_encrypted_and_moves_to_the_next_key() -> Result<()> {
    let (mut vault, old) = unread()?;
    let damaged = "SELECT count(*) = 0 FROM vault.verify() WHERE outcome <> 'ok'";
    assert!(vault.db.query_one(damaged, &[])?.get::<_, bool>(0));
    let kept = "SELECT unread_answer FROM vault.token WHERE subject = 'alice'";
    let before: Vec<u8> = vault.db.query_one(kept, &[])?.get(0);
    vault.db.batch_execute("SELECT vault.rotate_key()")?;
    wait_for_sql(
        &mut vault.db,
        "SELECT count(*) = 1 FROM vault.keys WHERE state <> 'destroyed'",
        LIMIT,
    )?;
    let after: Vec<u8> = vault.db.query_one(kept, &[])?.get(0);
    assert_ne!(before, after);
    assert!(vault.db.query_one(damaged, &[])?.get::<_, bool>(0));

    vault.cluster.stop(StopMode::Fast)?;
    Search::new(vault.server.issued_secrets())?
        .run(vault.cluster.directory())?
        .assert_clean();
    vault.cluster.start()?;
    vault.db = vault.session()?;
    mend(&mut vault)?;
    assert_recovered(&mut vault, &old)
}

/// Damage to it is found, and so is one that belongs to another token.
#[test]
fn verify_looks_at_it() -> Result<()> {
    let (mut vault, _) = unread()?;
    let outcome = "SELECT outcome FROM vault.verify() WHERE column_name = 'unread_answer'";
    assert_eq!(vault.db.query_one(outcome, &[])?.get::<_, &str>(0), "ok");
    for (change, expected) in [
        (
            "unread_answer = set_byte(unread_answer, 60, get_byte(unread_answer, 60) # 1)",
            "damaged",
        ),
        ("unread_answer = refresh_token", "moved"),
    ] {
        vault.db.batch_execute(&format!(
            "UPDATE vault.token SET {change} WHERE subject = 'alice'"
        ))?;
        assert_eq!(
            vault.db.query_one(outcome, &[])?.get::<_, &str>(0),
            expected
        );
    }
    Ok(())
}

#[test]
fn it_goes_away_when_the_token_is_stored_again() -> Result<()> {
    let (mut vault, _) = unread()?;
    mend_without_reading(&mut vault)?;
    let renewed = vault.grant("alice")?;
    vault.wait_for_token("alice", "NOT has_unread_answer AND last_error IS NULL")?;
    vault.resume()?;
    assert_eq!(get_token(&mut vault.db, "alice")?, renewed);
    assert_eq!(vault.count("vault.attention")?, 0);
    Ok(())
}

fn mend_without_reading(vault: &mut Vault) -> Result<()> {
    vault.pause()?;
    mend(vault)
}

#[test]
fn a_session_without_a_standing_refresher_reads_it_again_too() -> Result<()> {
    let (mut vault, old) = unread_with(&Options::new().not_preloaded().without_fsync())?;
    assert_eq!(sqlstate(refresh_token(&mut vault.db, "alice")), "TV032");
    assert_eq!(vault.refreshes().len(), 1);
    mend(&mut vault)?;
    refresh_token(&mut vault.db, "alice")?;
    assert_recovered(&mut vault, &old)
}

/// Damage on the way is no fault of the provider's row: a provider with a leeway answers the repetition.
#[test]
fn a_damaged_answer_is_asked_for_again_and_then_forgotten() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.register_at_provider(CLIENT, ROTATION_WITH_LEEWAY);
    vault.grant("alice")?;
    vault.server.misbehave(Behaviour::InvalidJson, Some(1));
    refresh_token(&mut vault.db, "alice")?;
    vault.wait_for_token(
        "alice",
        "generation = 2 AND NOT has_unread_answer AND last_error IS NULL",
    )?;
    assert_eq!(vault.refreshes().len(), 2);
    Ok(())
}
