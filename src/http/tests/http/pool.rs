//! The pool: all results come back, and the owner is woken for them.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Barrier, Mutex};
use std::time::{Duration, Instant};

use nix::sys::signal::{SigSet, Signal};
use token_vault_core::oauth::TokenRequest;
use token_vault_core::secret::SecretBytes;
use token_vault_http::{
    CallError, Calling, Cause, Done, HttpAnswer, Job, NotSent, Pool, Transport, Unknown,
};
use tokio::task::spawn_blocking;

use crate::server::{BUDGET, Reply, Server, answer, client, post};

/// A transport made of a function that may block; it finds the job's number in the request's URL.
struct Fake<F>(Arc<F>);

impl<F> Fake<F> {
    fn new(answer: F) -> Arc<Self> {
        Arc::new(Self(Arc::new(answer)))
    }
}

impl<F> Transport for Fake<F>
where
    F: Fn(i64) -> Result<u16, CallError> + Send + Sync + 'static,
{
    fn call<'a>(&'a self, request: &'a TokenRequest, _budget: Duration) -> Calling<'a> {
        let number = request.url.expose().rsplit('/').next().expect("number");
        let number = number.parse().expect("number");
        let answer = self.0.clone();
        Box::pin(async move {
            let answered = spawn_blocking(move || answer(number)).await;
            let status = answered.unwrap_or_else(|panic| resume_unwind(panic.into_panic()))?;
            Ok(HttpAnswer {
                status,
                content_type: None,
                retry_after: None,
                body: SecretBytes::from_vec(vec![]),
            })
        })
    }
}

fn job(id: i64) -> Job {
    Job {
        id,
        group: id.unsigned_abs() % 2,
        request: post(&format!("https://example.com/{id}")),
        budget: BUDGET,
    }
}

/// A pool and the channel in which its wake-ups arrive.
fn pool<F>(most: usize, transport: F) -> (Pool, Receiver<()>)
where
    F: Fn(i64) -> Result<u16, CallError> + Send + Sync + 'static,
{
    let (wake, woken) = mpsc::channel();
    let pool = Pool::new(Fake::new(transport), most, move || {
        let _ = wake.send(());
    });
    (pool.expect("threads"), woken)
}

fn collect(pool: &Pool, woken: &Receiver<()>, count: usize) -> Vec<Done> {
    let mut all = Vec::new();
    while all.len() < count {
        woken.recv_timeout(BUDGET).expect("a wake-up");
        all.extend(pool.drain());
    }
    all.sort_by_key(|done| done.id);
    all
}

#[test]
fn a_hundred_jobs_eight_at_a_time_all_come_back() {
    // The first eight can only go on together, so eight run at once.
    let together = Barrier::new(8);
    let started = AtomicUsize::new(0);
    let (pool, woken) = pool(8, move |id| {
        if started.fetch_add(1, Ordering::SeqCst) < 8 {
            together.wait();
        }
        Ok(u16::try_from(id).expect("small"))
    });
    for id in 0..100 {
        pool.submit(job(id));
    }
    let all = collect(&pool, &woken, 100);
    for (expected, done) in (0..).zip(&all) {
        assert_eq!(done.id, expected);
        assert_eq!(
            i64::from(done.result.as_ref().expect("answer").status),
            expected
        );
    }
    assert_eq!((all.len(), pool.in_flight()), (100, 0));
}

#[test]
fn jobs_of_one_group_leave_room_for_the_others() {
    // Those of group 0 end only when the one of group 1 has.
    let other_has_ended = Arc::new(Barrier::new(4));
    let together = other_has_ended.clone();
    let (pool, woken) = pool(4, move |id| {
        if id < 6 {
            together.wait();
        }
        Ok(u16::try_from(id).expect("small"))
    });
    for id in [0, 2, 4] {
        pool.submit(job(id));
    }
    for id in [6, 8, 11] {
        pool.submit(job(id));
    }
    let first = collect(&pool, &woken, 1);
    assert_eq!(first[0].id, 11);
    other_has_ended.wait();
    let others: Vec<i64> = collect(&pool, &woken, 5)
        .iter()
        .map(|done| done.id)
        .collect();
    assert_eq!(others, [0, 2, 4, 6, 8]);
}

#[test]
fn what_has_not_begun_can_be_taken_back() {
    let together = Arc::new(Barrier::new(2));
    let meeting = together.clone();
    let (pool, woken) = pool(1, move |id| {
        if id == 0 {
            meeting.wait(); // it has begun
            meeting.wait(); // it may end
        }
        Ok(u16::try_from(id).expect("small"))
    });
    pool.submit(job(0));
    together.wait();
    pool.submit(job(1));
    pool.submit(job(2));
    assert_eq!(pool.take_back(&[0, 1, 7].into()), [1]);
    together.wait();
    let ids: Vec<i64> = collect(&pool, &woken, 2)
        .iter()
        .map(|done| done.id)
        .collect();
    assert_eq!((ids, pool.in_flight()), (vec![0, 2], 0));
}

fn all_blocked() -> bool {
    let mask = SigSet::thread_get_mask().expect("own mask");
    let signals = [
        Signal::SIGTERM,
        Signal::SIGINT,
        Signal::SIGHUP,
        Signal::SIGUSR1,
        Signal::SIGALRM,
    ];
    signals.iter().all(|signal| mask.contains(*signal))
}

/// Says how the mask is where calls run, and where names are looked up.
struct Masks;

