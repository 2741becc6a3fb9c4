//! What a role that may watch everybody (pg_monitor) sees in pg_stat_activity.

use std::thread::spawn;

use postgres::Client;
use token_vault_cluster::Result;
use token_vault_cluster::wait::{wait_for, wait_for_sql};

use super::case::{FUNCTIONS, Way};
use super::{Logged, Secret};
use crate::provider::{DATABASE, LIMIT};

/// Statements that wait for the advisory lock 7 while the secret is in their text, and what is shown of them.
const WAITING: &[(Way, &str, &str)] = &[
    (
        Way::Text,
        "SELECT vault.seal('{}'), pg_advisory_lock(7)",
        "SELECT vault.seal('***'), pg_advisory_lock(7)",
    ),
    (
        Way::Prepared,
        "SELECT vault.seal('{}'), pg_advisory_lock(7)",
        "SELECT vault.seal('***'), pg_advisory_lock(7)",
    ),
    (
        Way::Text,
        "INSERT INTO webhook SELECT 1, '{}' FROM (SELECT pg_advisory_lock(7)) AS l",
        "INSERT INTO webhook SELECT 1, '***' FROM (SELECT pg_advisory_lock(7)) AS l",
    ),
    (
        Way::Text,
        "SELECT pg_advisory_lock(7); SELECT vault.seal('{}')",
        "SELECT pg_advisory_lock(7); SELECT vault.seal('***')",
    ),
    (
        Way::Text,
        "DO $$BEGIN PERFORM vault.seal('{}'), pg_advisory_lock(7); END$$",
        "DO $$***$$",
    ),
    (
        Way::Text,
        "PREPARE p(text) AS SELECT vault.seal($1), pg_advisory_lock(7); EXECUTE p('{}')",
        "PREPARE p(text) AS SELECT vault.seal($1), pg_advisory_lock(7); EXECUTE p('***')",
    ),
    (Way::Text, "SELECT app_wait('{}')", "SELECT app_wait('***')"),
    // Neither the text nor the function names the vault: the function is known when it has called it.
    (Way::Text, "SELECT app_hide('{}')", "SELECT app_hide('***')"),
];

const WAITING_FUNCTIONS: &str = "
    CREATE FUNCTION app_wait(t text) RETURNS void LANGUAGE plpgsql AS
        $$BEGIN PERFORM vault.seal(t), pg_advisory_lock(7); END$$;
    CREATE FUNCTION app_hide(t text) RETURNS void LANGUAGE plpgsql AS
        $$BEGIN EXECUTE 'SELECT va' || 'ult.se' || 'al($1)' USING t; PERFORM pg_advisory_lock(7); END$$;";

/// Sees everybody's statements.
fn monitor(logged: &mut Logged) -> Result<Client> {
    logged
        .db
        .batch_execute("CREATE ROLE monitor LOGIN; GRANT pg_monitor TO monitor")?;
    logged.cluster.connect(DATABASE, "monitor")
}

/// What the monitor sees of a session once it waits for the lock.
fn while_waiting(monitor: &mut Client, pid: i32) -> Result<String> {
    wait_for("the lock", LIMIT, || {
        let row = monitor.query_opt(
            "SELECT query FROM pg_stat_activity WHERE pid = $1 AND wait_event = 'advisory'",
            &[&pid],
        )?;
        Ok(row.map(|row| row.get(0)))
    })
}

/// Runs a statement that waits in a session with these settings; returns what the monitor sees of it meanwhile.
fn look(
    logged: &mut Logged,
    monitor: &mut Client,
    settings: &str,
    way: Way,
    statement: String,
) -> Result<String> {
    logged.db.batch_execute("SELECT pg_advisory_lock(7)")?;
    let mut session = logged.session(settings)?;
    let pid: i32 = session.query_one("SELECT pg_backend_pid()", &[])?.get(0);
    let thread = spawn(move || match way {
        Way::Prepared => session.execute(&statement, &[]).map(drop),
        _ => session.batch_execute(&statement),
    });
    let seen = while_waiting(monitor, pid);
    logged.db.batch_execute("SELECT pg_advisory_unlock(7)")?;
    thread.join().expect("the session's thread")?;
    seen
}

#[test]
fn no_secret_is_shown_while_a_statement_runs() -> Result<()> {
    let mut logged = Logged::start("pg_stat_statements", "auto_explain")?;
    logged.db.batch_execute(WAITING_FUNCTIONS)?;
    let mut monitor = monitor(&mut logged)?;
    for (number, (way, statement, shown)) in WAITING.iter().enumerate() {
        let secret = Secret::new(number, statement);
        let statement = statement.replace("{}", &secret.text);
        let seen = look(&mut logged, &mut monitor, "", *way, statement)?;
        assert_eq!(seen, *shown);
    }
    Ok(())
}

/// The monitor would see it.
#[test]
fn without_cleaning_it_is_shown() -> Result<()> {
    let mut logged = Logged::start("pg_stat_statements", "auto_explain")?;
    let mut monitor = monitor(&mut logged)?;
    let statement = "SELECT vault.seal('shown'), pg_advisory_lock(7)";
    let settings = "SET token_vault.clean_logs = off";
    let seen = look(
        &mut logged,
        &mut monitor,
        settings,
        Way::Text,
        statement.into(),
    )?;
    assert_eq!(seen, statement);
    Ok(())
}

/// A session's last statement is shown until the next one.
#[test]
fn no_secret_is_shown_after_a_statement_has_ended() -> Result<()> {
    let mut logged = Logged::start("pg_stat_statements", "auto_explain")?;
    logged.db.batch_execute(FUNCTIONS)?;
    let mut monitor = monitor(&mut logged)?;
    let mut session = logged.session("")?;
    let pid: i32 = session.query_one("SELECT pg_backend_pid()", &[])?.get(0);
    for (number, statement) in [
        "SELECT vault.seal('{}')",
        "SELECT vault.seal('{}'",
        "SELECT vault.seal('{}",
        "SELECT vault.store_tokens('{}')",
        "SELECT app_store('{}')",
        "BEGIN; SELECT vault.seal('{}')::integer",
        "SELECT vault.seal('{}')",
        "ROLLBACK; DO $$BEGIN PERFORM vault.seal('{}'); END$$",
    ]
    .iter()
    .enumerate()
    {
        let secret = Secret::new(number, statement);
        let _ = session.batch_execute(&statement.replace("{}", &secret.text));
        let idle = format!("SELECT state LIKE 'idle%' FROM pg_stat_activity WHERE pid = {pid}");
        wait_for_sql(&mut monitor, &idle, LIMIT)?;
        let row =
            monitor.query_one("SELECT query FROM pg_stat_activity WHERE pid = $1", &[&pid])?;
        let seen: String = row.get(0);
        assert_eq!(secret.leak("pg_stat_activity", &seen), None);
        assert!(seen.contains("***"), "{seen}");
    }
    Ok(())
}
