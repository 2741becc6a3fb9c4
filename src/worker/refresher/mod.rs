//! The process that refreshes a database's tokens: claim, call, apply.
//!
//! No transaction, snapshot or lock is open while a request is under way. Which tokens are in flight is known
//! only here, in memory: there is one refresher per database, held apart by a lock.

mod last_use;
mod settle;
mod start;

use std::collections::{HashMap, VecDeque};
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use token_vault_core::oauth::TokenRequest;

use crate::pg::inval::{self, Topic};
use crate::pg::time::{self, UnixMicros};
use crate::pg::{Oid, background, fault, latch, settings, transaction};
use crate::store::installation::Standing;
use crate::store::schedule;
use crate::worker::agenda::Agenda;
use crate::worker::arrival::Arrival;
use crate::worker::audit::Scribe;
use crate::worker::board;
use crate::worker::board::Wish;
use crate::worker::call::Call;
use crate::worker::claim;
use crate::worker::clone_guard::CloneGuard;
use crate::worker::custody::Custody;
use crate::worker::errand::Errand;
use crate::worker::outbound::Outbound;

/// How long an outcome that could not be written waits for the next try.
const APPLY_RETRY: Duration = Duration::from_millis(500);
/// How long shutdown waits for answers that are under way.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(3);
/// Between two tries to write what is left, then.
const DRAIN_STEP: Duration = Duration::from_millis(100);
/// The shortest sleep: no loop where two clocks differ by a moment.
const SHORTEST_SLEEP: Duration = Duration::from_millis(1);
/// The longest sleep: the clock may have been set, or the schedule changed by hand.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// The state of one refresher.
pub struct Refresher {
    database: Oid,
    outbound: Outbound,
    agenda: Agenda,
    custody: Custody,
    in_flight: HashMap<i64, Call>,
    arrived: Vec<Arrival>,
    /// Tokens that sessions ask for and that have to wait for others.
    asked: VecDeque<Wish>,
    /// Requests with another client secret that the rate does not allow yet; their calls are in flight.
    held: Vec<(i64, TokenRequest)>,
    usage_due: Option<Instant>,
    scribe: Scribe,
    /// Whether requests may be sent from here.
    may_refresh: bool,
    /// An error was in the way of this round: the next one comes soon.
    is_hindered: bool,
    clone_guard: CloneGuard,
}

impl Refresher {
    pub fn new(database: Oid) -> std::io::Result<Self> {
        background::prefer_general_plans();
        Ok(Refresher {
            database,
            outbound: Outbound::new()?,
            agenda: Agenda::new(),
            custody: Custody::default(),
            in_flight: HashMap::new(),
            arrived: Vec::new(),
            asked: VecDeque::new(),
            held: Vec::new(),
            usage_due: None,
            scribe: Scribe::default(),
            may_refresh: false,
            is_hindered: false,
            clone_guard: CloneGuard::default(),
        })
    }

