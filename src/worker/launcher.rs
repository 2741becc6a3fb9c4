//! The process that starts a refresher in each database that has a vault, and again when one has ended.

use std::time::{Duration, Instant};

use crate::pg::background::{self, Started};
use crate::pg::{Oid, catalog, latch, server, transaction};
use crate::store::audit::buffer;
use crate::store::master_key;
use crate::worker::board;

/// Between two looks while a refresher is missing that can't be started now.
const RETRY: Duration = Duration::from_secs(1);
/// How often one is started in the same database within that time.
const STARTS: usize = 5;

/// Runs until the server stops it. It starts when the server may write: after promotion, on a standby.
pub fn run() {
    background::connect(None);
    board::launcher_started(server::process_id());
    let mut launcher = Launcher {
        unknown: databases(),
        started: Vec::new(),
        lacks_workers: false,
    };
    while !background::must_stop() {
        if background::reload_configuration() {
            // An administrator who reloads wants the master key as it is now.
            master_key::forget_commands();
        }
        let pause = launcher.look();
        transaction::report_activity("waiting for a database that needs a refresher");
        latch::wait(pause, None);
    }
    background::end_for_now();
}

struct Launcher {
    /// At the start every database is looked into: a refresher that finds no vault ends at once.
    unknown: Vec<Oid>,
    started: Vec<Start>,
    /// The server has no place for another worker.
    lacks_workers: bool,
}

struct Start {
    database: Oid,
    worker: Started,
    at: Instant,
}

impl Launcher {
    /// Starts what is missing; returns how long there is nothing to do unless something happens. (The start and the
    /// end of what it has started happen.)
    fn look(&mut self) -> Option<Duration> {
        let is_held = board::sweep_holds();
        self.started
            .retain(|start| !start.worker.has_ended() || start.at.elapsed() < RETRY);
        let missing = self.missing();
        let is_complete = missing.is_empty() && !is_held;
        let lacked_workers = std::mem::take(&mut self.lacks_workers);
        for database in missing {
            if board::is_held(database)
                || self.ends_again_and_again(database)
                || !self.start(database)
            {
                self.unknown.push(database);
            }
        }
        if self.lacks_workers && !lacked_workers {
            pgrx::warning!(
                "token_vault has no background worker left for a refresher: raise max_worker_processes, or it waits until another one ends"
            );
        }
        (!is_complete).then_some(RETRY)
    }

    /// The databases that want a refresher, or may want one, and where none is at work. Those that were dropped are
    /// forgotten.
    fn missing(&mut self) -> Vec<Oid> {
        let mut wanted = board::databases_without_refresher();
        wanted.append(&mut self.unknown);
        wanted.sort_unstable_by_key(|database| database.to_u32());
        wanted.dedup();
        wanted.retain(|database| !self.is_at_work(*database));
        if wanted.is_empty() {
            return wanted;
        }
        let existing = databases();
        let (there, gone): (Vec<Oid>, Vec<Oid>) = wanted
            .into_iter()
            .partition(|database| existing.contains(database));
        for database in gone {
            board::forget_database(database);
            buffer::forget(database);
        }
        there
    }

    fn is_at_work(&self, database: Oid) -> bool {
        self.started
            .iter()
            .any(|start| start.database == database && !start.worker.has_ended())
            || board::running_refresher(database).is_some()
    }

    /// No loop where one ends as soon as it was started.
    fn ends_again_and_again(&self, database: Oid) -> bool {
        let recent = |start: &&Start| start.database == database && start.at.elapsed() < RETRY;
        self.started.iter().filter(recent).count() >= STARTS
    }

    /// False: the server has no place for it.
    fn start(&mut self, database: Oid) -> bool {
        let worker = background::start(
            "token_vault refresher",
            "token_vault_refresher",
            database,
            "",
        );
        let Some(worker) = worker else {
            self.lacks_workers = true;
            return false;
        };
        self.started.push(Start {
            database,
            worker,
            at: Instant::now(),
        });
        true
    }
}

/// Every database that can be connected to.
fn databases() -> Vec<Oid> {
    transaction::run(catalog::databases).unwrap_or_default()
}
