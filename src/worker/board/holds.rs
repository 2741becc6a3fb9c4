//! Databases that a session's statement wants for itself: no worker is started there until it has ended.

use super::{BOARD, Board, wake_launcher};
use crate::pg::{Oid, latch};

/// Such statements at once; one more finds its database in use, as it would beside any other session.
const MAX_HOLDS: usize = 32;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Hold {
    database: u32,
    /// 0: free.
    session: i32,
}

const FREE: Hold = Hold {
    database: 0,
    session: 0,
};

pub(super) type Holds = [Hold; MAX_HOLDS];
pub(super) const NONE: Holds = [FREE; MAX_HOLDS];

/// The session wants the database for itself until it says [`release`]. False: too many do, and nobody is kept out.
pub fn hold(database: Oid, session: i32) -> bool {
    let wanted = Hold {
        database: database.to_u32(),
        session,
    };
    let place = |board: &mut Board| {
        let known = board.holds.iter().position(|hold| *hold == wanted);
        known.or_else(|| board.holds.iter().position(|hold| hold.session == 0))
    };
    let held = BOARD.with(|board| place(board).map(|place| board.holds[place] = wanted));
    held.flatten().is_some()
}

/// What the session held may be worked in again.
pub fn release(session: i32) {
    BOARD.with(|board| free(board, |hold| hold.session == session));
    wake_launcher();
}

/// Whether somebody wants the database for itself.
pub fn is_held(database: Oid) -> bool {
    let holds = BOARD.with(|board| board.holds).unwrap_or(NONE);
    holds
        .iter()
        .any(|hold| hold.session != 0 && hold.database == database.to_u32())
}

/// Whether any database is held by a session that lives; holds of others are taken down.
pub fn sweep_holds() -> bool {
    let holds = BOARD.with(|board| board.holds).unwrap_or(NONE);
    let is_dead = |hold: &Hold| hold.session != 0 && !latch::is_alive(hold.session);
    for dead in holds.iter().filter(|hold| is_dead(hold)) {
        BOARD.with(|board| free(board, |hold| hold.session == dead.session));
    }
    holds.iter().any(|hold| hold.session != 0 && !is_dead(hold))
}

fn free(board: &mut Board, which: impl Fn(&Hold) -> bool) {
    board
        .holds
        .iter_mut()
        .filter(|hold| which(hold))
        .for_each(|hold| *hold = FREE);
}