    /// Becomes readable when an answer has come in.
    pub fn socket(&self) -> BorrowedFd<'_> {
        self.outbound.socket()
    }

    /// The interval of rotation, for one, may be another; and what was in the way may have been mended.
    pub fn configuration_changed(&mut self) {
        self.custody.look_soon();
        self.scribe.look_soon();
        self.agenda.open_gates();
    }

    /// One round; returns how long there is nothing to do unless something happens. None: there is no vault any more.
    pub fn turn(&mut self) -> Option<Duration> {
        self.is_hindered = false;
        self.follow_settings();
        board::sweep();
        self.gather();
        self.write_outcomes();
        // One that has been told to end leaves what is asked for to its successor.
        if !background::must_stop() {
            match self.look_around() {
                Sight::NoVault => {
                    self.scribe.forget(self.database);
                    return None;
                }
                // What sessions ask for stays where it is.
                Sight::Hindered => self.is_hindered = true,
                Sight::Clear => {
                    self.start_what_is_wanted();
                    self.custody.look(self.database);
                }
            }
        }
        self.write_usage();
        if !background::must_stop() {
            self.scribe.turn(self.database);
        }
        transaction::report_statistics();
        Some(self.rest())
    }

    fn follow_settings(&mut self) {
        match self.outbound.follow_settings() {
            Ok(false) => {}
            Ok(true) => self.end_pauses(),
            Err(problem) => {
                pgrx::warning!(
                    "token_vault sends nothing until its settings are mended: {problem}"
                );
            }
        }
    }

    /// What has failed may not fail any more.
    fn end_pauses(&mut self) {
        self.agenda.look_soon();
        if let Err(aborted) = transaction::run(|| schedule::end_pauses(None)) {
            pgrx::warning!(
                "token_vault could not end the pauses after failures: {}",
                aborted.0
            );
        }
    }

    /// Attempts that an earlier refresher left without outcome go first.
    pub fn recover(&self) {
        fault::point("recovery_begins");
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

    /// Finds out whether requests may be sent from here (not from a copy of the database, and not while switched off),
    /// and what has changed in the tables.
    fn look_around(&mut self) -> Sight {
        let hints = board::take_hints(self.database);
        let (agenda, clone_guard) = (&mut self.agenda, &mut self.clone_guard);
        let found = transaction::run(|| {
            let standing = clone_guard.look()?;
            match hints {
                None => {
                    // The message that a table has changed may come later than the hint that it has.
                    inval::forget(Topic::Providers);
                    inval::forget(Topic::Clients);
                    agenda.look_soon();
                }
                Some(hints) => hints
                    .into_iter()
                    .for_each(|(lane, due_at)| agenda.note(lane, due_at)),
            }
            if standing == Standing::Home && settings::refresh_enabled() {
                agenda.follow_tables();
            }
            fault::point("tables_looked_at");
            Some(standing)
        });
        match found {
            Ok(Some(standing)) => {
                self.may_refresh = standing == Standing::Home && settings::refresh_enabled();
                Sight::Clear
            }
            Ok(None) => Sight::NoVault,
            Err(aborted) => {
                pgrx::warning!("token_vault could not look at its tables: {}", aborted.0);
                // What was not seen is looked at again.
                self.agenda.look_soon();
                Sight::Hindered
            }
        }
    }

    /// Starts what sessions ask for, and then what is due. Where nothing may be refreshed, the sessions are told so.
    fn start_what_is_wanted(&mut self) {
        self.agenda.begin_round();
        self.send_held();
        if self.may_refresh {
            self.asked.extend(board::take(self.database, usize::MAX));
            self.start_asked();
            self.start_due(time::now());
        } else {
            let mut asked = board::take(self.database, usize::MAX);
            asked.extend(self.asked.drain(..));
            board::finish(self.database, &asked);
        }
    }

    /// How many more requests can be prepared.
    fn free_places(&self) -> usize {
        // What could not be written stays in memory: no more is asked for than can be kept.
        self.outbound
            .free_places()
            .saturating_sub(self.arrived.len())
    }

    /// One errand, from claim to outcome.
    pub fn run(&mut self, errand: Errand) {
        self.follow_settings();
        self.agenda.look_never();
        if !matches!(self.look_around(), Sight::Clear) {
            return;
        }
        let wishes = self.wishes_of(&errand);
        self.asked = wishes.clone().into();
        self.agenda.begin_round();
        while !background::must_stop() {
            if self.may_refresh {
                self.start_asked();
            }
            if self.in_flight.is_empty() && self.arrived.is_empty() {
                break;
            }
            latch::wait(Some(APPLY_RETRY), Some(self.outbound.socket()));
            self.receive();
            let repeated = self.write_outcomes();
            let again = wishes.iter().filter(|wish| repeated.contains(&wish.token));
            self.asked.extend(again);
            self.agenda.begin_round();
            self.send_held();
        }
        self.finish();
        if !self.in_flight.is_empty() {
            // The session that waits has another worker started, which goes on with these.
            self.recover();
        }
        transaction::report_statistics();
    }

    fn wishes_of(&self, errand: &Errand) -> Vec<Wish> {
        let wishes = transaction::run(|| match *errand {
            Errand::Token { token, generation } => vec![Wish { token, generation }],
            Errand::Due {
                until,
                limit,
                tenant,
            } => schedule::list_due(tenant, until, limit as i64)
                .into_iter()
                .map(|target| Wish {
                    token: target.id,
                    generation: target.generation,
                })
                .collect(),
        });
        wishes.unwrap_or_default()
    }

    /// How long to sleep, and what `pg_stat_activity` shows meanwhile.
    fn rest(&self) -> Duration {
        let now = time::now();
        transaction::report_activity(&self.describe(now));
        let mut pause = LONGEST_SLEEP;
        let next = self.agenda.next_time(now);
        if let Some(next) = next.filter(|_| self.may_refresh && self.free_places() > 0) {
            pause = pause.min(until(now, next).max(SHORTEST_SLEEP));
        }
        if self.may_refresh {
            pause = pause.min(self.agenda.until_next_look().max(SHORTEST_SLEEP));
        }
        if !self.arrived.is_empty() || self.is_hindered {
            pause = pause.min(APPLY_RETRY);
        }
        if let Some(due) = self.usage_due {
            pause = pause.min(
                due.saturating_duration_since(Instant::now())
                    .max(SHORTEST_SLEEP),
            );
        }
        if let Some(rest) = self.scribe.rests() {
            pause = pause.min(rest.max(SHORTEST_SLEEP));
        }
        let looks_at = now + self.agenda.until_next_look().as_micros() as UnixMicros;
        board::sleeps_until(
            self.database,
            now + pause.as_micros() as UnixMicros,
            looks_at,
        );
        pause
    }

    /// A line for people: "refreshing 120 tokens, next due in 42 s".
    fn describe(&self, now: UnixMicros) -> String {
        if !self.may_refresh {
            return "refreshes nothing here".to_owned();
        }
        let next = match self.agenda.next_due() {
            None => "no other is due".to_owned(),
            Some(due_at) if due_at <= now => "more are due".to_owned(),
            Some(due_at) => format!("next due in {} s", until(now, due_at).as_secs()),
        };
        match self.in_flight.len() {
            0 => next
                .replace("no other is due", "no token to refresh")
                .replace("next due", "next token due"),
            1 => format!("refreshing 1 token, {next}"),
            tokens => format!("refreshing {tokens} tokens, {next}"),
        }
    }

    /// Waits for the answers under way, claims nothing more, and writes what has arrived.
    pub fn finish(&mut self) {
        fault::point("drain_begins");
        let end = Instant::now() + SHUTDOWN_GRACE;
        // Whoever waits for these waits on, for the next refresher.
        self.take_back(self.in_flight.keys().copied().collect());
        self.write_outcomes();
        while !(self.in_flight.is_empty() && self.arrived.is_empty()) && Instant::now() < end {
            latch::wait(Some(DRAIN_STEP), Some(self.outbound.socket()));
            self.receive();
            fault::point("drain_waits");
            self.write_outcomes();
        }
        fault::point("drain_written");
        self.write_all_usage();
        self.scribe.finish(self.database);
        let unwritten = self.arrived.iter().map(|arrival| &arrival.claim);
        for claim in unwritten {
            pgrx::warning!(
                "token_vault stops with the answer of attempt {} unwritten; it is repeated at the next start",
                claim.attempt
            );
        }
        for call in self.in_flight.values() {
            pgrx::log!(
                "token_vault stops with attempt {} under way; it is repeated at the next start",
                call.claim.attempt
            );
        }
    }
}

/// What a look at the tables brought.
enum Sight {
    Clear,
    /// It could not be finished.
    Hindered,
    NoVault,
}

fn until(now: UnixMicros, then: UnixMicros) -> Duration {
    Duration::from_micros(u64::try_from(then.saturating_sub(now)).unwrap_or(0))
}
