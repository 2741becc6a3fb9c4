//! What the server's processes tell each other, in shared memory: which refreshers run, which databases
//! want one, and which sessions wait for which token.

use std::collections::{HashMap, HashSet};

use token_vault_core::refresh::Closed;

use crate::pg::Oid;

use crate::pg::latch;
use crate::pg::shmem::SharedState;
use crate::pg::time::UnixMicros;

/// Databases with a vault in one cluster; more have no standing refresher.
const MAX_DATABASES: usize = 128;
/// Changes of the schedule that refreshers have not taken note of; when there are more, they look at the table.
const MAX_HINTS: usize = 512;
/// Requests of all sessions at once; when all are taken, a session waits for a free one.
const MAX_REQUESTS: usize = 4096;

/// The state of all processes. Plain data, guarded by one lock.
pub static BOARD: SharedState<Board> = SharedState::new(c"token_vault board");

#[derive(Clone, Copy)]
pub struct Board {
    launcher: i32,
    refreshers: [Refresher; MAX_DATABASES],
    requests: [Request; MAX_REQUESTS],
    hints: [Hint; MAX_HINTS],
}

/// A token in this lane is due earlier than the refresher may think.
#[derive(Clone, Copy)]
struct Hint {
    /// 0: free.
    database: u32,
    lane: i64,
    due_at: UnixMicros,
}

const NO_HINT: Hint = Hint {
    database: 0,
    lane: 0,
    due_at: 0,
};

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
    /// There is an outcome, or no request is sent for this reason.
    Done(Option<Closed>),
}

/// Nobody waits any more, but the refresh is still wanted.
const ABANDONED: i32 = -1;

const FREE: Request = Request {
    database: 0,
    waiter: 0,
    token: 0,
    state: RequestState::Done(None),
};
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
        refreshers: [NONE; MAX_DATABASES],
        requests: [FREE; MAX_REQUESTS],
        hints: [NO_HINT; MAX_HINTS],
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

    fn hint(&mut self, database: u32, lane: i64, due_at: UnixMicros) {
        let place = self.hints.iter_mut().find(|hint| hint.database == 0);
        match place {
            Some(hint) => {
                *hint = Hint {
                    database,
                    lane,
                    due_at,
                }
            }
            None => {
                if let Some(refresher) = self.refresher(database) {
                    refresher.must_look = true;
                }
            }
        }
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

/// What sessions have changed in the schedule since the last time. None: so much that the table is to be looked at.
/// The refresher asks, and is awake from now on.
pub fn take_hints(database: Oid) -> Option<Vec<(i64, UnixMicros)>> {
    let taken = BOARD.with(|board| {
        let refresher = board.refresher(database.to_u32());
        let must_look = refresher.is_some_and(|refresher| {
            refresher.wakes_at = AWAKE;
            refresher.looks_at = AWAKE;
            std::mem::take(&mut refresher.must_look)
        });
        let mut hints = Vec::new();
        for hint in &mut board.hints {
            if hint.database == database.to_u32() {
                hints.push((hint.lane, hint.due_at));
                *hint = NO_HINT;
            }
        }
        (!must_look).then_some(hints)
    });
    taken.unwrap_or_else(|| Some(Vec::new()))
}

/// Has the refresher look at the whole schedule.
pub fn ask_to_look(database: Oid) {
    BOARD.with(|board| {
        if let Some(refresher) = board.refresher(database.to_u32()) {
            refresher.must_look = true;
        }
    });
    nudge(database);
}

/// Tells the refresher when tokens in these lanes are due, as far as it does not find out by itself; wakes it if it
/// would sleep longer, and has one started where there is none.
pub fn schedule_changed(database: Oid, lanes: &HashMap<i64, UnixMicros>) {
    let sleeps_beyond = BOARD
        .with(|board| {
            let (wakes_at, looks_at) = board
                .refresher(database.to_u32())
                .map(|refresher| (refresher.wakes_at, refresher.looks_at))?;
            let soon = lanes.iter().filter(|(_, due_at)| **due_at < looks_at);
            for (lane, due_at) in soon {
                board.hint(database.to_u32(), *lane, *due_at);
            }
            lanes.values().min().map(|due_at| *due_at < wakes_at)
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
    let launcher = BOARD.with(|board| {
        board.refresher(database.to_u32());
        board.launcher
    });
    latch::wake(launcher.unwrap_or_default());
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
                .filter(|request| !matches!(request.state, RequestState::Done(_)))
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
                RequestState::Taken | RequestState::Done(_) => FREE,
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
    finish_with(database, tokens, None);
}

/// Tells the sessions that wait for these tokens that there is an outcome, or why no request is sent now.
pub fn finish_with(database: Oid, tokens: &[i64], reason: Option<Closed>) {
    if tokens.is_empty() {
        return;
    }
    let tokens: HashSet<i64> = tokens.iter().copied().collect();
    let waiters = BOARD.with(|board| {
        board
            .requests
            .iter_mut()
            .filter(|r| {
                r.waiter != 0 && r.database == database.to_u32() && tokens.contains(&r.token)
            })
            .map(|request| {
                request.state = RequestState::Done(reason);
                request.waiter
            })
            .collect::<Vec<_>>()
    });
    waiters.into_iter().flatten().for_each(latch::wake);
}

/// Why no request is sent for some of what a session has asked for.
pub fn reason(waiter: i32) -> Option<Closed> {
    BOARD
        .with(|board| {
            board
                .of_waiter(waiter)
                .find_map(|request| match request.state {
                    RequestState::Done(reason) => reason,
                    RequestState::Asked | RequestState::Taken => None,
                })
        })
        .flatten()
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
