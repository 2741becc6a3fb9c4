//! A thread that makes calls for an owner who must not block.

use std::collections::HashSet;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use token_vault_core::oauth::TokenRequest;
use tokio::runtime::{Builder, Runtime};

use crate::error::{CallError, Cause, NotSent, Unknown};
use crate::signals::AllBlocked;
use crate::transport::{HttpAnswer, Transport};

mod queue;
use queue::{Next, Queue};

/// One call of so many is for other groups than the one that has most to do.
const OTHERS_SHARE: usize = 4;
/// Shorter than what the system cuts off.
const THREAD_NAME: &str = "token_vault";
/// How long dropping a pool waits for calls that are under way; the thread is left behind after it.
const DROP_GRACE: Duration = Duration::from_millis(200);

/// One call to make.
#[derive(Debug)]
pub struct Job {
    /// The owner's name for this call, given back with its result.
    pub id: i64,
    /// Jobs of one group, those for one provider say, never take all places: the slow must not hold up the others.
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

/// Runs jobs on a thread of its own, many at a time. All signals are blocked there, and nothing is called but the
/// transport and `wake`.
pub struct Pool {
    queue: Arc<Queue>,
    thread: Option<JoinHandle<()>>,
}

impl Pool {
    /// Starts the thread; `most` calls (at least one) run at once. `wake` is called there each time a result was queued.
    ///
    /// # Errors
    ///
    /// When the operating system refuses a thread or what an event loop needs.
    pub fn new(
        transport: Arc<dyn Transport>,
        most: usize,
        wake: impl Fn() + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let most = most.max(1);
        let queue = Arc::new(Queue::new(most, (most - most / OTHERS_SHARE).max(1)));
        let _blocked = AllBlocked::new()?;
        let runtime = Builder::new_current_thread()
            .enable_io()
            .enable_time()
            // They look up names, of which each call has one.
            .max_blocking_threads(most)
            .thread_name(THREAD_NAME)
            .build()?;
        let worker = Worker {
            queue: queue.clone(),
            transport,
            wake: Arc::new(wake),
        };
        let thread = thread::Builder::new()
            .name(THREAD_NAME.to_owned())
            .spawn(move || worker.run(runtime))?;
        Ok(Self {
            queue,
            thread: Some(thread),
        })
    }

    /// Queues a call, which begins as soon as there is room for it.
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
    /// was still under way: its outcome is unknown, and the thread ends with it.
    pub fn shutdown(mut self, grace: Duration) -> Vec<Done> {
        self.close(grace);
        self.queue.take_done()
    }

    fn close(&mut self, grace: Duration) {
        let Some(thread) = self.thread.take() else {
            return;
        };
        self.queue.close();
        if self.queue.wait_for_end(Instant::now() + grace) {
            // Panics were caught inside; there is nothing to learn from the result.
            let _ = thread.join();
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.close(DROP_GRACE);
    }
}

#[derive(Clone)]
struct Worker {
    queue: Arc<Queue>,
    transport: Arc<dyn Transport>,
    wake: Arc<dyn Fn() + Send + Sync>,
}

impl Worker {
    fn run(self, runtime: Runtime) {
        let queue = self.queue.clone();
        let _ = catch_unwind(AssertUnwindSafe(|| runtime.block_on(self.start_jobs())));
        // A name server that does not answer holds up nobody.
        runtime.shutdown_background();
        queue.end();
    }

    async fn start_jobs(self) {
        loop {
            match self.queue.next() {
                Next::Start(job) => drop(tokio::spawn(self.clone().call(job))),
                Next::Wait => self.queue.news().await,
                Next::End => return,
            }
        }
    }

    async fn call(self, job: Job) {
        let mut report = Report {
            worker: self,
            id: job.id,
            group: job.group,
            result: Err(CallError::OutcomeUnknown(Unknown {
                cause: Cause::Panic,
                status: None,
            })),
        };
        report.result = report.worker.transport.call(&job.request, job.budget).await;
    }
}

/// Tells a call's result when it is dropped, so that one which panics is told of, too.
struct Report {
    worker: Worker,
    id: i64,
    group: u64,
    result: Result<HttpAnswer, CallError>,
}

impl Drop for Report {
    fn drop(&mut self) {
        let nothing = Err(CallError::NotSent(NotSent::Cancelled));
        let done = Done {
            id: self.id,
            result: std::mem::replace(&mut self.result, nothing),
        };
        self.worker.queue.finish(self.group, done);
        // A waker that panics must not cost the thread.
        let _ = catch_unwind(AssertUnwindSafe(|| (self.worker.wake)()));
    }
}
