//! Connections that wait for their next request.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::connection::Connection;
use crate::target::Target;

/// Below the shortest keep-alive time in common use (5 s: Apache, Node.js). A connection that the server closes while
/// a request is under way leaves that request's outcome unknown, so connections are given up before servers do it.
const MAX_IDLE: Duration = Duration::from_secs(4);

/// Host and port, as [`Target::authority`] writes them.
type Key = String;

/// The idle connections of a client, for each host those that were used last at the end.
pub(crate) struct Idle {
    most: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    connections: HashMap<Key, Vec<(Instant, Connection)>>,
    count: usize,
    is_swept: bool,
}

impl Idle {
    /// Keeps at most so many connections.
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most,
            state: Mutex::default(),
        }
    }

    /// A connection to this target that is ready for a request.
    pub(crate) fn take(&self, target: &Target) -> Option<Connection> {
        let mut state = self.lock();
        loop {
            let (since, connection) = state.connections.get_mut(&target.authority())?.pop()?;
            state.count -= 1;
            if since.elapsed() < MAX_IDLE && connection.is_ready() {
                return Some(connection);
            }
        }
    }

    /// Takes a connection whose answer has been read.
    pub(crate) fn keep(self: &Arc<Self>, target: &Target, connection: Connection) {
        let mut state = self.lock();
        if state.count >= self.most {
            state.give_up_oldest();
        }
        state.count += 1;
        let connections = state.connections.entry(target.authority()).or_default();
        connections.push((Instant::now(), connection));
        if !std::mem::replace(&mut state.is_swept, true) {
            tokio::spawn(self.clone().sweep());
        }
    }

    /// Closes the connections to this target.
    pub(crate) fn forget(&self, target: &Target) {
        let mut state = self.lock();
        let forgotten = state.connections.remove(&target.authority());
        state.count -= forgotten.map_or(0, |connections| connections.len());
    }

    /// Closes connections when their time is over, as long as there are any.
    async fn sweep(self: Arc<Self>) {
        while let Some(next) = self.close_old() {
            sleep_until(next).await;
        }
    }

    /// Returns when the next one is due.
    fn close_old(&self) -> Option<Instant> {
        let mut state = self.lock();
        state.connections.retain(|_, connections| {
            connections.retain(|(since, _)| since.elapsed() < MAX_IDLE);
            !connections.is_empty()
        });
        state.count = state.connections.values().map(Vec::len).sum();
        let oldest = state.oldest();
        state.is_swept = oldest.is_some();
        oldest.map(|(since, _)| since + MAX_IDLE)
    }

    /// No code that can panic runs under the lock, so a poisoned one is still whole.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn oldest(&self) -> Option<(Instant, Key)> {
        let first = |(key, connections): (&Key, &Vec<(Instant, Connection)>)| {
            connections.first().map(|(since, _)| (*since, key.clone()))
        };
        self.connections.iter().filter_map(first).min()
    }

    fn give_up_oldest(&mut self) {
        let Some((_, key)) = self.oldest() else {
            return;
        };
        if let Some(connections) = self.connections.get_mut(&key) {
            connections.remove(0);
            self.count -= 1;
        }
    }
}
