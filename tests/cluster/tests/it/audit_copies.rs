//! The log of copies: a dump carries it with its chain; a standby writes to the server's log.

use postgres::Client;
use token_vault_cluster::wait::wait_for;
use token_vault_cluster::{Cluster, Result, StopMode};

use crate::audit_harness::{
    assert_whole, count, options, problems, read, start, wait_for_entries, wait_until_sealed,
    write_unsealed,
};
use crate::provider::{LIMIT, refresher};

fn partitions(db: &mut Client) -> Result<Vec<String>> {
    let rows = db.query(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'vault.audit_entry'::regclass ORDER BY 1",
        &[],
    )?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

#[test]
fn a_dump_carries_the_log_and_its_chain() -> Result<()> {
    let (cluster, mut db) = start(&options())?;
    refresher(&mut db, "app")?;
    // One in a month of its own, as after a month's end.
    db.batch_execute(
        "CREATE TABLE vault.audit_entry_2020_01 PARTITION OF vault.audit_entry
             FOR VALUES FROM ('2020-01-01 00:00:00+00') TO ('2020-02-01 00:00:00+00')",
    )?;
    write_unsealed(&mut db, "2020-01-15", "ann", 10)?;
    for _ in 0..10 {
        read(&mut db, "ann")?;
    }
    wait_for_entries(&mut db, "event = 'read' AND at > '2021-01-01'", 10)?;
    db.batch_execute("SELECT vault.audit_seal()")?;
    assert_whole(&mut db)?;
    let entries = count(&mut db, "true")?;
    let dump = cluster.pg_dump("app")?;
    cluster.createdb("copy")?;
    cluster.pg_restore("copy", &dump)?;
    let mut copy = cluster.connect("copy", "postgres")?;
    assert_eq!(problems(&mut copy)?, Vec::<String>::new());
    assert!(count(&mut copy, "true")? >= entries);
    assert!(partitions(&mut copy)?.contains(&"vault.audit_entry_2020_01".to_owned()));
    assert_eq!(count(&mut copy, "event = 'audit_gap'")?, 0);
    // It goes on where the original was.
    read(&mut copy, "ann")?;
    wait_for_entries(&mut copy, "event = 'read'", 21)?;
    assert_whole(&mut copy)?;
    // The extension takes the partitions along.
    copy.batch_execute("DROP EXTENSION token_vault CASCADE")?;
    let left: i64 = copy
        .query_one(
            "SELECT count(*) FROM pg_class WHERE relname LIKE 'audit_%'",
            &[],
        )?
        .get(0);
    assert_eq!(left, 0);
    cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn on_a_standby_reads_are_in_the_servers_log() -> Result<()> {
    let (cluster, mut db) = start(&options())?;
    wait_until_sealed(&mut db)?;
    let standby = cluster.standby(&options())?;
    let mut reader = wait_for("the replay", LIMIT, || {
        let mut reader = standby.connect("app", "web")?;
        Ok(read(&mut reader, "ann").ok().flatten().map(|_| reader))
    })?;
    reader.batch_execute("SET token_vault.audit_reason = 'standby \"quoted\"'")?;
    read(&mut reader, "ann")?;
    let mut stranger = standby.connect("app", "stranger")?;
    assert!(read(&mut stranger, "ann").is_err());
    let log = standby.log()?;
    let entry = |event: &str, text: &str| {
        let needle = format!("\"event\":\"{event}\"");
        log.lines()
            .filter_map(|line| line.split_once("token_vault audit: "))
            .map(|(_, json)| json.to_owned())
            .filter(|json| json.contains(&needle) && json.contains(text))
            .collect::<Vec<String>>()
    };
    let reads = entry("read", "standby");
    assert_eq!(reads.len(), 1, "{log}");
    let json: serde_json::Value = serde_json::from_str(&reads[0])?;
    assert_eq!(json["login_role"], "web");
    assert_eq!(json["subject"], "ann");
    assert_eq!(json["reason"], "standby \"quoted\"");
    assert_eq!(entry("denied", "stranger").len(), 1);
    assert!(!log.contains("at-ann-9f27"));
    // The chain can be verified there; after promotion it goes on.
    let mut admin = standby.connect("app", "postgres")?;
    assert_eq!(problems(&mut admin)?, Vec::<String>::new());
    cluster.stop(StopMode::Fast)?;
    promote(&standby)?;
    read(&mut admin, "ann")?;
    wait_for_entries(&mut admin, "event = 'read' AND login_role = 'postgres'", 1)?;
    assert_whole(&mut admin)?;
    standby.assert_never_crashed();
    Ok(())
}

fn promote(standby: &Cluster) -> Result<()> {
    standby.promote()?;
    let mut db = standby.connect("app", "postgres")?;
    refresher(&mut db, "app").map(drop)
}
