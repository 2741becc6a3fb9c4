//! `pg_dump` and `pg_restore` as administrators use them: in parts, in parallel, over what is there, as SQL.

use std::collections::BTreeSet;

use postgres::Client;
use token_vault_cluster::wait::wait_for_sql;
use token_vault_cluster::{Cluster, Options, Result};

use crate::catalog::{Property, differences, snapshot};
use crate::column_dump::{run, run_with};
use crate::contents::{OPENED, fill, opened};
use crate::copies::status;
use crate::provider::{LIMIT, refresher};
use crate::session::sqlstate;

/// Options of the sessions of a parallel `pg_restore`. The tables of an extension are there with their foreign keys before
/// their data, and it does not know in which order these go: a limit of PostgreSQL. So none is checked meanwhile.
const WITHOUT_CHECKS: &str = "-c session_replication_role=replica";

/// A vault with something of everything, and its dump in the custom format.
struct Dumped {
    cluster: Cluster,
    db: Client,
    dump: String,
}

impl Dumped {
    fn new(options: &Options) -> Result<Self> {
        let cluster = Cluster::start_new(options)?;
        let mut db = cluster.create_vault("app")?;
        fill(&mut db)?;
        let dump = cluster.pg_dump("app")?.to_string_lossy().into_owned();
        Ok(Self { cluster, db, dump })
    }

    /// A new database, and `pg_restore` into it with these options, once for each.
    fn restore(&mut self, database: &str, options: &[&str]) -> Result<Client> {
        self.cluster.createdb(database)?;
        for option in options {
            let target = format!("--dbname={database}");
            self.run("pg_restore", &["--exit-on-error", option, &target])?;
        }
        self.cluster.connect(database, "postgres")
    }

    /// A new database, and `pg_restore` into it by several sessions at once.
    fn restore_in_parallel(&mut self, database: &str) -> Result<Client> {
        self.cluster.createdb(database)?;
        let target = format!("--dbname={database}");
        let arguments = ["--exit-on-error", "--jobs=3", &target, &self.dump];
        run_with(
            &self.cluster,
            &mut self.db,
            "pg_restore",
            &arguments,
            WITHOUT_CHECKS,
        )?;
        self.cluster.connect(database, "postgres")
    }

    /// Over what is in the database.
    fn clean(&mut self, database: &str) -> Result<()> {
        let target = format!("--dbname={database}");
        self.run(
            "pg_restore",
            &["--exit-on-error", "--clean", "--if-exists", &target],
        )
    }

    /// The copy has everything, the same extension, and the privileges of the application's role; and it waits.
    fn assert_same(
        &self,
        original: &BTreeSet<Property>,
        copy: &mut Client,
        database: &str,
    ) -> Result<()> {
        assert_eq!(opened(copy)?, OPENED, "{database}");
        let found = differences(original, &snapshot(copy)?);
        assert_eq!(found, Vec::<String>::new(), "{database}");
        let mut web = self.cluster.connect(database, "web")?;
        web.execute("SELECT vault.get_token('acme', 'alice')", &[])?;
        let (state, _) = status(copy, "installation")?;
        assert!(state.contains("nothing is refreshed"), "{state}");
        Ok(())
    }

    /// A client program on the dump.
    fn run(&mut self, program: &str, arguments: &[&str]) -> Result<()> {
        let arguments = [arguments, &[&self.dump]].concat();
        run(&self.cluster, &mut self.db, program, &arguments)
    }
}

/// Without workers of ours, which would make partitions of the audit log between two looks at the catalog.
fn quiet() -> Options {
    Options::new().without_fsync().not_preloaded()
}

#[test]
fn a_restored_extension_is_the_same_however_it_was_restored() -> Result<()> {
    let mut dumped = Dumped::new(&quiet())?;
    let original = snapshot(&mut dumped.db)?;
    let ways: [(&str, &[&str]); 2] = [
        ("whole", &["--verbose"]),
        (
            "sections",
            &[
                "--section=pre-data",
                "--section=data",
                "--section=post-data",
            ],
        ),
    ];
    for (database, options) in ways {
        let mut copy = dumped.restore(database, options)?;
        dumped.assert_same(&original, &mut copy, database)?;
    }
    let mut copy = dumped.restore_in_parallel("jobs")?;
    dumped.assert_same(&original, &mut copy, "jobs")
}

#[test]
fn a_dump_in_sql_or_in_parallel_does_the_same() -> Result<()> {
    let mut dumped = Dumped::new(&quiet())?;
    let folder = dumped.cluster.directory().join("dump");
    let formats: [(&str, &[&str], &str, &[&str]); 2] = [
        (
            "sql",
            &["--format=plain"],
            "psql",
            &[
                "--no-psqlrc",
                "--quiet",
                "--set=ON_ERROR_STOP=1",
                "--output=/dev/null",
                "--file",
            ],
        ),
        (
            "directory",
            &["--format=directory", "--jobs=3"],
            "pg_restore",
            &["--exit-on-error", "--jobs=3"],
        ),
    ];
    for (name, dump, program, restore) in formats {
        let file = folder.with_extension(name).to_string_lossy().into_owned();
        let arguments = [dump, &["--file", &file, "app"]].concat();
        run(&dumped.cluster, &mut dumped.db, "pg_dump", &arguments)?;
        dumped.cluster.createdb(name)?;
        let database = format!("--dbname={name}");
        let arguments = [&[database.as_str()], restore, &[&file]].concat();
        run_with(
            &dumped.cluster,
            &mut dumped.db,
            program,
            &arguments,
            WITHOUT_CHECKS,
        )?;
        let mut copy = dumped.cluster.connect(name, "postgres")?;
        assert_eq!(opened(&mut copy)?, OPENED, "{name}");
    }
    Ok(())
}

