//! When a custodian is started: the refresher looks from time to time, and at once when a session asks it to.

use std::time::{Duration, Instant};

use crate::pg::background::{self, Started};
use crate::pg::{Oid, server, transaction};
use crate::store::reencryption::{self, State};
use crate::store::{retirement, rotation};
use crate::worker::board;

/// Between two looks while nobody asks, and between the end of a custodian and the next one.
const INTERVAL: Duration = Duration::from_secs(60);

/// What a refresher remembers of the custodian it has started.
#[derive(Default)]
pub struct Custody {
    started: Option<Started>,
    looked: Option<Instant>,
}

impl Custody {
    /// Has the next look not wait for its time.
    pub fn look_soon(&mut self) {
        self.looked = None;
    }

    /// Starts a custodian where there is something for it to do and none of ours is at work.
    pub fn look(&mut self, database: Oid) {
        if self
            .started
            .as_ref()
            .is_some_and(|custodian| !custodian.has_ended())
        {
            return;
        }
        self.started = None;
        let is_recent = self
            .looked
            .is_some_and(|looked| looked.elapsed() < INTERVAL);
        if !board::take_wish_for_custodian(database) && is_recent {
            return;
        }
        self.looked = Some(Instant::now());
        if transaction::run(is_wanted).unwrap_or(false) {
            self.started = start(database);
        }
    }
}

/// Whether there is something for a custodian to do.
fn is_wanted() -> bool {
    reencryption::known().is_some_and(|job| job.state == State::Running)
        || retirement::has_keys()
        || rotation::is_due()
}

fn start(database: Oid) -> Option<Started> {
    background::start(
        "token_vault custodian",
        "token_vault_custodian",
        database,
        "",
    )
}

/// Starts a custodian for this session's database.
pub fn start_here() {
    start(server::database());
}
