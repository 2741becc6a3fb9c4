//! How much may be read in a minute, by a role and of a tenant; and that somebody is told.

use postgres::Client;
use token_vault_cluster::{Cluster, Options, Result};

use crate::audit_harness::{count, read, start, wait_for_entries};
use crate::events::Listener;
use crate::session::{at_once_through, complaint, sqlstate};

/// Nothing but what is denied is audited.
fn options() -> Options {
    Options::new().without_fsync()
}

/// Reads until it is refused, which it is with this code; returns how many were not.
fn reads(db: &mut Client, at_most: usize) -> usize {
    for reads in 0..at_most {
        if let Err(error) = read(db, "ann") {
            assert_eq!(sqlstate::<()>(Err(error)), "TV051");
            return reads;
        }
    }
    at_most
}

fn limited(setting: &str, value: u32) -> Result<(Cluster, Client)> {
    let (cluster, mut db) = start(&options())?;
    db.batch_execute(&format!(
        "ALTER ROLE web SET token_vault.{setting} = {value}"
    ))?;
    Ok((cluster, db))
}

#[test]
fn a_role_reads_no_more_than_it_may_in_all_its_sessions_together() -> Result<()> {
    let (cluster, mut db) = limited("read_limit", 50)?;
    let mut listener = Listener::of(cluster.connect("app", "postgres")?)?;
    let done = at_once_through(&cluster.connection("app", "web"), 10, |web| reads(web, 20))?;
    let all: usize = done.iter().sum();
    // A second lasts longer than these, but on a busy machine the bucket may drain a little.
    assert!((50..60).contains(&all), "{done:?}");
    let mut web = cluster.connect("app", "web")?;
    let told = complaint(read(&mut web, "ann"));
    assert!(
        told.contains("role \"web\"") && told.contains("50"),
        "{told}"
    );
    // SET ROLE is no way out, nor another kind of read.
    db.batch_execute(
        "GRANT pg_monitor TO web; SELECT vault.grant_access('pg_monitor', '{read,write,export}')",
    )?;
    for way in [
        "SET ROLE pg_monitor; SELECT vault.get_token('acme', 'ann')",
        "SELECT vault.authorization_header('acme', 'ann')",
        "SELECT vault.get_token_set('acme', 'ann')",
        "SELECT vault.get_tokens('acme', ARRAY['ann'])",
        "SELECT vault.export_token_set('acme', 'ann')",
        "SELECT vault.reveal(vault.seal('x'))",
    ] {
        let tries = (0..3).map(|_| web.batch_execute(way)).collect::<Vec<_>>();
        let refused = tries.into_iter().find_map(std::result::Result::err);
        assert_eq!(
            refused.map(|error| sqlstate::<()>(Err(error))),
            Some("TV051".into()),
            "{way}"
        );
    }
    // What hands nothing out does not count, and is not refused; nor are others.
    web.batch_execute("SELECT vault.has_token('acme', 'ann'), vault.token_status('acme', 'ann')")?;
    assert_eq!(reads(&mut db, 100), 100);
    assert_eq!(
        sqlstate(web.batch_execute("SET token_vault.read_limit = 0")),
        "42501"
    );
    let event = listener.wait_for("read_limit_exceeded")?;
    assert_eq!(event["login_role"], "web");
    assert_eq!(event["detail"]["limit"], 50);
    wait_for_entries(
        &mut db,
        "event = 'read_limit_exceeded' AND login_role = 'web'",
        1,
    )?;
    cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn a_tenant_is_read_no_more_than_it_may_be_by_everybody_together() -> Result<()> {
    let (cluster, mut db) = limited("tenant_read_limit", 30)?;
    db.batch_execute(
        "SELECT vault.store_token('acme', 'ann', access_token => 'at-blue', tenant => 'blue', expires_in => 3600);
         CREATE ROLE web_2 LOGIN IN ROLE web; ALTER ROLE web_2 SET token_vault.tenant_read_limit = 30",
    )?;
    let mut first = cluster.connect("app", "web")?;
    let mut second = cluster.connect("app", "web_2")?;
    assert_eq!(reads(&mut first, 20), 20);
    let rest = reads(&mut second, 20);
    assert!((10..15).contains(&rest), "{rest}");
    let told = complaint(read(&mut second, "ann"));
    assert!(told.contains("tenant \"default\""), "{told}");
    second.batch_execute("SELECT vault.get_token('acme', 'ann', tenant => 'blue')")?;
    Ok(())
}

#[test]
fn without_preloading_each_session_has_the_limit_for_itself() -> Result<()> {
    let (cluster, mut db) = start(&options().not_preloaded())?;
    db.batch_execute("ALTER ROLE web SET token_vault.read_limit = 10")?;
    for _ in 0..2 {
        let mut web = cluster.connect("app", "web")?;
        let done = reads(&mut web, 20);
        assert!((10..13).contains(&done), "{done}");
    }
    Ok(())
}

#[test]
fn somebody_is_told_when_a_role_reads_far_more_than_it_used_to() -> Result<()> {
    let (cluster, mut db) = start(&options().set("token_vault.unusual_reads", "200"))?;
    let mut listener = Listener::of(cluster.connect("app", "postgres")?)?;
    let mut web = cluster.connect("app", "web")?;
    // Over two minutes' border, should one pass by just now.
    assert_eq!(reads(&mut web, 450), 450);
    let event = listener.wait_for("unusual_reads")?;
    assert_eq!(event["login_role"], "web");
    assert!(event["detail"]["reads"].as_u64() > Some(200));
    wait_for_entries(&mut db, "event = 'unusual_reads' AND login_role = 'web'", 1)?;
    // Once in an hour.
    assert_eq!(reads(&mut web, 300), 300);
    wait_for_entries(&mut db, "event = 'granted'", 1)?;
    assert_eq!(count(&mut db, "event = 'unusual_reads'")?, 1);
    Ok(())
}
