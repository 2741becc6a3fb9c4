//! The data keys this backend has unwrapped: in locked memory, until `vault.key` changes.

use std::cell::RefCell;
use std::collections::HashMap;

use token_vault_core::envelope::KeyId;
use token_vault_core::keys::DataKey;

use super::row;
use crate::error::{Error, Result};
use crate::pg::inval::{self, Topic};
use crate::pg::locked::{self, Locked};
use crate::pg::registers;

/// Keys in one piece of locked memory: together below 64 kB, which every process may lock.
const KEYS_IN_CHUNK: usize = 32;
/// More keys than this are unwrapped again and again: those of more than a thousand tenants in one session.
const MAX_CHUNKS: usize = 32;
/// More tenants than this start over.
const MAX_TENANTS: usize = 10_000;

type Chunk = [Option<DataKey>; KEYS_IN_CHUNK];

#[derive(Default)]
struct Keyring {
    generation: u64,
    chunks: Vec<Locked<Chunk>>,
    /// Where in `chunks`, counted through.
    places: HashMap<KeyId, usize>,
    active: HashMap<String, KeyId>,
    tenants: HashMap<KeyId, Option<String>>,
}

thread_local! {
    static KEYRING: RefCell<Keyring> = RefCell::default();
}

/// Calls `work` with a key, which is unwrapped first if it is not here.
pub fn with<R>(id: KeyId, work: impl FnOnce(&DataKey) -> R) -> Result<R> {
    if !current(|keyring| keyring.places.contains_key(&id)) {
        locked::with_clean_stack(|| load(id))?;
    }
    // No invalidation is taken in between: it would forget the key that `load` has just made sure of.
    let outcome = KEYRING.with_borrow(|keyring| work(keyring.get(id)));
    registers::wipe();
    Ok(outcome)
}

fn load(id: KeyId) -> Result<()> {
    let (tenant, key) = row::load(id)?;
    current(|keyring| keyring.put(id, tenant, key))
}

/// The remembered key for new values of `tenant`.
pub fn active(tenant: &str) -> Option<KeyId> {
    current(|keyring| keyring.active.get(tenant).copied())
}

pub fn remember_active(tenant: &str, id: KeyId) {
    KEYRING.with_borrow_mut(|keyring| {
        if keyring.active.len() >= MAX_TENANTS {
            keyring.active.clear();
        }
        keyring.active.insert(tenant.to_owned(), id)
    });
}

/// The remembered tenant of a key; the outer None: not known.
pub fn tenant(id: KeyId) -> Option<Option<String>> {
    current(|keyring| keyring.tenants.get(&id).cloned())
}

pub fn remember_tenant(id: KeyId, tenant: Option<String>) {
    KEYRING.with_borrow_mut(|keyring| {
        if keyring.tenants.len() >= MAX_TENANTS {
            keyring.tenants.clear();
        }
        keyring.tenants.insert(id, tenant)
    });
}

/// Wipes all keys. Called as soon as this process learns that `vault.key` has changed.
pub fn forget() {
    KEYRING.with(|keyring| {
        // Borrowed: then whoever holds it asks for the generation next.
        if let Ok(mut keyring) = keyring.try_borrow_mut() {
            *keyring = Keyring::default();
        }
    });
}

/// Whether the keys in use can't be swapped out; None where there are none.
pub fn is_memory_locked() -> Option<bool> {
    KEYRING.with_borrow(|keyring| keyring.chunks.last().map(Locked::is_locked))
}

/// Looks into the cache, which is empty after any change of `vault.key`.
fn current<R>(look: impl FnOnce(&mut Keyring) -> R) -> R {
    let generation = inval::generation(Topic::Keys);
    KEYRING.with_borrow_mut(|keyring| {
        if keyring.generation != generation {
            *keyring = Keyring {
                generation,
                ..Keyring::default()
            };
            inval::on_change(Topic::Keys, forget);
        }
        look(keyring)
    })
}

impl Keyring {
    fn get(&self, id: KeyId) -> &DataKey {
        let place = self.places[&id];
        self.chunks[place / KEYS_IN_CHUNK][place % KEYS_IN_CHUNK]
            .as_ref()
            .expect("a place that is given out is filled")
    }

    fn put(&mut self, id: KeyId, tenant: Option<String>, key: DataKey) -> Result<()> {
        if self.places.len() == MAX_CHUNKS * KEYS_IN_CHUNK {
            self.chunks.clear();
            self.places.clear();
        }
        let place = self.places.len();
        if place / KEYS_IN_CHUNK == self.chunks.len() {
            let empty = [const { None }; KEYS_IN_CHUNK];
            let chunk = Locked::new(empty).map_err(|problem| Error::NoKeyMemory {
                problem: problem.to_string(),
            })?;
            self.chunks.push(chunk);
        }
        self.chunks[place / KEYS_IN_CHUNK][place % KEYS_IN_CHUNK] = Some(key);
        self.places.insert(id, place);
        self.tenants.insert(id, tenant);
        Ok(())
    }
}
