//! No key is in a core dump: neither a master key nor a data key, nor what is derived from them, whole or half, of any
//! process that has used them.

use std::collections::BTreeMap;
use std::fs;

use postgres::Client;
use token_vault_cluster::canary::Search;
use token_vault_cluster::{Cluster, Memory, Options, Result};

use crate::key_material::{Key, KeyMaterial};
use crate::keys::{key_in, let_a_command_print_it, master_key, pid, set};
use crate::master_key::session;
use crate::provider::Vault;
use crate::session::refresh_token;

/// Every process that is looked into has this in its memory: a search that does not even find that has searched
/// nothing.
const CONTROL: &str = "core-dump-control";

/// What is done with keys, each in a session of its own.
const ACTIONS: [&str; 11] = [
    "SELECT vault.get_token('acme', 'core-dump-control')",
    "SELECT vault.store_token('acme', 'bob', access_token => 'at-2', expires_in => 3600)",
    "SELECT vault.reveal(key) FROM webhook",
    "INSERT INTO webhook VALUES ('whsec-2'::text)",
    "SELECT vault.register_client('app', provider => 'acme', client_id => 'app', client_secret => 'cs-1')",
    "SELECT vault.create_tenant_key('initech')",
    "SELECT vault.create_tenant_key('globex')",
    "SELECT vault.rotate_key()",
    "SELECT vault.rotate_key('globex')",
    "SELECT vault.create_master_key()",
    "SELECT * FROM vault.status()",
];

/// A small server: its shared memory is in every core dump.
fn options() -> Options {
    Options::new().without_fsync().set("shared_buffers", "1MB")
}

/// A vault with something of every kind in it, and its master key.
fn vault(options: &Options) -> Result<(Cluster, Key)> {
    let cluster = Cluster::start_new(options)?;
    let mut db = cluster.create_vault("app")?;
    db.batch_execute(
        "SELECT vault.register_provider('acme', token_endpoint => 'https://acme.example/token');
         SELECT vault.store_token('acme', 'core-dump-control', access_token => 'at-1', expires_in => 3600);
         SELECT vault.create_tenant_key('globex');
         CREATE TABLE webhook (key vault.secret);
         INSERT INTO webhook VALUES ('whsec-1'::text)",
    )?;
    let key = master_key(&cluster)?;
    Ok((cluster, key))
}

/// A session in whose memory the control is.
fn controlled_session(cluster: &Cluster) -> Result<Client> {
    let mut db = session(cluster)?;
    // A setting's value stays; what is freed is overwritten by a server with assertions.
    db.batch_execute(&format!("SET core_dump.control = '{CONTROL}'"))?;
    Ok(db)
}

/// What of `material` is in the memory of a process, and how often.
fn found(
    cluster: &Cluster,
    pid: i32,
    material: &KeyMaterial,
    memory: Memory,
) -> Result<Vec<String>> {
    let core = cluster.core_dump(pid, memory)?;
    let control = Search::new([CONTROL])?.run(&core)?;
    assert!(!control.findings.is_empty(), "this is no core dump of it");
    let report = material.search()?.run(&core)?;
    fs::remove_file(&core)?;
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for finding in &report.findings {
        *places.entry(material.describe(finding)).or_default() += 1;
    }
    Ok(places
        .into_iter()
        .map(|(name, count)| format!("{name}, {count} times"))
        .collect())
}

/// What of `material`, and of what the process keeps in protected memory, is anywhere else in its memory.
fn leaks(cluster: &Cluster, pid: i32, material: &KeyMaterial) -> Result<Vec<String>> {
    let mut all = material.clone();
    all.add_protected(&cluster.protected_memory(pid)?);
    found(cluster, pid, &all, Memory::Dumpable)
}

/// Runs each action in a session of its own and looks for all keys in that session's memory.
fn assert_actions_leave_no_keys(cluster: &Cluster, master_key: &Key) -> Result<()> {
    let mut sessions = Vec::new();
    for action in ACTIONS {
        let mut db = controlled_session(cluster)?;
        let pid = pid(&mut db)?;
        // Some fail: keys must not stay then, either.
        let _ = db.query(action, &[]);
        sessions.push((action, pid, db));
    }
    let material = KeyMaterial::of_vault(&mut session(cluster)?, master_key)?;
    let mut all = Vec::new();
    for (action, pid, _db) in &sessions {
        let leaks = leaks(cluster, *pid, &material)?;
        all.extend(leaks.iter().map(|leak| format!("{action}: {leak}")));
    }
    assert!(all.is_empty(), "keys in memory:\n{}", all.join("\n"));
    Ok(())
}

#[test]
fn the_search_knows_keys_when_it_sees_them() -> Result<()> {
    let (cluster, key) = vault(&options())?;
    let mut db = session(&cluster)?;
    db.query(ACTIONS[0], &[])?;
    let pid = pid(&mut db)?;
    assert!(!cluster.protected_memory(pid)?.is_empty());
    let material = KeyMaterial::of_vault(&mut session(&cluster)?, &key)?;
    let places = found(&cluster, pid, &material, Memory::Everything)?.join("\n");
    for expected in ["seal, round key 0", "seal, round key 14"] {
        assert!(places.contains(expected), "{expected}: {places}");
    }
    Ok(())
}

#[test]
fn sessions_with_a_file() -> Result<()> {
    let (cluster, key) = vault(&options())?;
    assert_actions_leave_no_keys(&cluster, &key)
}

#[test]
fn sessions_with_a_command() -> Result<()> {
    let (cluster, key) = vault(&options())?;
    let_a_command_print_it(&cluster)?;
    assert_actions_leave_no_keys(&cluster, &key)
}

#[test]
fn sessions_with_a_command_without_preloading() -> Result<()> {
    let (cluster, key) = vault(&options().not_preloaded())?;
    let_a_command_print_it(&cluster)?;
    assert_actions_leave_no_keys(&cluster, &key)
}

#[test]
fn a_session_that_has_replaced_the_master_key() -> Result<()> {
    let (cluster, old) = vault(&options())?;
    let file = cluster.directory().join("new.key");
    set(
        &cluster,
        "token_vault.previous_master_key_file",
        &cluster.master_key_file().to_string_lossy(),
    )?;
    set(
        &cluster,
        "token_vault.master_key_file",
        &file.to_string_lossy(),
    )?;
    let mut db = controlled_session(&cluster)?;
    let pid = pid(&mut db)?;
    db.query("SELECT vault.rotate_master_key()", &[])?;
    let new = key_in(&fs::read_to_string(&file)?)?;
    let mut material = KeyMaterial::of_vault(&mut session(&cluster)?, &new)?;
    material.add_master_key("old master key", &old);
    assert_eq!(leaks(&cluster, pid, &material)?, [""; 0]);
    Ok(())
}

#[test]
fn the_refresher() -> Result<()> {
    for is_command in [false, true] {
        // Each of its threads reserves memory, which a core dump carries.
        let options = options().set("token_vault.connections", "1");
        let mut vault = Vault::start_with(&options)?;
        let key = master_key(&vault.cluster)?;
        if is_command {
            let_a_command_print_it(&vault.cluster)?;
        }
        vault.grant(CONTROL)?;
        refresh_token(&mut vault.db, CONTROL)?;
        let pid = vault.refresher()?;
        let material = KeyMaterial::of_vault(&mut vault.db, &key)?;
        assert_eq!(leaks(&vault.cluster, pid, &material)?, [""; 0]);
    }
    Ok(())
}
