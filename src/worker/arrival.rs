//! Outcomes on their way into the tables.

use std::cell::Cell;
use std::collections::HashSet;
use std::rc::Rc;

use token_vault_core::oauth::Provider;

use crate::pg::spi::BuiltinOid::INT8ARRAYOID;
use crate::pg::spi::{self, Session, Statement};
use crate::pg::time::UnixMicros;
use crate::pg::transaction::{self, Aborted};
use crate::pg::{fault, time};
use crate::worker::apply;
use crate::worker::board::Wish;
use crate::worker::call::{Call, Outcome};
use crate::worker::claim::Claim;
use crate::worker::credentials::Credentials;

/// An outcome that has not been written yet.
pub struct Arrival {
    pub claim: Claim,
    /// Where a request was made: the provider as it was then, and the client.
    pub provider: Option<Rc<Provider>>,
    pub credentials: Option<Rc<Credentials>>,
    pub outcome: Outcome,
}

/// What has been written of one.
pub struct Written {
    /// Whoever waits for this has an outcome.
    pub wish: Wish,
    pub lane: i64,
    /// When the token is due next; None: it is not on the schedule any more.
    pub due_at: Option<UnixMicros>,
    /// The request is repeated right away: who waits for its outcome waits on.
    pub is_repeated: bool,
}

impl Arrival {
    pub fn of(call: Call, outcome: Outcome) -> Arrival {
        Arrival {
            provider: Some(call.provider),
            credentials: Some(call.credentials),
            claim: call.claim,
            outcome,
        }
    }

    pub fn settled(claim: Claim, provider: Option<Rc<Provider>>, outcome: Outcome) -> Arrival {
        Arrival {
            claim,
            provider,
            credentials: None,
            outcome,
        }
    }
}

/// Which of the arrivals to write.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    All,
    /// Those whose token nobody has locked.
    Unlocked,
}

/// Writes as many as can be written now, in one transaction if possible, and takes them out of `arrivals`; what stays
/// is to be written later. The error says why something stays.
pub fn write(arrivals: &mut Vec<Arrival>) -> (Vec<Written>, Option<String>) {
    match attempt(arrivals, Which::All) {
        Ok(written) => (written, None),
        Err(_) => match attempt(arrivals, Which::Unlocked) {
            Ok(written) if !written.is_empty() => {
                let problem = (!arrivals.is_empty()).then(|| "its row is locked".to_owned());
                (written, problem)
            }
            _ => one_by_one(arrivals),
        },
    }
}

/// So that one that can't be written holds up no other.
fn one_by_one(arrivals: &mut Vec<Arrival>) -> (Vec<Written>, Option<String>) {
    let (mut written, mut problem, mut left) = (Vec::new(), None, Vec::new());
    for arrival in arrivals.drain(..) {
        let mut alone = vec![arrival];
        match attempt(&mut alone, Which::All) {
            Ok(one) => written.extend(one),
            Err(aborted) => {
                problem = Some(aborted.0);
                left.append(&mut alone);
            }
        }
    }
    *arrivals = left;
    (written, problem)
}

fn attempt(arrivals: &mut Vec<Arrival>, which: Which) -> Result<Vec<Written>, Aborted> {
    let with_events = transaction::run(|| in_transaction(arrivals, which, true));
    let (written, locked) = match with_events {
        // Nobody reads the queue of notifications, and it is full: tokens are worth more than news.
        Err(aborted) if aborted.1 == QUEUE_FULL => {
            warn_of_full_queue();
            transaction::run(|| in_transaction(arrivals, which, false))?
        }
        other => {
            let written = other?;
            QUEUE_IS_FULL.set(false);
            written
        }
    };
    arrivals.retain(|arrival| locked.contains(&arrival.claim.token));
    Ok(written)
}

/// ERRCODE_PROGRAM_LIMIT_EXCEEDED, as async.c raises it.
const QUEUE_FULL: &str = "54000";

thread_local! {
    /// The last events could not be sent.
    static QUEUE_IS_FULL: Cell<bool> = const { Cell::new(false) };
}

/// Once, until events can be sent again: there may be thousands of refreshes a second.
fn warn_of_full_queue() {
    if !QUEUE_IS_FULL.replace(true) {
        pgrx::warning!(
            "token_vault sends no events, because the server's queue of notifications is full"
        );
    }
}

fn in_transaction(
    arrivals: &[Arrival],
    which: Which,
    with_events: bool,
) -> (Vec<Written>, HashSet<i64>) {
    spi::session(|session| {
        let locked = match which {
            Which::All => HashSet::new(),
            Which::Unlocked => locked(session, arrivals),
        };
        let free: Vec<&Arrival> = arrivals
            .iter()
            .filter(|arrival| !locked.contains(&arrival.claim.token))
            .collect();
        let written = match apply::apply(session, &free, time::now(), with_events) {
            Ok(written) => written,
            Err(error) => error.raise(),
        };
        fault::point("outcome_written");
        if with_events {
            fault::point("events_sent");
        }
        (written, locked)
    })
}

/// The tokens that exist and that somebody else has locked; the others are locked now.
fn locked(session: &Session, arrivals: &[Arrival]) -> HashSet<i64> {
    static EXISTING: Statement = Statement::new(
        "SELECT id FROM vault.token WHERE id = ANY ($1)",
        &[INT8ARRAYOID],
    );
    static FREE: Statement = Statement::new(
        "SELECT id FROM vault.token WHERE id = ANY ($1) FOR NO KEY UPDATE SKIP LOCKED",
        &[INT8ARRAYOID],
    );
    let tokens: Vec<i64> = arrivals.iter().map(|arrival| arrival.claim.token).collect();
    let mut locked: HashSet<i64> = session
        .query(&EXISTING, &[tokens.clone().into()], |row| {
            row.required::<i64>(1)
        })
        .into_iter()
        .collect();
    for free in session.write(&FREE, &[tokens.into()], |row| row.required::<i64>(1)) {
        locked.remove(&free);
    }
    locked
}
