//! How much may be read, and how much is unusual. Times are arguments.

mod bucket;
mod watch;

pub use bucket::Bucket;
pub use watch::{Unusual, Watch};
