//! From "due" or "asked for" to a request on its way.

use std::collections::{HashMap, HashSet};

use token_vault_core::refresh::{Closed, Way};

use super::{APPLY_RETRY, Refresher};
use crate::pg::time::{self, UnixMicros};
use crate::pg::{fault, transaction};
use crate::worker::agenda::{Admission, Agenda};
use crate::worker::arrival::Arrival;
use crate::worker::board::{self, Wish};
use crate::worker::claim::{self, Claim, Intent};
use crate::worker::credentials::{Preparation, Prepared};

impl Refresher {
    /// Starts those of the tokens asked for that are not in flight and may be sent.
    pub(super) fn start_asked(&mut self) {
        let mut asked = self.new_ones_asked();
        while !asked.is_empty() {
            let places = self.free_places();
            if places == 0 {
                // Before those that have been looked at and have to wait.
                asked.extend(std::mem::take(&mut self.asked));
                self.asked = asked.into();
                return;
            }
            let later = asked.split_off(places.min(asked.len()));
            self.start_these(&asked);
            asked = later;
        }
    }

    /// What sessions ask for, the latest generation of each token, without those whose answer is awaited, or waits to be
    /// written.
    fn new_ones_asked(&mut self) -> Vec<Wish> {
        let arrived = self.arrived.iter().map(|arrival| &arrival.claim);
        let in_flight = self.in_flight.values().map(|call| &call.claim);
        let under_way: HashMap<i64, i64> = (arrived.chain(in_flight))
            .map(|claim| (claim.token, claim.generation))
            .collect();
        let mut latest: HashMap<i64, Wish> = HashMap::new();
        let (mut order, mut later) = (Vec::new(), Vec::new());
        for wish in std::mem::take(&mut self.asked) {
            match under_way.get(&wish.token) {
                Some(generation) if *generation >= wish.generation => {}
                // Another grant was stored while the one before it is being refreshed.
                Some(_) => later.push(wish),
                None => match latest.get_mut(&wish.token) {
                    Some(known) => *known = wish.max(*known),
                    None => {
                        order.push(wish.token);
                        latest.insert(wish.token, wish);
                    }
                },
            }
        }
        self.asked.extend(later);
        order.iter().map(|token| latest[token]).collect()
    }

    /// Tokens whose answer waits to be written.
    fn unwritten(&self) -> impl Iterator<Item = i64> {
        self.arrived.iter().map(|arrival| arrival.claim.token)
    }

    /// Sends again, with the client's next secret, as far as the rate allows it by now.
    pub(super) fn send_held(&mut self) {
        let now = time::now();
        for (token, request) in std::mem::take(&mut self.held) {
            let Some(call) = self.in_flight.get(&token) else {
                continue;
            };
            if self.agenda.may_send_again(&call.claim.way, now) {
                let provider = &call.claim.key.provider;
                self.outbound.submit(token, provider, request);
            } else {
                self.held.push((token, request));
            }
        }
    }

    fn start_these(&mut self, asked: &[Wish]) {
        let tokens: Vec<i64> = asked.iter().map(|wish| wish.token).collect();
        let admissions = match transaction::run(|| admissions(&mut self.agenda, &tokens)) {
            Ok(admissions) => admissions,
            Err(aborted) => {
                pgrx::warning!("token_vault could not schedule a refresh: {}", aborted.0);
                board::finish(self.database, asked);
                return;
            }
        };
        let (mut admitted, mut gone) = (Vec::new(), Vec::new());
        for wish in asked {
            match admissions.get(&wish.token) {
                Some((way, Admission::Granted)) => admitted.push((*wish, way)),
                Some((_, Admission::Delayed)) => self.asked.push_back(*wish),
                Some((_, Admission::Refused(closed))) => self.refuse(*wish, *closed),
                None => gone.push(*wish),
            }
        }
        board::finish(self.database, &gone);
        self.start_admitted(&admitted);
    }

    fn start_admitted(&mut self, admitted: &[(Wish, &Way)]) {
        if admitted.is_empty() {
            return;
        }
        let wishes: Vec<Wish> = admitted.iter().map(|(wish, _)| *wish).collect();
        let Some(claims) = self.claim(|| claim::claim_wishes(&wishes, time::now())) else {
            // They wait for the next round.
            let ways = admitted.iter().map(|(_, way)| way);
            ways.for_each(|way| self.agenda.cancel(way));
            self.asked.extend(wishes);
            self.is_hindered = true;
            return;
        };
        let claimed: HashSet<i64> = claims.iter().map(|claim| claim.token).collect();
        // What could not be claimed (deleted, locked, refreshed meanwhile) has no outcome to wait for.
        let idle: Vec<Wish> = (admitted.iter())
            .filter(|(wish, _)| !claimed.contains(&wish.token))
            .map(|(wish, way)| {
                self.agenda.cancel(way);
                *wish
            })
            .collect();
        board::finish(self.database, &idle);
        self.send(claims);
    }

