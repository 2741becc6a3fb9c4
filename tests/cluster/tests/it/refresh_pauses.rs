//! The pauses between failures are kept, whoever asks how often; and they end when what was wrong has been mended.

use serde_json::json;
use token_vault_cluster::Result;
use token_vault_oauth_server::Behaviour;

use crate::provider::Vault;
use crate::session::{complaint, get_token, refresh_token, sqlstate};

#[test]
fn an_application_that_asks_in_a_loop_does_not_undo_them() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.grant("alice")?;
    let faulty = Behaviour::Error {
        status: 400,
        error: "invalid_scope".into(),
    };
    vault.server.misbehave(faulty, None);
    for _ in 0..5 {
        assert_eq!(sqlstate(refresh_token(&mut vault.db, "alice")), "TV032");
    }
    // The next one is at least 8 s away.
    vault.expire("alice")?;
    vault
        .db
        .batch_execute("SET token_vault.refresh_wait = '1s'")?;
    let before = vault.refreshes().len();
    for _ in 0..100 {
        assert!(complaint(get_token(&mut vault.db, "alice")).contains("invalid_scope"));
    }
    let asked = vault.refreshes().len() - before;
    assert!(asked <= 1, "{asked} requests");
    // Who insists is heard.
    vault.server.behave();
    refresh_token(&mut vault.db, "alice")?;
    Ok(())
}

#[test]
fn a_provider_whose_row_was_mended_is_asked_at_once() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.grant("alice")?;
    vault.grant("bob")?;
    let server = vault.server.issuer();
    vault.add_provider("acme", &format!("{server}/nowhere"), json!({}))?;
    for subject in ["alice", "bob"] {
        for _ in 0..6 {
            assert_eq!(sqlstate(refresh_token(&mut vault.db, subject)), "TV032");
        }
        vault.expire(subject)?;
    }
    vault.add_provider("acme", &server, json!({}))?;
    get_token(&mut vault.db, "alice")?;
    // And who does not ask does not wait for many seconds either.
    let failing = "vault.tokens WHERE subject = 'bob' AND refresh_due_at > now() + interval '5 seconds' AND generation = 1 AND refresh_attempt IS NULL";
    assert_eq!(vault.count(failing)?, 0);
    vault.wait_for_token("bob", "generation = 2")?;
    Ok(())
}
