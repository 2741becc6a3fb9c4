//! Name resolution under the outbound policy.
//!
//! The client connects to exactly the addresses that come back from here, so the address that was checked is the
//! address that is connected to; odd spellings (`0x7f.1`, `2130706433`) are judged by what they resolve to.
//!
//! The operating system's resolver blocks, so it runs on the runtime's threads for that; whoever asks for a name that is
//! being looked up waits for the same answer.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::task::spawn_blocking;

use crate::error::NotSent;
use crate::policy::Policy;

/// How long an answer is used again. Names are resolved before every request, also where there is an idle connection.
const REUSE: Duration = Duration::from_secs(5);
/// Names remembered at most.
const MAX_NAMES: usize = 1024;
/// Addresses of one name that are used.
const MAX_ADDRESSES: usize = 16;

type Addresses = Arc<[SocketAddr]>;
type Lookup = dyn Fn(&str) -> io::Result<Vec<SocketAddr>> + Send + Sync;

/// Resolves a host and refuses it unless every one of its addresses is allowed.
pub(crate) struct PolicyResolver {
    policy: Option<Policy>,
    lookup: Arc<Lookup>,
    reuse: Duration,
    known: Mutex<HashMap<String, Arc<Name>>>,
}

/// What is known of one name.
#[derive(Default)]
struct Name {
    /// Held by whoever looks it up.
    flight: tokio::sync::Mutex<()>,
    last: Mutex<Option<Known>>,
}

#[derive(Clone)]
struct Known {
    asked_at: Instant,
    answered_at: Instant,
    result: Result<Addresses, NotSent>,
}

impl PolicyResolver {
    /// Asks the operating system.
    pub(crate) fn new(policy: Policy) -> Self {
        Self::with_lookup(policy, |name| name.to_socket_addrs().map(Iterator::collect))
    }

    /// The same without a policy.
    pub(crate) fn unrestricted() -> Self {
        Self {
            policy: None,
            ..Self::new(Policy::default())
        }
    }

    /// `lookup` is given host and port, `auth.example.com:443`.
    pub(crate) fn with_lookup(
        policy: Policy,
        lookup: impl Fn(&str) -> io::Result<Vec<SocketAddr>> + Send + Sync + 'static,
    ) -> Self {
        Self {
            policy: Some(policy),
            lookup: Arc::new(lookup),
            reuse: REUSE,
            known: Mutex::default(),
        }
    }

    /// With another time for which an answer is used again.
    #[cfg(test)]
    pub(crate) fn reusing(mut self, reuse: Duration) -> Self {
        self.reuse = reuse;
        self
    }

    /// The addresses of a host.
    pub(crate) async fn resolve(&self, host: &str, port: u16) -> Result<Addresses, NotSent> {
        if let Ok(address) = host.parse::<IpAddr>() {
            return self.check(vec![SocketAddr::new(address, port)]);
        }
        let arrived_at = Instant::now();
        let text = format!("{host}:{port}");
        let name = self.name(&text);
        if let Some(addresses) = name.fresh(self.reuse) {
            return Ok(addresses);
        }
        let _flight = name.flight.lock().await;
        if let Some(result) = name.found_since(arrived_at, self.reuse) {
            return result;
        }
        let asked_at = Instant::now();
        let result = self.look_up(text).await;
        *lock(&name.last) = Some(Known {
            asked_at,
            answered_at: Instant::now(),
            result: result.clone(),
        });
        result
    }

    fn name(&self, text: &str) -> Arc<Name> {
        let mut known = lock(&self.known);
        if let Some(name) = known.get(text) {
            return name.clone();
        }
        if known.len() >= MAX_NAMES {
            known.clear();
        }
        known.entry(text.to_owned()).or_default().clone()
    }

    async fn look_up(&self, text: String) -> Result<Addresses, NotSent> {
        let lookup = self.lookup.clone();
        let found = spawn_blocking(move || lookup(&text)).await;
        let addresses = found.map_err(|_| NotSent::NameResolution)?;
        self.check(addresses.map_err(|_| NotSent::NameResolution)?)
    }

    fn check(&self, mut addresses: Vec<SocketAddr>) -> Result<Addresses, NotSent> {
        if addresses.is_empty() {
            return Err(NotSent::NameResolution);
        }
        // One forbidden address among public ones is an attempt to slip through, not a spare.
        if let Some(policy) = &self.policy
            && let Some(kind) = addresses.iter().find_map(|a| policy.refuses(a.ip()))
        {
            return Err(NotSent::Forbidden(kind));
        }
        addresses.truncate(MAX_ADDRESSES);
        Ok(addresses.into())
    }
}

impl Name {
    /// Addresses that are young enough to be used again.
    fn fresh(&self, reuse: Duration) -> Option<Addresses> {
        let last = lock(&self.last);
        let known = last
            .as_ref()
            .filter(|known| known.asked_at.elapsed() < reuse);
        known?.result.clone().ok()
    }

    /// The same, or what was found out since this time: a failure counts for those who waited for it.
    fn found_since(&self, time: Instant, reuse: Duration) -> Option<Result<Addresses, NotSent>> {
        if let Some(addresses) = self.fresh(reuse) {
            return Some(Ok(addresses));
        }
        let last = lock(&self.last).clone();
        last.filter(|known| known.answered_at >= time)
            .map(|known| known.result)
    }
}

/// No code that can panic runs under these locks, so a poisoned one is still whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[path = "resolver_tests.rs"]
mod tests;
