//! What the server's processes tell each other, in shared memory: which refreshers run, which databases
//! want one, and which sessions wait for which token.

mod holds;

use crate::pg::Oid;

use crate::pg::latch;
use crate::pg::shmem::SharedState;
use crate::pg::time::UnixMicros;

pub use holds::{hold, is_held, release, sweep_holds};

/// Databases with a vault in one cluster; more have no standing refresher.
const MAX_DATABASES: usize = 128;
/// Requests of all sessions at once; when all are taken, a session waits for a free one.
const MAX_REQUESTS: usize = 4096;

/// The state of all processes. Plain data, guarded by one lock.
pub static BOARD: SharedState<Board> = SharedState::new(c"token_vault board");

#[derive(Clone, Copy)]
pub struct Board {
    launcher: i32,
    holds: holds::Holds,
    refreshers: [Refresher; MAX_DATABASES],
    requests: [Request; MAX_REQUESTS],
}

#[derive(Clone, Copy)]
struct Refresher {
    database: u32,
    /// 0: wanted, but not running.
    pid: i32,
    /// When it wakes up by itself.
    wakes_at: UnixMicros,
    /// A session has something for a custodian to do.
    custodian_wanted: bool,
}

#[derive(Clone, Copy)]
struct Request {
    database: u32,
    /// The waiting session; 0: free; [`ABANDONED`].
    waiter: i32,
    token: i64,
    state: RequestState,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum RequestState {
    Asked,
    Taken,
    Done,
}

/// Nobody waits any more, but the refresh is still wanted.
const ABANDONED: i32 = -1;

const FREE: Request = Request {
    database: 0,
    waiter: 0,
    token: 0,
    state: RequestState::Done,
};
const NONE: Refresher = Refresher {
    database: 0,
    pid: 0,
    wakes_at: 0,
    custodian_wanted: false,
};

impl Board {
    pub const EMPTY: Board = Board {
        launcher: 0,
        holds: holds::NONE,
        refreshers: [NONE; MAX_DATABASES],
        requests: [FREE; MAX_REQUESTS],
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

    fn of_waiter(&mut self, waiter: i32) -> impl Iterator<Item = &mut Request> {
        self.requests
            .iter_mut()
            .filter(move |request| request.waiter == waiter)
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
        for request in board.requests.iter_mut() {
            if request.database == database.to_u32() && request.state == RequestState::Taken {
                request.state = RequestState::Asked;
            }
        }
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

/// The refresher says until when it sleeps.
pub fn sleeps_until(database: Oid, wakes_at: UnixMicros) {
    BOARD.with(|board| {
        if let Some(refresher) = board.refresher(database.to_u32()) {
            refresher.wakes_at = wakes_at;
        }
    });
}

/// Wakes the refresher if it would sleep beyond `due_at`, and has one started where there is none.
pub fn nudge_before(database: Oid, due_at: UnixMicros) {
    let sleeps_beyond = BOARD
        .with(|board| {
            board
                .refreshers
                .iter()
                .find(|r| r.database == database.to_u32())
                .map(|r| r.wakes_at > due_at)
        })
        .flatten();
    if sleeps_beyond == Some(true) || running_refresher(database).is_none() {
        nudge(database);
    }
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

/// Puts up a request for each token; returns how many found a place.
pub fn ask(database: Oid, waiter: i32, tokens: &[i64]) -> usize {
    BOARD
        .with(|board| {
            let mut asked = 0;
            for kind in [FREE.waiter, ABANDONED] {
                for request in board
                    .requests
                    .iter_mut()
                    .filter(|request| request.waiter == kind)
                {
                    let Some(token) = tokens.get(asked) else {
                        return asked;
                    };
                    *request = Request {
                        database: database.to_u32(),
                        waiter,
                        token: *token,
                        state: RequestState::Asked,
                    };
                    asked += 1;
                }
            }
            asked
        })
        .unwrap_or(0)
}

/// How many of a session's requests are still open.
pub fn open_requests(waiter: i32) -> usize {
    BOARD
        .with(|board| {
            board
                .of_waiter(waiter)
                .filter(|request| request.state != RequestState::Done)
                .count()
        })
        .unwrap_or(0)
}

/// The session waits no longer. What has not been taken yet stays up for the refresher.
pub fn withdraw(waiter: i32) {
    BOARD.with(|board| {
        board.of_waiter(waiter).for_each(|request| {
            *request = match request.state {
                RequestState::Asked => Request {
                    waiter: ABANDONED,
                    ..*request
                },
                RequestState::Taken | RequestState::Done => FREE,
            }
        })
    });
}

/// The tokens that sessions ask for and that have not been taken yet. The refresher asks.
pub fn take(database: Oid, limit: usize) -> Vec<i64> {
    let mut tokens: Vec<i64> = BOARD
        .with(|board| {
            board
                .requests
                .iter_mut()
                .filter(|r| {
                    r.waiter != 0
                        && r.database == database.to_u32()
                        && r.state == RequestState::Asked
                })
                .take(limit)
                .map(|request| {
                    let token = request.token;
                    *request = match request.waiter {
                        ABANDONED => FREE,
                        _ => Request {
                            state: RequestState::Taken,
                            ..*request
                        },
                    };
                    token
                })
                .collect()
        })
        .unwrap_or_default();
    tokens.sort_unstable();
    tokens.dedup();
    tokens
}

/// Tells the sessions that wait for these tokens that there is an outcome.
pub fn finish(database: Oid, tokens: &[i64]) {
    let waiters = BOARD.with(|board| {
        board
            .requests
            .iter_mut()
            .filter(|r| {
                r.waiter != 0 && r.database == database.to_u32() && tokens.contains(&r.token)
            })
            .map(|request| {
                request.state = RequestState::Done;
                request.waiter
            })
            .collect::<Vec<_>>()
    });
    waiters.into_iter().flatten().for_each(latch::wake);
}

/// Removes requests of sessions that have ended without withdrawing them (terminated while waiting).
pub fn sweep() {
    let waiters = BOARD.with(|board| board.requests.map(|request| request.waiter));
    for waiter in waiters.into_iter().flatten().filter(|waiter| *waiter > 0) {
        if !latch::is_alive(waiter) {
            BOARD.with(|board| board.of_waiter(waiter).for_each(|request| *request = FREE));
        }
    }
}
