//! What sessions tell a refresher of their changes to the schedule.

use std::collections::HashMap;

use super::{AWAKE, BOARD, Board, nudge, running_refresher};
use crate::pg::Oid;
use crate::pg::time::UnixMicros;

/// All hints.
pub type Hints = [Hint; MAX_HINTS];

/// Nothing has changed.
pub const NONE: Hints = [NO_HINT; MAX_HINTS];

/// Changes of the schedule that refreshers have not taken note of; when there are more, they look at the table.
const MAX_HINTS: usize = 512;

/// A token in this lane is due earlier than the refresher may think.
#[derive(Clone, Copy)]
pub struct Hint {
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

impl Board {
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
