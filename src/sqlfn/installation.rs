//! Where the vault lives, and how it is.

use pgrx::iter::TableIterator;
use pgrx::{name, pg_extern};

use crate::error::{OrRaise, Result};
use crate::pg::{fault, locked, server, settings, shmem};
use crate::store::access::{self, Privilege, Resource};
use crate::store::audit::{self, About};
use crate::store::installation::{self, Standing};
use crate::store::master_key::Source;
use crate::store::{keyring, master_key, reencryption, version};
use crate::worker::{board, request};

#[pg_extern(schema = "vault", volatile, parallel_unsafe)]
fn adopt_installation() {
    let adopt = || -> Result<()> {
        access::require(Privilege::Admin, &Resource::Vault)?;
        installation::adopt();
        audit::changed("installation_adopted", About::VAULT, None);
        request::refresher_wanted();
        Ok(())
    };
    adopt().or_raise();
}

/// One fact, and what to do about it where something is missing.
pub type Line = (&'static str, String, Option<String>);

#[pg_extern(schema = "vault", volatile, parallel_unsafe)]
#[allow(clippy::type_complexity)]
fn status() -> TableIterator<
    'static,
    (
        name!(item, &'static str),
        name!(state, String),
        name!(advice, Option<String>),
    ),
> {
    access::require(Privilege::Admin, &Resource::Vault).or_raise();
    let lines = [key(), data_keys(), key_memory(), home(), refresher()];
    let sources = sources().into_iter();
    let head = std::iter::once(version()).chain(not_for_use());
    TableIterator::new(head.chain(sources).chain(lines).chain(access_rules()))
}

/// A build for tests must not be taken for another.
fn not_for_use() -> Option<Line> {
    let advice = "install a build without fault points".to_owned();
    fault::WARNING.map(|warning| ("build", warning.to_owned(), Some(advice)))
}

fn version() -> Line {
    match version::of_other_objects() {
        None => ("version", version::LIBRARY.to_owned(), None),
        Some(objects) => (
            "version",
            format!("library {}, objects {objects}", version::LIBRARY),
            Some(version::ADVICE.to_owned()),
        ),
    }
}

/// Where the master key comes from, and what is weak there.
fn sources() -> Vec<Line> {
    let sources = master_key::sources();
    if sources.is_empty() {
        return vec![(
            "master key file",
            "not set".into(),
            Some("set token_vault.master_key_file to a path outside the data directory, or token_vault.master_key_command".into()),
        )];
    }
    let weakness = |source: &Source| source.weakness().map(str::to_owned);
    sources
        .iter()
        .map(|source| (source.name, source.describe(), weakness(source)))
        .collect()
}

fn key() -> Line {
    let item = "master key";
    let Some(wanted) = keyring::wanted_fingerprint() else {
        return (
            item,
            "none".into(),
            Some("create it with SELECT vault.create_master_key()".into()),
        );
    };
    match locked::with_clean_stack(|| master_key::with_fingerprint(&wanted).map(drop)) {
        Ok(()) => (
            item,
            format!("fingerprint {}", master_key::show_fingerprint(&wanted)),
            current_differs(&wanted).then(|| {
                "the configured master key is another one: replace the old one with SELECT vault.rotate_master_key()".into()
            }),
        ),
        Err(error) => (
            item,
            error.message(),
            Some(format!(
                "nothing can be read or stored until the master key with fingerprint {} is back",
                master_key::show_fingerprint(&wanted)
            )),
        ),
    }
}

fn current_differs(wanted: &[u8]) -> bool {
    let fingerprint =
        locked::with_clean_stack(|| master_key::current().map(|key| key.fingerprint()));
    fingerprint.is_ok_and(|current| current[..] != *wanted)
}

fn data_keys() -> Line {
    let [active, retired, destroyed] = keyring::row::count_by_state();
    (
        "data keys",
        format!("{active} active, {retired} retired, {destroyed} destroyed"),
        reencryption::advice(),
    )
}

fn key_memory() -> Line {
    let item = "key memory";
    // Whether it can be had shows only with a key in it; why there is none, the line above says.
    let _ = keyring::require_key("");
    match keyring::is_memory_locked() {
        None => (item, "not in use".into(), None),
        Some(true) => (item, "locked, left out of core dumps".into(), None),
        Some(false) => (
            item,
            "left out of core dumps".into(),
            Some("keys may be swapped to disk: raise the server's limit of locked memory (LimitMEMLOCK in systemd)".into()),
        ),
    }
}

fn home() -> Line {
    let item = "installation";
    if let Some(problem) = installation::problem() {
        return (item, problem.state, Some(problem.advice.into()));
    }
    let state = match installation::standing() {
        Standing::New => "no master key has been created yet",
        Standing::Home | Standing::Copy => "this database is the vault's home",
    };
    (item, state.into(), None)
}

/// Rules that have no effect, as after a restore into a cluster with other roles.
fn access_rules() -> Vec<Line> {
    let (missing, closed) = access::ineffective();
    let line = |roles: Vec<String>, problem: &str, advice: &str| {
        let state = format!("{problem}: {}", roles.join(", "));
        (!roles.is_empty()).then(|| ("access rules", state, Some(advice.to_owned())))
    };
    [
        line(
            missing,
            "roles that do not exist",
            "create them and grant again, or revoke their rules with vault.revoke_access()",
        ),
        line(
            closed,
            "roles created after their rules",
            "SELECT vault.grant_access(role, privileges, tenant, provider, subject) FROM vault.access_rules WHERE grants_missing",
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn refresher() -> Line {
    let item = "refresher";
    if !settings::refresh_enabled() {
        return (
            item,
            "switched off".into(),
            Some("token_vault.refresh_enabled is off".into()),
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
                "add token_vault to shared_preload_libraries: tokens are then refreshed ahead of time, and last use is recorded".into(),
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
                Some("look again in a moment; if it stays so, see the server's log".into()),
            )
        }
    }
}
