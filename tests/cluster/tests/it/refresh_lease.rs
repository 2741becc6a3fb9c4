//! An attempt is claimed until its lease is over, lest it rest for ever if its process dies. While the process lives, it
//! is never sent twice.

use serde_json::json;
use token_vault_cluster::Result;
use token_vault_oauth_server::{Behaviour, Outcome};

use crate::provider::Vault;

/// Behind many slow requests, one may wait for a connection for longer than its lease.
#[test]
fn a_request_that_outlives_its_lease_is_not_sent_again() -> Result<()> {
    let mut vault = Vault::start()?;
    vault
        .server
        .misbehave(Behaviour::Delay { ms: 4000 }, Some(1));
    vault.grant_that_is_due("alice")?;
    vault.wait_for_refreshes(1)?;
    vault.db.batch_execute(
        "UPDATE vault.refresh_schedule SET due_at = clock_timestamp() - interval '1 second'",
    )?;
    // The refresher looks at the whole schedule, and refreshes what is due.
    let server = vault.server.issuer();
    vault.add_provider("other", &server, json!({}))?;
    vault.grant_that_is_due("bob")?;
    vault.wait_for_token("bob", "generation = 2")?;
    vault.wait_for_token("alice", "generation = 2")?;
    vault.wait_for_activity("query NOT LIKE 'refreshing%'")?;
    let outcomes = vault.outcomes();
    assert_eq!(outcomes, [Outcome::Rotated; 2]);
    assert_eq!(vault.token("alice")?.status, "valid");
    Ok(())
}
