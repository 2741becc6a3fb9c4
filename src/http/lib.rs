//! HTTPS calls to token endpoints, made on one thread of their own for a process that must not wait for them.
//!
//! * [`Transport`] is the one trait the refresh engine sees; [`Client`] is the real one, tests bring their own.
//! * [`Pool`] runs many calls at once on its thread and wakes its owner, for instance through [`wake`], when answers are
//!   there.
//! * [`policy`] decides which addresses may be connected to.
//!
//! A call that fails says whether the provider can have seen it ([`CallError`]): a refresh token may already have been
//! rotated by a request whose answer was lost, so "nothing was sent" is claimed only where it is certain.
//!
//! The pieces, in the order in which a request passes them: `pool` → `client` → `target` (what the URL shows) → `resolver`
//! (what the name resolves to) → `idle` (a connection that is there), or `network`/`proxy` → `tls` (a new one) →
//! `connection` → `body`.
//!
//! Request and answer bodies are wiped after use. Copies inside the HTTP and TLS libraries (the parsed URL, header values,
//! the buffers of a connection) are freed with the call or the connection; the extension's allocator wipes what is freed.
//!
//! Nothing here repeats a request, follows a redirect or reads the environment.
//!
//! One thread that waits for all sockets costs less than a thread for each call: with 32 threads the switches between
//! them were two thirds of a request's processor time.

#![forbid(unsafe_code)]

mod body;
mod classify;
mod client;
mod connection;
mod error;
mod idle;
mod network;
pub mod policy;
mod pool;
mod proxy;
mod resolver;
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
pub use transport::{Calling, HttpAnswer, MAX_BODY_BYTES, Transport};
