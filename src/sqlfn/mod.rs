//! The SQL functions: check the arguments and the caller's rights, call, report. `COMMENT ON` in
//! `sql/comments.sql` documents each for its users.

mod access;
mod arguments;
pub(crate) mod audit;
mod client;
mod export;
mod installation;
mod key;
mod provider;
pub mod reencryption;
mod refresh;
mod tenant;
mod token_delete;
mod token_read;
mod token_store;
mod verification;
mod visibility;
