//! The gates of all providers and clients: whether a request may go to a provider for a client now.

use super::gate::{Breaker, Ending, Gate, Limits, Room};
use super::verdict::Verdict;
use crate::oauth::Provider;
use std::collections::HashMap;

/// Every gate that something has gone through.
#[derive(Clone, Debug, Default)]
pub struct Gates {
    providers: HashMap<String, Gate>,
    clients: HashMap<i64, Gate>,
}

/// Whom a request goes through: a provider, and the client if it is known.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Way {
    /// The provider's name.
    pub provider: String,
    /// The client's number.
    pub client: Option<i64>,
}

/// Whose circuit is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// The provider's: it does not answer, or with faults of its own.
    Provider,
    /// The client's: it is refused, or told to slow down.
    Client,
}

/// How a request ended, for both gates it went through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    /// The provider answered: tokens, or a refusal of this token.
    Answered,
    /// It refused the client.
    ClientRefused,
    /// It told the client to slow down; seconds to wait, if it said.
    Throttled(Option<i64>),
    /// It could not be reached, gave no answer, or answered with a fault of its own.
    ProviderInTrouble(Option<i64>),
}

impl Report {
    /// What a failure says about provider and client.
    ///
    /// * `status` — of the HTTP answer.
    pub fn of_failure(verdict: Verdict, status: u16, retry_after: Option<i64>) -> Self {
        match verdict {
            Verdict::ClientBroken => Self::ClientRefused,
            Verdict::Transient if status == 429 => Self::Throttled(retry_after),
            Verdict::Transient => Self::ProviderInTrouble(retry_after),
            Verdict::GrantDead | Verdict::Misconfigured => Self::Answered,
        }
    }
}

impl Gates {
    /// Sets the limits of a provider; the first time, it is known to be well.
    pub fn know_provider(&mut self, name: &str, limits: Limits) {
        match self.providers.get_mut(name) {
            Some(gate) => gate.set_limits(limits),
            None => {
                let gate = Gate::new(limits, Breaker::PROVIDER);
                self.providers.insert(name.to_owned(), gate);
            }
        }
    }

    /// Sets the limits of a client; `is_broken`: the provider has refused it before.
    pub fn know_client(&mut self, id: i64, limits: Limits, is_broken: bool) {
        match self.clients.get_mut(&id) {
            Some(gate) => gate.set_limits(limits),
            None if is_broken => {
                let gate = Gate::known_refused(limits, Breaker::CLIENT);
                self.clients.insert(id, gate);
            }
            None => {
                self.clients.insert(id, Gate::new(limits, Breaker::CLIENT));
            }
        }
    }

    /// Forgets what is known against everybody: settings, providers or clients have changed.
    pub fn reset(&mut self) {
        self.providers
            .values_mut()
            .chain(self.clients.values_mut())
            .for_each(Gate::reset);
    }

    /// What may be sent this way now: what both gates allow.
    pub fn room(&self, way: &Way, now: i64) -> Room {
        let provider = self.providers.get(&way.provider);
        let client = way.client.and_then(|id| self.clients.get(&id));
        let rooms = [provider, client].into_iter().flatten();
        rooms
            .map(|gate| gate.room(now))
            .reduce(narrower)
            .unwrap_or(Room::Free(u32::MAX))
    }

    /// A request goes this way.
    pub fn send(&mut self, way: &Way, now: i64) {
        self.both(way).for_each(|gate| gate.send(now));
    }

    /// A request that goes this way is sent once more, with another secret.
    ///
    /// # Errors
    ///
    /// When the rate allows it, where it does not now.
    pub fn send_again(&mut self, way: &Way, now: i64) -> Result<(), i64> {
        let busy = self.both(way).filter_map(|gate| gate.busy_until(now)).max();
        match busy {
            Some(until) => Err(until),
            None => {
                self.both(way).for_each(|gate| gate.send_again(now));
                Ok(())
            }
        }
    }

    /// What [`Gates::send`] was told did not happen.
    pub fn cancel(&mut self, way: &Way) {
        self.both(way).for_each(Gate::cancel);
    }

    /// Whose circuit is open: what is asked for this way now is refused, not delayed.
    pub fn closed_by(&self, way: &Way, now: i64) -> Option<Closed> {
        let is_closed = |gate: &Gate| matches!(gate.room(now), Room::Closed(_));
        let client = way.client.and_then(|id| self.clients.get(&id));
        if client.is_some_and(is_closed) {
            return Some(Closed::Client);
        }
        let provider = self.providers.get(&way.provider);
        provider.is_some_and(is_closed).then_some(Closed::Provider)
    }

    /// A request that went this way has ended.
    pub fn end(&mut self, way: &Way, now: i64, report: Report, random: u64) {
        let (provider, client) = match report {
            Report::Answered => (Ending::Served, Ending::Served),
            Report::ClientRefused => (Ending::Served, Ending::Refused),
            Report::Throttled(wait) => (Ending::Served, Ending::Trouble(wait)),
            Report::ProviderInTrouble(wait) => (Ending::Trouble(wait), Ending::Over),
        };
        let endings = [(true, provider), (false, client)];
        for (is_provider, ending) in endings {
            let gate = match is_provider {
                true => self.providers.get_mut(&way.provider),
                false => way.client.and_then(|id| self.clients.get_mut(&id)),
            };
            if let Some(gate) = gate {
                gate.end(now, ending, random);
            }
        }
    }

