//! The library with fault points says what it is, and the one that is installed has none.

use std::path::Path;

use token_vault_cluster::wait::wait_for;
use token_vault_cluster::{Options, Result};

use crate::provider::{LIMIT, Vault};
use crate::session::sqlstate;

/// Names that only the library with fault points may have in it: of the file that arms one, and of one.
const NAMES: [&str; 2] = ["token_vault.fault", "token_stored"];

fn with_fault_points() -> Result<Vault> {
    Vault::start_with(&Options::new().without_fsync().with_fault_points())
}

fn contains(file: &Path, name: &str) -> Result<bool> {
    let bytes = std::fs::read(file)?;
    Ok(String::from_utf8_lossy(&bytes).contains(name))
}

/// The library that the server of this vault has loaded.
fn library(vault: &mut Vault) -> Result<std::path::PathBuf> {
    let pid: i32 = vault.db.query_one("SELECT pg_backend_pid()", &[])?.get(0);
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps"))?;
    let line = maps.lines().find(|line| line.ends_with("/token_vault.so"));
    let path = line.and_then(|line| line.split_whitespace().last());
    Ok(path.ok_or("the library is not loaded")?.into())
}

fn build_in_status(vault: &mut Vault) -> Result<Option<String>> {
    let query = "SELECT state || ' ' || advice FROM vault.status() WHERE item = 'build'";
    Ok(vault.db.query_opt(query, &[])?.map(|row| row.get(0)))
}

#[test]
fn the_installed_library_has_none() -> Result<()> {
    let mut vault = Vault::start()?;
    let installed = library(&mut vault)?;
    assert_eq!(build_in_status(&mut vault)?, None);
    let mut other = with_fault_points()?;
    let with_points = library(&mut other)?;
    for name in NAMES {
        assert!(
            !contains(&installed, name)?,
            "{name} is in what is installed"
        );
        assert!(
            contains(&with_points, name)?,
            "{name} is the wrong thing to look for"
        );
    }
    Ok(())
}

#[test]
fn a_library_with_fault_points_says_so() -> Result<()> {
    let mut vault = with_fault_points()?;
    let said = build_in_status(&mut vault)?.expect("a line of status()");
    assert!(
        said.contains("fault points") && said.contains("install"),
        "{said}"
    );
    let log = vault.cluster.log()?;
    assert!(log.contains("WARNING:  this build of token_vault has fault points"));
    Ok(())
}

#[test]
fn a_fault_strikes_once_at_the_time_it_was_armed_for() -> Result<()> {
    let mut vault = with_fault_points()?;
    vault.grant("never-armed")?;
    vault.cluster.arm_fault("token_stored:error:3")?;
    vault.grant("alice")?;
    vault.grant("bob")?;
    assert!(!vault.cluster.fault_has_struck());
    let store = "SELECT vault.store_token('acme', 'carol', access_token => 'at', client => 'app')";
    assert_eq!(sqlstate(vault.db.execute(store, &[])), "XX000");
    assert!(vault.cluster.fault_has_struck());
    vault.db.execute(store, &[])?;
    vault.cluster.arm_fault("elsewhere:error")?;
    vault.db.execute(store, &[])?;
    vault.cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn a_paused_process_goes_on_when_it_may_and_can_be_cancelled() -> Result<()> {
    let mut vault = with_fault_points()?;
    let cancel = vault.db.cancel_token();
    let store = |db: &mut postgres::Client, subject: &str| {
        let store = "SELECT vault.store_token('acme', $1, access_token => 'at', client => 'app')";
        db.execute(store, &[&subject]).map(drop)
    };
    let Vault { db, cluster, .. } = &mut vault;
    std::thread::scope(|scope| -> Result<()> {
        cluster.arm_fault("token_stored:pause")?;
        let storing = scope.spawn(|| store(db, "alice").map(|()| sqlstate(store(db, "bob"))));
        cluster.wait_for_fault()?;
        cluster.arm_fault("token_stored:pause")?;
        cluster.wait_for_fault()?;
        cancel.cancel_query(postgres::NoTls)?;
        assert_eq!(storing.join().expect("the session's thread")?, "57014");
        Ok(())
    })
}

#[test]
fn a_killed_session_ends_the_server_which_comes_back() -> Result<()> {
    let mut vault = with_fault_points()?;
    vault.cluster.arm_fault("token_stored:kill")?;
    assert!(vault.grant("alice").is_err());
    vault.db = wait_for("the server", LIMIT, || Ok(vault.session().ok()))?;
    wait_for("no row", LIMIT, || {
        let Ok(mut db) = vault.session() else {
            return Ok(None);
        };
        let count = db.query_one("SELECT count(*) FROM vault.token", &[]);
        Ok(count.ok().filter(|row| row.get::<_, i64>(0) == 0).map(drop))
    })
}
