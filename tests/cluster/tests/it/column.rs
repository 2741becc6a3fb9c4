//! The encrypted column: a table of the application with a `vault.secret` goes through everything that tables go
//! through, and is ciphertext wherever it can be seen.

use std::path::Path;
use std::process::Command;

use postgres::Client;
use postgres::types::Type;
use token_vault_cluster::canary::Search;
use token_vault_cluster::{Cluster, Options, Result};

use crate::provider::{complaint, sqlstate};

/// The plaintexts of rows 1 to 3.
const PLAINTEXTS: [&str; 3] = [
    "whsec_5e0b71c3d94a4f26",
    "",
    "ключ 🔑 with \"quotes\", \\backslashes\\,\tone tab and\nanother line",
];

const REVEALED: &str = "SELECT vault.reveal(key) FROM webhook ORDER BY id";

/// A cluster with a table of three rows in database `app`.
fn cluster_with_table() -> Result<(Cluster, Client)> {
    let cluster = Cluster::start_new(&Options::new().without_fsync())?;
    let mut db = cluster.create_vault("app")?;
    db.batch_execute("CREATE TABLE webhook (id bigint PRIMARY KEY, key vault.secret)")?;
    for (id, plaintext) in (1_i64..).zip(PLAINTEXTS) {
        db.execute(
            "INSERT INTO webhook VALUES ($1, $2::text)",
            &[&id, &plaintext],
        )?;
    }
    Ok((cluster, db))
}

fn assert_all_there(db: &mut Client) -> Result<()> {
    let rows = db.query(REVEALED, &[])?;
    let revealed: Vec<&str> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(revealed, PLAINTEXTS);
    Ok(())
}

/// Ciphertexts of the table in order, as text.
fn envelopes(db: &mut Client) -> Result<Vec<String>> {
    let rows = db.query("SELECT key::text FROM webhook ORDER BY id", &[])?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// No plaintext that is long enough to be recognized is in the file.
fn assert_ciphertext_only(file: &Path) -> Result<()> {
    Search::new([PLAINTEXTS[0], PLAINTEXTS[2]])?
        .run(file)?
        .assert_clean();
    Ok(())
}

/// One of the server's own client programs.
fn run(cluster: &Cluster, db: &mut Client, program: &str, arguments: &[&str]) -> Result<()> {
    let directory: String = db
        .query_one("SELECT setting FROM pg_config WHERE name = 'BINDIR'", &[])?
        .get(0);
    let output = Command::new(Path::new(&directory).join(program))
        .env("PGHOST", cluster.directory())
        .env("PGPORT", cluster.port().to_string())
        .env("PGUSER", "postgres")
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
fn prepared_statements_encrypt_whatever_type_the_driver_gives_a_string() -> Result<()> {
    let (_cluster, mut db) = cluster_with_table()?;
    for (id, kind) in (10_i64..).zip([Type::TEXT, Type::VARCHAR]) {
        let insert = db.prepare_typed(
            "INSERT INTO webhook VALUES ($1, $2)",
            &[Type::INT8, kind.clone()],
        )?;
        let update = db.prepare_typed(
            "UPDATE webhook SET key = $2 WHERE id = $1",
            &[Type::INT8, kind.clone()],
        )?;
        // A plan that is used often enough becomes generic; the nonces must differ all the same.
        let mut seen = std::collections::HashSet::new();
        db.execute(&insert, &[&id, &"prepared-0"])?;
        for number in 1..8 {
            let plaintext = format!("prepared-{number}");
            db.execute(&update, &[&id, &plaintext])?;
            let row = db.query_one(
                "SELECT key::text, vault.reveal(key) FROM webhook WHERE id = $1",
                &[&id],
            )?;
            assert!(seen.insert(row.get::<_, String>(0)), "{kind}");
            assert_eq!(row.get::<_, &str>(1), plaintext, "{kind}");
        }
    }
    // An untyped parameter takes the column's type: the text form of the protocol, as libpq and psycopg use it.
    db.batch_execute(
        "PREPARE untyped AS INSERT INTO webhook VALUES ($1, $2); EXECUTE untyped(20, 'untyped-1')",
    )?;
    let revealed: String = db
        .query_one("SELECT vault.reveal(key) FROM webhook WHERE id = 20", &[])?
        .get(0);
    assert_eq!(revealed, "untyped-1");
    Ok(())
}

#[test]
fn one_statement_with_many_rows_gives_each_an_envelope_of_its_own() -> Result<()> {
    let (_cluster, mut db) = cluster_with_table()?;
    db.execute(
        "INSERT INTO webhook SELECT id, 'same'::text FROM generate_series(100, 199) AS id",
        &[],
    )?;
    db.batch_execute("INSERT INTO webhook VALUES (200, 'same'), (201, 'same'), (202, 'same')")?;
    let distinct: i64 = db
        .query_one(
            "SELECT count(DISTINCT key::text) FROM webhook WHERE id >= 100",
            &[],
        )?
        .get(0);
    assert_eq!(distinct, 103);
    Ok(())
}

#[test]
fn on_conflict_and_returning_work() -> Result<()> {
    let (cluster, mut db) = cluster_with_table()?;
    let upsert = "INSERT INTO webhook VALUES ($1, $2::text)
                  ON CONFLICT (id) DO UPDATE SET key = EXCLUDED.key RETURNING vault.reveal(key)";
    for (id, plaintext) in [(1_i64, "replaced"), (50, "new")] {
        let returned: String = db.query_one(upsert, &[&id, &plaintext])?.get(0);
        assert_eq!(returned, plaintext);
    }
    db.batch_execute(
        "INSERT INTO webhook SELECT id + 1000, key FROM webhook WHERE id <= 3;
         UPDATE webhook SET key = NULL WHERE id = 2;
         CREATE INDEX ON webhook (id) INCLUDE (key)",
    )?;
    cluster.psql("app", "VACUUM FULL webhook; ANALYZE webhook;")?;
    let row = db.query_one(
        "SELECT (SELECT vault.reveal(key) FROM webhook WHERE id = 1003), (SELECT key IS NULL FROM webhook WHERE id = 2),
                (SELECT count(*) FROM pg_stats WHERE tablename = 'webhook' AND attname = 'key'
                     AND (most_common_vals IS NOT NULL OR histogram_bounds IS NOT NULL))",
        &[],
    )?;
    assert_eq!(row.get::<_, &str>(0), PLAINTEXTS[2]);
    assert!(row.get::<_, bool>(1));
    assert_eq!(
        row.get::<_, i64>(2),
        0,
        "statistics hold values of the column"
    );
    Ok(())
}

#[test]
fn large_values_are_stored_out_of_line_and_come_back() -> Result<()> {
    let (_cluster, mut db) = cluster_with_table()?;
    let large = "0123456789abcdef".repeat(8192);
    db.execute("INSERT INTO webhook VALUES (60, $1::text)", &[&large])?;
    let revealed: String = db
        .query_one("SELECT vault.reveal(key) FROM webhook WHERE id = 60", &[])?
        .get(0);
    assert!(revealed == large, "{} bytes came back", revealed.len());
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
