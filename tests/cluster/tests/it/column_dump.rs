//! The encrypted column outside the database: in files of `COPY`, in dumps, in another database, and damaged.

use std::path::Path;
use std::process::Command;

use postgres::Client;
use token_vault_cluster::canary::Search;
use token_vault_cluster::{Cluster, Options, Result};

use crate::column::{PLAINTEXTS, REVEALED, assert_all_there, cluster_with_table, envelopes};
use crate::session::{complaint, sqlstate};

/// No plaintext that is long enough to be recognized is in the file.
fn assert_ciphertext_only(file: &Path) -> Result<()> {
    Search::new([PLAINTEXTS[0], PLAINTEXTS[2]])?
        .run(file)?
        .assert_clean();
    Ok(())
}

/// One of the server's own client programs.
pub fn run(cluster: &Cluster, db: &mut Client, program: &str, arguments: &[&str]) -> Result<()> {
    run_with(cluster, db, program, arguments, "")
}

/// The same in sessions with these options (`PGOPTIONS`).
pub fn run_with(
    cluster: &Cluster,
    db: &mut Client,
    program: &str,
    arguments: &[&str],
    options: &str,
) -> Result<()> {
    let directory: String = db
        .query_one("SELECT setting FROM pg_config WHERE name = 'BINDIR'", &[])?
        .get(0);
    let output = Command::new(Path::new(&directory).join(program))
        .env("PGHOST", cluster.directory())
        .env("PGPORT", cluster.port().to_string())
        .env("PGUSER", "postgres")
        .env("PGOPTIONS", options)
        .args(arguments)
        .output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{program}: {}", String::from_utf8_lossy(&output.stderr)).into())
}

/// The envelope with one bit of its ciphertext changed.
fn damaged(envelope: &str) -> String {
    let (rest, last) = envelope.split_at(envelope.len() - 8);
    let first = if last.starts_with('A') { 'B' } else { 'A' };
    format!("{rest}{first}{}", &last[1..])
}

#[test]
fn copy_carries_ciphertext_in_every_format() -> Result<()> {
    let (cluster, mut db) = cluster_with_table()?;
    for format in ["text", "csv", "binary"] {
        let file = cluster.directory().join(format!("webhook.{format}"));
        let path = file.display();
        cluster.psql(
            "app",
            &format!("COPY webhook TO '{path}' WITH (FORMAT {format})"),
        )?;
        assert_ciphertext_only(&file)?;
        let before = envelopes(&mut db)?;
        db.batch_execute("TRUNCATE webhook")?;
        cluster.psql(
            "app",
            &format!("COPY webhook FROM '{path}' WITH (FORMAT {format})"),
        )?;
        assert_eq!(envelopes(&mut db)?, before, "{format}");
        assert_all_there(&mut db)?;
    }
    // Plaintext that comes in is encrypted.
    cluster.psql(
        "app",
        "COPY webhook FROM STDIN;\n4\tcopied-plaintext\n\\.\n",
    )?;
    let row = db.query_one(
        "SELECT key::text, vault.reveal(key) FROM webhook WHERE id = 4",
        &[],
    )?;
    assert!(row.get::<_, &str>(0).starts_with("tv1."));
    assert_eq!(row.get::<_, &str>(1), "copied-plaintext");
    Ok(())
}

#[test]
fn g3_a_dumped_table_comes_back_as_it_was() -> Result<()> {
    let (cluster, mut db) = cluster_with_table()?;
    let before = envelopes(&mut db)?;
    let file = cluster.directory().join("table.dump");
    let path = file.to_string_lossy().into_owned();
    for options in [&["--format=custom"][..], &["--format=custom", "--inserts"]] {
        let arguments = [options, &["--table=webhook", "--file", &path, "app"]].concat();
        run(&cluster, &mut db, "pg_dump", &arguments)?;
        db.batch_execute("DROP TABLE webhook")?;
        run(
            &cluster,
            &mut db,
            "pg_restore",
            &["--exit-on-error", "--dbname=app", &path],
        )?;
        assert_eq!(envelopes(&mut db)?, before, "{options:?}");
        assert_all_there(&mut db)?;
    }
    // As SQL that a person can read, without plaintext.
    run(
        &cluster,
        &mut db,
        "pg_dump",
        &["--table=webhook", "--file", &path, "app"],
    )?;
    assert_ciphertext_only(&file)?;
    Ok(())
}

#[test]
fn a_dumped_database_opens_elsewhere_with_the_same_master_key() -> Result<()> {
    let (cluster, mut db) = cluster_with_table()?;
    let before = envelopes(&mut db)?;
    let dump = cluster.pg_dump("app")?;
    assert_ciphertext_only(&dump)?;

    let other = Cluster::start_new(&Options::new().without_fsync())?;
    other.createdb("app")?;
    other.pg_restore("app", &dump)?;
    let mut restored = other.connect("app", "postgres")?;
    assert_eq!(envelopes(&mut restored)?, before);
    assert_eq!(sqlstate(restored.query(REVEALED, &[])), "TV002");
    std::fs::rename(cluster.master_key_file(), other.master_key_file())?;
    assert_all_there(&mut restored)
}

#[test]
fn a_table_alone_does_not_open_under_another_vaults_keys() -> Result<()> {
    let (cluster, mut db) = cluster_with_table()?;
    let file = cluster.directory().join("table.dump");
    let path = file.to_string_lossy().into_owned();
    run(
        &cluster,
        &mut db,
        "pg_dump",
        &["--format=custom", "--table=webhook", "--file", &path, "app"],
    )?;
    let mut other = cluster.create_vault("other")?;
    run(
        &cluster,
        &mut db,
        "pg_restore",
        &["--exit-on-error", "--dbname=other", &path],
    )?;
    assert_eq!(envelopes(&mut other)?, envelopes(&mut db)?);
    assert_eq!(sqlstate(other.query(REVEALED, &[])), "TV006");
    Ok(())
}

#[test]
fn g7_a_damaged_value_spoils_neither_other_rows_nor_dumps() -> Result<()> {
    let (cluster, mut db) = cluster_with_table()?;
    let good = envelopes(&mut db)?;
    let bad = damaged(&good[0]);
    // The superuser may write ciphertext as it is.
    db.batch_execute(&format!("INSERT INTO webhook VALUES (4, '{bad}')"))?;
    assert_eq!(envelopes(&mut db)?.last(), Some(&bad));
    let refused = db.query_one("SELECT vault.reveal(key) FROM webhook WHERE id = 4", &[]);
    assert_eq!(sqlstate(refused), "TV010");
    let told = complaint(db.query_one("SELECT vault.reveal(key) FROM webhook WHERE id = 4", &[]));
    assert!(
        !told.contains(&bad) && !told.contains(PLAINTEXTS[0]),
        "{told}"
    );
    let others = "SELECT count(vault.reveal(key)) FROM webhook WHERE id < 4";
    assert_eq!(db.query_one(others, &[])?.get::<_, i64>(0), 3);

    let dump = cluster.pg_dump("app")?;
    cluster.createdb("restored")?;
    cluster.pg_restore("restored", &dump)?;
    let mut restored = cluster.connect("restored", "postgres")?;
    assert_eq!(envelopes(&mut restored)?, envelopes(&mut db)?);
    assert_eq!(restored.query_one(others, &[])?.get::<_, i64>(0), 3);
    cluster.assert_never_crashed();
    Ok(())
}
