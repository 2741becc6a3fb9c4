//! A client whose secret is refused: the next one is tried, and no token is condemned for it.

use serde_json::json;
use token_vault_cluster::Result;
use token_vault_oauth_server::{Entry, Outcome};

use crate::provider::{CLIENT, Vault, secret};
use crate::session::{complaint, get_token, refresh_token, sqlstate};

/// Adds a secret to the vault's client.
fn add_secret(vault: &mut Vault, secret: &str, place: &str) -> Result<()> {
    vault.db.execute(
        "SELECT vault.add_client_secret($1, $2, place => $3)",
        &[&CLIENT, &secret, &place],
    )?;
    Ok(())
}

fn errors(requests: &[Entry]) -> Vec<Option<&str>> {
    requests
        .iter()
        .map(|entry| entry.error.as_deref())
        .collect()
}

#[test]
fn secrets_are_tried_in_their_order_until_one_is_accepted() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.grant("alice")?;
    // The one that is registered stays in the middle.
    add_secret(&mut vault, "cs-last-1", "last")?;
    add_secret(&mut vault, "cs-first-1", "first")?;
    let refused = Some("invalid_client");
    for (accepted, expected) in [
        ("cs-first-1", vec![None]),
        (&*secret(CLIENT), vec![refused, None]),
        ("cs-last-1", vec![refused, refused, None]),
    ] {
        let before = vault.refreshes().len();
        vault.server.set_secrets(CLIENT, vec![accepted.to_owned()]);
        refresh_token(&mut vault.db, "alice")?;
        assert_eq!(errors(&vault.refreshes()[before..]), expected, "{accepted}");
    }
    let token = get_token(&mut vault.db, "alice")?;
    assert_eq!(vault.who_is(&token)?, "alice");
    Ok(())
}

#[test]
fn b11_a_refused_grant_is_not_tried_with_another_secret() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.grant("alice")?;
    add_secret(&mut vault, "cs-other-1", "last")?;
    vault
        .server
        .set_secrets(CLIENT, vec![secret(CLIENT), "cs-other-1".to_owned()]);
    assert!(vault.server.revoke_family(0));
    assert_eq!(sqlstate(refresh_token(&mut vault.db, "alice")), "TV031");
    assert_eq!(errors(&vault.refreshes()), [Some("invalid_grant")]);
    Ok(())
}

#[test]
fn b1_an_expired_client_secret_condemns_no_token_and_a_new_one_heals_them() -> Result<()> {
    let mut vault = Vault::start()?;
    let subjects = ["alice", "bob"];
    for subject in subjects {
        vault.grant(subject)?;
    }
    vault
        .server
        .set_secrets(CLIENT, vec!["cs-renewed-1".to_owned()]);
    for subject in subjects {
        let refused = refresh_token(&mut vault.db, subject);
        assert!(complaint(refused).contains("invalid_client"));
        let row = vault.token(subject)?;
        assert_eq!((&*row.status, row.is_scheduled), ("valid", true));
        get_token(&mut vault.db, subject)?;
    }

    add_secret(&mut vault, "cs-renewed-1", "first")?;
    for subject in subjects {
        refresh_token(&mut vault.db, subject)?;
        let token = get_token(&mut vault.db, subject)?;
        assert_eq!(vault.who_is(&token)?, subject);
    }
    let last = vault.refreshes().pop().ok_or("no request")?;
    assert_eq!(last.outcome, Outcome::Rotated);
    Ok(())
}

#[test]
fn tokens_of_a_broken_client_do_not_keep_those_of_others_waiting() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.add_client("broken")?;
    vault
        .server
        .set_secrets("broken", vec!["cs-unknown-1".to_owned()]);
    for number in 0..20 {
        vault.grant_of("broken", &format!("b-{number}"), json!({ "expires_in": 0 }))?;
    }
    vault.grant_that_is_due("alice")?;
    vault.wait_for_token("alice", "generation = 2")?;
    let condemned: i64 = vault
        .db
        .query_one(
            "SELECT count(*) FROM vault.tokens WHERE status = 'reauthorization_required'",
            &[],
        )?
        .get(0);
    assert_eq!(condemned, 0);
    Ok(())
}

#[test]
fn a_disabled_client_is_not_used_until_it_is_enabled() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.grant("alice")?;
    vault
        .db
        .execute("SELECT vault.disable_client($1)", &[&CLIENT])?;
    let refused = refresh_token(&mut vault.db, "alice");
    assert!(complaint(refused).contains("has no active client"));
    assert_eq!(vault.refreshes().len(), 0);
    vault
        .db
        .execute("SELECT vault.enable_client($1)", &[&CLIENT])?;
    refresh_token(&mut vault.db, "alice")?;
    Ok(())
}
