//! What the server's processes tell each other, in shared memory: which refreshers run, which databases
//! want one, and which sessions wait for which token.

mod hints;
mod holds;
mod requests;

use crate::pg::Oid;
use crate::pg::latch;
use crate::pg::shmem::SharedState;
use crate::pg::time::UnixMicros;

pub use hints::{ask_to_look, schedule_changed, take_hints};
pub use holds::{hold, is_held, release, sweep_holds};
pub use requests::{Wish, ask, finish, finish_with, open_requests, reason, sweep, take, withdraw};

/// Databases with a vault in one cluster; more have no standing refresher.
const MAX_DATABASES: usize = 128;

/// The state of all processes. Plain data, guarded by one lock.
pub static BOARD: SharedState<Board> = SharedState::new(c"token_vault board");

#[derive(Clone, Copy)]
pub struct Board {
    launcher: i32,
    holds: holds::Holds,
    refreshers: [Refresher; MAX_DATABASES],
    requests: requests::Requests,
    hints: hints::Hints,
}

#[derive(Clone, Copy)]
struct Refresher {
    database: u32,
    /// 0: wanted, but not running.
    pid: i32,
    /// When it wakes up by itself.
    wakes_at: UnixMicros,
    /// When it looks at the whole schedule by itself: what is due later need not be told.
    looks_at: UnixMicros,
    /// There were more hints than there is room for.
    must_look: bool,
    /// A session has something for a custodian to do.
    custodian_wanted: bool,
}

/// A refresher that does not sleep is told everything: it may have looked already.
const AWAKE: UnixMicros = UnixMicros::MAX;

const NONE: Refresher = Refresher {
    database: 0,
    pid: 0,
    wakes_at: AWAKE,
    looks_at: AWAKE,
    must_look: false,
    custodian_wanted: false,
};

impl Board {
    pub const EMPTY: Board = Board {
        launcher: 0,
        holds: holds::NONE,
        refreshers: [NONE; MAX_DATABASES],
        requests: requests::NONE,
        hints: hints::NONE,
    };

    fn refresher(&mut self, database: u32) -> Option<&mut Refresher> {
        let place = self
            .refreshers
            .iter()
            .position(|refresher| refresher.database == database)
            .or_else(|| {
                self.refreshers
                    .iter()
                    .position(|refresher| refresher.database == 0)
            })?;
        let refresher = &mut self.refreshers[place];
        refresher.database = database;
        Some(refresher)
    }
}

/// The launcher says that it runs.
pub fn launcher_started(pid: i32) {
    BOARD.with(|board| board.launcher = pid);
}

/// The database has a vault: the launcher sees to it that a refresher runs there.
pub fn want(database: Oid) {
    BOARD.with(|board| board.refresher(database.to_u32()).is_some());
}

/// A refresher says that it runs in a database. Requests that an earlier one had taken are open again.
pub fn refresher_started(database: Oid, pid: i32) {
    BOARD.with(|board| {
        if let Some(refresher) = board.refresher(database.to_u32()) {
            refresher.pid = pid;
        }
        board.ask_again(database.to_u32());
    });
}

/// The refresher of a database says that it ends; `wanted`: it is to be started again.
pub fn refresher_ended(database: Oid, pid: i32, wanted: bool) {
    BOARD.with(|board| {
        if let Some(refresher) = board
            .refreshers
            .iter_mut()
            .find(|r| r.database == database.to_u32() && r.pid == pid)
        {
            *refresher = if wanted {
                Refresher {
                    pid: 0,
                    ..*refresher
                }
            } else {
                NONE
            };
        }
    });
}

/// The refresher's process ends, whether or not it has said so before: the launcher sees to another one.
pub fn refresher_gone(pid: i32) {
    BOARD.with(|board| {
        let own = board.refreshers.iter_mut().find(|r| r.pid == pid);
        if let Some(refresher) = own {
            refresher.pid = 0;
        }
    });
    wake_launcher();
}

fn wake_launcher() {
    latch::wake(BOARD.with(|board| board.launcher).unwrap_or_default());
}

/// The databases that want a refresher and have none that is alive. The launcher asks.
pub fn databases_without_refresher() -> Vec<Oid> {
    BOARD
        .with(|board| board.refreshers)
        .into_iter()
        .flatten()
        .filter(|refresher| {
            refresher.database != 0 && !(refresher.pid != 0 && latch::is_alive(refresher.pid))
        })
        .map(|refresher| Oid::from(refresher.database))
        .collect()
}

/// Forgets a database that has been dropped or has no vault.
pub fn forget_database(database: Oid) {
    BOARD.with(|board| {
        if let Some(refresher) = board
            .refreshers
            .iter_mut()
            .find(|r| r.database == database.to_u32())
        {
            *refresher = NONE;
        }
    });
}

/// The process number of the database's refresher, if one runs.
pub fn running_refresher(database: Oid) -> Option<i32> {
    BOARD
        .with(|board| {
            board
                .refreshers
                .iter()
                .find(|r| r.database == database.to_u32())
                .map(|r| r.pid)
        })
        .flatten()
        .filter(|pid| *pid != 0 && latch::is_alive(*pid))
}

/// The refresher says until when it sleeps, and until when it knows the schedule.
pub fn sleeps_until(database: Oid, wakes_at: UnixMicros, looks_at: UnixMicros) {
    BOARD.with(|board| {
        if let Some(refresher) = board.refresher(database.to_u32()) {
            refresher.wakes_at = wakes_at;
            refresher.looks_at = looks_at;
        }
    });
}

/// Has a refresher started where there is none.
pub fn require_refresher(database: Oid) {
    if running_refresher(database).is_none() {
        nudge(database);
    }
}

/// Wakes the database's refresher, or has the launcher start one.
pub fn nudge(database: Oid) {
    if let Some(pid) = running_refresher(database) {
        latch::wake(pid);
        return;
    }
    want(database);
    wake_launcher();
}

/// Asks the database's refresher to start a custodian.
pub fn ask_for_custodian(database: Oid) {
    BOARD.with(|board| {
        if let Some(refresher) = board.refresher(database.to_u32()) {
            refresher.custodian_wanted = true;
        }
    });
    nudge(database);
}

/// Whether somebody has asked for a custodian since the last time. The refresher asks.
pub fn take_wish_for_custodian(database: Oid) -> bool {
    BOARD
        .with(|board| {
            let refresher = board.refresher(database.to_u32());
            refresher.is_some_and(|refresher| std::mem::take(&mut refresher.custodian_wanted))
        })
        .unwrap_or(false)
}
