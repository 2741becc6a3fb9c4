//! The state shared by a pool's owner and its threads.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::{Done, Job};
use crate::error::{CallError, NotSent};

/// Jobs on their way in and results on their way out. No lock is held during a call.
#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    work: Condvar,
    ended: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Job>,
    done: Vec<Done>,
    running: usize,
    closed: bool,
    ended: usize,
}

impl Queue {
    /// Adds a job; after `close` it is cancelled at once.
    pub(super) fn push(&self, job: Job) {
        let mut state = self.lock();
        if state.closed {
            state.done.push(cancelled(&job));
            return;
        }
        state.waiting.push_back(job);
        drop(state);
        self.work.notify_one();
    }

    /// The next job, waiting for one; `None` tells the thread to end.
    pub(super) fn next(&self) -> Option<Job> {
        let mut state = self
            .work
            .wait_while(self.lock(), |s| s.waiting.is_empty() && !s.closed)
            .unwrap_or_else(PoisonError::into_inner);
        let job = state.waiting.pop_front();
        match job {
            Some(_) => state.running += 1,
            None => {
                state.ended += 1;
                self.ended.notify_all();
            }
        }
        job
    }

    pub(super) fn finish(&self, done: Done) {
        let mut state = self.lock();
        state.running -= 1;
        state.done.push(done);
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
