//! The encrypted column: a table of the application with a `vault.secret`, filled and changed in every way that
//! drivers and statements have.

use postgres::Client;
use postgres::types::Type;
use token_vault_cluster::{Cluster, Options, Result};

/// The plaintexts of rows 1 to 3.
pub const PLAINTEXTS: [&str; 3] = [
    "whsec_5e0b71c3d94a4f26",
    "",
    "ключ 🔑 with \"quotes\", \\backslashes\\,\tone tab and\nanother line",
];

pub const REVEALED: &str = "SELECT vault.reveal(key) FROM webhook ORDER BY id";

/// A cluster with a table of three rows in database `app`.
pub fn cluster_with_table() -> Result<(Cluster, Client)> {
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

pub fn assert_all_there(db: &mut Client) -> Result<()> {
    let rows = db.query(REVEALED, &[])?;
    let revealed: Vec<&str> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(revealed, PLAINTEXTS);
    Ok(())
}

/// Ciphertexts of the table in order, as text.
pub fn envelopes(db: &mut Client) -> Result<Vec<String>> {
    let rows = db.query("SELECT key::text FROM webhook ORDER BY id", &[])?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
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
