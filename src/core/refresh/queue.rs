//! Whose turn it is: tokens wait in lanes, one for each client and tenant, and the lanes take turns (start-time fair
//! queueing). A lane knows the time of its earliest token, not its tokens: those stay in the table.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap};

/// The number of a lane, from its tokens' provider, client and tenant.
pub type LaneId = i64;

/// All lanes in which something waits. Times are microseconds since 1970.
#[derive(Clone, Debug, Default)]
pub struct Queue {
    lanes: HashMap<LaneId, Lane>,
    /// The lanes by the time from which they are to be looked at.
    by_time: BTreeSet<(i64, LaneId)>,
    /// The turn that was given last.
    turn: u64,
}

#[derive(Clone, Copy, Debug)]
struct Lane {
    /// No token of the lane is due earlier.
    due_at: i64,
    /// Not looked at before: what is due there can't be had now.
    rests_until: i64,
    /// The turn after the last one it was given.
    turn: u64,
}

impl Lane {
    fn looked_at_from(&self) -> i64 {
        self.due_at.max(self.rests_until)
    }
}

/// A lane's part of the places there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Whose.
    pub lane: LaneId,
    /// None of its tokens is due earlier than that.
    pub from: i64,
    /// At most so many.
    pub places: usize,
}

impl Queue {
    /// A token of this lane is due then, besides those that are known.
    pub fn note(&mut self, lane: LaneId, due_at: i64) {
        let earliest = self
            .lanes
            .get(&lane)
            .map_or(due_at, |known| known.due_at.min(due_at));
        self.set(lane, earliest, 0);
    }

    /// What is known now of a lane: its earliest token, or none.
    pub fn know(&mut self, lane: LaneId, due_at: Option<i64>) {
        match due_at {
            Some(due_at) => self.set(lane, due_at, 0),
            None => {
                if let Some(known) = self.lanes.remove(&lane) {
                    self.by_time.remove(&(known.looked_at_from(), lane));
                }
            }
        }
    }

    /// A lane's tokens can't be had before this time.
    pub fn rest(&mut self, lane: LaneId, until: i64) {
        if let Some(known) = self.lanes.get(&lane).copied() {
            self.set(lane, known.due_at, until);
        }
    }

    fn set(&mut self, lane: LaneId, due_at: i64, rests_until: i64) {
        let known = self.lanes.get(&lane).copied();
        if let Some(known) = known {
            self.by_time.remove(&(known.looked_at_from(), lane));
        }
        let lane_now = Lane {
            due_at,
            rests_until,
            turn: known.map_or(0, |known| known.turn),
        };
        self.by_time.insert((lane_now.looked_at_from(), lane));
        self.lanes.insert(lane, lane_now);
    }

    /// Forgets the lanes for which `keep` does not hold.
    pub fn retain(&mut self, mut keep: impl FnMut(LaneId) -> bool) {
        self.lanes.retain(|lane, _| keep(*lane));
        let lanes = &self.lanes;
        self.by_time.retain(|(_, lane)| lanes.contains_key(lane));
    }

    /// No lane rests any longer.
    pub fn wake(&mut self) {
        self.lanes
            .values_mut()
            .for_each(|lane| lane.rests_until = 0);
        self.by_time = self
            .lanes
            .iter()
            .map(|(lane, known)| (known.looked_at_from(), *lane))
            .collect();
    }

    /// When the next lane is to be looked at.
    pub fn next_time(&self) -> Option<i64> {
        self.by_time.first().map(|(time, _)| *time)
    }

    /// When the next lane is to be looked at, besides those that are due now.
    pub fn next_time_after(&self, now: i64) -> Option<i64> {
        let later = self.by_time.range((now.saturating_add(1), LaneId::MIN)..);
        later.map(|(time, _)| *time).next()
    }

    /// How many lanes there are.
    pub fn len(&self) -> usize {
        self.lanes.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.lanes.is_empty()
    }

    /// Gives away up to `places` places, one at a time to the lane that has had the fewest turns, as long as `admit`
    /// lets one more through.
    pub fn share(
        &mut self,
        now: i64,
        places: usize,
        mut admit: impl FnMut(LaneId) -> bool,
    ) -> Vec<Share> {
        let last_turn = self.turn;
        let due = self.by_time.range(..=(now, LaneId::MAX));
        // One that comes new, or comes back, has nothing in credit.
        let mut waiting: BinaryHeap<Reverse<(u64, LaneId)>> = due
            .map(|(_, lane)| Reverse((self.lanes[lane].turn.max(last_turn), *lane)))
            .collect();
        let mut shares: HashMap<LaneId, usize> = HashMap::new();
        let mut given = 0;
        while given < places {
            let Some(Reverse((turn, lane))) = waiting.pop() else {
                break;
            };
            if !admit(lane) {
                continue;
            }
            given += 1;
            self.turn = turn;
            *shares.entry(lane).or_default() += 1;
            waiting.push(Reverse((turn + 1, lane)));
        }
        let mut shares: Vec<Share> = shares
            .into_iter()
            .map(|(lane, places)| self.take_turns(last_turn, lane, places))
            .collect();
        shares.sort_by_key(|share| share.lane);
        shares
    }