impl Transport for Masks {
    fn call<'a>(&'a self, _: &'a TokenRequest, _budget: Duration) -> Calling<'a> {
        Box::pin(async {
            let blocking = spawn_blocking(all_blocked).await.expect("no panic");
            Ok(HttpAnswer {
                status: u16::from(all_blocked()) + 2 * u16::from(blocking),
                content_type: None,
                retry_after: None,
                body: SecretBytes::from_vec(vec![]),
            })
        })
    }
}

#[test]
fn signals_are_blocked_in_the_threads_and_nowhere_else() {
    let (wake, woken) = mpsc::channel();
    let pool = Pool::new(Arc::new(Masks), 2, move || {
        wake.send(()).expect("test runs")
    });
    let pool = pool.expect("a thread");
    pool.submit(job(0));
    let done = collect(&pool, &woken, 1);
    assert_eq!(done[0].result.as_ref().expect("answer").status, 3);
    assert!(!all_blocked());
}

#[test]
fn a_panic_is_an_unknown_outcome_and_ends_no_other_call() {
    let (pool, woken) = pool(2, |id| if id < 10 { panic!("job {id}") } else { Ok(200) });
    for id in 0..20 {
        pool.submit(job(id));
    }
    for done in collect(&pool, &woken, 20) {
        match done.id {
            0..10 => {
                let panicked = Unknown {
                    cause: Cause::Panic,
                    status: None,
                };
                assert_eq!(
                    done.result.expect_err("panic"),
                    CallError::OutcomeUnknown(panicked)
                );
            }
            _ => assert_eq!(done.result.expect("answer").status, 200),
        }
    }
}

#[test]
fn a_waker_that_panics_loses_no_result() {
    let (seen, results) = mpsc::channel();
    let fake = Fake::new(move |id| {
        let _ = seen.send(id);
        Ok(200)
    });
    let pool = Pool::new(fake, 1, || panic!("waker")).expect("threads");
    for id in 0..5 {
        pool.submit(job(id));
        assert_eq!(results.recv_timeout(BUDGET), Ok(id));
    }
    assert_eq!(pool.shutdown(BUDGET).len(), 5);
}

#[test]
fn shutdown_waits_for_calls_under_way_and_cancels_the_rest() {
    let (begun, at_work) = mpsc::channel();
    let (release, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let (pool, _woken) = pool(1, move |_| {
        begun.send(()).expect("test runs");
        let released = gate.lock().expect("gate").recv_timeout(BUDGET);
        released.expect("released");
        Ok(200)
    });
    for id in 0..3 {
        pool.submit(job(id));
    }
    at_work.recv_timeout(BUDGET).expect("first call begun");
    assert_eq!(pool.in_flight(), 3);
    release.send(()).expect("thread waits");
    // The second call may begin before the shutdown does; let it end, too.
    release.send(()).expect("thread waits");
    release.send(()).expect("thread waits");
    let mut all = pool.shutdown(BUDGET);
    all.sort_by_key(|done| done.id);
    assert_eq!(
        all.iter().map(|done| done.id).collect::<Vec<_>>(),
        [0, 1, 2]
    );
    assert!(all[0].result.is_ok());
    for done in &all[1..] {
        let cancelled = matches!(done.result, Err(CallError::NotSent(NotSent::Cancelled)));
        assert!(cancelled || done.result.is_ok(), "{done:?}");
    }
}

#[test]
fn shutdown_does_not_wait_longer_than_its_grace() {
    let (begun, at_work) = mpsc::channel();
    let (release, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let (pool, _woken) = pool(1, move |_| {
        begun.send(()).expect("test runs");
        // Ends when the test drops its end.
        let _ = gate.lock().expect("gate").recv_timeout(BUDGET);
        Ok(200)
    });
    for id in 0..3 {
        pool.submit(job(id));
    }
    at_work.recv_timeout(BUDGET).expect("first call begun");
    let started = Instant::now();
    let all = pool.shutdown(Duration::from_millis(50));
    assert!(started.elapsed() < BUDGET / 2);
    assert_eq!(all.iter().map(|done| done.id).collect::<Vec<_>>(), [1, 2]);
    for done in all {
        assert_eq!(
            done.result.expect_err("cancelled"),
            CallError::NotSent(NotSent::Cancelled)
        );
    }
    drop(release);
}

#[test]
fn dropping_an_idle_pool_ends_its_threads() {
    let alive = Arc::new(());
    let held = alive.clone();
    let pool = Pool::new(Fake::new(|_| Ok(200)), 4, move || {
        let _ = &held;
    });
    drop(pool.expect("threads"));
    assert_eq!(
        Arc::strong_count(&alive),
        1,
        "no thread holds the waker any more"
    );
}

#[test]
fn many_calls_share_few_connections() {
    let server = Server::start(|_| Reply::Keep(answer("200 OK", "", "{}")));
    let (wake, woken) = mpsc::channel();
    let pool = Pool::new(Arc::new(client()), 8, move || {
        let _ = wake.send(());
    });
    let pool = pool.expect("threads");
    for id in 0..200 {
        pool.submit(Job {
            id,
            group: 0,
            request: post(&server.url()),
            budget: BUDGET,
        });
    }
    let all = collect(&pool, &woken, 200);
    assert!(
        all.iter()
            .all(|done| done.result.as_ref().is_ok_and(|a| a.status == 200))
    );
    assert!(server.accepted() <= 8, "{} connections", server.accepted());
    assert_eq!(server.requests().len(), 200);
}
