//! Statements that want a database for themselves work as if no worker were there, and the workers come back.

use postgres::{Client, NoTls};
use token_vault_cluster::wait::{wait_for, wait_for_sql};
use token_vault_cluster::{Cluster, Options, Result, StopMode};

use crate::copies::{grant_and_look, wait_for_token};
use crate::provider::{CLIENT, DATABASE, LIMIT, Vault, refresher, register_provider, secret};
use crate::session::sqlstate;

/// A second vault beside the first one, its refresher connected; and a session elsewhere.
fn second(vault: &Vault) -> Result<Client> {
    let mut db = vault.cluster.create_vault("second")?;
    register_provider(&mut db, &vault.server)?;
    db.execute(
        "SELECT vault.register_client($1, provider => 'acme', client_id => $1, client_secret => $2)",
        &[&CLIENT, &secret(CLIENT)],
    )?;
    grant_and_look(&mut db, &vault.server, "alice")?;
    wait_for_token(&mut db, "alice", "generation = 2")?;
    drop(db);
    wait_for("the session's end", LIMIT, || {
        let mut db = vault.cluster.connect("postgres", "postgres")?;
        let query = "SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = 'second' AND backend_type = 'client backend'";
        Ok(db.query_one(query, &[])?.get::<_, bool>(0).then_some(()))
    })?;
    let mut admin = vault.cluster.connect("postgres", "postgres")?;
    // None of these statements may wait for ever.
    admin.batch_execute("SET statement_timeout = '60s'")?;
    refresher(&mut admin, "second")?;
    Ok(admin)
}

/// A refresher is in this database and works.
fn assert_refreshes(vault: &Vault, database: &str, subject: &str) -> Result<()> {
    let mut admin = vault.cluster.connect("postgres", "postgres")?;
    // Without anybody's asking.
    refresher(&mut admin, database)?;
    let mut db = vault.cluster.connect(database, "postgres")?;
    grant_and_look(&mut db, &vault.server, subject)?;
    wait_for_token(&mut db, subject, "generation = 2")
}

#[test]
fn a_database_is_dropped_without_force() -> Result<()> {
    let mut vault = Vault::start()?;
    let mut admin = second(&vault)?;
    admin.batch_execute("DROP DATABASE second")?;
    // The same name again, and by the client program.
    drop(second(&vault)?);
    vault.cluster.dropdb("second", &[])?;
    drop(second(&vault)?);
    vault.cluster.dropdb("second", &["--force"])?;
    // Nobody tries to go back there.
    let launcher =
        "SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'token_vault refresher'";
    wait_for_sql(&mut admin, launcher, LIMIT)?;
    let log = vault.cluster.log()?;
    assert!(!log.contains("FATAL"), "{log}");
    vault.grant_that_is_due("bob")?;
    vault.wait_for_token("bob", "generation = 2")?;
    vault.cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn a_database_is_renamed_moved_and_copied() -> Result<()> {
    let vault = Vault::start()?;
    let mut admin = second(&vault)?;
    admin.batch_execute("ALTER DATABASE second RENAME TO third")?;
    assert_refreshes(&vault, "third", "renamed")?;

    let place = vault.cluster.directory_for_server("place")?;
    admin.batch_execute(&format!(
        "CREATE TABLESPACE place LOCATION '{}'",
        place.display()
    ))?;
    without_sessions(&mut admin, "third")?;
    admin.batch_execute("ALTER DATABASE third SET TABLESPACE place")?;
    assert_refreshes(&vault, "third", "moved")?;

    without_sessions(&mut admin, "third")?;
    vault
        .cluster
        .createdb_with("copy", &["--template", "third"])?;
    assert_refreshes(&vault, "third", "copied")?;
    // A rename that is not committed yet keeps them out as well.
    without_sessions(&mut admin, "third")?;
    let mut transaction = admin.transaction()?;
    transaction.batch_execute("ALTER DATABASE third RENAME TO fourth")?;
    transaction.rollback()?;
    assert_refreshes(&vault, "third", "rolled-back")?;
    vault.cluster.assert_never_crashed();
    Ok(())
}

/// Waits until no client is connected to a database.
fn without_sessions(admin: &mut Client, database: &str) -> Result<()> {
    let query = format!(
        "SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = '{database}' AND backend_type = 'client backend'"
    );
    wait_for_sql(admin, &query, LIMIT)
}

#[test]
fn a_copy_of_ones_own_database_needs_no_force_either() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.refresher()?;
    vault
        .db
        .batch_execute("CREATE DATABASE copy TEMPLATE app")?;
    vault.grant_that_is_due("alice")?;
    vault.wait_for_token("alice", "generation = 2")?;
    Ok(())
}

