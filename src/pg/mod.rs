//! The PostgreSQL edge: one small safe wrapper for each of the server's facilities, and the only home
//! of `unsafe` and `pg_sys`. Nothing here knows what a token is.
#![allow(unsafe_code)]

pub mod allocator;
pub mod background;
pub mod catalog;
pub mod cleaned;
pub mod connection;
pub mod exit;
pub mod fault;
pub mod head;
pub mod heap;
pub mod index_scan;
pub mod inval;
pub mod jsonb;
pub mod latch;
pub mod lock;
pub mod locked;
pub mod log;
pub mod malloc;
pub mod procedure;
pub mod random;
pub mod registers;
pub mod report;
pub mod role;
pub mod row_lock;
pub mod secret_datum;
pub mod server;
pub mod settings;
pub mod shared_bytes;
pub mod shared_set;
pub mod shmem;
pub mod snapshot;
pub mod spi;
pub mod startup;
pub mod statement;
pub mod tenant;
pub mod tid;
pub mod time;
pub mod transaction;
pub mod undone;
pub mod utility;
mod version;

/// The number the server knows an object by.
pub use pgrx::pg_sys::Oid;
