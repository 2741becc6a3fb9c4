//! The pure core of `token_vault`: everything that can be decided without PostgreSQL, a network, a clock, a thread or
//! a random source. Nonces, the present time and random numbers are arguments.
//!
//! * [`access`] — what a rule of access reaches: patterns over tenant, provider and subject
//! * [`secret`] — types whose plaintext cannot be formatted and is wiped on drop
//! * [`envelope`] — one encrypted value: cipher, binary and text form, what it is bound to
//! * [`column`] — what is sealed for a value of type `vault.secret`
//! * [`installation`] — whether the vault's data is where it was, or a copy
//! * [`keys`] — master key and data keys
//! * [`oauth`] — a provider's quirks as data, token requests, token answers
//! * [`redact`] — taking secrets out of what a server is about to log
//! * [`refresh`] — when to refresh, when to try again, what a failure means
//! * [`tenant_proof`] — signed proofs that a session may act for a tenant
//!
//! Times are `i64` microseconds since the Unix epoch unless a name says `seconds`.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod access;
pub mod column;
pub mod envelope;
pub mod installation;
pub mod keys;
pub mod oauth;
pub mod redact;
pub mod refresh;
pub mod secret;
pub mod tenant_proof;
