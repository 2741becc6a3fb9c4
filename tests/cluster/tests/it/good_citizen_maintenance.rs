//! What an administrator does to the vault's tables waits for no worker of ours, and the workers go on after it.

use postgres::Client;
use token_vault_cluster::wait::{wait_for, wait_for_sql};
use token_vault_cluster::{Options, Result};
use token_vault_oauth_server::Behaviour;

use crate::copies::{grant_and_look, wait_for_token};
use crate::provider::{CLIENT, DATABASE, LIMIT, ROTATION_WITH_LEEWAY, Vault, register_provider};
use crate::session::get_token;

const NO_REFRESHER: &str =
    "SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'token_vault refresher'";

/// Everything that locks a table against readers, and more.
const STATEMENTS: [&str; 9] = [
    "VACUUM FULL vault.token",
    "VACUUM FULL vault.refresh_schedule",
    "VACUUM (FREEZE, ANALYZE) vault.token",
    "ANALYZE vault.refresh_schedule",
    "REINDEX TABLE vault.token",
    "REINDEX TABLE CONCURRENTLY vault.refresh_schedule",
    "CLUSTER vault.token USING token_pkey",
    "LOCK TABLE vault.token, vault.refresh_schedule, vault.installation IN ACCESS EXCLUSIVE MODE",
    "TRUNCATE vault.token CASCADE",
];

/// Runs a statement that fails rather than wait for somebody who never lets go.
fn run(db: &mut Client, statement: &str) -> Result<()> {
    db.batch_execute("SET lock_timeout = '20s'")?;
    let result = if statement.starts_with("LOCK") {
        db.batch_execute(&format!("BEGIN; {statement}; COMMIT"))
    } else {
        db.batch_execute(statement)
    };
    result.map_err(|error| format!("{statement}: {error:?}").into())
}

#[test]
fn maintenance_waits_for_no_sleeping_refresher() -> Result<()> {
    let mut vault = Vault::start()?;
    let pid = vault.refresher()?;
    for (number, statement) in STATEMENTS.into_iter().enumerate() {
        run(&mut vault.db, statement)?;
        let subject = format!("user-{number}");
        grant_and_look(&mut vault.db, &vault.server, &subject)?;
        vault.wait_for_token(&subject, "generation = 2")?;
    }
    assert_eq!(vault.refresher()?, pid);
    vault.cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn nor_for_one_with_a_request_under_way() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.register_at_provider(CLIENT, ROTATION_WITH_LEEWAY);
    for (number, statement) in STATEMENTS.into_iter().enumerate() {
        let ms = 1000;
        vault.server.misbehave(Behaviour::Delay { ms }, Some(1));
        let subject = format!("user-{number}");
        vault.grant_that_is_due(&subject)?;
        vault.wait_for_refreshes(number + 1)?;
        run(&mut vault.db, statement)?;
        if statement.starts_with("TRUNCATE") {
            // The answer belongs to nothing any more.
            grant_and_look(&mut vault.db, &vault.server, "after")?;
            vault.wait_for_token("after", "generation = 2")?;
        } else {
            vault.wait_for_token(&subject, "generation = 2")?;
        }
    }
    vault.cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn between_two_turns_it_holds_nothing_but_its_duty() -> Result<()> {
    let mut vault = Vault::start()?;
    grant_and_look(&mut vault.db, &vault.server, "alice")?;
    vault.wait_for_token("alice", "generation = 2")?;
    let pid = vault.refresher()?;
    let holds_nothing = format!(
        "SELECT (SELECT count(*) FILTER (WHERE locktype = 'advisory') = 1
                    AND count(*) FILTER (WHERE locktype <> 'advisory') = 0 FROM pg_locks WHERE pid = {pid})
            AND (SELECT backend_xid IS NULL AND backend_xmin IS NULL AND wait_event_type = 'Extension'
                 FROM pg_stat_activity WHERE pid = {pid})"
    );
    wait_for_sql(&mut vault.db, &holds_nothing, LIMIT)
}

