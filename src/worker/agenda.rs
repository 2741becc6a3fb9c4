//! What the refresher does next: which lanes have tokens that are due, and whom may be asked. It is rebuilt from the
//! tables at every start and from time to time; between two looks, sessions say what they have changed.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use token_vault_core::refresh::{self, Closed, Gates, Queue, Report, Room, Share, Way};

use crate::pg::inval::{self, Topic};
use crate::pg::time::UnixMicros;
use crate::pg::{random, spi};
use crate::store::schedule::{self, Lane};
use crate::store::{client, provider};
use crate::worker::outbound;

/// Between two looks at all lanes, at least; a look at many lanes is made more rarely.
const LEAST_INTERVAL: Duration = Duration::from_secs(60);
/// A look takes at most this part of the time.
const SHARE_OF_TIME: u32 = 1000;
/// How long what becomes due is collected. Nobody waits for it: what a session asks for is not collected.
const COLLECTING: Duration = Duration::from_millis(100);

pub struct Agenda {
    queue: Queue,
    gates: Gates,
    /// Provider and client of the lanes, by what their numbers have in common.
    ways: HashMap<i64, Way>,
    /// Those whose limits are known.
    known: HashSet<Way>,
    /// When all lanes are looked at again.
    next_look: Instant,
    /// Of the tables of providers and clients.
    generations: (u64, u64),
    /// When a way that was full or closed may be open again.
    opens_at: Option<UnixMicros>,
    /// What was due at this time has been looked at.
    looked_at: UnixMicros,
    /// Before this time, what becomes due is left to collect.
    collects_until: UnixMicros,
    /// Something is due that the last round has not looked at.
    has_more: bool,
}

impl Agenda {
    pub fn new() -> Self {
        Agenda {
            queue: Queue::default(),
            gates: Gates::default(),
            ways: HashMap::new(),
            known: HashSet::new(),
            next_look: Instant::now(),
            generations: (0, 0),
            opens_at: None,
            looked_at: UnixMicros::MIN,
            collects_until: UnixMicros::MIN,
            has_more: false,
        }
    }

    /// A round begins: what was known to be in the way is found out anew.
    pub fn begin_round(&mut self) {
        self.opens_at = None;
        self.has_more = false;
    }

    /// How long what is known of all lanes holds.
    pub fn until_next_look(&self) -> Duration {
        self.next_look.saturating_duration_since(Instant::now())
    }

    /// Looks at all lanes with the next [`Agenda::follow_tables`].
    pub fn look_soon(&mut self) {
        self.next_look = Instant::now();
    }

    /// For one that is told what to do, and ends then.
    pub fn look_never(&mut self) {
        self.next_look = Instant::now() + Duration::from_secs(86_400);
    }

    /// Settings have changed, and with them perhaps what was in the way.
    pub fn open_gates(&mut self) {
        self.generations = (0, 0); // the limits are read again
        self.gates.reset();
        self.queue.wake();
    }

    /// Takes over what has changed in the tables. Called in a transaction.
    pub fn follow_tables(&mut self) {
        let now = (
            inval::generation(Topic::Providers),
            inval::generation(Topic::Clients),
        );
        if self.generations != now {
            self.generations = now;
            self.gates.reset();
            self.known.clear();
            let ways: Vec<Way> = self.ways.values().cloned().collect();
            ways.iter().for_each(|way| self.know(way));
        }
        if self.until_next_look().is_zero() {
            self.look();
        }
    }

    fn look(&mut self) {
        let begin = Instant::now();
        let lanes = spi::session(schedule::lanes);
        let known: HashSet<Lane> = lanes.iter().map(|(lane, _)| *lane).collect();
        self.queue.retain(|lane| known.contains(&lane));
        for (lane, due_at) in lanes {
            self.queue.know(lane, Some(due_at));
            self.learn_way(lane);
        }
        let pause = begin.elapsed() * SHARE_OF_TIME;
        self.next_look = Instant::now() + pause.max(LEAST_INTERVAL);
    }

    /// A token of this lane is due then. Called in a transaction.
    pub fn note(&mut self, lane: Lane, due_at: UnixMicros) {
        self.note_again(lane, due_at);
        self.learn_way(lane);
    }

    /// The same for a lane that is known: outside of transactions.
    pub fn note_again(&mut self, lane: Lane, due_at: UnixMicros) {
        self.queue.note(lane, due_at);
        if due_at <= self.looked_at {
            self.has_more = true;
            self.collects_until = UnixMicros::MIN;
        }
    }

    fn learn_way(&mut self, lane: Lane) {
        let number = schedule::way_of(lane);
        if self.ways.contains_key(&number) {
            return;
        }
        let found = spi::session(|session| schedule::provider_and_client(session, number));
        if let Some((provider, client)) = found {
            let way = Way { provider, client };
            self.know(&way);
            self.ways.insert(number, way);
        }
    }