#[test]
fn after_a_statement_that_fails_the_refresher_comes_back() -> Result<()> {
    let mut vault = Vault::start()?;
    let before = vault.refresher()?;
    let mut admin = vault.cluster.connect("postgres", "postgres")?;
    // There is a session, so the server refuses.
    for statement in [
        "DROP DATABASE app",
        "ALTER DATABASE app RENAME TO other",
        "CREATE DATABASE copy TEMPLATE app",
    ] {
        assert_eq!(sqlstate(admin.batch_execute(statement)), "55006");
    }
    assert_ne!(vault.refresher()?, before);
    vault.grant_that_is_due("alice")?;
    vault.wait_for_token("alice", "generation = 2")?;
    Ok(())
}

#[test]
fn a_session_that_dies_in_the_middle_lets_it_come_back() -> Result<()> {
    let mut vault = Vault::start()?;
    let mut admin = vault.cluster.connect("postgres", "postgres")?;
    let pid: i32 = admin.query_one("SELECT pg_backend_pid()", &[])?.get(0);
    let before = vault.refresher()?;
    // The session of `vault.db` is in its way for some seconds.
    let dropping = std::thread::spawn(move || admin.batch_execute("DROP DATABASE app"));
    let gone = format!("SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = {before}");
    wait_for_sql(&mut vault.db, &gone, LIMIT)?;
    vault
        .db
        .execute("SELECT pg_terminate_backend($1)", &[&pid])?;
    assert!(dropping.join().expect("the session's thread").is_err());
    vault.refresher()?;
    vault.grant_that_is_due("alice")?;
    vault.wait_for_token("alice", "generation = 2")?;
    vault.cluster.assert_never_crashed();
    Ok(())
}

/// A cancelled wait, too: the refresher waits for an answer that takes long.
#[test]
fn a_statement_that_is_cancelled_while_it_waits_lets_it_come_back() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.register_at_provider(CLIENT, crate::provider::ROTATION_WITH_LEEWAY);
    let slow = token_vault_oauth_server::Behaviour::Delay { ms: 60_000 };
    vault.server.misbehave(slow, Some(1));
    vault.grant_that_is_due("alice")?;
    vault.wait_for_refreshes(1)?;
    let mut admin = vault.cluster.connect("postgres", "postgres")?;
    let cancel = admin.cancel_token();
    let dropping = std::thread::spawn(move || admin.batch_execute("DROP DATABASE app"));
    let waits = "SELECT count(*) = 1 FROM pg_stat_activity WHERE query LIKE 'DROP DATABASE%' AND wait_event = 'Extension'";
    wait_for_sql(&mut vault.db, waits, LIMIT)?;
    cancel.cancel_query(NoTls)?;
    assert_eq!(sqlstate(dropping.join().expect("the thread")), "57014");
    vault.wait_for_token("alice", "generation = 2")?;
    Ok(())
}

/// Whoever may not drop a database does not disturb its refresher either.
#[test]
fn nobody_without_the_right_sends_it_away() -> Result<()> {
    let mut vault = Vault::start()?;
    let before = vault.refresher()?;
    let mut admin = vault.cluster.connect("postgres", "postgres")?;
    admin.batch_execute("CREATE ROLE eve LOGIN; CREATE ROLE maker LOGIN CREATEDB")?;
    let statements = [
        "DROP DATABASE app",
        "DROP DATABASE app WITH (FORCE)",
        "ALTER DATABASE app RENAME TO other",
        "ALTER DATABASE app SET TABLESPACE pg_default",
        "CREATE DATABASE copy TEMPLATE app",
    ];
    for role in ["eve", "maker"] {
        let mut session = vault.cluster.connect("postgres", role)?;
        for statement in statements {
            let refused = sqlstate(session.batch_execute(statement));
            assert_eq!(refused, "42501", "{role}: {statement}");
        }
    }
    assert_eq!(vault.refresher()?, before);
    Ok(())
}

/// PostgreSQL itself refuses FORCE to an owner who is no superuser while a superuser's process is connected.
#[test]
fn an_owner_who_is_no_superuser_can_drop_it() -> Result<()> {
    let vault = Vault::start()?;
    let mut admin = second(&vault)?;
    admin.batch_execute("CREATE ROLE owner LOGIN; ALTER DATABASE second OWNER TO owner")?;
    let mut owner = vault.cluster.connect("postgres", "owner")?;
    owner.batch_execute("DROP DATABASE second WITH (FORCE)")?;
    drop(second(&vault)?);
    admin.batch_execute("ALTER DATABASE second OWNER TO owner")?;
    owner.batch_execute("DROP DATABASE second")?;
    Ok(())
}

