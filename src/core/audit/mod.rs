//! The audit log: what an entry says, and the chain of codes (HMAC) that ties every entry to the one before it.
//!
//! The chain is checked with the key it was made with: whoever has the rows and not the key can't forge one. What the rows
//! alone can't show is that the last ones were cut off together with the head; for that, a head that was kept elsewhere is
//! compared.

mod batch;
mod chain;
mod entry;

pub use batch::Batch;
pub use chain::{
    BEGINNING, Finding, MAC_LEN, Mac, Walk, batch_message, cut_message, entry_message, parse_mac,
    show_mac,
};
pub use entry::{BadEntry, Entry};
