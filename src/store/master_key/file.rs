//! A master key in a file of the server's own operating system user.

use std::fs::{File, Metadata, OpenOptions, hard_link, remove_file};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use token_vault_core::keys::{self, MasterKey};
use token_vault_core::secret::SecretBytes;

use crate::error::{Error, KeySource, Result};
use crate::pg::server;

/// Permission bits of a folder that let others than its owner add and replace files, and the one that forbids to
/// replace those of somebody else.
const OTHERS_WRITE: u32 = 0o022;
const STICKY: u32 = 0o1000;
/// Permission bits that let others than the owner read or change the file.
const GROUP_AND_OTHERS: u32 = 0o077;

/// Reads the master key from `path`.
pub fn load(path: &Path) -> Result<MasterKey> {
    let contents = read(path).map_err(|problem| unusable(path, problem))?;
    keys::parse_key_file(contents.expose()).map_err(|error| unusable(path, error.to_string()))
}

/// Writes a new master key, readable by this user only. The file must not exist: an existing key is never
/// overwritten.
pub fn create(path: &Path, key: &MasterKey) -> Result<()> {
    write_new(path, key).map_err(|error| unusable(path, error.to_string()))
}

/// Whether there is something at `path`, in any shape.
pub fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// What makes a file less safe than it must or could be.
pub fn weakness(path: &Path) -> Option<&'static str> {
    if path
        .metadata()
        .is_ok_and(|file| file.mode() & GROUP_AND_OTHERS != 0)
    {
        return Some(
            "others may read or change this file, so it is not used: set its mode to 0600",
        );
    }
    if is_in_data_directory(path) {
        return Some("base backups carry this file: move it out of the data directory");
    }
    others_may_replace(path)
        .then_some("others may write to the folder of this file, and so put another key in its place: take that right away")
}

fn is_in_data_directory(path: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().ok();
    match (real(path), real(&server::data_directory())) {
        (Some(file), Some(directory)) => file.starts_with(directory),
        _ => false,
    }
}

fn others_may_replace(path: &Path) -> bool {
    let folder = path
        .canonicalize()
        .ok()
        .and_then(|path| path.parent().map(Path::to_path_buf));
    folder
        .and_then(|folder| folder.metadata().ok())
        .is_some_and(|folder| folder.mode() & OTHERS_WRITE != 0 && folder.mode() & STICKY == 0)
}

fn unusable(path: &Path, problem: String) -> Error {
    Error::MasterKeyUnusable {
        source: KeySource::File(path.display().to_string()),
        problem,
    }
}

fn read(path: &Path) -> std::result::Result<SecretBytes, String> {
    // Looked at before it is opened, because opening a pipe waits for its writer, and again after it.
    check_owner_and_mode(path.metadata())?;
    let file = File::open(path).map_err(|error| error.to_string())?;
    check_owner_and_mode(file.metadata())?;
    let mut contents = Vec::with_capacity(keys::MAX_KEY_FILE + 1);
    let read = file
        .take(keys::MAX_KEY_FILE as u64 + 1)
        .read_to_end(&mut contents);
    let contents = SecretBytes::from_vec(contents);
    read.map_err(|error| error.to_string())?;
    Ok(contents)
}

/// The file belongs to the server's user (who owns the data directory) or to root, and to nobody else.
fn check_owner_and_mode(metadata: std::io::Result<Metadata>) -> std::result::Result<(), String> {
    let metadata = metadata.map_err(|error| error.to_string())?;
    if !metadata.is_file() {
        return Err("it is not a regular file".into());
    }
    if metadata.mode() & GROUP_AND_OTHERS != 0 {
        return Err(format!(
            "others may read or change it (mode {:04o})",
            metadata.mode() & 0o7777
        ));
    }
    let server_user = server::data_directory()
        .metadata()
        .map_err(|error| error.to_string())?
        .uid();
    if metadata.uid() != server_user && metadata.uid() != 0 {
        return Err("it belongs to another operating system user".into());
    }
    Ok(())
}

/// Under another name first: what could not be written whole (a full disk, a crash) must not stand where the key is
/// looked for.
fn write_new(path: &Path, key: &MasterKey) -> std::io::Result<()> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(format!(".{}", server::process_id()));
    let written = write(Path::new(&unfinished), key).and_then(|()| hard_link(&unfinished, path));
    // Of an attempt that failed, nothing stays.
    let removed = remove_file(&unfinished);
    written?;
    removed?;
    // The name must survive a crash as well as the contents: values are sealed with this key from now on.
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    File::open(directory)?.sync_all()
}

fn write(path: &Path, key: &MasterKey) -> std::io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(keys::format_key_file(key).expose().as_bytes())?;
    file.sync_all()
}
