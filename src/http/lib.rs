//! Blocking HTTPS calls to token endpoints, for a process that cannot run an asynchronous runtime.
//!
//! * [`Transport`] is the one trait the refresh engine sees; [`Client`] is the real one, tests bring their own.
//! * [`Pool`] runs calls on a few threads and wakes its owner, for instance through [`wake`], when answers are there.
//! * [`policy`] decides which addresses may be connected to.
//!
//! A call that fails says whether the provider can have seen it ([`CallError`]): a refresh token may already have been
//! rotated by a request whose answer was lost, so "nothing was sent" is claimed only where it is certain.
//!
//! Request and answer buffers are wiped after use. Copies inside the HTTP and TLS libraries (the parsed URL, header values,
//! a record being decrypted) are freed with the call, but not wiped.
//!
//! Nothing here repeats a request, follows a redirect, reads the environment or starts a thread for a call.

#![forbid(unsafe_code)]

mod body;
mod buffers;
mod classify;
mod client;
mod error;
pub mod policy;
mod pool;
mod resolver;
mod sent;
mod settings;
mod signals;
mod target;
mod tls;
mod transport;
mod trust;
pub mod wake;

pub use client::Client;
pub use error::{CallError, Cause, NotSent, Unknown};
pub use pool::{Done, Job, Pool};
pub use settings::{Settings, SettingsError};
pub use transport::{HttpAnswer, MAX_BODY_BYTES, Transport};
