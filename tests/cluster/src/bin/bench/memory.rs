//! The memory of a session: what the first call of `get_token` adds to it, and what many calls in one transaction do.

use token_vault_cluster::{Cluster, Result};

use crate::arguments::Arguments;
use crate::dataset::{self, GET_TOKEN, SELECT};
use crate::measure::Target;
use crate::process;
use crate::report::{Report, Wanted};
use crate::wire::Postgres;

const MEASUREMENT: &str = "memory of a session";
const UNIT: &str = "kB";
/// What the first call may add, in kB, …
const WANTED: f64 = 1024.0;
/// … and the growth over many calls that counts as none: what an allocator gives and takes.
const FLAT: f64 = 1.02;

/// Measures in a database of [`dataset::create`].
pub fn measure(cluster: &Cluster, arguments: &Arguments) -> Result<Report> {
    let mut report = Report::default();
    let target = Target {
        cluster,
        database: "bench",
        settings: "",
    };
    for round in 1..=arguments.rounds {
        eprintln!("memory: round {round} of {}", arguments.rounds);
        let mut session = Postgres::connect(target)?;
        let note = |report: &mut Report, side: &str, session: &Postgres| {
            let memory = process::anonymous_memory(session.process()).ok_or("no session")? as f64;
            report.figure(MEASUREMENT, side, UNIT, memory);
            Ok::<f64, token_vault_cluster::Error>(memory)
        };
        note(&mut report, "after connecting", &session)?;
        session.prepare(SELECT)?;
        session.execute(&[dataset::subject(0).into_bytes()])?;
        session.deallocate()?;
        let plain = note(&mut report, "after a plain SELECT", &session)?;
        session.prepare(GET_TOKEN)?;
        session.execute(&[dataset::subject(0).into_bytes()])?;
        let first = note(&mut report, "after the first get_token", &session)?;
        report.ratio(
            "first_get_token_to_1_MB",
            Wanted::AtMost(1.0),
            (first - plain) / WANTED,
        );
        // Only the first session loads what the others find: they would measure the same again.
        if round == 1 {
            session.run("BEGIN")?;
            calls(&mut session, arguments.memory_calls / 10, arguments.rows)?;
            let warm = note(&mut report, "after a tenth of the calls", &session)?;
            calls(&mut session, arguments.memory_calls, arguments.rows)?;
            let last = note(&mut report, "after all calls in one transaction", &session)?;
            report.ratio("memory_after_many_calls", Wanted::AtMost(FLAT), last / warm);
            report.note(format!(
                "memory: {} calls in one transaction",
                arguments.memory_calls
            ));
        }
    }
    Ok(report)
}

fn calls(session: &mut Postgres, number: u32, rows: u32) -> Result<()> {
    let mut state = dataset::seed();
    for _ in 0..number {
        let row = (dataset::next_random(&mut state) % u64::from(rows)) as u32;
        session.execute(&[dataset::subject(row).into_bytes()])?;
    }
    Ok(())
}
