//! What gets in the way of a refresh without a process being killed: locks, a full disk, a connection that is cut. Every
//! answer that has been received is written in the end.

use std::time::SystemTime;

use postgres::Client;
use token_vault_cluster::wait::wait_for;
use token_vault_cluster::{Options, Result, wait_for_end};
use token_vault_oauth_server::Behaviour;

use crate::provider::LIMIT;
use crate::refresh_load::{Load, POLICIES, STRICT};
use crate::session::{get_token, refresh_token, sqlstate};
use crate::small_disk::SmallDisk;

/// Tokens at each client.
const TOKENS: usize = 4;

/// A vault in which nothing is due, and whose provider takes so many milliseconds for an answer.
fn start(answer_after: u64) -> Result<Load> {
    let load = Load::start(&Options::new().without_fsync(), 0, 0)?;
    load.let_tokens_live_long();
    load.answer_after(answer_after);
    Ok(load)
}

/// Makes tokens of all clients due at once, and returns when the provider has processed their requests.
fn with_requests_under_way(load: &mut Load) -> Result<usize> {
    for (client, _) in POLICIES {
        for number in 0..TOKENS {
            load.grant_that_is_due(client, &format!("{client}-{number}"))?;
        }
    }
    let requests = TOKENS * POLICIES.len();
    load.vault.wait_for_refreshes(requests)?;
    Ok(requests)
}

fn warnings(load: &Load) -> Result<usize> {
    let log = load.vault.cluster.log()?;
    Ok(log
        .matches("could not write the outcome of attempt")
        .count())
}

/// Waits until the refresher has said once more that it could not write something.
fn wait_for_a_warning(load: &Load) -> Result<()> {
    let before = warnings(load)?;
    wait_for("the refresher's warning", LIMIT, || {
        Ok((warnings(load)? > before).then_some(()))
    })
}

/// Each token was asked for once, and none is lost.
fn assert_all_written(load: &mut Load, requests: usize) -> Result<()> {
    load.settle()?;
    let report = load.ledger.check(&mut load.vault)?;
    report.assert_clean();
    assert_eq!(report.requests, requests);
    load.vault.cluster.assert_never_crashed();
    Ok(())
}

/// A session that has locked the vault's tables, as VACUUM FULL or an ALTER TABLE does.
fn lock(load: &Load) -> Result<Client> {
    let mut holder = load.vault.session()?;
    holder.batch_execute("BEGIN; LOCK TABLE vault.token, vault.refresh_schedule")?;
    Ok(holder)
}

#[test]
fn answers_wait_for_tables_that_somebody_has_locked() -> Result<()> {
    let mut load = start(500)?;
    let requests = with_requests_under_way(&mut load)?;
    let mut holder = lock(&load)?;
    wait_for_a_warning(&load)?;
    wait_for_a_warning(&load)?;
    holder.batch_execute("ROLLBACK")?;
    assert_all_written(&mut load, requests)
}

#[test]
fn a_refresher_that_is_told_to_end_waits_for_tables_that_somebody_has_locked() -> Result<()> {
    let mut load = start(500)?;
    let requests = with_requests_under_way(&mut load)?;
    let refresher = load.vault.refresher()?;
    let mut holder = lock(&load)?;
    let end = "SELECT pg_terminate_backend($1)";
    load.vault.db.execute(end, &[&refresher])?;
    wait_for_a_warning(&load)?;
    holder.batch_execute("ROLLBACK")?;
    wait_for_end(refresher)?;
    assert_all_written(&mut load, requests)
}

#[test]
fn a_refresher_that_is_told_to_end_tries_again_to_write_the_last_answer() -> Result<()> {
    let mut load = start(100)?;
    load.grant_that_is_due(STRICT, "alice")?;
    load.vault.wait_for_refreshes(1)?;
    let refresher = load.vault.refresher()?;
    let mut holder = load.vault.session()?;
    holder.batch_execute("BEGIN; SELECT FROM vault.token FOR UPDATE")?;
    let end = "SELECT pg_terminate_backend($1)";
    load.vault.db.execute(end, &[&refresher])?;
    // When it comes, when it is the last one, and once more.
    wait_for_a_warning(&load)?;
    wait_for_a_warning(&load)?;
    holder.batch_execute("ROLLBACK")?;
    wait_for_end(refresher)?;
    assert_all_written(&mut load, 1)
}

