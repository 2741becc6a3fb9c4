//! Decisions about refreshing, as pure functions of state, time and a random number.

mod backoff;
mod due;
mod gate;
mod gates;
mod policy;
mod queue;
mod retry_after;
mod verdict;

pub use backoff::{MAX_DELAY_SECONDS, retry_at};
pub use due::{Due, Times, due, keep_alive_at};
pub use gate::{Limits, Room};
pub use gates::{Closed, Gates, Report, Way, limits, limits_of};
pub use policy::RefreshPolicy;
pub use queue::{LaneId, Queue, Share};
pub use retry_after::{MAX_RETRY_AFTER_SECONDS, parse_retry_after};
pub use verdict::{Verdict, classify};

pub(crate) use verdict::matching_keys;
