//! Statements that do not name the vault: what they name uses it.

use postgres::NoTls;
use token_vault_cluster::wait::wait_for_sql;
use token_vault_cluster::{Result, StopMode};

use super::case::FUNCTIONS;
use super::{Logged, Secret};
use crate::provider::{DATABASE, LIMIT};

const LOG_ALL: &str = "SET log_statement = 'all'; SET log_min_duration_statement = 0";

/// Definitions, and a statement each that uses what was defined.
const DEFINITIONS: &[(&str, &str)] = &[
    (
        "CREATE TABLE by_name (k vault.secret)",
        "INSERT INTO by_name VALUES ('{}')",
    ),
    (
        "SET search_path = vault, public; CREATE TABLE public.by_path (k secret); RESET search_path",
        "INSERT INTO by_path VALUES ('{}')",
    ),
    (
        "CREATE TABLE added (id integer); ALTER TABLE added ADD k vault.secret",
        "INSERT INTO added VALUES (1, '{}')",
    ),
    (
        "CREATE TABLE copied AS SELECT * FROM webhook",
        "INSERT INTO copied VALUES (1, '{}')",
    ),
    (
        "CREATE TABLE alike (LIKE webhook)",
        "INSERT INTO alike VALUES (1, '{}')",
    ),
    (
        "CREATE VIEW seen AS SELECT * FROM webhook",
        "INSERT INTO seen VALUES (1, '{}')",
    ),
    (
        "CREATE TABLE before_it (k vault.secret); ALTER TABLE before_it RENAME TO after_it",
        "INSERT INTO after_it VALUES ('{}')",
    ),
    (
        "CREATE DOMAIN hidden AS vault.secret; CREATE TABLE by_domain (k hidden)",
        "INSERT INTO by_domain VALUES ('{}')",
    ),
    (
        "CREATE TABLE many (k vault.secret[])",
        "INSERT INTO many VALUES (ARRAY['{}'::text::vault.secret])",
    ),
    (
        "DO $$BEGIN EXECUTE 'CREATE TABLE by_block (k vault.secret)'; END$$",
        "INSERT INTO by_block VALUES ('{}')",
    ),
    (
        "CREATE FUNCTION outer_one(t text) RETURNS void LANGUAGE sql AS 'SELECT app_store(t)'",
        "SELECT outer_one('{}')",
    ),
];

fn check(logged: &mut Logged, first: usize) -> Result<()> {
    let mut secrets = Vec::new();
    for (number, (_, statement)) in DEFINITIONS.iter().enumerate() {
        // A new session each: nothing was learnt there.
        let mut db = logged.session(LOG_ALL)?;
        let secret = Secret::new(first + number, statement);
        db.batch_execute(&statement.replace("{}", &secret.text))?;
        secrets.push(secret);
    }
    logged.assert_clean(&secrets)
}

#[test]
fn what_is_defined_is_known_in_every_session_and_after_a_restart() -> Result<()> {
    let mut logged = Logged::start("", "")?;
    logged.db.batch_execute(FUNCTIONS)?;
    for (definition, _) in DEFINITIONS {
        logged.db.batch_execute(definition)?;
    }
    check(&mut logged, 100)?;
    logged.cluster.restart(StopMode::Fast)?;
    logged.db = logged.session("")?;
    // The first statement of all is analyzed after it was logged.
    logged.db.batch_execute("SELECT 1")?;
    check(&mut logged, 200)
}

/// Nobody has analyzed a statement there but the refresher.
#[test]
fn after_a_start_the_refresher_makes_the_names_known() -> Result<()> {
    let mut logged = Logged::start("", "")?;
    logged.cluster.restart(StopMode::Fast)?;
    let mut elsewhere = logged.cluster.connect("postgres", "postgres")?;
    let has_run = format!(
        "SELECT count(*) > 0 FROM pg_stat_activity
         WHERE backend_type = 'token_vault refresher' AND datname = '{DATABASE}' AND query <> ''"
    );
    wait_for_sql(&mut elsewhere, &has_run, LIMIT)?;
    let settings = "-c log_statement=all";
    let connection = logged.cluster.connection(DATABASE, "postgres");
    let mut db = connection.clone().options(settings).connect(NoTls)?;
    let secret = Secret::new(1, "the first statement of all");
    db.batch_execute(&format!(
        "INSERT INTO webhook VALUES (1, '{}')",
        secret.text
    ))?;
    logged.db = logged.session("")?;
    logged.assert_clean([&secret])
}

/// A function that does not name the vault: known in the session, when it has called it.
#[test]
fn what_has_turned_out_to_use_the_vault_is_clean_from_then_on() -> Result<()> {
    let mut logged = Logged::start("", "")?;
    logged.db.batch_execute(
        "CREATE FUNCTION app_hide(t text) RETURNS void LANGUAGE plpgsql AS
         $$BEGIN EXECUTE 'SELECT va' || 'ult.se' || 'al($1)' USING t; END$$",
    )?;
    let parameters = "SET log_statement = 'all'; SET log_parameter_max_length = -1";
    let mut db = logged.session(parameters)?;
    let query = "SELECT app_hide($1)";
    let secrets = [
        Secret::new(1, "the first call"),
        Secret::new(2, "the second call"),
    ];
    for secret in &secrets {
        db.execute(query, &[&secret.text])?;
    }
    let logs = logged.logs()?;
    let is_logged = |secret: &Secret| {
        logs.iter()
            .any(|(name, log)| secret.leak(name, log).is_some())
    };
    assert_eq!(secrets.each_ref().map(is_logged), [true, false]);
    Ok(())
}

/// In a database without the extension the schema's name means nothing.
#[test]
fn a_database_without_a_vault_is_left_alone() -> Result<()> {
    let mut logged = Logged::start("", "")?;
    let mut other = logged.cluster.connect("postgres", "postgres")?;
    other.batch_execute("SELECT 1; SET log_statement = 'all'; SELECT 'plain' AS vault")?;
    other.batch_execute("CREATE SCHEMA mine; SELECT 'plain one' AS vault")?;
    for (name, log) in logged.logs()? {
        assert!(log.contains("SELECT 'plain one' AS vault"), "{name}");
    }
    // Until it gets one.
    other.batch_execute("CREATE EXTENSION token_vault; SELECT 'secret one' AS vault")?;
    other.batch_execute("SELECT 'secret two' AS vault")?;
    for (name, log) in logged.logs()? {
        assert!(!log.contains("secret two"), "{name}");
    }
    Ok(())
}
