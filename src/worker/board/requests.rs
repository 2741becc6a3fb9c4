//! Which sessions wait for which token.

use std::collections::HashMap;

use token_vault_core::refresh::Closed;

use super::{BOARD, Board};
use crate::pg::{Oid, latch};

/// All requests.
pub type Requests = [Request; MAX_REQUESTS];

/// Nobody waits.
#[allow(clippy::large_const_arrays)] // moved once, into shared memory
pub const NONE: Requests = [FREE; MAX_REQUESTS];

/// Requests of all sessions at once; when all are taken, a session waits for a free one.
const MAX_REQUESTS: usize = 4096;

/// A token that is to be refreshed, unless it is another generation by then: somebody was faster.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Wish {
    pub token: i64,
    pub generation: i64,
}

#[derive(Clone, Copy)]
pub struct Request {
    database: u32,
    /// The waiting session; 0: free; [`ABANDONED`].
    waiter: i32,
    wish: Wish,
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
    wish: Wish {
        token: 0,
        generation: 0,
    },
    state: RequestState::Done(None),
};

impl Board {
    /// Requests that an earlier refresher of the database had taken are open again.
    pub(super) fn ask_again(&mut self, database: u32) {
        for request in &mut self.requests {
            if request.database == database && request.state == RequestState::Taken {
                request.state = RequestState::Asked;
            }
        }
    }

    fn of_waiter(&mut self, waiter: i32) -> impl Iterator<Item = &mut Request> {
        self.requests
            .iter_mut()
            .filter(move |request| request.waiter == waiter)
    }
}

/// Puts up a request for each token; returns how many found a place.
pub fn ask(database: Oid, waiter: i32, wishes: &[Wish]) -> usize {
    BOARD
        .with(|board| {
            let mut asked = 0;
            for kind in [FREE.waiter, ABANDONED] {
                for request in board
                    .requests
                    .iter_mut()
                    .filter(|request| request.waiter == kind)
                {
                    let Some(wish) = wishes.get(asked) else {
                        return asked;
                    };
                    *request = Request {
                        database: database.to_u32(),
                        waiter,
                        wish: *wish,
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
pub fn take(database: Oid, limit: usize) -> Vec<Wish> {
    let mut wishes: Vec<Wish> = BOARD
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
                    let wish = request.wish;
                    *request = match request.waiter {
                        ABANDONED => FREE,
                        _ => Request {
                            state: RequestState::Taken,
                            ..*request
                        },
                    };
                    wish
                })
                .collect()
        })
        .unwrap_or_default();
    wishes.sort_unstable();
    wishes.dedup();
    wishes
}

/// Tells the sessions that wait for these, or for earlier generations of them, that there is an outcome.
pub fn finish(database: Oid, wishes: &[Wish]) {
    finish_with(database, wishes, None);
}

/// The same, or why no request is sent now. Who asks for a later generation waits on.
pub fn finish_with(database: Oid, wishes: &[Wish], reason: Option<Closed>) {
    if wishes.is_empty() {
        return;
    }
    let ended: HashMap<i64, i64> = wishes
        .iter()
        .map(|wish| (wish.token, wish.generation))
        .collect();
    let is_ended = |wish: Wish| {
        let generation = ended.get(&wish.token);
        generation.is_some_and(|generation| wish.generation <= *generation)
    };
    let waiters = BOARD.with(|board| {
        board
            .requests
            .iter_mut()
            .filter(|r| r.waiter != 0 && r.database == database.to_u32() && is_ended(r.wish))
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
