//! What a provider, or one of our clients there, can bear: limits of concurrency and rate, and a circuit breaker that
//! stops asking one that is in trouble.

use super::backoff::below;
use std::collections::VecDeque;

const MICROS: i64 = 1_000_000;
/// The longest time that a breaker stays open without being asked to, in microseconds.
const LONGEST_BREAK: i64 = 15 * 60 * MICROS;

/// How many requests are allowed. `None`: any number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// At once.
    pub concurrent: Option<u32>,
    /// In any period of so many microseconds.
    pub rate: Option<(u32, i64)>,
}

/// When a gate closes, and for how long at first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Breaker {
    /// So many troubles in a row open the circuit.
    pub threshold: u32,
    /// Microseconds until the first probe; each failed probe doubles it, up to 15 minutes.
    pub first_break: i64,
}

impl Breaker {
    /// A provider that can't be reached or answers with its own faults.
    pub const PROVIDER: Self = Self {
        threshold: 5,
        first_break: MICROS,
    };
    /// A client that is told to slow down.
    pub const CLIENT: Self = Self {
        threshold: 3,
        first_break: 5 * MICROS,
    };
}

/// How a request ended, as far as it says something about the one that was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It was answered, with tokens or with a refusal of this one request.
    Served,
    /// It was not, or with a fault. Seconds to wait, if it was said.
    Trouble(Option<i64>),
    /// One that settles the matter at once: the client is refused, whatever the token.
    Refused,
    /// It is over, and says nothing about this one.
    Over,
}

/// Whether a request may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// So many more may be sent.
    Free(u32),
    /// Not before one that is under way has ended.
    Full,
    /// Not before this time: the rate allows no more.
    Busy(i64),
    /// Not before this time: the circuit is open.
    Closed(i64),
}

/// The state of one provider or client. Times are microseconds since 1970.
#[derive(Clone, Debug)]
pub struct Gate {
    limits: Limits,
    breaker: Breaker,
    in_flight: u32,
    /// When the last ones were sent, the oldest first; kept only where there is a rate.
    sent: VecDeque<i64>,
    troubles: u32,
    closed_until: i64,
}

impl Gate {
    /// A gate with nothing under way and nothing known against it.
    pub fn new(limits: Limits, breaker: Breaker) -> Self {
        Self {
            limits,
            breaker,
            in_flight: 0,
            sent: VecDeque::new(),
            troubles: 0,
            closed_until: 0,
        }
    }

    /// A gate that was closed before: the next request is a probe.
    pub fn known_refused(limits: Limits, breaker: Breaker) -> Self {
        Self {
            troubles: breaker.threshold,
            ..Self::new(limits, breaker)
        }
    }