    fn both(&mut self, way: &Way) -> impl Iterator<Item = &mut Gate> {
        let client = way.client.and_then(|id| self.clients.get_mut(&id));
        self.providers
            .get_mut(&way.provider)
            .into_iter()
            .chain(client)
    }
}

/// The one that lets less through; of two that let nothing through, the one that does so longer.
fn narrower(one: Room, other: Room) -> Room {
    match (one, other) {
        (Room::Closed(a), Room::Closed(b)) => Room::Closed(a.max(b)),
        (Room::Closed(until), _) | (_, Room::Closed(until)) => Room::Closed(until),
        (Room::Busy(a), Room::Busy(b)) => Room::Busy(a.max(b)),
        (Room::Busy(until), _) | (_, Room::Busy(until)) => Room::Busy(until),
        (Room::Full, _) | (_, Room::Full) => Room::Full,
        (Room::Free(a), Room::Free(b)) => Room::Free(a.min(b)),
    }
}

/// The limits in a provider's row.
pub fn limits_of(provider: &Provider) -> Limits {
    limits(
        provider.max_concurrent_requests,
        provider.rate_limit_requests,
        provider.rate_limit_seconds,
    )
}

/// Limits as the tables have them: at most so many at once, and so many in so many seconds.
pub fn limits(concurrent: Option<i32>, requests: Option<i32>, seconds: i64) -> Limits {
    let positive = |number: i32| u32::try_from(number).unwrap_or(0).max(1);
    Limits {
        concurrent: concurrent.map(positive),
        rate: requests.map(|requests| (positive(requests), seconds.saturating_mul(1_000_000))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(client: i64) -> Way {
        Way {
            provider: "p".into(),
            client: Some(client),
        }
    }

    fn gates() -> Gates {
        let mut gates = Gates::default();
        gates.know_provider("p", Limits::default());
        gates.know_client(1, Limits::default(), false);
        gates.know_client(2, limits(Some(3), None, 60), false);
        gates
    }

    #[test]
    fn both_gates_have_to_be_open() {
        let mut gates = gates();
        assert_eq!(gates.room(&way(1), 0), Room::Free(u32::MAX));
        assert_eq!(gates.room(&way(2), 0), Room::Free(3));
        gates.know_provider("p", limits(Some(2), None, 60));
        gates.send(&way(1), 0);
        assert_eq!(gates.room(&way(2), 0), Room::Free(1));
    }

    #[test]
    fn a_refused_client_closes_its_own_gate_only() {
        let mut gates = gates();
        gates.send(&way(1), 0);
        gates.end(&way(1), 0, Report::ClientRefused, 0);
        assert!(matches!(gates.room(&way(1), 0), Room::Closed(_)));
        assert_eq!(gates.closed_by(&way(1), 0), Some(Closed::Client));
        assert_eq!(gates.closed_by(&way(2), 0), None);
        assert_eq!(gates.room(&way(2), 0), Room::Free(3));
        gates.reset();
        assert_eq!(gates.room(&way(1), 0), Room::Free(u32::MAX));
    }

    #[test]
    fn a_provider_in_trouble_closes_for_all_its_clients() {
        let mut gates = gates();
        for _ in 0..5 {
            gates.send(&way(1), 0);
            gates.end(&way(1), 0, Report::ProviderInTrouble(None), 0);
        }
        assert!(matches!(gates.room(&way(2), 0), Room::Closed(_)));
        assert_eq!(gates.closed_by(&way(2), 0), Some(Closed::Provider));
        let elsewhere = Way {
            provider: "q".into(),
            client: Some(2),
        };
        assert_eq!(gates.room(&elsewhere, 0), Room::Free(3));
    }

    #[test]
    fn a_provider_in_trouble_is_no_word_for_a_refused_client() {
        let mut gates = gates();
        gates.send(&way(1), 0);
        gates.end(&way(1), 0, Report::ClientRefused, 0);
        let probe = 5_000_000;
        gates.send(&way(1), probe);
        gates.end(&way(1), probe, Report::ProviderInTrouble(None), 0);
        assert_eq!(gates.room(&way(1), probe), Room::Free(1), "another probe");
    }

    #[test]
    fn failures_are_told_apart() {
        let report = Report::of_failure;
        assert_eq!(
            report(Verdict::ClientBroken, 401, None),
            Report::ClientRefused
        );
        assert_eq!(
            report(Verdict::Transient, 429, Some(5)),
            Report::Throttled(Some(5))
        );
        assert_eq!(
            report(Verdict::Transient, 503, Some(5)),
            Report::ProviderInTrouble(Some(5))
        );
        assert_eq!(report(Verdict::GrantDead, 400, None), Report::Answered);
        assert_eq!(report(Verdict::Misconfigured, 400, None), Report::Answered);
    }
}
