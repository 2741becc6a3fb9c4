//! Writing the audit log: what waits in shared memory goes into the table, and everything is sealed.

use std::time::{Duration, Instant};

use crate::pg::{Oid, exit, server, spi, transaction};
use crate::store::audit::{self, buffer, chain, months, run};
use crate::store::installation::{self, Standing};

/// How long entries are collected before they are written.
const INTERVAL: Duration = Duration::from_secs(1);
/// How often partitions are looked after, and what nobody has announced is sealed.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(600);
/// How often the table is told that nothing is lost until now, while there is something to write.
const TOUCH_INTERVAL: Duration = Duration::from_secs(60);
/// Entries written in one transaction.
const BATCH: usize = 4_000;

/// What the refresher of a database remembers of its audit log.
#[derive(Default)]
pub struct Scribe {
    is_open: bool,
    due: Option<Instant>,
    looked_after: Option<Instant>,
    touched: Option<Instant>,
}

impl Scribe {
    /// Writes what is due. It does so also where nothing may be refreshed.
    pub fn turn(&mut self, database: Oid) {
        // A vault that was dropped and made again begins anew.
        if !self.is_open || buffer::waiting(database).is_none() {
            self.is_open = open(database);
        }
        self.look_after_partitions(database);
        let Some(waiting) = buffer::waiting(database) else {
            return;
        };
        if waiting.entries == 0 && !waiting.has_unsealed {
            self.due = None;
            return;
        }
        let now = Instant::now();
        let due = *self.due.get_or_insert(now + INTERVAL);
        if due <= now || waiting.is_half_full && waiting.entries > 0 {
            self.due = None;
            if !self.write(database) {
                self.due = Some(now + INTERVAL);
            }
        }
    }

    /// The time that entries are kept may be another.
    pub fn look_soon(&mut self) {
        self.looked_after = None;
    }

    /// How long there is nothing to write; None: until somebody wakes this process.
    pub fn rests(&self) -> Option<Duration> {
        self.due
            .map(|due| due.saturating_duration_since(Instant::now()))
    }

    /// The vault is gone.
    pub fn forget(&mut self, database: Oid) {
        self.is_open = false;
        self.due = None;
        buffer::forget(database);
    }

    /// From now on nobody notes anything here; what was noted is written.
    pub fn finish(&mut self, database: Oid) {
        if !std::mem::take(&mut self.is_open) {
            return;
        }
        buffer::close(database);
        let Some(epoch) = buffer::epoch() else { return };
        if self.write(database) {
            let _ = transaction::run(|| run::close(epoch)).map_err(|problem| warn(&problem.0));
        }
    }

    fn look_after_partitions(&mut self, database: Oid) {
        let is_recent = |at: &Instant| at.elapsed() < UPKEEP_INTERVAL;
        if !self.is_open || self.looked_after.as_ref().is_some_and(is_recent) {
            return;
        }
        self.looked_after = Some(Instant::now());
        buffer::announce_unsealed(database);
        // A database that is being restored brings its own partitions.
        let look = || match installation::standing() {
            Standing::Home => {
                months::make_ahead();
                months::drop_old().map(drop)
            }
            _ => Ok(()),
        };
        match transaction::run(look) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => warn(&error.message()),
            Err(aborted) => warn(&aborted.0),
        }
    }

    /// Writes and seals everything; false: it is to be tried again.
    fn write(&mut self, database: Oid) -> bool {
        let written = write_buffered(database).and_then(|()| seal(database));
        if let Err(problem) = written {
            warn(&problem);
            return false;
        }
        let is_recent = |at: &Instant| at.elapsed() < TOUCH_INTERVAL;
        if self.is_open
            && !self.touched.as_ref().is_some_and(is_recent)
            && let Some(epoch) = buffer::epoch()
        {
            self.touched = Some(Instant::now());
            let _ = transaction::run(|| run::touch(epoch)).map_err(|problem| warn(&problem.0));
        }
        true
    }
}

/// From now on entries are noted for this process.
fn open(database: Oid) -> bool {
    let Some(epoch) = buffer::epoch() else {
        return false;
    };
    // First the table knows of it: what is noted afterwards and lost in a crash is missed.
    if let Err(aborted) = transaction::run(|| run::begin(epoch)) {
        warn(&aborted.0);
        return false;
    }
    exit::at_exit(|| buffer::close(server::database()));
    buffer::open(database, server::process_id())
}

fn write_buffered(database: Oid) -> Result<(), String> {
    loop {
        let write = || spi::session(|session| audit::write_buffered(session, BATCH));
        let written = match transaction::run(write) {
            Ok(Ok(written)) => written,
            Ok(Err(error)) => return Err(error.message()),
            Err(aborted) => return Err(aborted.0),
        };
        buffer::remove(database, written);
        if written < BATCH {
            return Ok(());
        }
    }
}

fn seal(database: Oid) -> Result<(), String> {
    buffer::take_unsealed(database);
    loop {
        let sealed = match transaction::run(|| spi::session(chain::seal)) {
            Ok(Ok((_, has_more))) => has_more,
            Ok(Err(error)) => {
                buffer::announce_unsealed(database);
                return Err(error.message());
            }
            Err(aborted) => {
                buffer::announce_unsealed(database);
                return Err(aborted.0);
            }
        };
        if !sealed {
            return Ok(());
        }
    }
}

fn warn(problem: &str) {
    pgrx::warning!("token_vault could not go on with its audit log, and tries again: {problem}");
}
