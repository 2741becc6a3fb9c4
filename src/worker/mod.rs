//! The processes that refresh tokens, and how sessions ask them.
//!
//! One refresher per database claims what is due and commits the intent ([`claim`]), calls providers from another
//! thread with no transaction open ([`call`]), and writes the answers ([`apply`]). A launcher starts the
//! refreshers when the library is preloaded; without preloading a session starts one for its request.
//! A custodian ([`custodian`]) re-encrypts after a key was rotated.

mod agenda;
mod apply;
mod arrival;
mod audit;
pub mod board;
mod call;
mod claim;
mod clone_guard;
mod credentials;
pub mod custodian;
pub mod custody;
pub mod departure;
pub mod errand;
pub mod launcher;
mod outbound;
pub mod process;
mod refresher;
pub mod request;
pub mod usage;
