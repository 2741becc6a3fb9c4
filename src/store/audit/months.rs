//! Partitions: one for each month, made ahead, and dropped when they are old. What is dropped leaves behind which places of
//! the chain it had, so that the rest can be verified.

use serde_json::json;
use token_vault_core::audit::{Mac, cut_message};

use super::{About, chain, changed, detail};
use crate::error::Result;
use crate::pg::settings;
use crate::pg::spi::BuiltinOid::{BYTEAARRAYOID, FLOAT8OID, INT8ARRAYOID, TEXTOID};
use crate::pg::spi::{self, Session, Statement};
use crate::store::keyring;

/// A run of places, and the code of the last one.
struct Run {
    first: i64,
    last: i64,
    mac: Mac,
}

/// Makes the partitions of this month and the next, where entries can't have fallen into the default one already.
pub fn make_ahead() {
    static MISSING: Statement = Statement::new(
        "SELECT to_char(m, 'YYYY_MM'), to_char(m, 'YYYY-MM-DD'), to_char(m + interval '1 month', 'YYYY-MM-DD')
         FROM generate_series(0, 1) AS i,
              LATERAL (SELECT date_trunc('month', clock_timestamp() AT TIME ZONE 'UTC') + i * interval '1 month' AS m) AS month
         WHERE to_regclass('vault.audit_entry_' || to_char(m, 'YYYY_MM')) IS NULL
           AND NOT EXISTS (SELECT FROM vault.audit_entry_default
                           WHERE at >= m AT TIME ZONE 'UTC' AND at < (m + interval '1 month') AT TIME ZONE 'UTC')",
        &[],
    );
    spi::session(|session| {
        let missing: Vec<[String; 3]> = session.query(&MISSING, &[], |row| {
            [row.required(1), row.required(2), row.required(3)]
        });
        for [name, from, until] in missing {
            let table = format!("vault.audit_entry_{name}");
            let make = format!(
                "CREATE TABLE {table} PARTITION OF vault.audit_entry FOR VALUES FROM ('{from} 00:00:00+00') TO ('{until} 00:00:00+00')"
            );
            session.run_once(&make, &[], &[]);
            close(session, &table);
            let index = format!("CREATE INDEX audit_entry_{name}_position ON {table} (position)");
            session.run_once(&index, &[], &[]);
        }
    });
}

/// Takes a new table and its row type from everybody but the owner: default privileges (ALTER DEFAULT PRIVILEGES) may have
/// given rights on it to some.
fn close(session: &Session, table: &str) {
    static GRANTEES: Statement = Statement::new(
        "SELECT DISTINCT quote_ident(r.rolname) FROM pg_class AS c JOIN pg_type AS t ON t.oid = c.reltype,
             LATERAL (SELECT grantee FROM aclexplode(c.relacl) UNION SELECT grantee FROM aclexplode(t.typacl)) AS a
             JOIN pg_roles AS r ON r.oid = a.grantee
         WHERE c.oid = $1::regclass AND a.grantee <> c.relowner",
        &[TEXTOID],
    );
    let mut holders = vec!["PUBLIC".to_owned()];
    holders.extend(session.query(&GRANTEES, &[table.into()], |row| row.required::<String>(1)));
    let holders = holders.join(", ");
    for kind in ["TABLE", "TYPE"] {
        let revoke = format!("REVOKE ALL ON {kind} {table} FROM {holders}");
        session.run_once(&revoke, &[], &[]);
    }
}

