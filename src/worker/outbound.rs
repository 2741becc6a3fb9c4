//! The thread that calls providers, made anew when the settings it depends on change.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::Duration;

use token_vault_http::{Client, Done, Job, Pool, Settings, policy, wake};

use crate::pg::settings;

/// Requests that are prepared for each connection: while results are written, none of them is idle, and many results are
/// written together.
const PREPARED_FOR_EACH: usize = 4;

/// Sends requests and collects results.
pub struct Outbound {
    /// The last one takes new jobs; earlier ones finish theirs.
    pools: Vec<Pool>,
    /// Those that were looked at last.
    settings: Option<SettingsInUse>,
    /// Whether they could be used.
    usable: bool,
    sleeper: wake::Sleeper,
    waker: Arc<wake::Waker>,
}

#[derive(Clone, PartialEq, Eq)]
struct SettingsInUse {
    allowed_networks: String,
    ca_file: Option<std::path::PathBuf>,
    proxy: Option<String>,
    timeout: Duration,
    connections: usize,
}

impl SettingsInUse {
    fn current() -> Self {
        SettingsInUse {
            allowed_networks: settings::allowed_networks(),
            ca_file: settings::ca_file(),
            proxy: settings::proxy(),
            timeout: settings::request_timeout(),
            connections: settings::connections(),
        }
    }
}

impl Outbound {
    /// No thread runs yet: [`Outbound::follow_settings`] starts it.
    pub fn new() -> std::io::Result<Self> {
        let (sleeper, waker) = wake::pair()?;
        Ok(Outbound {
            pools: Vec::new(),
            settings: None,
            usable: false,
            sleeper,
            waker: Arc::new(waker),
        })
    }

    /// Takes over changed settings for the requests from now on; whether there were any. The error says which one can't
    /// be used; nothing new is sent until it has been mended.
    pub fn follow_settings(&mut self) -> Result<bool, String> {
        let settings = SettingsInUse::current();
        if self.settings.as_ref() == Some(&settings) {
            return Ok(false);
        }
        let is_change = self.settings.is_some();
        let pool = pool(&settings, &self.waker);
        self.settings = Some(settings);
        self.usable = pool.is_ok();
        self.pools.push(pool?);
        Ok(is_change)
    }

    /// How many more requests can be taken: sent at once, or as soon as a connection is free.
    pub fn free_places(&self) -> usize {
        let in_flight: usize = self.pools.iter().map(Pool::in_flight).sum();
        match &self.settings {
            Some(settings) if self.usable => {
                (settings.connections * PREPARED_FOR_EACH).saturating_sub(in_flight)
            }
            _ => 0,
        }
    }

    /// How long one request may take.
    pub fn timeout(&self) -> Duration {
        self.settings
            .as_ref()
            .map_or(Duration::ZERO, |settings| settings.timeout)
    }

    /// Queues a request; its result is told by `id`.
    /// Those of one provider never take all connections.
    pub fn submit(&self, id: i64, provider: &str, request: token_vault_core::oauth::TokenRequest) {
        let mut hasher = DefaultHasher::new();
        provider.hash(&mut hasher);
        let job = Job {
            id,
            group: hasher.finish(),
            request,
            budget: self.timeout(),
        };
        self.pools
            .last()
            .expect("free_places was not 0")
            .submit(job);
    }

    /// Takes back those of these requests that are not sent yet.
    pub fn take_back(&self, ids: &HashSet<i64>) -> Vec<i64> {
        self.pools
            .iter()
            .flat_map(|pool| pool.take_back(ids))
            .collect()
    }

    /// All results that are there.
    pub fn drain(&mut self) -> Vec<Done> {
        self.sleeper.clear();
        let done = self.pools.iter().flat_map(Pool::drain).collect();
        let last = self.pools.len().saturating_sub(1);
        let mut place = 0;
        self.pools.retain(|pool| {
            place += 1;
            place > last || pool.in_flight() > 0
        });
        done
    }

    /// Becomes readable when a result is there.
    pub fn socket(&self) -> BorrowedFd<'_> {
        self.sleeper.as_fd()
    }
}

/// One provider that answers slowly must not take every place: a quarter of them is for the others.
pub fn most_for_one_provider() -> u32 {
    let places = settings::connections() * PREPARED_FOR_EACH;
    u32::try_from(places - places / 4).unwrap_or(u32::MAX)
}

fn pool(settings: &SettingsInUse, waker: &Arc<wake::Waker>) -> Result<Pool, String> {
    let client = Client::new(&Settings {
        total_timeout: settings.timeout,
        ca_file: settings.ca_file.clone(),
        proxy: settings.proxy.clone(),
        allowed_networks: policy::parse_networks(&settings.allowed_networks)
            .map_err(|error| error.to_string())?,
        connections: settings.connections,
        ..Settings::default()
    })
    .map_err(|error| error.to_string())?;
    let waker = Arc::clone(waker);
    Pool::new(Arc::new(client), settings.connections, move || waker.wake())
        .map_err(|error| error.to_string())
}
