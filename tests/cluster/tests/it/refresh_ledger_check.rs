//! The ledger itself: it notices what it is there for.

use std::time::SystemTime;

use token_vault_cluster::{Options, Result};

use crate::refresh_load::{Load, STRICT};

fn start() -> Result<Load> {
    let load = Load::start(&Options::new().without_fsync(), 0, 0)?;
    load.let_tokens_live_long();
    Ok(load)
}

fn problems(load: &mut Load) -> Result<String> {
    let report = load.ledger.check(&mut load.vault)?;
    Ok(report.problems.join("\n"))
}

#[test]
fn it_is_content_with_tokens_that_are_refreshed_and_replaced() -> Result<()> {
    let mut load = start()?;
    for subject in ["alice", "bob"] {
        load.grant_that_is_due(STRICT, subject)?;
        load.vault.wait_for_token(subject, "generation = 2")?;
    }
    load.grant(STRICT, "bob")?;
    assert_eq!(problems(&mut load)?, "");
    Ok(())
}

#[test]
fn it_notices_a_loss_and_a_repetition_that_no_kill_explains() -> Result<()> {
    let mut load = start()?;
    load.answer_after(1000);
    load.grant_that_is_due(STRICT, "alice")?;
    load.vault.wait_for_refreshes(1)?;
    let refresher = load.vault.refresher()?;
    let begin = SystemTime::now();
    load.vault.cluster.crash(refresher)?;
    load.reconnect()?;
    load.settle()?;
    let found = problems(&mut load)?;
    assert!(found.contains("a grant was lost: alice"), "{found}");
    assert!(found.contains("asked again for no reason"), "{found}");
    load.note_interruption(begin)?;
    assert_eq!(problems(&mut load)?, "");
    Ok(())
}

#[test]
fn it_notices_an_older_token_in_the_table() -> Result<()> {
    let mut load = start()?;
    load.grant(STRICT, "alice")?;
    load.vault.db.batch_execute(
        "CREATE TABLE old AS SELECT refresh_token FROM vault.token; UPDATE vault.token SET expires_at = now()",
    )?;
    crate::session::get_token(&mut load.vault.db, "alice")?;
    assert_eq!(problems(&mut load)?, "");
    load.vault
        .db
        .batch_execute("UPDATE vault.token SET refresh_token = old.refresh_token FROM old")?;
    let found = problems(&mut load)?;
    assert!(found.contains("not the newest refresh token"), "{found}");
    Ok(())
}

#[test]
fn it_notices_a_grant_that_was_given_up_without_need() -> Result<()> {
    let mut load = start()?;
    load.grant(STRICT, "alice")?;
    load.vault.db.batch_execute(
        "UPDATE vault.token SET state = 'reauthorization_required', last_error = 'invalid_grant'",
    )?;
    let found = problems(&mut load)?;
    assert!(found.contains("given up, and not lost"), "{found}");
    assert!(found.contains("the attempt is not named"), "{found}");
    Ok(())
}
