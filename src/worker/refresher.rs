//! The process that refreshes a database's tokens: claim, call, apply.
//!
//! No transaction, snapshot or lock is open while a request is under way. Which tokens are in flight is known
//! only here, in memory: there is one refresher per database, held apart by a lock.

use std::collections::HashMap;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use crate::pg::time::{self, UnixMicros};
use crate::pg::{Oid, background, latch, settings, transaction};
use crate::store::installation::{self, Standing};
use crate::store::{schedule, token};
use crate::worker::arrival::{self, Arrival};
use crate::worker::call::{self, Call, Next};
use crate::worker::claim::{self, Claim, Which};
use crate::worker::custody::Custody;
use crate::worker::errand::Errand;
use crate::worker::outbound::Outbound;
use crate::worker::{apply, board, usage};

/// An attempt without outcome, this long after its request's limit, belongs to a process that has died.
const LEASE_MARGIN: Duration = Duration::from_secs(60);
/// How long reads are collected before they are written.
const USAGE_INTERVAL: Duration = Duration::from_secs(1);
/// How long an outcome that could not be written waits for the next try.
const APPLY_RETRY: Duration = Duration::from_millis(500);
/// How long shutdown waits for answers that are under way.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(3);
/// The shortest one: no loop where two clocks differ by a moment.
const SHORTEST_SLEEP: Duration = Duration::from_millis(10);
/// The longest sleep: the clock may have been set, or the schedule changed by hand.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// Why nothing was started.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stall {
    /// Nothing was due, or what is due is locked by a session.
    NothingToClaim,
    /// Refreshing is off, or this is a copy of the vault.
    NotAllowed,
}

/// The state of one refresher.
pub struct Refresher {
    database: Oid,
    outbound: Outbound,
    custody: Custody,
    in_flight: HashMap<i64, Call>,
    arrived: Vec<Arrival>,
    usage_due: Option<Instant>,
    has_warned_of_copy: bool,
    /// Why the last round started nothing that is due.
    stalled: Option<Stall>,
    /// Outcomes written since somebody looked that are followed by another request at once.
    repeats: usize,
}

impl Refresher {
    pub fn new(database: Oid) -> std::io::Result<Self> {
        Ok(Refresher {
            database,
            outbound: Outbound::new()?,
            custody: Custody::default(),
            in_flight: HashMap::new(),
            arrived: Vec::new(),
            usage_due: None,
            has_warned_of_copy: false,
            stalled: None,
            repeats: 0,
        })
    }

