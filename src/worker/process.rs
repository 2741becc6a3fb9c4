//! The lives of a refresher's process: standing, as long as the server runs, or for one errand of a session.

use std::time::Duration;

use crate::pg::lock::Duty;
use crate::pg::{Oid, background, catalog, exit, latch, lock, malloc, server, transaction};
use crate::store::version;
use crate::worker::board;
use crate::worker::errand::Errand;
use crate::worker::refresher::Refresher;

/// How long, in steps, a refresher waits for the end of the one before it, which has said farewell already.
const TAKE_OVER_STEP: Duration = Duration::from_millis(20);
const TAKE_OVER_STEPS: usize = 100;

/// Runs as the standing refresher of a database until the server stops it.
pub fn run_standing(database: Oid) {
    malloc::return_what_is_freed();
    background::connect(Some(database));
    background::prepare_session();
    if !transaction::run(catalog::extension_exists).unwrap_or(false) {
        return board::forget_database(database);
    }
    board::want(database);
    if board::is_held(database) || !takes_over() {
        return; // the launcher comes back to it
    }
    let mut refresher = match Refresher::new(database) {
        Ok(refresher) => refresher,
        Err(problem) => return pgrx::warning!("token_vault can't refresh tokens: {problem}"),
    };
    background::limit_lock_waits();
    board::refresher_started(database, server::process_id());
    exit::at_exit(|| board::refresher_gone(server::process_id()));
    refresher.recover();
    tell_of_other_version();
    while !background::must_stop() {
        if background::reload_configuration() {
            refresher.configuration_changed();
        }
        let Some(pause) = refresher.turn() else {
            break; // the extension was dropped
        };
        latch::wait(Some(pause), Some(refresher.socket()));
    }
    refresher.finish();
    board::refresher_ended(database, server::process_id(), background::must_stop());
}

/// A package was installed, and its other half is still to be done: nobody may look into `vault.status()` before it matters.
fn tell_of_other_version() {
    let found = transaction::run(|| {
        version::of_other_objects().map(|objects| (server::database_name(), objects))
    });
    if let Ok(Some((database, objects))) = found {
        pgrx::warning!(
            "token_vault {} found its objects in database \"{database}\" at version {objects}; {}",
            version::LIBRARY,
            version::ADVICE
        );
    }
}

/// Becomes the only refresher of the database; false: another one stays.
fn takes_over() -> bool {
    for _ in 0..TAKE_OVER_STEPS {
        if background::must_stop() {
            return false;
        }
        if transaction::run(|| lock::try_hold(Duty::Refresher)).unwrap_or(false) {
            return true;
        }
        latch::wait(Some(TAKE_OVER_STEP), None);
    }
    false
}

/// Runs one errand for a session that has no standing refresher, and ends.
pub fn run_errand(database: Oid) {
    malloc::return_what_is_freed();
    background::connect(Some(database));
    background::prepare_session();
    let Some(errand) = Errand::parse(background::extra()) else {
        return;
    };
    let ready = transaction::run(|| {
        let exists = catalog::extension_exists();
        if exists {
            lock::hold(Duty::Refresher);
        }
        exists
    });
    if !ready.unwrap_or(false) {
        return;
    }
    background::limit_lock_waits();
    match Refresher::new(database) {
        Ok(mut refresher) => refresher.run(errand),
        Err(problem) => pgrx::warning!("token_vault can't refresh tokens: {problem}"),
    }
}