/// What was stored since the dump is gone; the database is the same one, so its refresher goes on.
#[test]
fn clean_replaces_what_is_there() -> Result<()> {
    let mut dumped = Dumped::new(&Options::new().without_fsync())?;
    refresher(&mut dumped.db, "app")?;
    let since = "SELECT vault.store_token('acme', 'since', 'at-since')";
    dumped.db.batch_execute(since)?;
    dumped.run(
        "pg_restore",
        &["--exit-on-error", "--clean", "--if-exists", "--dbname=app"],
    )?;
    let mut db = dumped.cluster.connect("app", "postgres")?;
    assert_eq!(opened(&mut db)?, OPENED);
    let tokens: i64 = db
        .query_one("SELECT count(*) FROM vault.tokens", &[])?
        .get(0);
    assert_eq!(tokens, 3);
    assert_eq!(status(&mut db, "installation")?.1, None);
    refresher(&mut db, "app")?;
    wait_for_sql(
        &mut db,
        "SELECT state LIKE 'running%' FROM vault.status() WHERE item = 'refresher'",
        LIMIT,
    )?;
    // A session from before goes on, with what is there now.
    assert_eq!(opened(&mut dumped.db)?, OPENED);
    dumped.cluster.assert_never_crashed();
    Ok(())
}

/// With `--create` it is another database, which waits to be adopted.
#[test]
fn clean_and_create_makes_another_database() -> Result<()> {
    let mut dumped = Dumped::new(&Options::new().without_fsync())?;
    refresher(&mut dumped.db, "app")?;
    let admin = dumped.cluster.connect("postgres", "postgres")?;
    // Its own session would be in the way; the refresher is not.
    dumped.db = admin;
    wait_for_sql(
        &mut dumped.db,
        "SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = 'app' AND backend_type = 'client backend'",
        LIMIT,
    )?;
    dumped.run(
        "pg_restore",
        &[
            "--exit-on-error",
            "--clean",
            "--if-exists",
            "--create",
            "--dbname=postgres",
        ],
    )?;
    let mut db = dumped.cluster.connect("app", "postgres")?;
    assert_eq!(opened(&mut db)?, OPENED);
    let (state, advice) = status(&mut db, "installation")?;
    assert!(
        state.contains("another database of this cluster"),
        "{state}"
    );
    assert!(
        advice
            .unwrap_or_default()
            .contains("vault.adopt_installation()")
    );
    db.batch_execute("SELECT vault.adopt_installation()")?;
    assert_eq!(status(&mut db, "installation")?.1, None);
    refresher(&mut db, "app")?;
    dumped.cluster.assert_never_crashed();
    Ok(())
}

const REVEALED: &str = "SELECT string_agg(vault.reveal(key), ' ' ORDER BY id) FROM webhook";

#[test]
fn a_dump_of_a_schema_leaves_the_vault_out() -> Result<()> {
    let mut dumped = Dumped::new(&quiet())?;
    let file = dumped.cluster.directory().join("public.dump");
    let file = file.to_string_lossy().into_owned();
    let arguments = ["--format=custom", "--schema=public", "--file", &file, "app"];
    run(&dumped.cluster, &mut dumped.db, "pg_dump", &arguments)?;
    dumped.dump = file;

    // Where there is no extension, its type is missing.
    dumped.cluster.createdb("empty")?;
    let error = dumped.clean("empty").unwrap_err();
    assert!(
        error
            .to_string()
            .contains("schema \"vault\" does not exist"),
        "{error}"
    );
    // Where there is another vault, the rows come in, and nothing opens.
    drop(dumped.cluster.create_vault("other")?);
    dumped.clean("other")?;
    let mut other = dumped.cluster.connect("other", "postgres")?;
    assert_eq!(sqlstate(other.query_one(REVEALED, &[])), "TV006");
    // Where its own vault is, it opens.
    dumped.db.batch_execute("DROP TABLE webhook")?;
    dumped.clean("app")?;
    let revealed: String = dumped.db.query_one(REVEALED, &[])?.get(0);
    assert_eq!(revealed, "whsec-1 whsec-2");
    Ok(())
}

#[test]
fn an_old_dump_of_a_table_does_not_open_once_its_key_was_destroyed() -> Result<()> {
    let mut dumped = Dumped::new(&quiet())?;
    let file = dumped.cluster.directory().join("table.dump");
    let file = file.to_string_lossy().into_owned();
    let arguments = ["--format=custom", "--table=webhook", "--file", &file, "app"];
    run(&dumped.cluster, &mut dumped.db, "pg_dump", &arguments)?;
    dumped.db.batch_execute("SELECT vault.rotate_key()")?;
    let destroyed = "SELECT bool_and(state IN ('active', 'destroyed')) FROM vault.keys";
    wait_for_sql(&mut dumped.db, destroyed, LIMIT)?;
    let revealed: String = dumped.db.query_one(REVEALED, &[])?.get(0);
    assert_eq!(revealed, "whsec-1 whsec-2");
    dumped.db.batch_execute("DROP TABLE webhook")?;
    dumped.dump = file;
    dumped.run("pg_restore", &["--exit-on-error", "--dbname=app"])?;
    assert_eq!(sqlstate(dumped.db.query_one(REVEALED, &[])), "TV006");
    Ok(())
}
