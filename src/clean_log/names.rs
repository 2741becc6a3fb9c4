//! The names that make a statement sensitive.
//!
//! Those of users' relations and functions are looked up once for each database after a start of the server (where the
//! library is not preloaded: in each session), by the first statement that is analyzed there, and added to when statements
//! define others. They are never taken out again: a name too many costs a few literals in the log.

use std::cell::Cell;
use std::ffi::CStr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use token_vault_core::redact::words::{any_word, hash};

use crate::pg::{catalog, server, shared_set};

/// The schema.
const VAULT: u64 = hash(b"vault");
/// The type, by which definitions may name it without its schema.
const SECRET: u64 = hash(b"secret");
const EXTENSION: &CStr = c"token_vault";

/// Set in a database's names: it has been looked through; it has a vault, or is about to. No words.
const LOOKED_THROUGH: u64 = hash(b"?looked through");
const HAS_VAULT: u64 = hash(b"?has vault");

/// Hashes of the names of functions that take or return a secret.
static FUNCTIONS: OnceLock<Vec<u64>> = OnceLock::new();
/// There are more names than can be kept: every statement counts as sensitive where there is a vault.
static OVERFULL: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// The catalog is being read.
    static IS_LOOKING: Cell<bool> = const { Cell::new(false) };
}

pub fn start(functions: &[&str]) {
    let _ = FUNCTIONS.set(functions.iter().map(|name| hash(name.as_bytes())).collect());
}

/// The number of a name in this database.
fn number(name: u64) -> u64 {
    // The multiplier spreads databases, which have small numbers, over all bits.
    let database = u64::from(server::database().to_u32()).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (name ^ database).wrapping_mul(0xff51_afd7_ed55_8ccd)
}

fn is_noted(name: u64) -> bool {
    shared_set::contains(number(name))
}

fn note(name: u64) {
    if !shared_set::insert(number(name)) {
        OVERFULL.store(true, Ordering::Relaxed);
    }
}

/// Whether texts matter in this database: it has a vault, or nobody has looked yet.
pub fn are_watched() -> bool {
    server::database() != crate::pg::Oid::INVALID
        && (is_noted(HAS_VAULT) || !is_noted(LOOKED_THROUGH))
}

/// Whether one of the names is in a text.
pub fn are_in(text: &[u8]) -> bool {
    let functions = FUNCTIONS.get().map_or(&[][..], Vec::as_slice);
    OVERFULL.load(Ordering::Relaxed)
        || any_word(text, |word| {
            word == VAULT || functions.contains(&word) || is_noted(word)
        })
}

/// Whether a definition may make something sensitive although its text is not.
pub fn may_define(text: &[u8]) -> bool {
    are_watched() && any_word(text, |word| word == SECRET)
}

/// One more name.
pub fn learn(name: &[u8]) {
    note(hash(name));
}

pub fn extension_created(name: &CStr, cascades: bool) {
    if name == EXTENSION || cascades {
        note(HAS_VAULT);
    }
}

/// Looks for names in the catalog, if nobody has in this database. A transaction is open.
pub fn look_around() {
    if is_noted(LOOKED_THROUGH) || IS_LOOKING.get() || !server::can_read_catalog() {
        return;
    }
    let _looking = Looking::begin();
    if catalog::extension_exists() {
        note(HAS_VAULT);
        catalog::relations_of_type(c"secret")
            .iter()
            .for_each(|name| learn(name));
        learn_functions();
    }
    note(LOOKED_THROUGH);
}

/// Functions that mention a name, and those that mention them, and so on.
fn learn_functions() {
    let mut known = 0;
    loop {
        let functions = catalog::functions_with_source(are_in);
        if functions.len() <= known {
            return;
        }
        known = functions.len();
        functions.iter().for_each(|name| learn(name));
    }
}

/// Ends with an error, too.
struct Looking;

impl Looking {
    fn begin() -> Self {
        IS_LOOKING.set(true);
        Looking
    }
}

impl Drop for Looking {
    fn drop(&mut self) {
        IS_LOOKING.set(false);
    }
}