#[test]
fn it_leaves_when_its_extension_is_dropped() -> Result<()> {
    let mut vault = Vault::start()?;
    let pid = vault.refresher()?;
    // Not when that is taken back.
    vault
        .db
        .batch_execute("BEGIN; DROP EXTENSION token_vault; ROLLBACK")?;
    vault.grant_that_is_due("alice")?;
    vault.wait_for_token("alice", "generation = 2")?;
    assert_eq!(vault.refresher()?, pid);
    // It sleeps for much longer than this waits.
    vault.db.batch_execute("DROP EXTENSION token_vault")?;
    wait_for_sql(&mut vault.db, NO_REFRESHER, LIMIT)?;

    set_up(&mut vault)?;
    vault.refresher()?;
    vault
        .db
        .batch_execute("DO $$BEGIN EXECUTE 'DROP EXTENSION token_vault'; END$$")?;
    wait_for_sql(&mut vault.db, NO_REFRESHER, LIMIT)?;

    vault
        .db
        .batch_execute("CREATE ROLE admin SUPERUSER; SET ROLE admin")?;
    set_up(&mut vault)?;
    vault.refresher()?;
    vault
        .db
        .batch_execute("RESET ROLE; DROP OWNED BY admin; DROP ROLE admin")?;
    wait_for_sql(&mut vault.db, NO_REFRESHER, LIMIT)?;

    set_up(&mut vault)?;
    vault.grant_that_is_due("alice")?;
    vault.wait_for_token("alice", "generation = 2")?;
    let log = vault.cluster.log()?;
    assert!(!log.contains("ERROR") && !log.contains("FATAL"), "{log}");
    Ok(())
}

/// Everything that [`Vault::start`] does in the database itself.
fn set_up(vault: &mut Vault) -> Result<()> {
    vault
        .db
        .batch_execute("CREATE EXTENSION token_vault; SELECT vault.create_master_key()")?;
    register_provider(&mut vault.db, &vault.server)?;
    vault.add_client(CLIENT)
}

#[test]
fn tokens_outlive_the_role_that_has_stored_them() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.db.batch_execute(
        "CREATE ROLE web LOGIN; SELECT vault.grant_access('web', privileges => '{read,write}')",
    )?;
    let mut web = vault.cluster.connect(DATABASE, "web")?;
    let answer = vault.server.issue(CLIENT, "alice", "profile");
    web.execute(
        "SELECT vault.store_token_response('acme', 'alice', $1::jsonb, client => $2)",
        &[&postgres::types::Json(&answer), &CLIENT],
    )?;
    drop(web);
    vault.db.batch_execute("DROP OWNED BY web; DROP ROLE web")?;
    crate::session::refresh_token(&mut vault.db, "alice")?;
    vault.wait_for_token("alice", "generation = 2")?;
    let token = get_token(&mut vault.db, "alice")?;
    assert_eq!(vault.who_is(&token)?, "alice");
    Ok(())
}

#[test]
fn a_schema_of_its_name_that_is_not_its_own_is_left_alone() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.cluster.createdb("other")?;
    vault.cluster.psql(
        "other",
        "CREATE SCHEMA vault; CREATE TABLE vault.token (id int); CREATE TABLE vault.installation (id int)",
    )?;
    vault.cluster.restart(token_vault_cluster::StopMode::Fast)?;
    vault.db = vault.session()?;
    vault.refresher()?;
    vault.grant_that_is_due("alice")?;
    vault.wait_for_token("alice", "generation = 2")?;
    let one =
        "SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'token_vault refresher'";
    wait_for_sql(&mut vault.db, one, LIMIT)?;
    let log = vault.cluster.log()?;
    assert!(!log.contains("ERROR") && !log.contains("WARNING"), "{log}");
    Ok(())
}

