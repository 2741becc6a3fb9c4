//! An answer that the provider's row does not describe may hold a rotated refresh token: it is kept, sealed, and read
//! again once the row has been mended.

use serde_json::{Value, json};
use token_vault_cluster::Result;

use crate::provider::Vault;
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

/// A grant of a strict provider, whose second pair of tokens is in an answer that was not understood.
fn unread() -> Result<(Vault, String)> {
    let mut vault = Vault::start()?;
    let token = vault.grant("alice")?;
    misdescribe(&mut vault)?;
    assert_eq!(sqlstate(refresh_token(&mut vault.db, "alice")), "TV032");
    vault.wait_for_token("alice", "has_unread_answer AND refresh_attempt IS NOT NULL")?;
    Ok((vault, token))
}

#[test]
fn a_grant_outlives_an_answer_that_was_not_understood() -> Result<()> {
    let (mut vault, old) = unread()?;
    assert_eq!(get_token(&mut vault.db, "alice")?, old, "it is still valid");
    let reasons = "SELECT reason, needs_person FROM vault.attention WHERE subject = 'alice'";
    let row = vault.db.query_one(reasons, &[])?;
    assert_eq!((row.get(0), row.get(1)), ("unread_answer", true));

    mend(&mut vault)?;
    vault.wait_for_token("alice", "generation = 2 AND NOT has_unread_answer")?;
    let new = get_token(&mut vault.db, "alice")?;
    assert_ne!(new, old);
    assert_eq!(vault.who_is(&new)?, "alice");
    assert_eq!(vault.refreshes().len(), 1, "the kept answer was enough");
    // The refresh token in it is the one that counts.
    refresh_token(&mut vault.db, "alice")?;
    assert_eq!(vault.token("alice")?.status, "valid");
    let _: Value = json!(null);
    Ok(())
}
