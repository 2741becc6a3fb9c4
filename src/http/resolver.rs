//! Name resolution under the outbound policy.
//!
//! The HTTP library connects to exactly the addresses that come back from here, so the address that was checked is the
//! address that is connected to; odd spellings (`0x7f.1`, `2130706433`) are judged by what they resolve to.
//! Its own resolver would start a thread for every call with a time limit. Ours blocks the calling thread, which is one
//! of the pool's.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;
use ureq::{Error, Timeout};

use crate::policy::Policy;

/// How long an answer is used again. The library asks before every request, also where it has an idle connection.
const REUSE: Duration = Duration::from_secs(5);
/// Names remembered at most.
const MAX_NAMES: usize = 1024;
/// Addresses of one name that are used; the size of the library's own list.
const MAX_ADDRESSES: usize = 16;

type Lookup = dyn Fn(&str) -> io::Result<Vec<SocketAddr>> + Send + Sync;

/// Resolves a host and refuses it unless every one of its addresses is allowed.
pub(crate) struct PolicyResolver {
    policy: Option<Policy>,
    lookup: Box<Lookup>,
    reuse: Duration,
    known: Mutex<HashMap<String, (Instant, ResolvedSocketAddrs)>>,
}

/// Travels through the library's error type to [`classify`](crate::classify).
#[derive(Debug)]
pub(crate) struct Refused(pub(crate) &'static str);

impl PolicyResolver {
    /// Asks the operating system; `policy` is `None` where only the owner's proxy is resolved.
    pub(crate) fn new(policy: Option<Policy>) -> Self {
        Self::with_lookup(policy, |name| name.to_socket_addrs().map(Iterator::collect))
    }

    pub(crate) fn with_lookup(
        policy: Option<Policy>,
        lookup: impl Fn(&str) -> io::Result<Vec<SocketAddr>> + Send + Sync + 'static,
    ) -> Self {
        Self {
            policy,
            lookup: Box::new(lookup),
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

    fn remembered(&self, name: &str) -> Option<ResolvedSocketAddrs> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, addresses) = known.get(name)?;
        (since.elapsed() < self.reuse).then(|| addresses.clone())
    }

    fn remember(&self, name: String, addresses: &ResolvedSocketAddrs) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_NAMES {
            known.clear();
        }
        known.insert(name, (Instant::now(), addresses.clone()));
    }

    fn look_up(&self, name: &str) -> Result<ResolvedSocketAddrs, Error> {
        let found = (self.lookup)(name).map_err(|_| Error::HostNotFound)?;
        if found.is_empty() {
            return Err(Error::HostNotFound);
        }
        // One forbidden address among public ones is an attempt to slip through, not a spare.
        if let Some(policy) = &self.policy
            && let Some(kind) = found.iter().find_map(|a| policy.refuses(a.ip()))
        {
            return Err(Error::Other(Box::new(Refused(kind))));
        }
        let mut addresses = self.empty();
        for address in found.into_iter().take(MAX_ADDRESSES) {
            addresses.push(address);
        }
        Ok(addresses)
    }
}

/// One resolver, and one memory of names, for several agents.
#[derive(Clone, Debug)]
pub(crate) struct SharedResolver(Arc<PolicyResolver>);

impl SharedResolver {
    pub(crate) fn new(resolver: PolicyResolver) -> Self {
        Self(Arc::new(resolver))
    }
}

impl Resolver for SharedResolver {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        self.0.resolve(uri, config, timeout)
    }
}

impl Resolver for PolicyResolver {
    fn resolve(
        &self,
        uri: &Uri,
        _config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let name = host_and_port(uri).ok_or(Error::HostNotFound)?;
        if let Some(addresses) = self.remembered(&name) {
            return Ok(addresses);
        }
        let started = Instant::now();
        let addresses = self.look_up(&name)?;
        if started.elapsed() > *timeout.after {
            return Err(Error::Timeout(Timeout::Resolve));
        }
        self.remember(name, &addresses);
        Ok(addresses)
    }
}

fn host_and_port(uri: &Uri) -> Option<String> {
    let default = match uri.scheme_str()? {
        "https" => 443,
        "http" => 80,
        _ => return None,
    };
    Some(format!(
        "{}:{}",
        uri.host()?,
        uri.port_u16().unwrap_or(default)
    ))
}

impl fmt::Debug for PolicyResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolicyResolver").finish_non_exhaustive()
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl StdError for Refused {}

#[cfg(test)]
#[path = "resolver_tests.rs"]
mod tests;