#[test]
fn autovacuum_sees_what_it_writes() -> Result<()> {
    let options = Options::new()
        .without_fsync()
        .set("autovacuum_naptime", "1s")
        .set("autovacuum_vacuum_threshold", "5")
        .set("autovacuum_vacuum_scale_factor", "0")
        .set("autovacuum_analyze_threshold", "5")
        .set("autovacuum_analyze_scale_factor", "0");
    let mut vault = Vault::start_with(&options)?;
    for number in 0..20 {
        vault.grant_that_is_due(&format!("user-{number}"))?;
    }
    vault.wait_for_refreshes(20)?;
    // Of its own updates: the sessions above have only inserted.
    let is_seen = "SELECT n_tup_upd >= 20 AND last_autoanalyze IS NOT NULL FROM pg_stat_user_tables
                   WHERE schemaname = 'vault' AND relname = 'token'";
    wait_for_sql(&mut vault.db, is_seen, LIMIT)?;
    let is_vacuumed =
        "SELECT n_tup_upd >= 20 AND last_autovacuum IS NOT NULL FROM pg_stat_user_tables
                       WHERE schemaname = 'vault' AND relname = 'refresh_schedule'";
    wait_for_sql(&mut vault.db, is_vacuumed, LIMIT)
}

/// Sum of a counter of all threads of a process, in the kernel's books.
fn switches(pid: i32) -> Result<u64> {
    let mut sum = 0;
    for task in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        let status = std::fs::read_to_string(task?.path().join("status"))?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        sum += line.ok_or("no such counter")?.trim().parse::<u64>()?;
    }
    Ok(sum)
}

#[test]
fn with_nothing_to_do_it_sleeps() -> Result<()> {
    let mut vault = Vault::start_with(&Options::new().without_fsync().set("autovacuum", "off"))?;
    vault.grant_that_is_due("alice")?;
    vault.wait_for_token("alice", "generation = 2")?;
    let mut admin = vault.cluster.connect("postgres", "postgres")?;
    let pids: Vec<i32> = admin
        .query(
            "SELECT pid FROM pg_stat_activity WHERE backend_type IN ('token_vault refresher', 'token_vault launcher')",
            &[],
        )?
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert_eq!(pids.len(), 2);
    let mut look = || -> Result<(i64, Vec<u64>)> {
        let transactions =
            "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = $1";
        let made = admin.query_one(transactions, &[&DATABASE])?.get(0);
        // Nobody is connected to that database but the refresher and an idle session.
        admin.batch_execute("SELECT pg_sleep(2)")?;
        let switches = pids.iter().map(|pid| switches(*pid));
        Ok((made, switches.collect::<Result<_>>()?))
    };
    // What it has begun (last use, a look for keys) may still be going on at first.
    let mut before = look()?;
    wait_for("two seconds of rest", LIMIT, || {
        let now = look()?;
        let is_same = now == before;
        before = now;
        Ok(is_same.then_some(()))
    })
}

/// Old snapshots and open transactions of others are not in its way.
#[test]
fn sessions_that_sit_on_their_transactions_do_not_hold_it_up() -> Result<()> {
    let mut vault = Vault::start()?;
    let mut old = vault.session()?;
    let mut snapshot = old.transaction()?;
    snapshot.batch_execute(
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM vault.token",
    )?;
    let mut listener = vault.session()?;
    listener.batch_execute("LISTEN token_vault; LISTEN anything")?;
    let mut reader = vault.session()?;
    let mut reading = reader.transaction()?;
    reading.batch_execute("SELECT * FROM vault.token, vault.refresh_schedule")?;
    for number in 0..5 {
        let subject = format!("user-{number}");
        grant_and_look(&mut vault.db, &vault.server, &subject)?;
        wait_for_token(&mut vault.db, &subject, "generation = 2")?;
    }
    reading.commit()?;
    snapshot.commit()?;
    Ok(())
}