    fn refuse(&self, wish: Wish, closed: Closed) {
        board::finish_with(self.database, &[wish], Some(closed));
    }

    /// Starts what is due by now, as much as there is room for.
    pub(super) fn start_due(&mut self, now: UnixMicros) {
        let shares = self.agenda.share(now, self.free_places());
        if shares.is_empty() {
            return;
        }
        let pause_until = now + APPLY_RETRY.as_micros() as UnixMicros;
        let in_flight = self.in_flight.keys().copied();
        let mut under_way: Vec<i64> = in_flight.chain(self.unwritten()).collect();
        let claimed = self.claim(|| {
            let claims = claim::claim_due(&shares, now, &under_way);
            under_way.extend(claims.iter().map(|claim| claim.token));
            let left: HashMap<_, _> = claim::next_due(&shares, &under_way).into_iter().collect();
            (claims, left)
        });
        let Some((claims, left)) = claimed else {
            // Nothing is known but what was known before.
            for share in &shares {
                let due_at = Some(share.from);
                self.agenda.taken(share, 0, due_at, now, pause_until);
            }
            return;
        };
        let mut counts: HashMap<i64, usize> = HashMap::new();
        for claim in &claims {
            *counts.entry(claim.lane).or_default() += 1;
        }
        for share in &shares {
            let count = counts.get(&share.lane).copied().unwrap_or_default();
            let next_due = left.get(&share.lane).copied().flatten();
            self.agenda.taken(share, count, next_due, now, pause_until);
        }
        self.agenda.collect_if_done(now);
        self.send(claims);
    }

    /// Claims in a transaction of its own; None: that has failed.
    fn claim<R>(&self, claim: impl FnOnce() -> R) -> Option<R> {
        let claimed = transaction::run(|| {
            fault::point("claim_begins");
            let claims = claim();
            fault::point("claim_made");
            claims
        });
        match claimed {
            Ok(claims) => {
                fault::point("claim_committed");
                Some(claims)
            }
            Err(aborted) => {
                pgrx::warning!("token_vault could not claim tokens: {}", aborted.0);
                None
            }
        }
    }

    /// Prepares claims and hands their requests to the network's thread.
    fn send(&mut self, claims: Vec<Claim>) {
        if claims.is_empty() {
            return;
        }
        let intents: Vec<Intent> = claims.iter().map(Intent::of).collect();
        let prepared = transaction::run(|| {
            let mut preparation = Preparation::default();
            let prepared: Vec<Prepared> = claims
                .into_iter()
                .map(|claim| preparation.prepare(claim))
                .collect();
            fault::point("call_opened");
            prepared
        });
        match prepared {
            Ok(prepared) => {
                fault::point("call_prepared");
                prepared
                    .into_iter()
                    .for_each(|prepared| self.start(prepared));
            }
            Err(aborted) => {
                pgrx::warning!("token_vault could not prepare requests: {}", aborted.0);
                self.give_back(&intents);
                let wishes: Vec<Wish> = intents.iter().map(|intent| intent.wish).collect();
                board::finish(self.database, &wishes);
            }
        }
    }

    /// Nothing of these was sent: they are claimed again in a moment.
    pub(super) fn give_back(&mut self, intents: &[Intent]) {
        let again = time::now() + APPLY_RETRY.as_micros() as UnixMicros;
        if let Err(aborted) = transaction::run(|| claim::give_back(intents, again)) {
            // They are on record as attempts, and as due when they were: the next look at all lanes finds them.
            pgrx::warning!("token_vault could not give back tokens: {}", aborted.0);
            self.agenda.look_soon();
        }
        for intent in intents {
            self.agenda.cancel(&intent.way);
            self.agenda.note_again(intent.lane, again);
        }
    }

    fn start(&mut self, prepared: Prepared) {
        let mut call = match prepared {
            Prepared::Ready(call) => call,
            Prepared::Settled(arrival) => {
                self.agenda.cancel(&arrival.claim.way);
                self.arrived.push(*arrival);
                return;
            }
        };
        match call.next_request() {
            Ok(request) => {
                let token = call.claim.token;
                let provider = &call.claim.key.provider;
                self.outbound.submit(token, provider, request);
                self.in_flight.insert(token, *call);
                fault::point("request_submitted");
            }
            Err(outcome) => {
                self.agenda.cancel(&call.claim.way);
                self.arrived.push(Arrival::of(*call, outcome));
            }
        }
    }
}

/// Puts tokens that are asked for on the schedule, and finds out whether they may be sent. Those that are gone are not
/// among them.
fn admissions(agenda: &mut Agenda, tokens: &[i64]) -> HashMap<i64, (Way, Admission)> {
    claim::admit(tokens);
    let now = time::now();
    claim::ways(tokens)
        .into_iter()
        .map(|(token, way)| {
            let admission = agenda.admit(&way, now);
            (token, (way, admission))
        })
        .collect()
}