    /// Takes over other limits.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
        if limits.rate.is_none() {
            self.sent.clear();
        }
    }

    /// Forgets what is known against it: somebody has mended something.
    pub fn reset(&mut self) {
        self.troubles = 0;
        self.closed_until = 0;
    }

    /// Whether troubles have opened the circuit; a probe may be allowed.
    pub fn is_open(&self) -> bool {
        self.troubles >= self.breaker.threshold
    }

    /// What may be sent now.
    pub fn room(&self, now: i64) -> Room {
        if now < self.closed_until {
            return Room::Closed(self.closed_until);
        }
        let concurrent = match self.is_open() {
            true => 1,
            false => self.limits.concurrent.unwrap_or(u32::MAX),
        };
        let free = concurrent.saturating_sub(self.in_flight);
        if free == 0 {
            return Room::Full;
        }
        match (self.busy_until(now), self.limits.rate) {
            (Some(until), _) => Room::Busy(until),
            (None, None) => Room::Free(free),
            (None, Some((most, period))) => {
                Room::Free(free.min(most.saturating_sub(self.recent(now, period))))
            }
        }
    }

    /// How many were sent in the period before now.
    fn recent(&self, now: i64, period: i64) -> u32 {
        let recent = self.sent.iter().filter(|at| **at > now - period).count();
        u32::try_from(recent).unwrap_or(u32::MAX)
    }

    /// When the rate allows another request, where it does not now.
    pub fn busy_until(&self, now: i64) -> Option<i64> {
        let (most, period) = self.limits.rate?;
        (self.recent(now, period) >= most)
            .then(|| self.sent[self.sent.len() - most as usize] + period)
    }

    /// A request is sent.
    pub fn send(&mut self, now: i64) {
        self.in_flight += 1;
        if let Some((most, _)) = self.limits.rate {
            while self.sent.len() >= most as usize {
                self.sent.pop_front();
            }
            self.sent.push_back(now);
        }
    }

    /// A request that is under way is sent once more, otherwise: it counts for the rate.
    pub fn send_again(&mut self, now: i64) {
        self.send(now);
        self.in_flight -= 1;
    }

    /// What [`Gate::send`] was told did not happen.
    pub fn cancel(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.sent.pop_back();
    }

    /// A request has ended.
    pub fn end(&mut self, now: i64, ending: Ending, random: u64) {
        self.in_flight = self.in_flight.saturating_sub(1);
        match ending {
            Ending::Served => self.reset(),
            Ending::Over => {}
            // What was sent before the circuit opened says nothing new.
            _ if now < self.closed_until => {}
            Ending::Trouble(wait) => {
                self.troubles = self.troubles.saturating_add(1);
                self.close(now, wait, random);
            }
            Ending::Refused => {
                self.troubles = self.troubles.saturating_add(1).max(self.breaker.threshold);
                self.close(now, None, random);
            }
        }
    }

    fn close(&mut self, now: i64, wait: Option<i64>, random: u64) {
        if !self.is_open() {
            return;
        }
        let doublings = (self.troubles - self.breaker.threshold).min(32);
        let longest = self
            .breaker
            .first_break
            .saturating_mul(1 << doublings)
            .min(LONGEST_BREAK);
        let pause = longest - below(random, longest / 4);
        let asked = wait.map_or(0, |seconds| seconds.max(0).saturating_mul(MICROS));
        self.closed_until = now.saturating_add(pause.max(asked));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn gate(concurrent: Option<u32>, rate: Option<(u32, i64)>) -> Gate {
        Gate::new(Limits { concurrent, rate }, Breaker::PROVIDER)
    }

    #[test]
    fn no_more_than_its_concurrency_is_under_way() {
        let mut gate = gate(Some(2), None);
        assert_eq!(gate.room(0), Room::Free(2));
        gate.send(0);
        gate.send(0);
        assert_eq!(gate.room(0), Room::Full);
        gate.end(1, Ending::Served, 0);
        assert_eq!(gate.room(1), Room::Free(1));
    }

    #[test]
    fn a_rate_says_when_the_next_one_may_go() {
        let mut gate = gate(None, Some((2, 100)));
        gate.send(10);
        assert_eq!(gate.room(20), Room::Free(1));
        gate.send(20);
        assert_eq!(gate.room(109), Room::Busy(110));
        assert_eq!(gate.room(110), Room::Free(1));
        gate.send(110);
        assert_eq!(gate.room(115), Room::Busy(120));
    }

    #[test]
    fn what_was_not_sent_after_all_takes_no_room() {
        let mut gate = gate(Some(1), Some((1, 100)));
        gate.send(10);
        gate.cancel();
        assert_eq!(gate.room(10), Room::Free(1));
    }

    #[test]
    fn what_is_sent_again_counts_for_the_rate_only() {
        let mut gate = gate(Some(1), Some((2, 100)));
        gate.send(10);
        gate.send_again(20);
        gate.end(30, Ending::Served, 0);
        assert_eq!(gate.room(30), Room::Busy(110));
    }

    #[test]
    fn troubles_in_a_row_open_the_circuit_and_a_probe_closes_it() {
        let mut gate = gate(None, None);
        for _ in 0..4 {
            gate.send(0);
            gate.end(0, Ending::Trouble(None), 0);
            assert_eq!(gate.room(0), Room::Free(u32::MAX));
        }
        gate.send(0);
        gate.end(0, Ending::Trouble(None), 0);
        assert_eq!(gate.room(0), Room::Closed(MICROS));
        assert_eq!(gate.room(MICROS), Room::Free(1), "a probe");
        gate.send(MICROS);
        assert_eq!(gate.room(MICROS), Room::Full);
        gate.end(MICROS, Ending::Trouble(None), 0);
        assert_eq!(gate.room(MICROS), Room::Closed(3 * MICROS), "twice as long");
        gate.send(3 * MICROS);
        gate.end(3 * MICROS, Ending::Served, 0);
        assert_eq!(gate.room(3 * MICROS), Room::Free(u32::MAX));
    }

    #[test]
    fn a_success_between_troubles_keeps_the_circuit_closed() {
        let mut gate = gate(None, None);
        for round in 0..100 {
            gate.send(round);
            let ending = match round % 5 {
                4 => Ending::Served,
                _ => Ending::Trouble(None),
            };
            gate.end(round, ending, 0);
            assert!(!gate.is_open());
        }
    }

    #[test]
    fn requests_that_were_under_way_when_it_opened_change_nothing() {
        let mut gate = gate(None, None);
        (0..100).for_each(|_| gate.send(0));
        (0..100).for_each(|_| gate.end(0, Ending::Trouble(None), 0));
        assert_eq!(gate.room(0), Room::Closed(MICROS));
    }

    #[test]
    fn what_it_asks_for_is_the_least() {
        let mut gate = gate(None, None);
        for _ in 0..5 {
            gate.send(0);
            gate.end(0, Ending::Trouble(Some(120)), 0);
        }
        assert_eq!(gate.room(0), Room::Closed(120 * MICROS));
    }

    #[test]
    fn a_refusal_closes_at_once_and_a_reset_opens() {
        let mut gate = Gate::new(Limits::default(), Breaker::CLIENT);
        gate.send(0);
        gate.end(0, Ending::Refused, 0);
        assert_eq!(gate.room(0), Room::Closed(5 * MICROS));
        gate.reset();
        assert_eq!(gate.room(0), Room::Free(u32::MAX));
        let refused = Gate::known_refused(Limits::default(), Breaker::CLIENT);
        assert_eq!(refused.room(0), Room::Free(1));
    }

    proptest! {
        /// In no period are there more requests than the rate says, whatever happens.
        #[test]
        fn the_rate_holds_in_every_period(steps in proptest::collection::vec(0..40i64, 1..200), most in 1..5u32) {
            let mut gate = gate(None, Some((most, 100)));
            let (mut now, mut sent) = (0, Vec::new());
            for step in steps {
                now += step;
                if matches!(gate.room(now), Room::Free(_)) {
                    gate.send(now);
                    sent.push(now);
                    gate.end(now, Ending::Served, 0);
                }
            }
            for at in &sent {
                let within = sent.iter().filter(|other| (*at..at + 100).contains(*other)).count();
                prop_assert!(within <= most as usize);
            }
        }

        #[test]
        fn a_break_never_lasts_longer_than_was_asked_or_a_quarter_of_an_hour(troubles in 1..200u32, random: u64) {
            let mut gate = gate(None, None);
            let mut now = 0;
            for _ in 0..troubles {
                gate.send(now);
                gate.end(now, Ending::Trouble(None), random);
                if let Room::Closed(until) = gate.room(now) {
                    prop_assert!(until > now && until - now <= LONGEST_BREAK);
                    now = until;
                }
            }
        }
    }
}
