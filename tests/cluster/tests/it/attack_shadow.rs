//! Shadow objects: somebody has planted an object of every name, and the victim's `search_path` leads there first. What the
//! vault's functions, views and processes do stays the same, and none of the planted objects is ever reached.

use postgres::{Client, NoTls};
use token_vault_cluster::{Cluster, Options, Result, StopMode};

use crate::access_matrix_calls::CALLS;
use crate::master_key::register_provider;
use crate::provider::{DATABASE, Vault};

/// Plants the traps.
const PLANT: &str = include_str!("../attack/shadow.sql");

/// Orders in which a victim may have the attacker's schemas.
const PATHS: [&str; 4] = [
    "evil, pg_catalog, vault, public",
    "pg_temp, evil, vault, public, pg_catalog",
    "evil, pg_temp, pg_catalog, vault, public",
    "pg_catalog, evil, pg_temp, vault, public",
];

/// A role with every right.
const APPLICATION: &str = "app";

fn start() -> Result<(Cluster, Client)> {
    let options = Options::new()
        .without_fsync()
        .set("token_vault.refresh_enabled", "off");
    let cluster = Cluster::start_new(&options)?;
    let mut db = cluster.create_vault(DATABASE)?;
    register_provider(&mut db)?;
    db.batch_execute(&format!(
        "CREATE TABLE webhook (key vault.secret); INSERT INTO webhook VALUES ('whsec'::text); GRANT SELECT ON webhook TO PUBLIC;
         CREATE ROLE nobody;
         CREATE ROLE {APPLICATION} LOGIN;
         SELECT vault.register_client('app', 'acme', 'id', 'cs', tenant => 'blue');
         SELECT vault.store_token('acme', 'ann', 'at', 'rt', expires_in => 3600, tenant => 'blue');
         SELECT vault.grant_access('{APPLICATION}', '{{read,write,refresh,export,restore,admin}}');
         GRANT EXECUTE ON ALL ROUTINES IN SCHEMA vault TO {APPLICATION}"
    ))?;
    Ok((cluster, db))
}

/// Every function and every view of the vault.
fn statements(db: &mut Client) -> Result<Vec<String>> {
    let views = db.query(
        "SELECT 'SELECT * FROM ' || oid::regclass FROM pg_class WHERE relnamespace = 'vault'::regnamespace AND relkind = 'v'",
        &[],
    )?;
    let calls = CALLS
        .iter()
        .map(|call| call.sql.replace("{tenant}", "blue"));
    Ok(calls.chain(views.iter().map(|row| row.get(0))).collect())
}

/// The SQLSTATE with which each statement ends, in a transaction of its own that is rolled back; empty: it succeeds. Only the
/// simple protocol: the driver itself asks the catalogs otherwise.
fn outcomes(db: &mut Client, statements: &[String]) -> Result<Vec<String>> {
    let mut outcomes = Vec::new();
    for statement in statements {
        db.batch_execute("BEGIN")?;
        let state = match db.batch_execute(statement) {
            Ok(()) => String::new(),
            Err(error) => error
                .code()
                .map_or_else(|| error.to_string(), |c| c.code().to_owned()),
        };
        db.batch_execute("ROLLBACK")?;
        outcomes.push(format!("{statement}: {state}"));
    }
    Ok(outcomes)
}

/// How many traps were stepped into so far. The log says which.
pub fn sprung(db: &mut Client) -> Result<i64> {
    let query = "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM evil.reached";
    Ok(db.query_one(query, &[])?.get(0))
}