/// One that is just being started leaves as well, and what has held it up is forgotten.
#[test]
fn it_makes_way_while_it_starts() -> Result<()> {
    let vault = Vault::start()?;
    let mut admin = second(&vault)?;
    for round in 0..15 {
        let database = ["second", "third"][round % 2];
        let other = ["third", "second"][round % 2];
        // Now and then it has not been started, or is not connected yet.
        if round % 3 > 0 {
            let pid = refresher(&mut admin, database)?;
            admin.execute("SELECT pg_terminate_backend($1)", &[&pid])?;
        }
        admin
            .batch_execute(&format!("ALTER DATABASE {database} RENAME TO {other}"))
            .map_err(|error| format!("round {round}: {error:?}"))?;
    }
    assert_refreshes(&vault, "third", "bob")?;
    let log = vault.cluster.log()?;
    assert!(!log.contains("FATAL"), "{log}");
    Ok(())
}

/// A launcher that has just been started looks into every database: it comes back to one that was held then.
#[test]
fn it_makes_way_right_after_a_start() -> Result<()> {
    let mut vault = Vault::start()?;
    drop(second(&vault)?);
    for round in 0..6 {
        let database = ["second", "third"][round % 2];
        let other = ["third", "second"][round % 2];
        vault.cluster.restart(StopMode::Fast)?;
        let mut admin = vault.cluster.connect("postgres", "postgres")?;
        admin
            .batch_execute(&format!("ALTER DATABASE {database} RENAME TO {other}"))
            .map_err(|error| format!("round {round}: {error:?}"))?;
        refresher(&mut admin, other)?;
    }
    vault.cluster.assert_never_crashed();
    Ok(())
}

/// It stays away until the last statement that wants its database has ended.
#[test]
fn several_copies_are_made_at_once() -> Result<()> {
    let vault = Vault::start()?;
    let mut admin = second(&vault)?;
    for round in 0..5 {
        std::thread::scope(|scope| {
            let copies: Vec<_> = (0..3)
                .map(|number| {
                    let name = format!("copy-{round}-{number}");
                    let cluster = &vault.cluster;
                    scope.spawn(move || {
                        let options = ["--template", "second", "--strategy", "file_copy"];
                        cluster.createdb_with(&name, &options)
                    })
                })
                .collect();
            copies
                .into_iter()
                .try_for_each(|copy| copy.join().expect("the thread"))
        })?;
        refresher(&mut admin, "second")?;
    }
    assert_refreshes(&vault, "second", "bob")
}

/// The custodian too, also one that sleeps because somebody has locked what is left to do.
#[test]
fn a_custodian_makes_way() -> Result<()> {
    let vault = Vault::start()?;
    let mut admin = second(&vault)?;
    let mut db = vault.cluster.connect("second", "postgres")?;
    db.batch_execute(
        "CREATE TABLE hook (key vault.secret); INSERT INTO hook VALUES ('whsec'::text)",
    )?;
    let mut transaction = db.transaction()?;
    transaction.batch_execute("SELECT * FROM hook FOR UPDATE; SELECT vault.seal('x')")?;
    let mut rotating = vault.cluster.connect("second", "postgres")?;
    rotating.batch_execute("SELECT vault.rotate_key()")?;
    let custodian = "SELECT count(*) = 1 FROM pg_stat_activity
                     WHERE datname = 'second' AND backend_type = 'token_vault custodian' AND wait_event = 'Extension'";
    wait_for_sql(&mut admin, custodian, LIMIT)?;
    drop(rotating);
    drop(transaction);
    drop(db);
    without_sessions(&mut admin, "second")?;
    admin.batch_execute("ALTER DATABASE second RENAME TO third")?;
    assert_refreshes(&vault, "third", "bob")
}

/// Without preloading nothing watches statements, and nothing has to.
#[test]
fn not_preloaded_nothing_is_in_the_way() -> Result<()> {
    let cluster = Cluster::start_new(&Options::new().without_fsync().not_preloaded())?;
    drop(cluster.create_vault(DATABASE)?);
    let mut admin = cluster.connect("postgres", "postgres")?;
    without_sessions(&mut admin, DATABASE)?;
    admin.batch_execute("ALTER DATABASE app RENAME TO other; ")?;
    admin.batch_execute("DROP DATABASE other")?;
    cluster.assert_never_crashed();
    Ok(())
}

/// What a statement that fails says is what PostgreSQL says without us: the position in the text, too.
#[test]
fn errors_of_other_statements_are_passed_on_whole() -> Result<()> {
    let cluster = Cluster::start_new(&Options::new().without_fsync())?;
    let mut db = cluster.connect("postgres", "postgres")?;
    let error = db
        .batch_execute("CREATE TABLE t (id no_such_type)")
        .expect_err("no such type");
    let error = error.as_db_error().expect("the server's error");
    assert!(error.position().is_some(), "{error:?}");
    assert_eq!(error.file(), Some("parse_type.c"));
    Ok(())
}
