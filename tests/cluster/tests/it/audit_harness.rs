//! What the tests of the audit log begin with, and how they read it.

use postgres::Client;
use token_vault_cluster::wait::wait_for_sql;
use token_vault_cluster::{Cluster, Options, Result};
use token_vault_core::audit::{Batch, Entry};

use crate::master_key::register_provider;
use crate::provider::LIMIT;

/// Everything is audited, reads included.
pub fn options() -> Options {
    Options::new()
        .without_fsync()
        .set("token_vault.audit", "all")
}

/// A vault with a token of ann's, and a role `web` that may read and store; the session is a superuser's.
pub fn start(options: &Options) -> Result<(Cluster, Client)> {
    let cluster = Cluster::start_new(options)?;
    let mut db = cluster.create_vault("app")?;
    register_provider(&mut db)?;
    db.batch_execute(
        "SELECT vault.store_token('acme', 'ann', access_token => 'at-ann-9f27', expires_in => 3600);
         CREATE ROLE web LOGIN; SELECT vault.grant_access('web', '{read,write}');
         CREATE ROLE stranger LOGIN; GRANT USAGE ON SCHEMA vault TO stranger;
         GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA vault TO stranger",
    )?;
    // From here on there is a buffer. (The writer makes the partitions after it has opened it.)
    let is_open = "SELECT current_setting('shared_preload_libraries') = ''
                   OR (SELECT count(*) > 1 FROM pg_inherits WHERE inhparent = 'vault.audit_entry'::regclass)";
    wait_for_sql(&mut db, is_open, LIMIT)?;
    Ok((cluster, db))
}

/// `vault.get_token` of a subject at `acme`.
pub fn read(
    db: &mut Client,
    subject: &str,
) -> std::result::Result<Option<String>, postgres::Error> {
    db.query_one("SELECT vault.get_token('acme', $1)", &[&subject])?
        .try_get(0)
}

/// How many entries there are for which this condition holds.
pub fn count(db: &mut Client, condition: &str) -> Result<i64> {
    let query = format!("SELECT count(*) FROM vault.audit_log WHERE {condition}");
    Ok(db.query_one(&query, &[])?.get(0))
}

/// Waits until there are so many entries for which this condition holds.
pub fn wait_for_entries(db: &mut Client, condition: &str, entries: i64) -> Result<()> {
    let query = format!("SELECT count(*) = {entries} FROM vault.audit_log WHERE {condition}");
    wait_for_sql(db, &query, LIMIT)
}

/// Puts entries of a time there, as sessions write them: not sealed yet.
pub fn write_unsealed(db: &mut Client, at: &str, subject: &str, number: usize) -> Result<()> {
    let query = format!("SELECT (extract(epoch FROM timestamptz '{at}') * 1000000)::bigint");
    let entry = Entry {
        at: db.query_one(&query, &[])?.get(0),
        event: "read",
        subject: Some(subject),
        ..Entry::default()
    };
    let bytes = Batch::encode(&[entry]);
    for _ in 0..number {
        db.execute(
            "INSERT INTO vault.audit_unsealed (entries) VALUES ($1)",
            &[&bytes],
        )?;
    }
    Ok(())
}

/// Waits until every entry is sealed.
pub fn wait_until_sealed(db: &mut Client) -> Result<()> {
    let query = "SELECT count(*) = 0 FROM vault.audit_unsealed";
    wait_for_sql(db, query, LIMIT)
}

/// What `vault.audit_verify` finds.
pub fn problems(db: &mut Client) -> Result<Vec<String>> {
    problems_of(db, "vault.audit_verify()")
}

/// The same of a call with arguments.
pub fn problems_of(db: &mut Client, call: &str) -> Result<Vec<String>> {
    let query = format!(
        "SELECT problem || ' ' || problem_position FROM {call} WHERE problem IS NOT NULL ORDER BY 1"
    );
    let rows = db.query(&query, &[])?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Everything is sealed, and the chain is whole.
pub fn assert_whole(db: &mut Client) -> Result<()> {
    wait_until_sealed(db)?;
    assert_eq!(problems(db)?, Vec::<String>::new());
    let row = db.query_one(
        "SELECT entries, last_position, position FROM vault.audit_verify(), vault.audit_head()",
        &[],
    )?;
    assert!(row.get::<_, i64>(0) > 0);
    assert_eq!(row.get::<_, Option<i64>>(1), Some(row.get(2)));
    Ok(())
}
