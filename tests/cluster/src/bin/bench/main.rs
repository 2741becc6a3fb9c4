//! `make bench`: `get_token` and `store_token` beside a plain prepared SELECT and UPSERT of the same
//! unencrypted value, in one server and one run, in turns, so that whatever else the machine does meets
//! both. What counts is the ratio; the times around it are only there to be read.
//!
//! Afterwards, each in a server of its own: `get_token` with and without everything that guards it; a full table is encrypted again after `rotate_key`; tokens are refreshed
//! at full speed beside a provider; they are claimed from few and from many; and pgbench runs beside refreshes.
//!
//! Usage: bench [--only calls,auditing,reencryption,refreshing,claiming,neighbour] [--rows N] [--rounds N] [--seconds N]
//!     [--clients N] [--reencrypted N] [--refreshed N] [--sustained SECONDS] [--connections N] [--claimed-from N]

mod arguments;
mod auditing;
mod beside;
mod claiming;
mod dataset;
mod measure;
mod neighbour;
mod process;
mod reencryption;
mod refreshing;
mod report;

use std::process::ExitCode;

use token_vault_cluster::{Cluster, Options, Result, explain};

use crate::arguments::Arguments;
use crate::report::Report;

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
    let arguments = Arguments::parse(std::env::args().skip(1))?;
    if arguments.wants("calls") {
        calls(&arguments)?;
    }
    if arguments.wants("auditing") {
        let mut report = Report::default();
        for pair in auditing::measure(&options(), &arguments)? {
            report.add(pair);
        }
        println!("{report}");
    }
    if arguments.wants("reencryption") {
        println!("{}", reencryption::measure(&options(), &arguments)?);
    }
    if arguments.wants("refreshing") {
        println!("{}", refreshing::measure(&options(), &arguments)?);
    }
    if arguments.wants("claiming") {
        println!("{}", claiming::measure(&options(), &arguments)?);
    }
    if arguments.wants("neighbour") {
        let mut report = Report::default();
        for pair in neighbour::measure(&options(), &arguments)? {
            report.add(pair);
        }
        println!("{report}");
    }
    Ok(())
}

/// `get_token` and `store_token` beside plain statements.
fn calls(arguments: &Arguments) -> Result<()> {
    let cluster = Cluster::start_new(&options())?;
    let mut admin = cluster.create_vault("bench")?;
    eprintln!("loading {} rows into each table", arguments.rows);
    dataset::load(&mut admin, arguments.rows)?;
    println!("{}", report::settings(&mut admin, arguments)?);

    let mut report = Report::default();
    for round in 1..=arguments.rounds {
        eprintln!("round {round} of {}", arguments.rounds);
        for pair in measure::through_clients(&cluster, arguments)? {
            report.add(pair);
        }
        for pair in measure::inside_the_server(&mut admin, arguments)? {
            report.add(pair);
        }
    }
    cluster.assert_never_crashed();
    println!("{report}");
    Ok(())
}

/// PostgreSQL as it comes, but with room for both tables and without a checkpoint in the middle.
fn options() -> Options {
    Options::new()
        .set("shared_buffers", "1GB")
        .set("max_wal_size", "8GB")
        .set("checkpoint_timeout", "1h")
        .set("token_vault.refresh_enabled", "off")
}