    /// Becomes readable when an answer has come in.
    pub fn socket(&self) -> BorrowedFd<'_> {
        self.outbound.socket()
    }

    /// The interval of rotation, for one, may be another.
    pub fn configuration_changed(&mut self) {
        self.custody.look_soon();
    }

    /// One round; returns how long there is nothing to do unless something happens.
    pub fn turn(&mut self) -> Duration {
        self.follow_settings();
        board::sweep();
        self.receive();
        self.write_outcomes();
        // One that has been told to end leaves what is asked for to its successor.
        if !background::must_stop() {
            self.start_what_is_wanted();
            self.custody.look(self.database);
        }
        self.write_usage();
        transaction::report_statistics();
        self.rest()
    }

    /// Starts what sessions ask for, and then what is due. Where nothing may be refreshed, the sessions are told so.
    fn start_what_is_wanted(&mut self) {
        if self.may_refresh() {
            let asked = board::take(self.database, self.outbound.free_places());
            self.start_asked(&asked);
            let started = self.start(Which::DueBy(time::now()), self.outbound.free_places());
            self.stalled = started.is_empty().then_some(Stall::NothingToClaim);
        } else {
            let asked = board::take(self.database, usize::MAX);
            board::finish(self.database, &asked);
            self.stalled = Some(Stall::NotAllowed);
        }
    }

    /// One errand, from claim to outcome.
    pub fn run(&mut self, errand: Errand) {
        self.follow_settings();
        let mut left = match errand {
            Errand::Token { token, generation } => usize::from(is_generation(token, generation)),
            Errand::Due { limit, .. } => limit,
        };
        while !background::must_stop() {
            let places = left.min(self.outbound.free_places());
            let started = match errand {
                _ if places == 0 || !self.may_refresh() => 0,
                Errand::Token { token, .. } => self.start_asked(&[token]),
                Errand::Due { until, .. } => self.start(Which::DueBy(until), places).len(),
            };
            left -= started;
            if started == 0 && self.in_flight.is_empty() && self.arrived.is_empty() {
                break;
            }
            latch::wait(Some(APPLY_RETRY), Some(self.outbound.socket()));
            self.receive();
            self.write_outcomes();
            left += std::mem::take(&mut self.repeats);
        }
        self.finish();
        transaction::report_statistics();
    }

    fn follow_settings(&mut self) {
        if let Err(problem) = self.outbound.follow_settings() {
            pgrx::warning!("token_vault sends nothing until its settings are mended: {problem}");
        }
    }

    /// Attempts that an earlier refresher left without outcome go first.
    pub fn recover(&self) {
        match transaction::run(claim::recover) {
            Ok(0) => {}
            Ok(attempts) => {
                pgrx::log!("token_vault repeats {attempts} refreshes whose outcome is unknown")
            }
            Err(aborted) => pgrx::warning!(
                "token_vault could not look for interrupted refreshes: {}",
                aborted.0
            ),
        }
    }

    /// Whether requests may be sent from here: not from a copy of the database, and not while switched off.
    fn may_refresh(&mut self) -> bool {
        if !settings::refresh_enabled() {
            return false;
        }
        let standing = transaction::run(installation::standing);
        if matches!(standing, Ok(Standing::Copy)) && !self.has_warned_of_copy {
            self.has_warned_of_copy = true;
            pgrx::warning!(
                "token_vault refreshes nothing here: the vault was copied from another database; see vault.adopt_installation()"
            );
        }
        matches!(standing, Ok(Standing::Home))
    }

    /// Starts those of the tokens asked for that are not in flight; returns their number.
    fn start_asked(&mut self, tokens: &[i64]) -> usize {
        let new: Vec<i64> = tokens
            .iter()
            .copied()
            .filter(|token| !self.in_flight.contains_key(token))
            .collect();
        if new.is_empty() {
            return 0;
        }
        if let Err(aborted) = transaction::run(|| claim::admit(&new)) {
            pgrx::warning!("token_vault could not schedule a refresh: {}", aborted.0);
        }
        let claimed = self.start(Which::Tokens(&new), new.len());
        // What could not be claimed (deleted, locked) has no outcome to wait for.
        let idle: Vec<i64> = new
            .into_iter()
            .filter(|token| !claimed.contains(token))
            .collect();
        board::finish(self.database, &idle);
        claimed.len()
    }

    /// Claims and sends; returns the tokens claimed.
    fn start(&mut self, which: Which, limit: usize) -> Vec<i64> {
        if limit == 0 {
            return Vec::new();
        }
        let lease =
            time::now() + (self.outbound.timeout() + LEASE_MARGIN).as_micros() as UnixMicros;
        match transaction::run(|| claim::claim(which, limit, lease)) {
            Ok(claims) => {
                let tokens = claims.iter().map(|claim| claim.token).collect();
                claims.into_iter().for_each(|claim| self.send(claim));
                tokens
            }
            Err(aborted) => {
                pgrx::warning!("token_vault could not claim tokens: {}", aborted.0);
                Vec::new()
            }
        }
    }

    fn send(&mut self, claim: Claim) {
        let (token, attempt) = (claim.token, claim.attempt);
        match transaction::run(|| call::prepare(claim)) {
            Ok(Ok(mut call)) => match call.first_request() {
                Ok(request) => {
                    self.outbound.submit(token, request);
                    self.in_flight.insert(token, call);
                }
                Err(outcome) => self.arrived.push(Arrival::of(call, outcome)),
            },
            Ok(Err(unsendable)) => {
                let (claim, outcome) = *unsendable;
                self.arrived.push(Arrival {
                    claim,
                    provider: None,
                    outcome,
                });
            }
            // The intent is on record and will be claimed again when its lease is over.
            Err(aborted) => pgrx::warning!(
                "token_vault could not prepare attempt {attempt}: {}",
                aborted.0
            ),
        }
    }

    /// Takes the answers that have come in.
    fn receive(&mut self) {
        for done in self.outbound.drain() {
            let Some(mut call) = self.in_flight.remove(&done.id) else {
                continue;
            };
            match call.judge(done.result) {
                Next::Send(request) => {
                    self.outbound.submit(done.id, request);
                    self.in_flight.insert(done.id, call);
                }
                Next::Apply(outcome) => self.arrived.push(Arrival::of(call, outcome)),
            }
        }
    }

    /// Writes all that has arrived in one transaction. If that fails, each goes alone, so that one row that
    /// can't be written holds up no other; what can't be written now stays here and is tried again.
    fn write_outcomes(&mut self) {
        if self.arrived.is_empty() {
            return;
        }
        let arrived = std::mem::take(&mut self.arrived);
        let batches: Vec<Vec<Arrival>> = match arrival::write(&arrived) {
            Ok(()) => {
                self.tell_waiters(&arrived);
                return;
            }
            Err(_) => arrived.into_iter().map(|arrival| vec![arrival]).collect(),
        };
        for batch in batches {
            match arrival::write(&batch) {
                Ok(()) => self.tell_waiters(&batch),
                Err(problem) => {
                    pgrx::warning!(
                        "token_vault could not write the outcome of attempt {}, and tries again: {problem}",
                        batch[0].claim.attempt
                    );
                    self.arrived.extend(batch);
                }
            }
        }
    }

    /// Sessions wait on where the request is repeated at once.
    fn tell_waiters(&mut self, arrivals: &[Arrival]) {
        let (repeated, ended): (Vec<&Arrival>, Vec<&Arrival>) = arrivals
            .iter()
            .partition(|arrival| apply::repeats_at_once(&arrival.claim, &arrival.outcome));
        let tokens: Vec<i64> = ended.iter().map(|arrival| arrival.claim.token).collect();
        board::finish(self.database, &tokens);
        self.repeats += repeated.len();
    }

    fn write_usage(&mut self) {
        if !usage::is_pending() {
            self.usage_due = None;
            return;
        }
        let due = *self
            .usage_due
            .get_or_insert_with(|| Instant::now() + USAGE_INTERVAL);
        if due <= Instant::now() {
            self.usage_due = None;
            self.write_usage_now();
        }
    }

    fn write_usage_now(&self) {
        let database = self.database;
        if let Err(aborted) = transaction::run(|| usage::write(database)) {
            pgrx::warning!(
                "token_vault could not write when tokens were used: {}",
                aborted.0
            );
        }
    }

    /// How long to sleep, and what `pg_stat_activity` shows meanwhile.
    fn rest(&self) -> Duration {
        let next_due = transaction::run(schedule::next_due).ok().flatten();
        let until_due =
            next_due.map(|due| Duration::from_micros((due - time::now()).max(0) as u64));
        transaction::report_activity(&match until_due {
            _ if self.stalled == Some(Stall::NotAllowed) => "refreshes nothing here".to_owned(),
            _ if !self.in_flight.is_empty() => {
                format!("refreshing {} tokens", self.in_flight.len())
            }
            Some(pause) => format!("next token due in {} s", pause.as_secs()),
            None => "no token to refresh".to_owned(),
        });
        let mut pause = LONGEST_SLEEP;
        if let Some(until_due) = until_due
            && self.outbound.free_places() > 0
        {
            pause = pause.min(match self.stalled {
                Some(Stall::NotAllowed) => pause,
                Some(Stall::NothingToClaim) if until_due.is_zero() => APPLY_RETRY,
                _ => until_due.max(SHORTEST_SLEEP),
            });
        }
        if !self.arrived.is_empty() {
            pause = pause.min(APPLY_RETRY);
        }
        if let Some(due) = self.usage_due {
            pause = pause.min(
                due.saturating_duration_since(Instant::now())
                    .max(Duration::from_millis(1)),
            );
        }
        board::sleeps_until(self.database, time::now() + pause.as_micros() as UnixMicros);
        pause
    }

    /// Waits for the answers under way, claims nothing more, and writes what has arrived.
    pub fn finish(&mut self) {
        let end = Instant::now() + SHUTDOWN_GRACE;
        while !self.in_flight.is_empty() && Instant::now() < end {
            latch::wait(
                Some(Duration::from_millis(100)),
                Some(self.outbound.socket()),
            );
            self.receive();
        }
        self.write_outcomes();
        self.write_usage_now();
        for call in self.in_flight.values() {
            pgrx::log!(
                "token_vault stops with attempt {} under way; it is repeated at the next start",
                call.claim.attempt
            );
        }
    }
}

/// Whether nobody has refreshed or stored the token since.
fn is_generation(token: i64, generation: i64) -> bool {
    let target = transaction::run(|| token::target(token)).ok().flatten();
    target.is_some_and(|target| target.generation == generation)
}
