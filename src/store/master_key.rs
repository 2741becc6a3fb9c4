//! Reading and writing the master key file. The key is read when a data key has to be unwrapped, and
//! wiped right after.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use token_vault_core::keys::{self, MasterKey};
use token_vault_core::secret::SecretBytes;

use crate::error::{Error, Result};
use crate::pg::{server, settings};

/// A key file is one line; more is not read.
const MAX_FILE_BYTES: u64 = 4096;
/// Permission bits that let others than the owner read or change the file.
const GROUP_AND_OTHERS: u32 = 0o077;

/// Loads the configured master key.
pub fn load() -> Result<MasterKey> {
    let path = path()?;
    let contents = read(&path).map_err(|problem| unusable(&path, problem))?;
    keys::parse_key_file(contents.expose()).map_err(|error| unusable(&path, error.to_string()))
}

/// Writes a new master key to the configured path, readable by this user only. The file must not exist:
/// an existing key is never overwritten.
pub fn create(key: &MasterKey) -> Result<()> {
    let path = path()?;
    write_new(&path, key).map_err(|error| unusable(&path, error.to_string()))
}

/// Whether the configured file exists, in any shape.
pub fn file_exists() -> Result<bool> {
    Ok(path()?.symlink_metadata().is_ok())
}

/// Whether the configured file lies inside the data directory, where base backups take it along.
pub fn is_in_data_directory(path: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().ok();
    match (real(path), real(&server::data_directory())) {
        (Some(file), Some(directory)) => file.starts_with(directory),
        _ => false,
    }
}

fn path() -> Result<PathBuf> {
    settings::master_key_file().ok_or(Error::MasterKeyNotConfigured)
}

fn unusable(path: &Path, problem: String) -> Error {
    Error::MasterKeyUnusable {
        path: path.display().to_string(),
        problem,
    }
}

fn read(path: &Path) -> std::result::Result<SecretBytes, String> {
    // Looked at before it is opened, because opening a pipe waits for its writer, and again after it.
    check_owner_and_mode(path.metadata())?;
    let file = File::open(path).map_err(|error| error.to_string())?;
    check_owner_and_mode(file.metadata())?;
    let mut contents = Vec::with_capacity(MAX_FILE_BYTES as usize + 1);
    let read = file.take(MAX_FILE_BYTES + 1).read_to_end(&mut contents);
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

fn write_new(path: &Path, key: &MasterKey) -> std::io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(keys::format_key_file(key).expose().as_bytes())?;
    file.sync_all()?;
    // The name must survive a crash as well as the contents: values are sealed with this key from now on.
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    File::open(directory)?.sync_all()
}