    /// Takes over the limits of a way's provider and client, unless they are known. Called in a transaction.
    fn know(&mut self, way: &Way) {
        if !self.known.insert(way.clone()) {
            return;
        }
        // A provider that is gone is told by the attempt itself.
        if let Ok(provider) = provider::find(&way.provider) {
            let mut limits = refresh::limits_of(&provider);
            limits
                .concurrent
                .get_or_insert_with(outbound::most_for_one_provider);
            self.gates.know_provider(&way.provider, limits);
        }
        if let Some(client) = way.client.and_then(client::by_id) {
            self.gates
                .know_client(client.id, client.limits, client.is_refused);
        }
    }

    /// Gives up to `places` places to lanes in turns, as far as providers and clients can bear it. What is given counts
    /// as sent: [`Agenda::taken`] says how much of it was.
    pub fn share(&mut self, now: UnixMicros, places: usize) -> Vec<Share> {
        if self.collects(now) {
            return Vec::new();
        }
        self.looked_at = now;
        let Agenda {
            queue,
            gates,
            ways,
            opens_at,
            ..
        } = self;
        queue.share(now, places, |lane| {
            let Some(way) = ways.get(&schedule::way_of(lane)) else {
                return true;
            };
            match gates.room(way, now) {
                Room::Free(_) => {
                    gates.send(way, now);
                    true
                }
                Room::Full => false,
                Room::Busy(until) | Room::Closed(until) => {
                    *opens_at = Some(opens_at.map_or(until, |earlier| earlier.min(until)));
                    false
                }
            }
        })
    }

    /// So many tokens of a share were there, and so the lane is left. `pause_until`: when it had fewer than it should
    /// have had, because sessions have them locked.
    pub fn taken(
        &mut self,
        share: &Share,
        count: usize,
        next_due: Option<UnixMicros>,
        now: UnixMicros,
        pause_until: UnixMicros,
    ) {
        let unused = share.places.saturating_sub(count);
        self.queue.know(share.lane, next_due);
        self.queue.give_back(share.lane, unused);
        if next_due.is_some_and(|due_at| due_at <= now) {
            match unused {
                0 => self.has_more = true,
                _ => self.queue.rest(share.lane, pause_until),
            }
        }
        if let Some(way) = self.ways.get(&schedule::way_of(share.lane)) {
            (0..unused).for_each(|_| self.gates.cancel(way));
        }
    }

    /// Not where the clock was set back: nothing waits for it to catch up.
    fn collects(&self, now: UnixMicros) -> bool {
        (self.looked_at..self.collects_until).contains(&now)
    }

    /// Everything that was due has been taken: what becomes due in the next moment is taken together, since one
    /// transaction for each token would cost the server several times as much.
    pub fn collect_if_done(&mut self, now: UnixMicros) {
        let is_done = !self.has_more && self.queue.next_time().is_none_or(|time| time > now);
        self.collects_until = match is_done {
            true => now + COLLECTING.as_micros() as UnixMicros,
            false => UnixMicros::MIN,
        };
    }

    /// Admits one request that a session asks for. Called in a transaction.
    pub fn admit(&mut self, way: &Way, now: UnixMicros) -> Admission {
        self.know(way);
        match self.gates.room(way, now) {
            Room::Free(_) => {
                self.gates.send(way, now);
                Admission::Granted
            }
            Room::Closed(_) => {
                let closed = self.gates.closed_by(way, now);
                Admission::Refused(closed.unwrap_or(Closed::Provider))
            }
            Room::Busy(until) => {
                self.opens_at = Some(self.opens_at.map_or(until, |earlier| earlier.min(until)));
                Admission::Delayed
            }
            Room::Full => Admission::Delayed,
        }
    }

    /// Why nothing is sent this way for some time.
    pub fn closed_by(&self, way: &Way, now: UnixMicros) -> Option<Closed> {
        self.gates.closed_by(way, now)
    }

    /// An admitted request was not sent.
    pub fn cancel(&mut self, way: &Way) {
        self.gates.cancel(way);
    }

    /// Whether a request that is under way may be sent once more, with another client secret; if so, it counts as sent.
    pub fn may_send_again(&mut self, way: &Way, now: UnixMicros) -> bool {
        match self.gates.send_again(way, now) {
            Ok(()) => true,
            Err(until) => {
                self.opens_at = Some(self.opens_at.map_or(until, |earlier| earlier.min(until)));
                false
            }
        }
    }

    /// A request has ended.
    pub fn ended(&mut self, way: &Way, now: UnixMicros, report: Report) {
        self.gates.end(way, now, report, random::number());
    }

    /// When there is something to start, unless a session asks or an answer comes in: a lane is due, or a gate opens.
    pub fn next_time(&self, now: UnixMicros) -> Option<UnixMicros> {
        if self.has_more {
            return Some(now);
        }
        // Not "after now": since then, the next one may have become due.
        let due_at = self.queue.next_time_after(self.looked_at.min(now));
        let due_at = match self.collects(now) {
            true => due_at.map(|due_at| due_at.max(self.collects_until)),
            false => due_at,
        };
        match (due_at, self.opens_at) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        }
    }

    /// When the next token is due.
    pub fn next_due(&self) -> Option<UnixMicros> {
        self.queue.next_time()
    }
}

/// Whether a request that a session asks for may be sent.
pub enum Admission {
    Granted,
    /// When others have ended, or the rate allows it.
    Delayed,
    /// The provider or the client is in trouble: nothing is sent for some time.
    Refused(Closed),
}
