//! A few threads that make calls for an owner who must not block.

use std::collections::HashSet;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use token_vault_core::oauth::TokenRequest;

use crate::error::{CallError, Cause, Unknown};
use crate::signals::AllBlocked;
use crate::transport::{HttpAnswer, Transport};

mod queue;
use queue::Queue;

/// One thread of so many is for other groups than the one that has most to do.
const OTHERS_SHARE: usize = 4;
/// How long dropping a pool waits for calls that are under way; threads are left behind after it.
const DROP_GRACE: Duration = Duration::from_millis(200);

/// One call to make.
#[derive(Debug)]
pub struct Job {
    /// The owner's name for this call, given back with its result.
    pub id: i64,
    /// Jobs of one group, those for one provider say, never take all threads: the slow must not hold up the others.
    pub group: u64,
    /// What to send.
    pub request: TokenRequest,
    /// How long the call may take, counted from its start (not from `submit`).
    pub budget: Duration,
}

/// The result of one call.
#[derive(Debug)]
pub struct Done {
    /// The id of the [`Job`].
    pub id: i64,
    /// Its answer, or why there is none.
    pub result: Result<HttpAnswer, CallError>,
}

/// Runs jobs on its threads. All signals are blocked in them, and they call nothing but the transport and `wake`.
pub struct Pool {
    queue: Arc<Queue>,
    threads: Vec<JoinHandle<()>>,
}

impl Pool {
    /// Starts `threads` threads (at least one). `wake` is called on one of them each time a result was queued.
    ///
    /// # Errors
    ///
    /// When the operating system refuses a thread; those started before end by themselves.
    pub fn new(
        transport: Arc<dyn Transport>,
        threads: usize,
        wake: impl Fn() + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let most_of_a_group = (threads - threads / OTHERS_SHARE).max(1);
        let mut pool = Self {
            queue: Arc::new(Queue::new(most_of_a_group)),
            threads: Vec::new(),
        };
        let wake: Arc<dyn Fn() + Send + Sync> = Arc::new(wake);
        let _blocked = AllBlocked::new()?;
        for number in 0..threads.max(1) {
            let worker = Worker {
                queue: pool.queue.clone(),
                transport: transport.clone(),
                wake: wake.clone(),
            };
            let thread = thread::Builder::new()
                .name(format!("token_vault {number}"))
                .spawn(move || worker.run())?;
            pool.threads.push(thread);
        }
        Ok(pool)
    }

    /// Queues a call; the next free thread makes it.
    pub fn submit(&self, job: Job) {
        self.queue.push(job);
    }

    /// Takes back those of these jobs that have not begun, and returns their ids: there will be no result of them.
    pub fn take_back(&self, ids: &HashSet<i64>) -> Vec<i64> {
        self.queue.take_back(ids)
    }

    /// Takes all results that are there, without waiting.
    pub fn drain(&self) -> Vec<Done> {
        self.queue.take_done()
    }

    /// How many jobs were submitted and not yet drained.
    pub fn in_flight(&self) -> usize {
        self.queue.in_flight()
    }

    /// Starts no further call, waits at most `grace` for those under way, and returns every result that is there.
    ///
    /// Jobs that had not begun come back as [`NotSent::Cancelled`](crate::NotSent::Cancelled). A job that is missing
    /// was still under way: its outcome is unknown, and its thread ends with its call.
    pub fn shutdown(mut self, grace: Duration) -> Vec<Done> {
        self.close(grace);
        self.queue.take_done()
    }

    fn close(&mut self, grace: Duration) {
        self.queue.close();
        let all_ended = self
            .queue
            .wait_for_threads(self.threads.len(), Instant::now() + grace);
        for thread in self.threads.drain(..) {
            if all_ended || thread.is_finished() {
                // Panics were caught inside; there is nothing to learn from the result.
                let _ = thread.join();
            }
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.close(DROP_GRACE);
    }
}

struct Worker {
    queue: Arc<Queue>,
    transport: Arc<dyn Transport>,
    wake: Arc<dyn Fn() + Send + Sync>,
}

impl Worker {
    fn run(self) {
        while let Some(job) = self.queue.next() {
            let result = self.call(&job);
            self.queue.finish(job.group, Done { id: job.id, result });
            // A waker that panics must not cost a thread.
            let _ = catch_unwind(AssertUnwindSafe(|| (self.wake)()));
        }
    }

    fn call(&self, job: &Job) -> Result<HttpAnswer, CallError> {
        catch_unwind(AssertUnwindSafe(|| {
            self.transport.call(&job.request, job.budget)
        }))
        .unwrap_or(Err(CallError::OutcomeUnknown(Unknown {
            cause: Cause::Panic,
            status: None,
        })))
    }
}
