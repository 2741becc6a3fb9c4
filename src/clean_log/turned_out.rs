//! Statements that look harmless and have turned out to use the vault: `SELECT my_function('…')`.
//!
//! They are known again by their texts, in this session: the next time already their first log line is clean.

use std::cell::Cell;

use token_vault_core::redact::words::fingerprint;

/// A power of two.
const PLACES: usize = 256;

thread_local! {
    /// The texts' fingerprints; one that comes to the place of another replaces it.
    static SEEN: [Cell<u64>; PLACES] = const { [const { Cell::new(0) }; PLACES] };
}

pub fn remember(text: &[u8]) {
    let fingerprint = fingerprint(text);
    SEEN.with(|seen| seen[fingerprint as usize % PLACES].set(fingerprint));
}

pub fn has(text: &[u8]) -> bool {
    let fingerprint = fingerprint(text);
    SEEN.with(|seen| seen[fingerprint as usize % PLACES].get()) == fingerprint
}
