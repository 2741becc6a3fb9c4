//! The state shared by a pool's owner and its threads.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::{Done, Job};
use crate::error::{CallError, NotSent};

/// Jobs on their way in and results on their way out. No lock is held during a call.
pub(super) struct Queue {
    /// So many jobs of one group run at once.
    most_of_a_group: usize,
    state: Mutex<State>,
    work: Condvar,
    ended: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Job>,
    done: Vec<Done>,
    /// Threads that wait for a job.
    idle: usize,
    running: usize,
    running_of: HashMap<u64, usize>,
    closed: bool,
    ended: usize,
}

impl State {
    /// The place of the first job whose group may take one more thread.
    fn startable(&self, most_of_a_group: usize) -> Option<usize> {
        let has_room = |job: &Job| {
            let running = self.running_of.get(&job.group);
            running.is_none_or(|running| *running < most_of_a_group)
        };
        self.waiting.iter().position(has_room)
    }
}

impl Queue {
    pub(super) fn new(most_of_a_group: usize) -> Self {
        Self {
            most_of_a_group,
            state: Mutex::default(),
            work: Condvar::default(),
            ended: Condvar::default(),
        }
    }

    /// Adds a job; after `close` it is cancelled at once.
    pub(super) fn push(&self, job: Job) {
        let mut state = self.lock();
        if state.closed {
            state.done.push(cancelled(&job));
            return;
        }
        state.waiting.push_back(job);
        self.wake_one_for_more(&state);
    }

    /// The next job, waiting for one; `None` tells the thread to end.
    pub(super) fn next(&self) -> Option<Job> {
        let mut state = self.lock();
        state.idle += 1;
        let mut state = self
            .work
            .wait_while(state, |s| {
                s.startable(self.most_of_a_group).is_none() && !s.closed
            })
            .unwrap_or_else(PoisonError::into_inner);
        state.idle -= 1;
        let Some(place) = state.startable(self.most_of_a_group) else {
            state.ended += 1;
            self.ended.notify_all();
            return None;
        };
        let job = state.waiting.remove(place)?;
        state.running += 1;
        *state.running_of.entry(job.group).or_default() += 1;
        // What this thread has just ended may have made room for more than the one it takes.
        self.wake_one_for_more(&state);
        Some(job)
    }

    /// Wakes a thread where there is one that sleeps, and something for it to do.
    fn wake_one_for_more(&self, state: &State) {
        if state.idle > 0 && state.startable(self.most_of_a_group).is_some() {
            self.work.notify_one();
        }
    }

    pub(super) fn finish(&self, group: u64, done: Done) {
        let mut state = self.lock();
        state.running -= 1;
        if let Some(running) = state.running_of.get_mut(&group) {
            *running -= 1;
            if *running == 0 {
                state.running_of.remove(&group);
            }
        }
        state.done.push(done);
    }

    pub(super) fn take_back(&self, ids: &HashSet<i64>) -> Vec<i64> {
        let mut state = self.lock();
        let mut taken = Vec::new();
        state.waiting.retain(|job| {
            let is_wanted = ids.contains(&job.id);
            if is_wanted {
                taken.push(job.id);
            }
            !is_wanted
        });
        taken
    }

    pub(super) fn take_done(&self) -> Vec<Done> {
        std::mem::take(&mut self.lock().done)
    }

    pub(super) fn in_flight(&self) -> usize {
        let state = self.lock();
        state.waiting.len() + state.running + state.done.len()
    }

    /// Cancels what has not begun, and lets the threads end.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        let waiting = std::mem::take(&mut state.waiting);
        state.done.extend(waiting.iter().map(cancelled));
        drop(state);
        self.work.notify_all();
    }

    /// Waits until `threads` threads have taken their leave; false where some still run at `deadline`.
    pub(super) fn wait_for_threads(&self, threads: usize, deadline: Instant) -> bool {
        let left = deadline.saturating_duration_since(Instant::now());
        let (state, _) = self
            .ended
            .wait_timeout_while(self.lock(), left, |s| s.ended < threads)
            .unwrap_or_else(PoisonError::into_inner);
        state.ended >= threads
    }

    /// No code that can panic runs under the lock, so a poisoned one is still whole.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn cancelled(job: &Job) -> Done {
    Done {
        id: job.id,
        result: Err(CallError::NotSent(NotSent::Cancelled)),
    }
}
