//! Throwaway PostgreSQL clusters with the installed extension, for the cluster tests, the demo and the
//! benchmark: a real server that is started, crashed, restarted, promoted, dumped and searched.
//!
//! * [`Cluster`]: one server in a directory of its own; [`Options`] says how it is set up.
//! * [`canary`]: looks for secrets in every file of a directory, in every form a leak could have.
//! * [`wait`]: waiting for what another process does, bounded in time.
//!
//! Nothing here knows Rust types of the extension: it is used the way any application uses it.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod canary;
mod cluster;
mod control;
mod core_dump;
mod error;
mod fault;
mod installation;
mod log;
mod options;
mod pooler;
mod relocated;
mod server_user;
mod tools;
mod upgrade;
mod vault;
pub mod wait;
mod watchdog;

pub use cluster::Cluster;
pub use control::{StopMode, wait_for_end};
pub use core_dump::Memory;
pub use error::{Error, Result, explain};
pub use options::Options;
pub use pooler::Pooler;
pub use upgrade::Transfer;
