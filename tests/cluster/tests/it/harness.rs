//! The harness itself: what the other tests rely on. Nothing here needs the extension to do anything.

use std::time::Duration;

use token_vault_cluster::canary::{Encoding, Search};
use token_vault_cluster::wait::wait_for;
use token_vault_cluster::{Cluster, Options, Result, StopMode};

const SECRET: &str = "canary-5b1c97e24a6f4d0c8e1f";

fn plain_cluster() -> Result<Cluster> {
    Cluster::start_new(&Options::new().not_preloaded())
}

/// Is there such a process that has not ended? (One that waits to be reaped has no command line.)
fn runs(pid: u32) -> bool {
    std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|command| !command.is_empty())
}

#[test]
fn settings_connections_and_programs_reach_the_right_cluster() -> Result<()> {
    let options = Options::new().not_preloaded().set("work_mem", "5MB");
    let (one, two) = (Cluster::start_new(&options)?, plain_cluster()?);
    assert_ne!(one.port(), two.port());
    assert_eq!(one.psql("postgres", "SHOW work_mem")?, "5MB");
    assert_eq!(two.psql("postgres", "SHOW work_mem")?, "4MB");

    let mut client = one.connect("postgres", "postgres")?;
    let directory: String = client.query_one("SHOW data_directory", &[])?.get(0);
    assert_eq!(directory, one.data_directory().to_string_lossy());

    one.configure("work_mem = '6MB'\n")?;
    one.reload()?;
    wait_for("the reload", Duration::from_secs(10), || {
        Ok((one.psql("postgres", "SHOW work_mem")? == "6MB").then_some(()))
    })
}

#[test]
fn errors_of_psql_are_errors_and_carry_its_words() -> Result<()> {
    let cluster = plain_cluster()?;
    let error = cluster.psql("postgres", "SELECT 1/0").unwrap_err();
    assert!(error.to_string().contains("division by zero"), "{error}");
    Ok(())
}

#[test]
fn tcp_needs_the_password() -> Result<()> {
    let cluster = plain_cluster()?;
    let mut config = postgres::Config::new();
    config
        .host("127.0.0.1")
        .port(cluster.port())
        .user("postgres")
        .dbname("postgres");
    assert!(config.connect(postgres::NoTls).is_err());
    config
        .password(cluster.password())
        .connect(postgres::NoTls)?;
    Ok(())
}

#[test]
fn a_cluster_survives_every_way_to_end_it() -> Result<()> {
    let mut cluster = plain_cluster()?;
    cluster.psql("postgres", "CREATE TABLE t AS SELECT 1 AS a")?;
    for mode in [StopMode::Smart, StopMode::Fast, StopMode::Immediate] {
        cluster.restart(mode)?;
        assert_eq!(
            cluster.psql("postgres", "SELECT a FROM t")?,
            "1",
            "after {mode:?}"
        );
    }
    cluster.kill9()?;
    assert!(!cluster.is_running());
    cluster.start()?;
    assert_eq!(
        cluster.psql("postgres", "SELECT a FROM t")?,
        "1",
        "after SIGKILL"
    );
    cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn a_crash_of_a_backend_is_noticed() -> Result<()> {
    let cluster = plain_cluster()?;
    let crash = "COPY (SELECT 1) TO PROGRAM 'kill -SEGV $PPID'";
    assert!(cluster.psql("postgres", crash).is_err());
    wait_for("recovery", Duration::from_secs(30), || {
        Ok(cluster.psql("postgres", "SELECT 1").ok())
    })?;
    let noticed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        cluster.assert_never_crashed();
    }));
    assert!(noticed.is_err());
    Ok(())
}

#[test]
fn backups_and_standbys_are_clusters_of_their_own() -> Result<()> {
    let primary = plain_cluster()?;
    primary.psql("postgres", "CREATE TABLE t AS SELECT 1 AS a")?;
    let backup = primary.base_backup(&Options::new().not_preloaded())?;
    let standby = primary.standby(&Options::new().not_preloaded())?;
    primary.psql("postgres", "UPDATE t SET a = 2")?;

    assert_eq!(backup.psql("postgres", "SELECT a FROM t")?, "1");
    wait_for("replication", Duration::from_secs(30), || {
        Ok((standby.psql("postgres", "SELECT a FROM t")? == "2").then_some(()))
    })?;
    assert!(standby.psql("postgres", "UPDATE t SET a = 3").is_err());
    standby.promote()?;
    standby.psql("postgres", "UPDATE t SET a = 3")?;
    assert_eq!(primary.psql("postgres", "SELECT a FROM t")?, "2");
    Ok(())
}

#[test]
fn dumps_are_restored_into_another_cluster() -> Result<()> {
    let (from, to) = (plain_cluster()?, plain_cluster()?);
    from.createdb("app")?;
    from.psql("app", "CREATE TABLE t AS SELECT 1 AS a")?;
    to.createdb("copy")?;
    to.pg_restore("copy", &from.pg_dump("app")?)?;
    assert_eq!(to.psql("copy", "SELECT a FROM t")?, "1");
    Ok(())
}

#[test]
fn the_canary_search_finds_what_tables_wal_and_log_hold() -> Result<()> {
    let cluster = plain_cluster()?;
    let search = Search::new([SECRET])?;
    cluster.stop(StopMode::Fast)?;
    search.run(cluster.directory())?.assert_clean();

    let mut cluster = cluster;
    cluster.start()?;
    let statements = format!(
        "CREATE TABLE raw AS SELECT '{SECRET}' AS a;
         CREATE TABLE hex AS SELECT encode('{SECRET}', 'hex') AS a;
         CREATE TABLE compressed AS SELECT repeat('0', 3000) || '{SECRET}' || repeat('1', 3000) AS a;
         SELECT '{SECRET}'::integer;"
    );
    assert!(cluster.psql("postgres", &statements).is_err());
    cluster.stop(StopMode::Fast)?;

    let found = search.run(cluster.directory())?.findings;
    let in_file = |part: &str, encoding: Encoding| {
        found
            .iter()
            .any(|f| f.file.to_string_lossy().contains(part) && f.encoding == encoding)
    };
    assert!(in_file("/base/", Encoding::Raw));
    assert!(in_file("/base/", Encoding::HexLower));
    assert!(in_file("/base/", Encoding::Pglz));
    assert!(in_file("/pg_wal/", Encoding::Raw));
    assert!(in_file("/log", Encoding::Raw));
    Ok(())
}

#[test]
fn a_dropped_cluster_leaves_nothing() -> Result<()> {
    let cluster = plain_cluster()?;
    let (directory, pid) = (
        cluster.directory().to_owned(),
        cluster.postmaster_pid().unwrap(),
    );
    drop(cluster);
    assert!(!directory.exists());
    assert!(!runs(pid));
    Ok(())
}

#[test]
fn a_cluster_left_running_can_be_ended_later() -> Result<()> {
    let cluster = plain_cluster()?;
    let pid = cluster.postmaster_pid().unwrap();
    let directory = cluster.leave_running();
    assert!(runs(pid));
    Cluster::end(&directory)?;
    assert!(!directory.exists() && !runs(pid));
    assert!(Cluster::end(&directory).is_err());
    Ok(())
}
