//! What the tests of copies have in common: a copy has everything that a refresher needs, and something to do.

use postgres::Client;
use postgres::types::Json;
use serde_json::json;
use token_vault_cluster::Result;
use token_vault_cluster::wait::wait_for_sql;
use token_vault_oauth_server::OAuthServer;

use crate::provider::{CLIENT, LIMIT};
use crate::session::{complaint, refresh_token, sqlstate};

/// The state and advice of one line of `vault.status()`.
pub fn status(db: &mut Client, item: &str) -> Result<(String, Option<String>)> {
    let row = db.query_one(
        "SELECT state, advice FROM vault.status() WHERE item = $1",
        &[&item],
    )?;
    Ok((row.get(0), row.get(1)))
}

/// Stores a grant that is due, in this database, and returns when its refresher has looked for something to do since.
pub fn grant_and_look(db: &mut Client, server: &OAuthServer, subject: &str) -> Result<()> {
    let now: String = db.query_one("SELECT clock_timestamp()::text", &[])?.get(0);
    let mut answer = server.issue(CLIENT, subject, "profile");
    answer["expires_in"] = json!(0);
    db.execute(
        "SELECT vault.store_token_response('acme', $1, $2::jsonb, client => $3)",
        &[&subject, &Json(&answer), &CLIENT],
    )?;
    let has_looked = format!(
        "SELECT coalesce(bool_or(state_change > '{now}'), false) FROM pg_stat_activity
         WHERE backend_type = 'token_vault refresher' AND datname = current_database()"
    );
    wait_for_sql(db, &has_looked, LIMIT)
}

/// Everything is due in this database, its refresher has looked, and the provider was not asked. `why` is what
/// `vault.status()` says about it.
pub fn assert_waits(db: &mut Client, server: &OAuthServer, why: &str) -> Result<()> {
    let before = server.token_requests();
    let (state, advice) = status(db, "installation")?;
    assert!(state.contains(why), "{state}");
    let advice = advice.expect("a copy is told what to do");
    assert!(advice.contains("vault.adopt_installation()"), "{advice}");
    db.execute(
        "UPDATE vault.refresh_schedule SET due_at = now() - interval '1 min'",
        &[],
    )?;
    // The second look has begun after the first grant.
    grant_and_look(db, server, "probe-1")?;
    grant_and_look(db, server, "probe-2")?;
    assert_eq!(sqlstate(refresh_token(db, "alice")), "TV034");
    let told = complaint(refresh_token(db, "alice"));
    assert!(told.contains("vault.adopt_installation()"), "{told}");
    assert!(told.contains(why), "{told}");
    assert_eq!(
        sqlstate(db.query("SELECT * FROM vault.refresh_due()", &[])),
        "TV034"
    );
    assert_eq!(server.token_requests(), before);
    Ok(())
}

/// This database takes over, and refreshes alice's token, which has not been refreshed yet.
pub fn adopt(db: &mut Client) -> Result<()> {
    db.execute("SELECT vault.adopt_installation()", &[])?;
    assert_eq!(status(db, "installation")?.1, None);
    wait_for_token(db, "alice", "generation = 2 AND status = 'valid'")
}

/// Waits until the subject's row of `vault.tokens` meets a condition in SQL.
pub fn wait_for_token(db: &mut Client, subject: &str, condition: &str) -> Result<()> {
    let query = format!(
        "SELECT coalesce(bool_or({condition}), false) FROM vault.tokens WHERE subject = '{subject}'"
    );
    wait_for_sql(db, &query, LIMIT)
}