    fn take_turns(&mut self, last_turn: u64, lane: LaneId, places: usize) -> Share {
        let known = self
            .lanes
            .get_mut(&lane)
            .expect("a lane that was given a place");
        known.turn = known.turn.max(last_turn) + places as u64;
        Share {
            lane,
            from: known.due_at,
            places,
        }
    }

    /// A lane had fewer tokens than places.
    pub fn give_back(&mut self, lane: LaneId, places: usize) {
        if let Some(known) = self.lanes.get_mut(&lane) {
            known.turn = known.turn.saturating_sub(places as u64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn places(shares: &[Share]) -> Vec<(LaneId, usize)> {
        shares
            .iter()
            .map(|share| (share.lane, share.places))
            .collect()
    }

    #[test]
    fn lanes_take_turns_however_long_they_have_waited() {
        let mut queue = Queue::default();
        queue.note(1, 0);
        queue.note(2, 99);
        queue.note(3, 101);
        assert_eq!(places(&queue.share(100, 10, |_| true)), [(1, 5), (2, 5)]);
        assert_eq!(
            places(&queue.share(101, 4, |_| true)),
            [(1, 1), (2, 1), (3, 2)]
        );
    }

    #[test]
    fn a_newcomer_does_not_wait_behind_a_long_lane() {
        let mut queue = Queue::default();
        queue.note(1, 0);
        for _ in 0..1000 {
            queue.share(0, 100, |_| true);
        }
        queue.note(2, 0);
        assert_eq!(places(&queue.share(0, 2, |_| true)), [(1, 1), (2, 1)]);
        assert_eq!(places(&queue.share(0, 2, |_| true)), [(1, 1), (2, 1)]);
    }

    #[test]
    fn a_lane_that_is_not_admitted_gets_nothing_and_costs_nothing() {
        let mut queue = Queue::default();
        queue.note(1, 0);
        queue.note(2, 0);
        assert_eq!(places(&queue.share(0, 4, |lane| lane == 2)), [(2, 4)]);
        // Nor does it catch up on what it was not given: from the last turn on, both have the same.
        assert_eq!(places(&queue.share(0, 4, |_| true)), [(1, 3), (2, 1)]);
        assert_eq!(places(&queue.share(0, 4, |_| true)), [(1, 2), (2, 2)]);
    }

    #[test]
    fn only_due_lanes_are_looked_at_and_the_next_time_is_known() {
        let mut queue = Queue::default();
        assert_eq!(queue.next_time(), None);
        queue.note(1, 50);
        queue.note(1, 80);
        queue.note(2, 60);
        assert_eq!(queue.next_time(), Some(50));
        assert_eq!(queue.next_time_after(50), Some(60));
        assert!(queue.share(49, 9, |_| true).is_empty());
        queue.rest(1, 70);
        assert_eq!(queue.next_time(), Some(60));
        queue.know(2, None);
        assert_eq!(queue.next_time(), Some(70));
        let shares = queue.share(70, 9, |_| true);
        assert_eq!(shares[0].from, 50, "it rested, but nothing was lost");
        queue.know(1, Some(90));
        assert_eq!((queue.next_time(), queue.len()), (Some(90), 1));
        queue.rest(1, 200);
        queue.wake();
        assert_eq!(queue.next_time(), Some(90));
        queue.retain(|lane| lane == 2);
        assert!(queue.is_empty());
        assert_eq!(queue.next_time(), None);
    }

    #[test]
    fn places_that_were_not_used_count_as_not_given() {
        let mut queue = Queue::default();
        queue.note(1, 0);
        queue.note(2, 0);
        queue.share(0, 10, |_| true);
        queue.give_back(1, 4);
        let shares = places(&queue.share(0, 4, |_| true));
        assert_eq!(shares.iter().map(|(_, places)| places).sum::<usize>(), 4);
    }

    proptest! {
        /// One that always has work gets at least its part of any number of rounds.
        #[test]
        fn nobody_starves(lanes in 2..20i64, rounds in 1..50usize, per_round in 1..40usize) {
            let mut queue = Queue::default();
            (0..lanes).for_each(|lane| queue.note(lane, lane));
            let mut had = vec![0; lanes as usize];
            for _ in 0..rounds {
                for share in queue.share(lanes, per_round, |_| true) {
                    had[share.lane as usize] += share.places;
                }
            }
            let fair = rounds * per_round / lanes as usize;
            for places in had {
                prop_assert!(places + 1 >= fair, "{places} of {fair}");
            }
        }
    }
}
