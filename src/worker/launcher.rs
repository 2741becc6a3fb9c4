//! The process that starts a refresher in each database that has a vault, and again when one has ended.

use std::time::Duration;

use crate::pg::Oid;

use crate::pg::{background, catalog, latch, server, transaction};
use crate::store::master_key;
use crate::worker::board;

/// Between two looks while some refresher is missing (it has just died, or its database is going away).
const RETRY: Duration = Duration::from_secs(1);

/// Runs until the server stops it. It starts when the server may write: after promotion, on a standby.
pub fn run() {
    background::connect(None);
    board::launcher_started(server::process_id());
    // At the start every database is looked into; later, those that ask for a refresher.
    let mut wanted = databases();
    while !background::must_stop() {
        if background::reload_configuration() {
            // An administrator who reloads wants the master key as it is now.
            master_key::forget_commands();
        }
        let started: Vec<_> = wanted.drain(..).filter_map(start).collect();
        transaction::report_activity("waiting for a database that needs a refresher");
        latch::wait(
            if started.is_empty() {
                None
            } else {
                Some(RETRY)
            },
            None,
        );
        wanted = without_refresher();
    }
}

fn start(database: Oid) -> Option<background::Started> {
    background::start(
        "token_vault refresher",
        "token_vault_refresher",
        database,
        "",
    )
}

/// The databases that want a refresher and have none. Those that were dropped are forgotten.
fn without_refresher() -> Vec<Oid> {
    let wanted = board::databases_without_refresher();
    if wanted.is_empty() {
        return wanted;
    }
    let existing = databases();
    let (there, gone): (Vec<Oid>, Vec<Oid>) = wanted
        .into_iter()
        .partition(|database| existing.contains(database));
    gone.into_iter().for_each(board::forget_database);
    there
}

/// Every database that can be connected to. A refresher that finds no vault ends at once.
fn databases() -> Vec<Oid> {
    transaction::run(catalog::databases).unwrap_or_default()
}
