//! `make bench`: the vault beside what it replaces, in one run and in turns, so that whatever else the machine does meets
//! all sides. What counts is the ratio; the figures around it are only there to be read.
//!
//! In one server: reading and writing one token, beside a plain table, pgcrypto and Redis; reading a hundred; what they
//! cost in memory. Each in a server of its own: what a write leaves in the WAL; an encrypted column; `get_token` among
//! many tokens, and with and without everything that guards it; a full table is encrypted again after `rotate_key`; tokens
//! are refreshed at full speed beside a provider; they are claimed from few and from many; and pgbench runs beside
//! refreshes.
//!
//! Usage: bench [--only PART,…] [--output FOLDER] [--note TEXT] [--rows N] [--rounds N] [--seconds N] [--clients N] [--column-rows N]
//!     [--memory-calls N] [--large N] [--reencrypted N] [--refreshed N] [--sustained SECONDS] [--connections N]
//!     [--claimed-from N]

mod arguments;
mod auditing;
mod batch;
mod beside;
mod claiming;
mod columns;
mod conditions;
mod dataset;
mod large;
mod measure;
mod memory;
mod neighbour;
mod peers;
mod process;
mod reads;
mod redis_server;
mod reencryption;
mod refreshing;
mod report;
mod wal;
mod wire;
mod writes;

use std::process::ExitCode;

use token_vault_cluster::{Cluster, Options, Result, explain};

use crate::arguments::Arguments;
use crate::report::Report;

type Measure = fn(&Options, &Arguments) -> Result<Report>;

/// Those that share a server, in this order: reads come first, because writes change the tables.
const SHARED: [&str; 4] = ["reads", "batch", "memory", "writes"];
const ALONE: [(&str, Measure); 8] = [
    ("wal", wal::measure),
    ("columns", columns::measure),
    ("large", large::measure),
    ("auditing", auditing::measure),
    ("reencryption", reencryption::measure),
    ("refreshing", refreshing::measure),
    ("claiming", claiming::measure),
    ("neighbour", neighbour::measure),
];

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {}", explain(&error));
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let names: Vec<&str> = SHARED
        .into_iter()
        .chain(ALONE.map(|(name, _)| name))
        .collect();
    let arguments = Arguments::parse(std::env::args().skip(1), &names)?;
    let mut all = Report::default();
    arguments.note.iter().for_each(|note| all.note(note));
    if SHARED.iter().any(|part| arguments.wants(part)) {
        in_one_server(&arguments, &mut all)?;
    }
    for (name, measure) in ALONE {
        if arguments.wants(name) {
            keep(measure(&options(), &arguments)?, &arguments, &mut all)?;
        }
    }
    Ok(())
}

/// What is done with the same tokens.
fn in_one_server(arguments: &Arguments, all: &mut Report) -> Result<()> {
    let cluster = Cluster::start_new(&options())?;
    let mut admin = dataset::create(&cluster, "bench", arguments.rows)?;
    let mut conditions = Report::default();
    conditions.note(conditions::describe(&mut admin, arguments)?);
    keep(conditions, arguments, all)?;
    for part in SHARED.into_iter().filter(|part| arguments.wants(part)) {
        let report = match part {
            "reads" => reads::measure(&cluster, &mut admin, arguments),
            "batch" => batch::measure(&cluster, &mut admin, arguments),
            "memory" => memory::measure(&cluster, arguments),
            _ => writes::measure(&cluster, &mut admin, arguments),
        };
        keep(report?, arguments, all)?;
    }
    cluster.assert_never_crashed();
    Ok(())
}

/// Shows a part's report at once, and saves it with those before: the next part may take long, or fail.
fn keep(report: Report, arguments: &Arguments, all: &mut Report) -> Result<()> {
    println!("{report}");
    all.append(report);
    match &arguments.output {
        Some(folder) => report::save(all, folder),
        None => Ok(()),
    }
}

/// PostgreSQL as it comes, but with room for all tables and without a checkpoint in the middle.
fn options() -> Options {
    Options::new()
        .set("shared_buffers", "1GB")
        .set("max_wal_size", "8GB")
        .set("checkpoint_timeout", "1h")
        .set("token_vault.refresh_enabled", "off")
}
