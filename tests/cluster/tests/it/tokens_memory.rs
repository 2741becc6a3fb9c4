//! What a refresher has done with is not in its memory any more: no access token, refresh token, client secret or code of
//! a refresh that has ended.

use std::fs;

use token_vault_cluster::canary::Search;
use token_vault_cluster::wait::wait_for;
use token_vault_cluster::{Memory, Options, Result};

use crate::provider::{CLIENT, LIMIT, Vault, secret};
use crate::session::refresh_token;

/// How many of these are in a core dump of the process.
fn found(vault: &Vault, pid: i32, secrets: &[String]) -> Result<usize> {
    let core = vault.cluster.core_dump(pid, Memory::Everything)?;
    let report = Search::new(secrets)?.run(&core)?;
    fs::remove_file(&core)?;
    Ok(report.findings.len())
}

#[test]
fn tokens_are_gone_once_the_connection_to_the_provider_is_closed() -> Result<()> {
    // A small server: its shared memory is in every core dump.
    let options = Options::new().without_fsync().set("shared_buffers", "1MB");
    let mut vault = Vault::start_with(&options)?;
    let subjects: Vec<String> = (0..20).map(|number| format!("subject-{number}")).collect();
    for subject in &subjects {
        vault.grant(subject)?;
        refresh_token(&mut vault.db, subject)?;
    }
    let pid = vault.refresher()?;
    let mut secrets = vault.server.issued_secrets();
    secrets.push(secret(CLIENT));
    // An idle connection keeps buffers for a few seconds.
    wait_for("a refresher without secrets in its memory", LIMIT, || {
        Ok((found(&vault, pid, &secrets)? == 0).then_some(()))
    })?;
    // The search finds what is there: a session that has just been given a token has it.
    let mut db = vault.session()?;
    let session: i32 = db.query_one("SELECT pg_backend_pid()", &[])?.get(0);
    let token = crate::session::get_token(&mut db, &subjects[0])?;
    assert!(found(&vault, session, &[token])? > 0);
    Ok(())
}
