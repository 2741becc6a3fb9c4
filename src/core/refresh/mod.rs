//! Decisions about refreshing, as pure functions of state, time and a random number.

mod backoff;
mod due;
mod retry_after;
mod verdict;

pub use backoff::{MAX_DELAY_SECONDS, retry_at};
pub use due::refresh_at;
pub use retry_after::{MAX_RETRY_AFTER_SECONDS, parse_retry_after};
pub use verdict::{Verdict, classify};

pub(crate) use verdict::matching_keys;
