//! What administrators see of re-encryption, and how they pause it, resume it and do it themselves.

use postgres::Client;
use token_vault_cluster::wait::wait_for_sql;
use token_vault_cluster::{Result, StopMode};

use crate::provider::{DATABASE, LIMIT};
use crate::reencryption_harness::{
    NO_CUSTODIAN, fast_vault, number, plaintexts, reencrypt, rotate, stale_values, store_tokens,
    vault, wait_for_keys, wait_until_done, without_custodian,
};
use crate::session::{complaint, sqlstate};

/// Lets nothing but this session's transaction have one token in ten.
fn lock_a_tenth(holder: &mut Client) -> Result<()> {
    Ok(holder
        .batch_execute("BEGIN; SELECT FROM vault.token WHERE subject LIKE 'user-%0' FOR UPDATE")?)
}

const ALL_BUT_A_TENTH: &str =
    "SELECT done = 5400 AND state = 'running' AND total = 6000 FROM vault.reencryption";

#[test]
fn paused_nothing_moves_over_a_restart_and_resumed_it_goes_on_where_it_was() -> Result<()> {
    let (mut cluster, mut db) = fast_vault()?;
    store_tokens(&mut db, "default", 2000)?;
    let before = plaintexts(&cluster, &mut db)?;
    let mut holder = cluster.connect(DATABASE, "postgres")?;
    lock_a_tenth(&mut holder)?;
    rotate(&mut db, None)?;
    wait_for_sql(&mut db, ALL_BUT_A_TENTH, LIMIT)?;
    db.batch_execute("SELECT vault.pause_reencryption()")?;
    holder.batch_execute("ROLLBACK")?;
    wait_for_sql(&mut db, NO_CUSTODIAN, LIMIT)?;

    cluster.restart(StopMode::Fast)?;
    let mut db = cluster.connect(DATABASE, "postgres")?;
    // The new refresher has had its first look, and the custodian that it has started has left again.
    wait_for_sql(
        &mut db,
        "SELECT coalesce(bool_or(query LIKE 'next token due in %'), false) FROM pg_stat_activity",
        LIMIT,
    )?;
    wait_for_sql(&mut db, NO_CUSTODIAN, LIMIT)?;
    assert_eq!(
        sqlstate(db.batch_execute("CALL vault.reencrypt()")),
        "55000"
    );
    assert_eq!(stale_values(&mut db)?, 600);
    let row = db.query_one(
        "SELECT state, remaining, finished_at IS NULL FROM vault.reencryption",
        &[],
    )?;
    assert_eq!(
        (row.get(0), row.get(1), row.get(2)),
        ("paused", 600_i64, true)
    );

    db.batch_execute("SELECT vault.resume_reencryption()")?;
    wait_until_done(&mut db)?;
    let row = db.query_one(
        "SELECT total, done, remaining, percent = 100 FROM vault.reencryption",
        &[],
    )?;
    let counted: [i64; 3] = [row.get(0), row.get(1), row.get(2)];
    assert_eq!(counted, [6000, 6000, 0], "it did not begin anew");
    assert!(row.get::<_, bool>(3));
    assert_eq!(stale_values(&mut db)?, 0);
    assert_eq!(plaintexts(&cluster, &mut db)?, before);
    wait_for_keys(&mut db, "destroyed", 1)?;
    cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn what_others_have_locked_is_passed_over_and_done_later_and_meanwhile_the_progress_is_shown()
-> Result<()> {
    let (cluster, mut db) = fast_vault()?;
    store_tokens(&mut db, "default", 2000)?;
    let mut holder = cluster.connect(DATABASE, "postgres")?;
    lock_a_tenth(&mut holder)?;
    rotate(&mut db, None)?;
    wait_for_sql(&mut db, ALL_BUT_A_TENTH, LIMIT)?;
    let row = db.query_one(
        "SELECT remaining, percent::float8, rate > 0, estimated_end > updated_at, finished_at IS NULL, problems FROM vault.reencryption",
        &[],
    )?;
    assert_eq!((row.get::<_, i64>(0), row.get::<_, f64>(1)), (600, 90.0));
    for column in 2..5 {
        assert!(row.get::<_, bool>(column), "column {column}");
    }
    assert_eq!(row.get::<_, i64>(5), 0);
    wait_for_sql(
        &mut db,
        "SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'token_vault custodian'
             AND query LIKE 're-encrypting: 5,400 of 6,000 values (90 %), %/s, % s left'",
        LIMIT,
    )?;
    // One at a time: the session is told which process it is.
    let custodian = number(
        &mut db,
        "SELECT pid::bigint FROM pg_stat_activity WHERE backend_type = 'token_vault custodian'",
    )?;
    let told = complaint(db.batch_execute("CALL vault.reencrypt()"));
    assert!(told.contains(&format!("process {custodian} ")), "{told}");
    holder.batch_execute("ROLLBACK")?;
    wait_until_done(&mut db)?;
    assert_eq!(stale_values(&mut db)?, 0);
    wait_for_keys(&mut db, "destroyed", 1)?;
    cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn a_session_that_is_at_it_shows_how_far_it_is() -> Result<()> {
    let (cluster, mut db) = vault(&without_custodian())?;
    store_tokens(&mut db, "default", 2000)?;
    let mut holder = cluster.connect(DATABASE, "postgres")?;
    lock_a_tenth(&mut holder)?;
    let mut caller = cluster.connect(DATABASE, "postgres")?;
    rotate(&mut db, None)?;
    let call = std::thread::spawn(move || {
        let result = caller.batch_execute("CALL vault.reencrypt(100)");
        (caller, result)
    });
    wait_for_sql(
        &mut db,
        "SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'client backend'
             AND query LIKE 'CALL vault.reencrypt(): re-encrypting: 5,400 of 6,000 values (90 \\%), %'",
        LIMIT,
    )?;
    holder.batch_execute("ROLLBACK")?;
    let (mut caller, result) = call.join().expect("the caller's thread");
    result?;
    wait_until_done(&mut db)?;
    assert_eq!(stale_values(&mut db)?, 0);
    let own: String = caller
        .query_one(
            "SELECT query FROM pg_stat_activity WHERE pid = pg_backend_pid()",
            &[],
        )?
        .get(0);
    assert!(own.starts_with("SELECT query"), "{own}");
    cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn a_call_in_a_transaction_block_or_a_function_is_refused_and_changes_nothing() -> Result<()> {
    let (cluster, mut db) = vault(&without_custodian())?;
    store_tokens(&mut db, "default", 10)?;
    db.batch_execute(
        "SELECT vault.rotate_key();
         CREATE FUNCTION in_a_function() RETURNS void LANGUAGE plpgsql AS 'BEGIN CALL vault.reencrypt(); END'",
    )?;
    assert_eq!(stale_values(&mut db)?, 30);
    db.batch_execute("BEGIN")?;
    assert_eq!(
        sqlstate(db.batch_execute("CALL vault.reencrypt()")),
        "2D000"
    );
    db.batch_execute("ROLLBACK")?;
    assert_eq!(
        sqlstate(db.batch_execute("SELECT in_a_function()")),
        "2D000"
    );
    for size in ["0", "-1", "10001"] {
        let call = format!("CALL vault.reencrypt({size})");
        assert_eq!(sqlstate(db.batch_execute(&call)), "22023", "{size}");
    }
    assert_eq!(
        sqlstate(db.batch_execute("CALL vault.reencrypt(NULL)")),
        "22004"
    );
    assert_eq!(stale_values(&mut db)?, 30);
    // The custody was not taken along.
    reencrypt(&mut db)?;
    assert_eq!(stale_values(&mut db)?, 0);
    cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn only_administrators_may() -> Result<()> {
    let (cluster, mut db) = fast_vault()?;
    store_tokens(&mut db, "default", 10)?;
    db.batch_execute(
        "CREATE ROLE app LOGIN; SELECT vault.grant_access('app', ARRAY['read', 'write', 'refresh']);
         GRANT EXECUTE ON ALL ROUTINES IN SCHEMA vault TO app; GRANT SELECT ON vault.reencryption, vault.keys TO app;
         SELECT vault.rotate_key()",
    )?;
    wait_for_keys(&mut db, "destroyed", 1)?;
    let mut app = cluster.connect(DATABASE, "app")?;
    for statement in [
        "SELECT vault.rotate_key()",
        "SELECT vault.create_tenant_key('globex')",
        "SELECT vault.pause_reencryption()",
        "SELECT vault.resume_reencryption()",
        "SELECT * FROM vault.key_usage()",
        "CALL vault.reencrypt()",
    ] {
        assert_eq!(
            sqlstate(app.batch_execute(statement)),
            "42501",
            "{statement}"
        );
    }
    for view in ["reencryption", "keys"] {
        assert_eq!(
            number(&mut app, &format!("SELECT count(*) FROM vault.{view}"))?,
            0,
            "{view}"
        );
    }
    db.batch_execute("SELECT vault.grant_access('app', ARRAY['admin'])")?;
    rotate(&mut app, None)?;
    wait_for_keys(&mut db, "destroyed", 2)?;
    assert_eq!(
        number(&mut app, "SELECT count(*) FROM vault.reencryption")?,
        1
    );
    cluster.assert_never_crashed();
    Ok(())
}
