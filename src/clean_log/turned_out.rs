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
    /// Most sessions never see one, and have no text to look up.
    static HAS_SEEN_ANY: Cell<bool> = const { Cell::new(false) };
}

pub fn remember(text: &[u8]) {
    let fingerprint = fingerprint(text);
    SEEN.with(|seen| seen[fingerprint as usize % PLACES].set(fingerprint));
    HAS_SEEN_ANY.set(true);
}

pub fn has(text: &[u8]) -> bool {
    if !HAS_SEEN_ANY.get() {
        return false;
    }
    let fingerprint = fingerprint(text);
    SEEN.with(|seen| seen[fingerprint as usize % PLACES].get()) == fingerprint
}
