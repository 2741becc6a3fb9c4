//! From an answer to its outcome in the tables, and to the sessions that wait for it.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use token_vault_core::refresh::Report;

use super::Refresher;
use crate::pg::time::UnixMicros;
use crate::pg::{fault, latch, time};
use crate::worker::arrival::{self, Arrival};
use crate::worker::board::{self, Wish};
use crate::worker::call::Next;
use crate::worker::claim::Intent;

/// How long the first of many answers waits for others to be written with it: a commit costs more than a row.
const GATHERING: Duration = Duration::from_millis(4);
/// With fewer requests under way, each answer is written at once.
const FEW: usize = 8;

impl Refresher {
    /// Takes the answers that have come in, and where many are to come, those of the next moment too.
    pub(super) fn gather(&mut self) {
        self.receive();
        let end = Instant::now() + GATHERING;
        while !self.arrived.is_empty()
            && self.in_flight.len() > FEW.max(self.arrived.len())
            && Instant::now() < end
        {
            latch::wait(Some(Duration::from_millis(1)), None);
            self.receive();
        }
    }

    /// Takes the answers that have come in.
    pub(super) fn receive(&mut self) {
        let now = time::now();
        let mut is_trouble = false;
        for done in self.outbound.drain() {
            fault::point("answer_received");
            let Some(mut call) = self.in_flight.remove(&done.id) else {
                continue;
            };
            match call.judge(done.result) {
                Next::Send(request) => {
                    self.held.push((done.id, request));
                    self.in_flight.insert(done.id, call);
                }
                Next::Apply(outcome, report) => {
                    is_trouble |= report != Report::Answered;
                    self.agenda.ended(&call.claim.way, now, report);
                    self.arrived.push(Arrival::of(call, outcome));
                    fault::point("answer_judged");
                }
            }
        }
        if is_trouble {
            self.take_back_what_would_fail(now);
        }
    }

    /// What waits for a connection to somebody in trouble is not sent any more.
    fn take_back_what_would_fail(&mut self, now: UnixMicros) {
        let in_vain: HashSet<i64> = (self.in_flight.iter())
            .filter(|(_, call)| self.agenda.closed_by(&call.claim.way, now).is_some())
            .map(|(token, _)| *token)
            .collect();
        for intent in self.take_back(in_vain) {
            let closed = self.agenda.closed_by(&intent.way, now);
            board::finish_with(self.database, &[intent.wish], closed);
        }
    }

    /// Takes back those of these tokens whose request is not sent yet.
    pub(super) fn take_back(&mut self, tokens: HashSet<i64>) -> Vec<Intent> {
        if tokens.is_empty() {
            return Vec::new();
        }
        let taken_back = self.outbound.take_back(&tokens).into_iter();
        let intents: Vec<Intent> = taken_back
            .filter_map(|token| self.in_flight.remove(&token))
            .map(|call| Intent::of(&call.claim))
            .collect();
        if !intents.is_empty() {
            self.give_back(&intents);
        }
        intents
    }

    /// Writes what has arrived; what can't be written now stays here and is tried again. Returns the tokens whose
    /// request is repeated at once.
    pub(super) fn write_outcomes(&mut self) -> Vec<i64> {
        if self.arrived.is_empty() {
            return Vec::new();
        }
        let (written, problem) = arrival::write(&mut self.arrived);
        fault::point("outcome_committed");
        for one in &written {
            if let Some(due_at) = one.due_at {
                self.agenda.note_again(one.lane, due_at);
            }
        }
        // Sessions wait on where the request is repeated at once.
        let (repeated, ended): (Vec<_>, Vec<_>) =
            written.iter().partition(|written| written.is_repeated);
        let ended: Vec<Wish> = ended.iter().map(|written| written.wish).collect();
        board::finish(self.database, &ended);
        fault::point("waiters_told");
        self.warn_of_unwritten(problem);
        repeated.iter().map(|written| written.wish.token).collect()
    }

    fn warn_of_unwritten(&mut self, problem: Option<String>) {
        let Some(problem) = problem else { return };
        let attempts: Vec<i64> = self
            .arrived
            .iter()
            .map(|arrival| arrival.claim.attempt)
            .collect();
        pgrx::warning!(
            "token_vault could not write the outcome of attempt {attempts:?}, and tries again: {problem}"
        );
    }
}
