//! The state shared by a pool's owner and its thread.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;

use super::{Done, Job};
use crate::error::{CallError, NotSent};

/// Jobs on their way in and results on their way out. No lock is held during a call.
pub(super) struct Queue {
    /// So many jobs run at once.
    most: usize,
    /// So many of them of one group.
    most_of_a_group: usize,
    state: Mutex<State>,
    /// There may be something to start, or to end.
    news: Notify,
    ended: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Job>,
    done: Vec<Done>,
    running: usize,
    running_of: HashMap<u64, usize>,
    is_closed: bool,
    has_ended: bool,
}

/// What the thread does next.
pub(super) enum Next {
    Start(Job),
    /// Waits for news.
    Wait,
    /// Everything has ended, and nothing will begin.
    End,
}

impl Queue {
    pub(super) fn new(most: usize, most_of_a_group: usize) -> Self {
        Self {
            most,
            most_of_a_group,
            state: Mutex::default(),
            news: Notify::new(),
            ended: Condvar::default(),
        }
    }

    /// Adds a job; after `close` it is cancelled at once.
    pub(super) fn push(&self, job: Job) {
        let mut state = self.lock();
        if state.is_closed {
            state.done.push(cancelled(&job));
            return;
        }
        state.waiting.push_back(job);
        drop(state);
        self.news.notify_one();
    }

    /// Takes the first job that may begin.
    pub(super) fn next(&self) -> Next {
        let mut state = self.lock();
        if state.is_closed && state.running == 0 {
            return Next::End;
        }
        let Some(place) = self.startable(&state) else {
            return Next::Wait;
        };
        let job = state.waiting.remove(place).expect("a place that was found");
        state.running += 1;
        *state.running_of.entry(job.group).or_default() += 1;
        Next::Start(job)
    }

    /// The place of the first job whose group may have one more running.
    fn startable(&self, state: &State) -> Option<usize> {
        if state.running >= self.most {
            return None;
        }
        let has_room = |job: &Job| {
            let running = state.running_of.get(&job.group);
            running.is_none_or(|running| *running < self.most_of_a_group)
        };
        state.waiting.iter().position(has_room)
    }

    /// Waits until [`Queue::next`] may say something else.
    pub(super) async fn news(&self) {
        self.news.notified().await;
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
        drop(state);
        self.news.notify_one();
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

    /// Cancels what has not begun, and lets the thread end.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.is_closed = true;
        let waiting = std::mem::take(&mut state.waiting);
        state.done.extend(waiting.iter().map(cancelled));
        drop(state);
        self.news.notify_one();
    }

    /// The thread's last word.
    pub(super) fn end(&self) {
        self.lock().has_ended = true;
        self.ended.notify_all();
    }

    /// Waits until the thread has taken its leave; false where it still runs at `deadline`.
    pub(super) fn wait_for_end(&self, deadline: Instant) -> bool {
        let left = deadline.saturating_duration_since(Instant::now());
        let (state, _) = self
            .ended
            .wait_timeout_while(self.lock(), left, |s| !s.has_ended)
            .unwrap_or_else(PoisonError::into_inner);
        state.has_ended
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
