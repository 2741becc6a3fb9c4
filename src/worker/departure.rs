//! Making way: our workers leave a database that a session's statement wants for itself (DROP DATABASE, CREATE DATABASE
//! … TEMPLATE, ALTER DATABASE … RENAME or SET TABLESPACE), and come back when it has ended, whichever way. They notice
//! at once when their extension was dropped.

use std::time::{Duration, Instant};

use crate::pg::utility::Concerns;
use crate::pg::{Oid, background, latch, server, transaction};
use crate::store::audit::buffer;
use crate::worker::board;

/// Longer than a refresher waits for the answers under way. The server itself waits some seconds more.
const PATIENCE: Duration = Duration::from_secs(10);
/// Nothing says that a process has left its database.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// What sessions watch their statements for.
pub const CONCERNS: Concerns = Concerns {
    database_wanted: make_way,
    extension_dropped: || transaction::after_commit(wake_workers_here),
};

/// Has our workers leave, and keeps them out until this transaction ends. If one stays, the statement fails as it
/// would beside any other session.
fn make_way(database: Oid) {
    if !board::hold(database, server::process_id()) {
        return;
    }
    transaction::at_end(|| board::release(server::process_id()));
    let end = Instant::now() + PATIENCE;
    let mut asked = Vec::new();
    loop {
        let workers = background::of_database(database);
        if workers.is_empty() || Instant::now() >= end {
            return;
        }
        for worker in workers {
            if !asked.contains(&worker) {
                background::ask_to_end(worker);
                asked.push(worker);
            }
        }
        latch::wait(Some(LOOK_AGAIN), None);
    }
}

fn wake_workers_here() {
    buffer::forget(server::database());
    background::of_database(server::database())
        .into_iter()
        .for_each(latch::wake);
}
