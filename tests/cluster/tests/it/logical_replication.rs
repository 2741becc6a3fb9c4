//! Logical replication of a table with an encrypted column: it carries ciphertext, which opens where the publisher's data keys
//! are.

use postgres::Client;
use token_vault_cluster::wait::{wait_for, wait_for_sql};
use token_vault_cluster::{Cluster, Options, Result};

use crate::column::envelopes;
use crate::copies::status;
use crate::provider::LIMIT;
use crate::session::sqlstate;

const TABLE: &str = "CREATE TABLE webhook (id bigint PRIMARY KEY, key vault.secret)";

/// A cluster with a vault and a table of two rows, which it publishes, and its keys for those who want them.
fn publisher() -> Result<(Cluster, Client)> {
    let options = Options::new().without_fsync().set("wal_level", "logical");
    let cluster = Cluster::start_new(&options)?;
    let mut db = cluster.create_vault("app")?;
    db.batch_execute(TABLE)?;
    insert(&mut db, &[1, 2])?;
    db.batch_execute(
        "CREATE PUBLICATION rows FOR TABLE webhook; CREATE PUBLICATION keys FOR TABLE vault.key",
    )?;
    Ok((cluster, db))
}

/// A cluster with the publisher's master key.
fn subscriber(publisher: &Cluster) -> Result<Cluster> {
    let key = publisher.master_key_file();
    let options = Options::new().without_fsync();
    Cluster::start_new(&options.set("token_vault.master_key_file", &key.to_string_lossy()))
}

fn insert(db: &mut Client, ids: &[i64]) -> Result<()> {
    for id in ids {
        let secret = format!("whsec-{id}");
        db.execute("INSERT INTO webhook VALUES ($1, $2::text)", &[id, &secret])?;
    }
    Ok(())
}

/// Subscribes, and returns when what was there is there.
fn subscribe(
    db: &mut Client,
    name: &str,
    to: &Cluster,
    publications: &str,
    options: &str,
) -> Result<()> {
    let source = format!(
        "host={} port={} dbname=app user=postgres",
        to.directory().display(),
        to.port()
    );
    db.batch_execute(&format!(
        "CREATE SUBSCRIPTION {name} CONNECTION '{source}' PUBLICATION {publications} {options}"
    ))?;
    let is_copied = "SELECT count(*) > 0 AND bool_and(srsubstate = 'r') FROM pg_subscription_rel";
    wait_for_sql(db, is_copied, LIMIT)
}

fn wait_for_row(db: &mut Client, id: i64) -> Result<()> {
    let arrived = format!("SELECT count(*) = 1 FROM webhook WHERE id = {id}");
    wait_for_sql(db, &arrived, LIMIT)
}

fn opened(db: &mut Client) -> std::result::Result<String, postgres::Error> {
    let all = "SELECT string_agg(vault.reveal(key), ' ' ORDER BY id) FROM webhook";
    db.query_one(all, &[])?.try_get(0)
}

/// Waits until every row is sealed with the key that is active at the publisher, and the one before it is destroyed.
fn wait_for_reencryption(db: &mut Client) -> Result<()> {
    let done = "SELECT count(*) FILTER (WHERE state = 'destroyed') = 1 AND count(*) FILTER (WHERE state = 'retired') = 0 FROM vault.keys";
    wait_for_sql(db, done, LIMIT)
}

#[test]
fn a_vault_of_ones_own_gets_ciphertext_that_it_cannot_open() -> Result<()> {
    let (source, mut db) = publisher()?;
    let target = subscriber(&source)?;
    let mut own = target.create_vault("own")?;
    own.batch_execute(TABLE)?;
    subscribe(&mut own, "own", &source, "rows", "")?;
    insert(&mut db, &[3])?;
    wait_for_row(&mut own, 3)?;
    assert_eq!(envelopes(&mut own)?, envelopes(&mut db)?);
    assert_eq!(sqlstate(opened(&mut own)), "TV006");
    target.assert_never_crashed();
    Ok(())
}

#[test]
fn a_restored_vault_opens_what_was_sealed_with_the_keys_of_the_dump() -> Result<()> {
    let (source, mut db) = publisher()?;
    let target = subscriber(&source)?;
    target.createdb("restored")?;
    target.pg_restore("restored", &source.pg_dump("app")?)?;
    let mut restored = target.connect("restored", "postgres")?;
    subscribe(
        &mut restored,
        "restored",
        &source,
        "rows",
        "WITH (copy_data = false)",
    )?;
    insert(&mut db, &[3])?;
    wait_for_row(&mut restored, 3)?;
    assert_eq!(opened(&mut restored)?, "whsec-1 whsec-2 whsec-3");
    // It has the publisher's home, so it refreshes nothing.
    assert!(
        status(&mut restored, "installation")?
            .0
            .contains("another cluster")
    );

    db.batch_execute("SELECT vault.rotate_key()")?;
    insert(&mut db, &[4])?;
    wait_for_row(&mut restored, 4)?;
    assert_eq!(sqlstate(opened(&mut restored)), "TV006");
    // Once its rows are sealed anew at the publisher, nothing opens any more.
    wait_for_reencryption(&mut db)?;
    let now = envelopes(&mut db)?;
    wait_for("the new ciphertext", LIMIT, || {
        Ok((envelopes(&mut restored)? == now).then_some(()))
    })?;
    let first = restored.query_one("SELECT vault.reveal(key) FROM webhook WHERE id = 1", &[]);
    assert_eq!(sqlstate(first), "TV006");
    target.assert_never_crashed();
    Ok(())
}

/// The keys are wrapped by the master key, so they can go the same way as the rows.
#[test]
fn where_the_keys_are_replicated_too_everything_opens() -> Result<()> {
    let (source, mut db) = publisher()?;
    let target = subscriber(&source)?;
    target.createdb("reader")?;
    let mut reader = target.connect("reader", "postgres")?;
    reader.batch_execute(&format!("CREATE EXTENSION token_vault; {TABLE}"))?;
    subscribe(&mut reader, "reader", &source, "keys, rows", "")?;
    assert_eq!(opened(&mut reader)?, "whsec-1 whsec-2");

    for (id, all) in [
        (3, "whsec-1 whsec-2 whsec-3"),
        (4, "whsec-1 whsec-2 whsec-3 whsec-4"),
    ] {
        db.batch_execute("SELECT vault.rotate_key()")?;
        insert(&mut db, &[id])?;
        wait_for("the row with its key", LIMIT, || {
            wait_for_row(&mut reader, id)?;
            Ok(opened(&mut reader).ok().filter(|found| found == all))
        })?;
    }
    // So it does when the keys before are gone, here and there.
    let only_one = "SELECT count(*) FILTER (WHERE state = 'destroyed') = 2 AND count(*) FILTER (WHERE state = 'retired') = 0 FROM vault.keys";
    wait_for_sql(&mut db, only_one, LIMIT)?;
    wait_for_sql(&mut reader, only_one, LIMIT)?;
    let mut session = target.connect("reader", "postgres")?;
    for reader in [&mut reader, &mut session] {
        assert_eq!(opened(reader)?, "whsec-1 whsec-2 whsec-3 whsec-4");
    }
    source.assert_never_crashed();
    target.assert_never_crashed();
    Ok(())
}
