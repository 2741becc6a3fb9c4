//! What all connections share.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::behaviour::Queue;
use crate::journal::Journal;
use crate::store::Store;
use crate::wire::Guard;

pub(crate) struct App {
    pub issuer: String,
    /// Keep journal and secrets, see [`crate::Config::record`].
    pub record: bool,
    pub journal: Journal,
    pub behaviours: Queue,
    store: Mutex<Store>,
    token_requests: AtomicU64,
    in_flight: AtomicU32,
}

impl App {
    pub(crate) fn new(issuer: String, record: bool, store: Store) -> Self {
        Self {
            issuer,
            record,
            journal: Journal::default(),
            behaviours: Queue::default(),
            store: Mutex::new(store),
            token_requests: AtomicU64::new(0),
            in_flight: AtomicU32::new(0),
        }
    }

    /// The clients and everything issued to them. Nothing waits while it is held; the journal may be written.
    pub(crate) fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn token_requests(&self) -> u64 {
        self.token_requests.load(Ordering::Relaxed)
    }
}

/// A token request that is being answered, from its arrival until its answer is out.
pub(crate) struct InFlight {
    app: Arc<App>,
    /// How many there were with this one.
    pub concurrent: u32,
    /// The request's place in the journal.
    pub entry: Option<u64>,
}

impl InFlight {
    pub(crate) fn arrive(app: &Arc<App>) -> Self {
        app.token_requests.fetch_add(1, Ordering::Relaxed);
        let concurrent = app.in_flight.fetch_add(1, Ordering::Relaxed) + 1;
        Self {
            app: Arc::clone(app),
            concurrent,
            entry: None,
        }
    }
}

impl Guard for Option<InFlight> {
    fn delivered(&self) {
        if let Some(in_flight) = self
            && let Some(entry) = in_flight.entry
        {
            in_flight.app.journal.delivered(entry);
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.app.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
