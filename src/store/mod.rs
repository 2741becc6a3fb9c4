//! The vault's rows and keys: what SQL functions, the encrypted type and the worker share. It speaks SQL
//! through [`crate::pg`] and leaves every decision that needs no database to the core.

pub mod access;
pub mod audit;
pub mod client;
pub mod column;
pub mod disclosure;
pub mod envelope_head;
pub mod event;
pub mod grant;
pub mod installation;
pub mod key_usage;
pub mod keyring;
pub mod limit;
pub mod master_key;
pub mod provider;
pub mod reencryption;
pub mod retirement;
pub mod rotation;
mod rules;
pub mod schedule;
pub mod shred;
pub mod tenant_authority;
pub mod token;
pub mod verification;
pub mod version;
