//! What the token and revocation endpoints were asked and what they did, for assertions. No secret is in it.

use std::fmt;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Serialize, Serializer};

use crate::behaviour::Behaviour;
use crate::client_auth::AuthMethod;

/// One request to the token or revocation endpoint. It is written when the request has been decided, before the answer
/// goes out.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// Position in the journal, from 0.
    pub seq: u64,
    /// Seconds since 1970 in JSON.
    #[serde(serialize_with = "unix_seconds")]
    pub at: SystemTime,
    pub endpoint: Endpoint,
    /// The client the request named, verified or not.
    pub client_id: Option<String>,
    pub auth_method: Option<AuthMethod>,
    /// Which of the client's secrets was presented, counted from 0.
    pub secret_index: Option<usize>,
    pub grant_type: Option<String>,
    /// Handle of the refresh token in the request: equal for equal tokens, and not a part of one.
    pub refresh_token_id: Option<String>,
    /// Handle of the refresh token in the answer.
    pub new_refresh_token_id: Option<String>,
    /// The grant: all tokens that descend from one authorization.
    pub family: Option<u64>,
    pub outcome: Outcome,
    /// The error code of RFC 6749 §5.2, for refused requests.
    pub error: Option<String>,
    /// How often the grant's refresh token had been rotated before the request.
    pub generation_before: Option<u32>,
    /// The same after the request.
    pub generation_after: Option<u32>,
    /// Number of the connection; equal for requests over one kept-alive connection.
    pub connection: u64,
    /// Token requests being answered when this one arrived, itself included.
    pub concurrent: u32,
    /// The misbehaviour that was applied.
    pub behaviour: Option<Behaviour>,
    /// When the answer was handed to the connection. `None`: not yet, the client has gone, or the connection was cut on
    /// purpose. Seconds since 1970 in JSON.
    #[serde(serialize_with = "optional_unix_seconds")]
    pub delivered_at: Option<SystemTime>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    Token,
    Revocation,
}

/// What a request did to the server's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A code was exchanged: a new grant.
    Issued,
    /// A new access token; the refresh token stays.
    Refreshed,
    /// A new access token and a new refresh token.
    Rotated,
    /// A spent refresh token inside the leeway: the same pair again.
    Repeated,
    /// A spent refresh token or code outside the leeway: the whole grant is revoked.
    ReuseDetected,
    /// A token was revoked at the client's wish.
    Revoked,
    /// Nothing changed.
    Refused,
    /// A misbehaviour answered instead of the server.
    NotProcessed,
}

/// The journal did not come to what was waited for; holds what was in it at the end.
#[derive(Debug)]
pub struct WaitTimeout(pub Vec<Entry>);

impl fmt::Display for WaitTimeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the expected requests did not arrive in time; {} others did",
            self.0.len()
        )
    }
}

impl std::error::Error for WaitTimeout {}

/// The entries so far, and a bell that rings at each new one.
#[derive(Default)]
pub(crate) struct Journal {
    entries: Mutex<Vec<Entry>>,
    added: Condvar,
}

impl Journal {
    /// Appends; sets the entry's number, which it returns, and time.
    pub(crate) fn add(&self, mut entry: Entry) -> u64 {
        let mut entries = self.lock();
        let seq = entries.len() as u64;
        entry.seq = seq;
        entry.at = SystemTime::now();
        entries.push(entry);
        drop(entries);
        self.added.notify_all();
        seq
    }

    /// Notes that the answer to a request has been handed to the connection.
    pub(crate) fn delivered(&self, seq: u64) {
        if let Some(entry) = self.lock().get_mut(seq as usize) {
            entry.delivered_at = Some(SystemTime::now());
        }
        self.added.notify_all();
    }

    pub(crate) fn since(&self, seq: usize) -> Vec<Entry> {
        self.lock().get(seq..).unwrap_or_default().to_vec()
    }

    /// Blocks until `predicate` holds, at most for `timeout`; the predicate sees the whole journal.
    pub(crate) fn wait_for(
        &self,
        mut predicate: impl FnMut(&[Entry]) -> bool,
        timeout: Duration,
    ) -> Result<Vec<Entry>, WaitTimeout> {
        let deadline = Instant::now() + timeout;
        let mut entries = self.lock();
        while !predicate(&entries) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(WaitTimeout(entries.clone()));
            }
            entries = self
                .added
                .wait_timeout(entries, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        Ok(entries.clone())
    }

    /// A predicate that panics in a test must not take the server down with it.
    fn lock(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn optional_unix_seconds<S: Serializer>(
    at: &Option<SystemTime>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => unix_seconds(at, serializer),
        None => serializer.serialize_none(),
    }
}

fn unix_seconds<S: Serializer>(at: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    let since_epoch = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    serializer.serialize_f64(since_epoch.as_secs_f64())
}
