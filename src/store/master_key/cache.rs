//! What master key commands have printed, for the other sessions of this server: a KMS is asked once after a start or
//! a reload, not by every connection.
//!
//! The keys lie in shared memory, encrypted. The key to them is made by the postmaster when it preloads the library;
//! every process inherits it in memory of its own. Without preloading, each session runs the command.

use std::sync::OnceLock;

use token_vault_core::envelope::CipherKey;
use token_vault_core::keys::{HIDDEN_LEN, MasterKey};

use super::command;
use crate::error::{Error, KeySource, Result};
use crate::pg::locked::{self, Locked};
use crate::pg::shmem::SharedState;
use crate::pg::{lock, random, settings, shmem};

/// The command in use, the previous one, and one more while they are being changed.
const PLACES: usize = 4;

/// Encrypted keys of the commands run last.
pub static CACHE: SharedState<Cache> = SharedState::new(c"token_vault master keys");

#[derive(Clone, Copy)]
pub struct Cache {
    next: usize,
    hidden: [[u8; HIDDEN_LEN]; PLACES],
}

impl Cache {
    pub const EMPTY: Cache = Cache {
        next: 0,
        hidden: [[0; HIDDEN_LEN]; PLACES],
    };
}

/// Inherited by every process of the server.
static CIPHER: OnceLock<Locked<CipherKey>> = OnceLock::new();

/// Makes the key of the cache; called by the postmaster before it forks.
pub fn prepare() {
    // Without such memory nothing is kept: every session runs the command.
    let _ = locked::with_clean_stack(|| {
        let key = zeroize::Zeroizing::new(random::bytes());
        let cipher = Locked::new(CipherKey::new(&key)).map_err(drop)?;
        CIPHER.set(cipher).map_err(drop)
    });
}

/// The key that `source` has printed since the server's start or its last reload.
pub fn kept(source: &str) -> Option<MasterKey> {
    let cipher = CIPHER.get()?;
    let hidden = CACHE.with(|cache| cache.hidden)?;
    hidden
        .iter()
        .find_map(|hidden| MasterKey::reveal(cipher, source, hidden).ok())
}

/// Forgets what commands have printed: they are run again when a key is needed.
pub fn forget_commands() {
    CACHE.with(|cache| *cache = Cache::EMPTY);
}

/// Runs the command, one process of the server at a time: whoever has waited finds the key here.
pub fn run(source: &str) -> Result<MasterKey> {
    let before = kept(source).map(|key| key.fingerprint());
    let _turn = Turn::take();
    // Somebody else may have run it while this process waited for its turn.
    if let Some(key) = kept(source)
        && before != Some(key.fingerprint())
    {
        return Ok(key);
    }
    let key = command::run(source, settings::master_key_timeout()).map_err(|problem| {
        Error::MasterKeyUnusable {
            source: KeySource::Command,
            problem,
        }
    })?;
    keep(source, &key);
    Ok(key)
}

fn keep(source: &str, key: &MasterKey) {
    let Some(cipher) = CIPHER.get() else { return };
    let Some(cache) = CACHE.with(|cache| *cache) else {
        return;
    };
    let earlier =
        (cache.hidden.iter()).position(|hidden| MasterKey::reveal(cipher, source, hidden).is_ok());
    let place = earlier.unwrap_or((cache.next + 1) % PLACES);
    let hidden = key.hide(cipher, source, &random::bytes());
    CACHE.with(|cache| {
        cache.hidden[place].copy_from_slice(&hidden);
        cache.next = place;
    });
}

/// This process's turn to run commands.
struct Turn(bool);

impl Turn {
    fn take() -> Turn {
        if shmem::is_preloaded() {
            lock::one_in_cluster();
        }
        Turn(shmem::is_preloaded())
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // When an error unwinds through here, the transaction's abort gives the lock back.
        if self.0 && !std::thread::panicking() {
            lock::let_others_go_on();
        }
    }
}
