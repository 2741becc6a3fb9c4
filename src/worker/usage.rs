//! Last use and number of reads: noted by readers in shared memory, written in batches by the refresher,
//! so that a read writes nothing.

use crate::pg::Oid;
use crate::pg::spi::BuiltinOid::INT8ARRAYOID;

use crate::pg::shmem::SharedState;
use crate::pg::spi::{self, Statement};
use crate::pg::time::UnixMicros;
use crate::pg::{latch, server};
use crate::store::schedule::{self, Lane};
use crate::worker::board;

/// Tokens whose reads wait to be written. A read of one more is not counted.
const MAX_TOKENS: usize = 16_384;
/// Tokens that are written at a time. One takes the writer as long as half a read takes its reader, so where a great many
/// different tokens are read, the numbers become a sample rather than a burden.
pub const ROUND: usize = 2_000;
/// How far a token may be from the place its number points to.
const PROBES: usize = 8;

pub static USAGE: SharedState<Usage> = SharedState::new(c"token_vault usage");

#[derive(Clone, Copy)]
pub struct Usage {
    noted: usize,
    /// Where the next round begins, so that each place has its turn.
    next: usize,
    tokens: [Read; MAX_TOKENS],
}

#[derive(Clone, Copy)]
struct Read {
    database: u32,
    reads: u32,
    token: i64,
    last_used_at: UnixMicros,
}

const NONE: Read = Read {
    database: 0,
    reads: 0,
    token: 0,
    last_used_at: 0,
};

impl Usage {
    pub const EMPTY: Usage = Usage {
        noted: 0,
        next: 0,
        tokens: [NONE; MAX_TOKENS],
    };

    /// Returns whether the table has just become worth writing.
    fn note(&mut self, database: u32, token: i64, now: UnixMicros) -> bool {
        let home = token.unsigned_abs() as usize ^ database as usize;
        for probe in 0..PROBES {
            let read = &mut self.tokens[(home + probe) % MAX_TOKENS];
            let is_free = read.reads == 0;
            if is_free || (read.token == token && read.database == database) {
                *read = Read {
                    database,
                    token,
                    reads: read.reads.saturating_add(1),
                    last_used_at: now,
                };
                self.noted += usize::from(is_free);
                return is_free && (self.noted == 1 || self.noted == MAX_TOKENS / 2);
            }
        }
        false
    }

    fn take(&mut self, database: u32, limit: usize) -> Vec<Read> {
        let mut taken = Vec::with_capacity(limit.min(self.noted));
        let first = self.next;
        for step in 0..MAX_TOKENS {
            if taken.len() == limit {
                break;
            }
            let place = (first + step) % MAX_TOKENS;
            let read = &mut self.tokens[place];
            if read.reads > 0 && read.database == database {
                taken.push(std::mem::replace(read, NONE));
                self.next = place + 1;
            }
        }
        self.noted -= taken.len();
        taken
    }
}

/// Notes that a token was handed out.
pub fn note(token: i64, now: UnixMicros) {
    let database = server::database();
    if USAGE.with(|usage| usage.note(database.to_u32(), token, now)) == Some(true)
        && let Some(pid) = board::running_refresher(database)
    {
        latch::wake(pid);
    }
}

/// Whether something waits to be written.
pub fn is_pending() -> bool {
    USAGE.with(|usage| usage.noted > 0) == Some(true)
}

/// Writes what has been noted for this database, at most [`ROUND`] tokens of it. Called by the refresher in a transaction of
/// its own.
///
/// Returns the lanes of tokens that are due now because they have been used: their policy had let them rest.
pub fn write(database: Oid) -> Vec<(Lane, UnixMicros)> {
    write_round(database).unwrap_or_default()
}

/// Writes all that has been noted for this database; nobody will wake what it lets rest.
pub fn write_all(database: Oid) {
    while write_round(database).is_some() {}
}

/// None: nothing has been noted.
fn write_round(database: Oid) -> Option<Vec<(Lane, UnixMicros)>> {
    static WRITE: Statement = Statement::new(
        "INSERT INTO vault.token_usage AS u (token, last_used_at, reads)
         SELECT t.id, to_timestamp(r.at / 1000000.0), r.reads
         FROM unnest($1, $2, $3) AS r (token, at, reads) JOIN vault.token AS t ON t.id = r.token
         ON CONFLICT (token) DO UPDATE SET
             last_used_at = greatest(u.last_used_at, EXCLUDED.last_used_at), reads = u.reads + EXCLUDED.reads",
        &[INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID],
    );
    let reads = USAGE
        .with(|usage| usage.take(database.to_u32(), ROUND))
        .unwrap_or_default();
    if reads.is_empty() {
        return None;
    }
    let column = |value: fn(&Read) -> i64| reads.iter().map(value).collect::<Vec<i64>>();
    Some(spi::session(|session| {
        session.run(
            &WRITE,
            &[
                column(|read| read.token).into(),
                column(|read| read.last_used_at).into(),
                column(|read| i64::from(read.reads)).into(),
            ],
        );
        schedule::wake_used(session, &column(|read| read.token))
    }))
}