/// There are as many traps as the server has names, give or take those that nobody can have.
fn assert_planted(db: &mut Client) -> Result<()> {
    for (kind, originals) in [
        (
            "function",
            "pg_proc WHERE prokind = 'f' AND pronamespace = 'pg_catalog'::regnamespace",
        ),
        (
            "aggregate",
            "pg_proc WHERE prokind = 'a' AND pronamespace = 'pg_catalog'::regnamespace",
        ),
        (
            "operator",
            "pg_operator WHERE oprnamespace = 'pg_catalog'::regnamespace",
        ),
        (
            "relation",
            "pg_class WHERE relkind IN ('r', 'v') AND relnamespace IN ('pg_catalog'::regnamespace, 'vault'::regnamespace)",
        ),
    ] {
        let query = format!(
            "SELECT (SELECT count(*) FROM evil.planted WHERE kind = '{kind}')::float8 / (SELECT count(*) FROM {originals})"
        );
        let share: f64 = db.query_one(&query, &[])?.get(0);
        assert!(share > 0.8, "{kind}: only {share} of them");
    }
    Ok(())
}

#[test]
fn no_planted_object_is_reached_by_functions_and_views() -> Result<()> {
    let (cluster, mut db) = start()?;
    let statements = statements(&mut db)?;
    let session = |role: &str, path: Option<&str>| -> Result<Vec<String>> {
        // A new session for each path: plans are made under the first one that a session has.
        let mut victim = cluster.connect(DATABASE, role)?;
        if let Some(path) = path {
            // Relations and types are looked up among the session's temporary ones first.
            victim.batch_execute(&format!(
                "CALL evil.plant_relations('pg_temp'); SET search_path = {path}"
            ))?;
        }
        outcomes(&mut victim, &statements)
    };
    let expected = ["postgres", APPLICATION].map(|role| session(role, None));
    db.batch_execute(PLANT)?;
    assert_planted(&mut db)?;

    for (role, expected) in ["postgres", APPLICATION].into_iter().zip(expected) {
        let expected = expected?;
        assert!(
            expected
                .iter()
                .filter(|outcome| outcome.ends_with(": "))
                .count()
                > 30,
            "{expected:#?}"
        );
        for path in PATHS {
            assert_eq!(session(role, Some(path))?, expected, "{role}, {path}");
            assert_eq!(sprung(&mut db)?, 0, "{role}, {path}");
        }
    }
    // The traps are live: the same, said without care.
    let mut careless = cluster.connect(DATABASE, APPLICATION)?;
    careless.batch_execute(
        "CALL evil.plant_relations('pg_temp'); SET search_path = evil, pg_catalog;
         SELECT 1 = 1; SELECT lower('A'::pg_catalog.text); SELECT FROM pg_class; SELECT 'a'::text; SELECT max(1)",
    )?;
    assert!(sprung(&mut db)? >= 5);
    cluster.assert_never_crashed();
    Ok(())
}

/// What the database's owner sets for all its sessions counts for the vault's own processes, too.
#[test]
fn no_planted_object_is_reached_by_the_refresher_and_the_custodian() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.grant("alice")?;
    vault.db.batch_execute(PLANT)?;
    vault.db.batch_execute(&format!(
        "ALTER DATABASE {DATABASE} SET search_path = evil, pg_catalog, public; SELECT vault.rotate_key()"
    ))?;
    vault.cluster.restart(StopMode::Fast)?;
    let mut careful = vault.cluster.connection(DATABASE, "postgres");
    vault.db = careful
        .options("-c search_path=pg_catalog")
        .connect(NoTls)?;

    vault.grant_that_is_due("bob")?;
    vault.wait_for_token("bob", "generation = 2")?;
    vault.expire("alice")?;
    vault
        .db
        .batch_execute("SELECT vault.get_token('acme', 'alice')")?;
    assert!(vault.token("alice")?.generation > 1);
    token_vault_cluster::wait::wait_for_sql(
        &mut vault.db,
        "SELECT count(*) > 0 AND bool_and(tokens = 0) FROM vault.keys WHERE state <> 'active'",
        crate::provider::LIMIT,
    )?;
    assert_eq!(sprung(&mut vault.db)?, 0);

    vault.session()?.batch_execute("SELECT 1 = 1")?;
    assert_eq!(sprung(&mut vault.db)?, 1);
    vault.cluster.assert_never_crashed();
    Ok(())
}
