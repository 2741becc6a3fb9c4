//! Long texts, ends of sessions and servers, errors in errors.

use postgres::NoTls;
use token_vault_cluster::wait::wait_for;
use token_vault_cluster::{Result, StopMode};

use super::{Logged, Secret};
use crate::provider::{DATABASE, LIMIT};

const LOG_ALL: &str = "SET log_statement = 'all'; SET log_min_duration_statement = 0";

#[test]
fn texts_of_megabytes_are_cleaned() -> Result<()> {
    let mut logged = Logged::start("pg_stat_statements", "auto_explain")?;
    let mut db = logged.session(LOG_ALL)?;
    let secret = Secret::new(1, "a long literal");
    let literal = secret.text.repeat(200_000);
    db.batch_execute(&format!(
        "SELECT length(vault.reveal(vault.seal('{literal}')))"
    ))?;
    assert!(
        db.batch_execute(&format!("SELECT vault.seal('{literal}' x y)"))
            .is_err()
    );
    assert!(
        db.batch_execute(&format!("SELECT vault.seal('{literal}"))
            .is_err()
    );
    let many = format!("vault.seal('{}'), ", secret.text).repeat(1500);
    db.batch_execute(&format!("SELECT {many} 1"))?;
    logged.assert_clean([&secret])?;
    logged.cluster.assert_never_crashed();
    Ok(())
}

/// FATAL entries have their statement, too.
#[test]
fn a_session_that_is_ended_leaves_no_secret() -> Result<()> {
    let mut logged = Logged::start("pg_stat_statements", "auto_explain")?;
    let secret = Secret::new(1, "a terminated session");
    let mut db = logged.session(LOG_ALL)?;
    let statement = format!(
        "SELECT vault.seal('{}'), pg_terminate_backend(pg_backend_pid()), pg_sleep(60)",
        secret.text
    );
    assert!(db.batch_execute(&statement).is_err());
    let logs = logged.logs()?;
    assert!(
        logs[0]
            .1
            .contains("FATAL:  terminating connection due to administrator command")
    );
    logged.assert_clean([&secret])
}

/// The postmaster's memory and hooks are as they were.
#[test]
fn a_server_that_has_crashed_goes_on_cleaning() -> Result<()> {
    let mut logged = Logged::start("pg_stat_statements", "auto_explain")?;
    let mut victim = logged.session("")?;
    let pid: i32 = victim.query_one("SELECT pg_backend_pid()", &[])?.get(0);
    logged.cluster.kill_process(pid)?;
    wait_for("the server's crash", LIMIT, || {
        Ok(logged.has_logged("reinitializing")?.then_some(()))
    })?;
    logged.db = wait_for("the server's recovery", LIMIT, || {
        let session = logged
            .cluster
            .connection(DATABASE, "postgres")
            .connect(NoTls);
        Ok(session
            .ok()
            .filter(|session| !session.is_closed())
            .and_then(|mut session| session.batch_execute("SELECT 1").is_ok().then_some(session)))
    })?;
    let secret = Secret::new(1, "after a crash");
    let mut db = logged.session(LOG_ALL)?;
    db.batch_execute(&format!(
        "INSERT INTO webhook VALUES (1, '{}')",
        secret.text
    ))?;
    db.batch_execute(&format!("SELECT vault.seal('{}')", secret.text))?;
    logged.assert_clean([&secret])
}

#[test]
fn a_thousand_entries_of_one_statement_are_cleaned() -> Result<()> {
    let mut logged = Logged::start("pg_stat_statements", "auto_explain")?;
    let mut db = logged.session("SET log_error_verbosity = 'verbose'")?;
    let secret = Secret::new(1, "a loop");
    db.batch_execute(&format!(
        "DO $$BEGIN
           FOR i IN 1..1000 LOOP
             BEGIN
               PERFORM vault.reveal(vault.seal('{}'))::integer;
             EXCEPTION WHEN OTHERS THEN RAISE LOG 'caught: %', SQLERRM;
             END;
           END LOOP;
         END$$",
        secret.text
    ))?;
    let logs = logged.logs()?;
    assert!(logs[0].1.matches("LOG:  00000: ***").count() >= 1000);
    logged.assert_clean([&secret])
}

/// A role that is no superuser can't have its secrets logged, nor anybody else's.
#[test]
fn nobody_but_a_superuser_switches_it_off() -> Result<()> {
    let mut logged = Logged::start("", "")?;
    logged.db.batch_execute("CREATE ROLE app LOGIN")?;
    let mut app = logged.cluster.connect(DATABASE, "app")?;
    let refused = app.batch_execute("SET token_vault.clean_logs = off");
    assert_eq!(crate::session::sqlstate(refused), "42501");
    logged
        .db
        .batch_execute("ALTER SYSTEM SET token_vault.clean_logs = off")?;
    logged.cluster.restart(StopMode::Fast)?;
    let shown = logged
        .cluster
        .psql(DATABASE, "SHOW token_vault.clean_logs")?;
    assert_eq!(shown, "off");
    Ok(())
}
