//! Where the master key comes from. It is loaded when a data key has to be wrapped or unwrapped, and wiped right after.
//!
//! Several sources may be configured while the master key is being replaced. The first one is the *current* one, which
//! `rotate_master_key` wraps with; the others are asked for what it does not open.

mod cache;
mod command;
mod file;

use std::path::PathBuf;

use token_vault_core::keys::{FINGERPRINT_LEN, MasterKey};

use crate::error::{Error, Result};
use crate::pg::{random, settings, shmem};

pub use cache::{CACHE, Cache, forget_commands, prepare};

/// One configured place of a master key.
#[derive(Clone, PartialEq, Eq)]
pub struct Source {
    /// The setting without its prefix, for people.
    pub name: &'static str,
    kind: Kind,
}

#[derive(Clone, PartialEq, Eq)]
enum Kind {
    Command(String),
    File(PathBuf),
}

/// All configured sources, the current one first.
pub fn sources() -> Vec<Source> {
    let command = |name, command: Option<String>| {
        command.map(|command| Source {
            name,
            kind: Kind::Command(command),
        })
    };
    let file = |name, path: Option<PathBuf>| {
        path.map(|path| Source {
            name,
            kind: Kind::File(path),
        })
    };
    [
        command("master key command", settings::master_key_command()),
        file("master key file", settings::master_key_file()),
        command(
            "previous master key command",
            settings::previous_master_key_command(),
        ),
        file(
            "previous master key file",
            settings::previous_master_key_file(),
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The current source's key, as it is now.
pub fn current() -> Result<MasterKey> {
    current_source()?.load()
}

/// The current source's key; where it is a file that does not exist, a new key is made and written there. A file that
/// is there was put there on purpose, by configuration management or by an earlier call whose transaction was rolled
/// back: its key is used, and it is never overwritten.
pub fn current_or_new() -> Result<MasterKey> {
    let source = current_source()?;
    match &source.kind {
        Kind::File(path) if !file::exists(path) => {
            let key = MasterKey::from_bytes(random::bytes());
            file::create(path, &key)?;
            Ok(key)
        }
        _ => source.load(),
    }
}

/// The master key with this fingerprint, from whichever source has it.
pub fn with_fingerprint(wanted: &[u8; FINGERPRINT_LEN]) -> Result<MasterKey> {
    let sources = sources();
    if sources.is_empty() {
        return Err(Error::MasterKeyNotConfigured);
    }
    let kept = sources.iter().filter_map(Source::kept);
    if let Some(key) = kept.into_iter().find(|key| key.fingerprint() == *wanted) {
        return Ok(key);
    }
    // A file is read in no time; a command may ask a machine far away.
    let mut order: Vec<usize> = (0..sources.len()).collect();
    order.sort_by_key(|place| !sources[*place].is_file());
    let mut results: Vec<Option<Result<MasterKey>>> = sources.iter().map(|_| None).collect();
    for place in order {
        match sources[place].load() {
            Ok(key) if key.fingerprint() == *wanted => return Ok(key),
            result => results[place] = Some(result),
        }
    }
    Err(not_found(results.into_iter().flatten(), wanted))
}

/// Why no source has the key: what is wrong with the first of them.
fn not_found(results: impl Iterator<Item = Result<MasterKey>>, wanted: &[u8]) -> Error {
    let mut found = Vec::new();
    let mut failed = None;
    for result in results {
        match result {
            Ok(key) => found.push(show_fingerprint(&key.fingerprint())),
            Err(failure) if found.is_empty() => return failure,
            Err(failure) => failed = Some(failure.message()),
        }
    }
    Error::WrongMasterKey {
        found: found.join(" and "),
        wanted: show_fingerprint(wanted),
        failed,
    }
}

/// Fingerprints are shown as hex everywhere.
pub fn show_fingerprint(fingerprint: &[u8]) -> String {
    fingerprint
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn current_source() -> Result<Source> {
    sources()
        .into_iter()
        .next()
        .ok_or(Error::MasterKeyNotConfigured)
}

impl Source {
    /// The key as it is now: reads the file, runs the command.
    pub fn load(&self) -> Result<MasterKey> {
        match &self.kind {
            Kind::File(path) => file::load(path),
            Kind::Command(command) => cache::run(command),
        }
    }

    /// The key that this source gave another session of this server, where that is remembered.
    fn kept(&self) -> Option<MasterKey> {
        match &self.kind {
            Kind::File(_) => None,
            Kind::Command(command) => cache::kept(command),
        }
    }

    fn is_file(&self) -> bool {
        matches!(self.kind, Kind::File(_))
    }

    /// Where the key comes from, for an administrator.
    pub fn describe(&self) -> String {
        match &self.kind {
            Kind::File(path) => path.display().to_string(),
            Kind::Command(_) => "set".to_owned(),
        }
    }

    /// What makes the source less safe than it could be.
    pub fn weakness(&self) -> Option<&'static str> {
        match &self.kind {
            Kind::File(path) => file::weakness(path),
            Kind::Command(_) if !shmem::is_preloaded() => Some(
                "every session runs this command: with token_vault in shared_preload_libraries, it is run once after a start or reload",
            ),
            Kind::Command(_) => None,
        }
    }
}
