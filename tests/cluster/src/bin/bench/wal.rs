//! What one token that is written leaves in PostgreSQL's log (WAL), beside an UPSERT of the same unencrypted value: every
//! row once, in an order without pattern, a transaction each. First right after a checkpoint, when the first change of each
//! page writes it as a whole; then once more, when no page is written as a whole. What the refresher writes about it
//! afterwards (the audit log) counts.

use postgres::Client;
use token_vault_cluster::{Cluster, Options, Result};

use crate::arguments::Arguments;
use crate::dataset;
use crate::measure::Side;
use crate::report::{Report, Wanted};
use crate::writes;

/// Enough for figures that do not vary.
const MOST_ROWS: u32 = 30_000;
/// Coprime to any number of rows that somebody would choose.
const STEP: u64 = 15_485_863;

const PASSES: [(&str, &str); 2] = [
    ("WAL after a checkpoint", "store_token_wal_after_checkpoint"),
    ("WAL without full pages", "store_token_wal"),
];
const UNIT: &str = "bytes/call";

/// Measures in a server of its own.
pub fn measure(options: &Options, arguments: &Arguments) -> Result<Report> {
    // What autovacuum writes now and then belongs to no call.
    let cluster = Cluster::start_new(&options.clone().set("autovacuum", "off"))?;
    let rows = arguments.rows.min(MOST_ROWS);
    let mut admin = dataset::create(&cluster, "bench", rows)?;
    let mut sides = writes::sides(&cluster, &mut admin, 1, "SET synchronous_commit = off")?;
    let mut report = Report::default();
    report.note(format!("WAL: {rows} tokens, each written once in a pass"));
    // Until pages have the free space that they will keep having.
    for side in &mut sides {
        pass(&mut admin, side, rows)?;
    }
    for round in 1..=arguments.rounds {
        eprintln!("WAL: round {round} of {}", arguments.rounds);
        let mut bytes = Vec::new();
        for side in &mut sides {
            admin.batch_execute("CHECKPOINT")?;
            for (measurement, _) in PASSES {
                let one = pass(&mut admin, side, rows)?;
                report.figure(measurement, side.name, UNIT, one);
                bytes.push(one);
            }
        }
        let (plain, ours) = bytes.split_at(PASSES.len());
        for (place, (_, name)) in PASSES.iter().enumerate() {
            report.ratio(name, Wanted::AtMost(1.15), ours[place] / plain[place]);
        }
    }
    cluster.assert_never_crashed();
    Ok(report)
}

/// Writes every row once and returns the bytes of WAL for each.
fn pass(admin: &mut Client, side: &mut Side, rows: u32) -> Result<f64> {
    let start = dataset::seed() % u64::from(rows);
    let before = position(admin)?;
    for number in 0..u64::from(rows) {
        side.call(((start + number * STEP) % u64::from(rows)) as u32)?;
    }
    dataset::wait_until_sealed(admin)?;
    // Autovacuum would do that by and by, because of these writes alone.
    admin.batch_execute("VACUUM vault.audit_unsealed")?;
    Ok((position(admin)? - before) / f64::from(rows))
}

fn position(admin: &mut Client) -> Result<f64> {
    let position = "SELECT (pg_current_wal_insert_lsn() - '0/0')::float8";
    Ok(admin.query_one(position, &[])?.get(0))
}