/// Drops what is older than the setting allows; returns the number of partitions.
pub fn drop_old() -> Result<usize> {
    // Months by their names: a table that somebody has attached is not ours to drop.
    static OLD: Statement = Statement::new(
        "SELECT c.relname::text FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
         WHERE i.inhparent = 'vault.audit_entry'::regclass AND c.relname ~ '^audit_entry_\\d{4}_\\d{2}$'
           AND (to_date(right(c.relname, 7), 'YYYY_MM')::timestamp + interval '1 month') AT TIME ZONE 'UTC'
               <= clock_timestamp() - make_interval(secs => $1)
         ORDER BY c.relname",
        &[FLOAT8OID],
    );
    static IN_DEFAULT: Statement = Statement::new(
        "SELECT FROM vault.audit_entry_default WHERE at < clock_timestamp() - make_interval(secs => $1) LIMIT 1",
        &[FLOAT8OID],
    );
    let Some(retention) = settings::audit_retention() else {
        return Ok(0);
    };
    let seconds = retention.as_secs_f64();
    spi::session(|session| {
        let old: Vec<String> = session.query(&OLD, &[seconds.into()], |row| row.required(1));
        for table in &old {
            let table = format!("vault.{table}");
            if cut(session, &table, "true")? {
                session.run_once(&format!("DROP TABLE {table}"), &[], &[]);
                changed(
                    "audit_dropped",
                    About::VAULT,
                    detail([("partition", json!(table))]),
                );
            }
        }
        let has_old_rows = session
            .query_one(&IN_DEFAULT, &[seconds.into()], |_| ())
            .is_some();
        if has_old_rows {
            drop_from_default(session, seconds)?;
        }
        Ok(old.len())
    })
}

fn drop_from_default(session: &Session, seconds: f64) -> Result<()> {
    let limit = format!("at < statement_timestamp() - make_interval(secs => {seconds})");
    let table = "vault.audit_entry_default";
    if cut(session, table, &limit)? {
        session.run_once(&format!("DELETE FROM {table} WHERE {limit}"), &[], &[]);
        changed(
            "audit_dropped",
            About::VAULT,
            detail([("partition", json!(table))]),
        );
    }
    Ok(())
}

/// Remembers the places of what is about to be dropped; false: it can't be dropped yet, because the chain's key is not to
/// be had.
fn cut(session: &Session, table: &str, condition: &str) -> Result<bool> {
    let Some(head) = chain::hold(session) else {
        return Ok(false);
    };
    let runs = runs(session, table, condition);
    let seals: Vec<Vec<u8>> = keyring::with_audit_key(head.key, |key| {
        runs.iter()
            .map(|run| {
                key.audit_mac(&cut_message(run.first, run.last, &run.mac))
                    .to_vec()
            })
            .collect()
    })?;
    remember(session, &runs, seals);
    Ok(true)
}

fn runs(session: &Session, table: &str, condition: &str) -> Vec<Run> {
    let sql = format!(
        "SELECT r.first, r.last, e.mac
         FROM (SELECT min(position) AS first, max(position) AS last
               FROM (SELECT position, position - row_number() OVER (ORDER BY position) AS run
                     FROM {table} WHERE {condition}) AS numbered
               GROUP BY run) AS r
         JOIN {table} AS e ON e.position = r.last
         ORDER BY r.first"
    );
    session.prepare(&sql, &[]).write(&[], |row| Run {
        first: row.required(1),
        last: row.required(2),
        mac: chain::mac(row, 3),
    })
}

fn remember(session: &Session, runs: &[Run], seals: Vec<Vec<u8>>) {
    static REMEMBER: Statement = Statement::new(
        "INSERT INTO vault.audit_cut (first_position, last_position, last_mac, seal)
         SELECT * FROM unnest($1, $2, $3, $4) ON CONFLICT (first_position) DO NOTHING",
        &[INT8ARRAYOID, INT8ARRAYOID, BYTEAARRAYOID, BYTEAARRAYOID],
    );
    let arguments = [
        runs.iter().map(|run| run.first).collect::<Vec<_>>().into(),
        runs.iter().map(|run| run.last).collect::<Vec<_>>().into(),
        runs.iter()
            .map(|run| run.mac.to_vec())
            .collect::<Vec<_>>()
            .into(),
        seals.into(),
    ];
    session.run(&REMEMBER, &arguments);
}
