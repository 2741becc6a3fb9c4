//! Where the vault lives, and how it is.

use pgrx::iter::TableIterator;
use pgrx::{name, pg_extern};

use crate::error::{OrRaise, Result};
use crate::pg::{server, settings, shmem};
use crate::store::access::{self, Privilege};
use crate::store::installation::{self, Standing};
use crate::store::{keyring, master_key};
use crate::worker::{board, request};

#[pg_extern(schema = "vault", volatile, parallel_unsafe)]
fn adopt_installation() {
    let adopt = || -> Result<()> {
        access::require(Privilege::Admin)?;
        installation::adopt();
        request::refresher_wanted();
        Ok(())
    };
    adopt().or_raise();
}

/// One fact, and what to do about it where something is missing.
type Line = (&'static str, String, Option<&'static str>);

#[pg_extern(schema = "vault", volatile, parallel_unsafe)]
#[allow(clippy::type_complexity)]
fn status() -> TableIterator<
    'static,
    (
        name!(item, &'static str),
        name!(state, String),
        name!(advice, Option<&'static str>),
    ),
> {
    access::require(Privilege::Admin).or_raise();
    TableIterator::new([version(), key_file(), key(), home(), refresher()])
}

fn version() -> Line {
    ("version", env!("CARGO_PKG_VERSION").to_owned(), None)
}

fn key_file() -> Line {
    let item = "master key file";
    let Some(path) = settings::master_key_file() else {
        return (
            item,
            "not set".into(),
            Some("set token_vault.master_key_file to a path outside the data directory"),
        );
    };
    let inside = master_key::is_in_data_directory(&path);
    let advice =
        inside.then_some("base backups carry this file: move it out of the data directory");
    (item, path.display().to_string(), advice)
}

fn key() -> Line {
    let item = "master key";
    let Some(wanted) = keyring::wanted_fingerprint() else {
        return (
            item,
            "none".into(),
            Some("create it with SELECT vault.create_master_key()"),
        );
    };
    match keyring::require_key("") {
        Ok(()) => (
            item,
            format!("fingerprint {}", keyring::show_fingerprint(&wanted)),
            None,
        ),
        Err(error) => (
            item,
            error.message(),
            Some("nothing can be read or stored until the right master key is back"),
        ),
    }
}

fn home() -> Line {
    let item = "installation";
    match installation::standing() {
        Standing::Home => (item, "this database is the vault's home".into(), None),
        Standing::New => (item, "no master key has been created yet".into(), None),
        Standing::Copy => (
            item,
            "a copy of another database's vault: nothing is refreshed".into(),
            Some("if the original is gone, take over with SELECT vault.adopt_installation()"),
        ),
    }
}

fn refresher() -> Line {
    let item = "refresher";
    if !settings::refresh_enabled() {
        return (
            item,
            "switched off".into(),
            Some("token_vault.refresh_enabled is off"),
        );
    }
    if server::in_recovery() {
        return (item, "none: this server is a standby".into(), None);
    }
    if !shmem::is_preloaded() {
        return (
            item,
            "on demand".into(),
            Some(
                "add token_vault to shared_preload_libraries: tokens are then refreshed ahead of time, and last use is recorded",
            ),
        );
    }
    match board::running_refresher(server::database()) {
        Some(pid) => (item, format!("running, process {pid}"), None),
        None => {
            board::nudge(server::database());
            (
                item,
                "starting".into(),
                Some("look again in a moment; if it stays so, see the server's log"),
            )
        }
    }
}