#[test]
fn a_token_whose_answer_waits_to_be_written_is_not_asked_for_again() -> Result<()> {
    let mut load = start(20)?;
    load.grant(STRICT, "alice")?;
    load.vault.expire("alice")?;
    let mut holder = load.vault.session()?;
    holder.batch_execute("BEGIN; SELECT FROM vault.token FOR UPDATE")?;
    let mut impatient = load.vault.session()?;
    impatient.batch_execute("SET token_vault.refresh_wait = '300ms'")?;
    assert_eq!(sqlstate(get_token(&mut impatient, "alice")), "TV033");
    wait_for_a_warning(&load)?;
    for _ in 0..3 {
        assert_eq!(sqlstate(get_token(&mut impatient, "alice")), "TV033");
    }
    holder.batch_execute("ROLLBACK")?;
    let token = get_token(&mut load.vault.db, "alice")?;
    assert_eq!(load.vault.who_is(&token)?, "alice");
    assert_all_written(&mut load, 1)
}

#[test]
fn answers_wait_for_room_on_a_full_disk() -> Result<()> {
    let mut load = start(20)?;
    let Some(disk) = SmallDisk::mount(&load.vault.cluster, &mut load.vault.db, 1 << 10)? else {
        return Ok(());
    };
    // Pages without room: each new version of a row needs another one.
    load.vault.db.batch_execute(
        "ALTER TABLE vault.token SET (fillfactor = 100); ALTER TABLE vault.token SET TABLESPACE small",
    )?;
    let subjects: Vec<String> = (0..60).map(|number| format!("{STRICT}-{number}")).collect();
    for subject in &subjects {
        load.grant(STRICT, subject)?;
    }
    // Its buffers on the disk, so that nothing but new blocks needs room.
    load.vault.db.batch_execute("CHECKPOINT")?;
    disk.fill()?;
    let ask = "SET token_vault.refresh_wait = 0";
    load.vault.db.batch_execute(ask)?;
    for subject in &subjects {
        // Not done in no time, of course.
        let _ = refresh_token(&mut load.vault.db, subject);
    }
    wait_for_a_warning(&load)?;
    let log = load.vault.cluster.log()?;
    assert!(log.contains("No space left on device"));
    wait_for_a_warning(&load)?;
    disk.free()?;
    for subject in &subjects {
        load.vault.wait_for_token(subject, "generation = 2")?;
    }
    assert_all_written(&mut load, subjects.len())?;
    load.vault.cluster.stop(token_vault_cluster::StopMode::Fast)
}

#[test]
fn a_connection_that_is_cut_is_asked_for_again_and_only_a_strict_provider_minds() -> Result<()> {
    let mut load = start(0)?;
    let cuts = [
        Behaviour::DropBeforeAnswer,
        Behaviour::CutInHeaders,
        Behaviour::CutInBody,
    ];
    for cut in cuts {
        for (client, _) in POLICIES {
            let subject = format!("{client}-{cut:?}");
            let begin = SystemTime::now();
            load.vault.server.behave();
            load.vault.server.misbehave(cut.clone(), Some(1));
            let requests = load.vault.refreshes().len();
            load.grant_that_is_due(client, &subject)?;
            load.vault.wait_for_refreshes(requests + 2)?;
            load.note_interruption(begin)?;
        }
    }
    load.settle()?;
    let report = load.ledger.check(&mut load.vault)?;
    println!("{report}");
    report.assert_clean();
    assert_eq!(report.requests, 2 * POLICIES.len() * 3);
    assert_eq!(report.losses.len(), 3);
    load.vault.cluster.assert_never_crashed();
    Ok(())
}
