//! What the tests of keys share: where the master key comes from, which keys there are, what seals a value.

use std::fs;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use postgres::Client;
use token_vault_cluster::wait::wait_for;
use token_vault_cluster::{Cluster, Result};

use crate::key_material::Key;
use crate::provider::LIMIT;

/// Changes a setting as an administrator does; returns when every new session sees it.
pub fn set(cluster: &Cluster, name: &str, value: &str) -> Result<()> {
    let quoted = value.replace('\'', "''");
    cluster.psql(
        "postgres",
        &format!("LOAD 'token_vault'; ALTER SYSTEM SET {name} = '{quoted}'"),
    )?;
    cluster.reload()?;
    wait_for(name, LIMIT, || {
        let row = cluster
            .connect("postgres", "postgres")?
            .query_one("SELECT coalesce(current_setting($1, true), '')", &[&name])?;
        Ok((row.get::<_, &str>(0) == value).then_some(()))
    })
}

/// From now on a command prints the master key.
pub fn let_a_command_print_it(cluster: &Cluster) -> Result<()> {
    let file = cluster.directory().join("kms.key");
    fs::rename(cluster.master_key_file(), &file)?;
    set(
        cluster,
        "token_vault.master_key_command",
        &format!("cat {}", file.display()),
    )?;
    set(cluster, "token_vault.master_key_file", "")
}

/// The master key that `create_master_key` has written.
pub fn master_key(cluster: &Cluster) -> Result<Key> {
    key_in(&fs::read_to_string(cluster.master_key_file())?)
}

/// The key that a key file's contents stand for.
pub fn key_in(base64: &str) -> Result<Key> {
    let bytes = STANDARD.decode(base64.trim_end())?;
    Ok(bytes.as_slice().try_into()?)
}

/// The server process of a session.
pub fn pid(db: &mut Client) -> Result<i32> {
    Ok(db.query_one("SELECT pg_backend_pid()", &[])?.get(0))
}

/// All keys as they are stored, to compare before and after.
pub fn key_rows(db: &mut Client) -> Result<String> {
    // Without what the custodian notes by itself.
    let query =
        "SELECT coalesce(string_agg((to_jsonb(k) - 'unused_since')::text, ' ' ORDER BY id), '')
                 FROM vault.key AS k";
    Ok(db.query_one(query, &[])?.get(0))
}

/// The id of the key that new values are sealed with, if it is not a tenant's own.
pub fn active_key(db: &mut Client) -> Result<String> {
    let query = "SELECT key FROM vault.keys WHERE state = 'active' AND tenant IS NULL";
    Ok(db.query_one(query, &[])?.get(0))
}

/// The id of the key that a stored access token is sealed with.
pub fn key_of_token(db: &mut Client, subject: &str) -> Result<String> {
    let query =
        "SELECT encode(substr(access_token, 3, 8), 'hex') FROM vault.token WHERE subject = $1";
    Ok(db.query_one(query, &[&subject])?.get(0))
}
