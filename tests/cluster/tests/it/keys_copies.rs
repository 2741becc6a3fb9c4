//! Copies of a vault: a standby follows every rotation, a dump opens wherever its master key is, and nowhere else.

use postgres::Client;
use token_vault_cluster::wait::wait_for;
use token_vault_cluster::{Cluster, Options, Result};

use crate::keys::set;
use crate::keys_rotation::{cluster, store};
use crate::master_key::{session, status, write};
use crate::provider::LIMIT;
use crate::session::{complaint, get_token, sqlstate};

/// Waits until the standby has what the primary has, and reads it.
fn wait_for_token(db: &mut Client, subject: &str, token: &str) -> Result<()> {
    wait_for("the replay", LIMIT, || {
        Ok((get_token(db, subject)? == token).then_some(()))
    })
}

#[test]
fn a_standby_reads_on_while_keys_are_replaced() -> Result<()> {
    let cluster = cluster()?;
    let new = cluster.directory().join("second.key");
    write(&cluster, &new, &"5b".repeat(32), 0o600)?;
    let old = cluster.master_key_file().to_string_lossy().into_owned();
    let both = Options::new()
        .without_fsync()
        .set("token_vault.master_key_file", &new.to_string_lossy())
        .set("token_vault.previous_master_key_file", &old);
    let standby = cluster.standby(&both)?;
    let (mut here, mut there) = (session(&cluster)?, session(&standby)?);
    store(&mut here, "bob", "at-0")?;
    wait_for("the replay", LIMIT, || {
        Ok(get_token(&mut there, "bob")
            .ok()
            .filter(|token| token == "at-0")
            .map(drop))
    })?;
    for number in 1..4 {
        here.execute("SELECT vault.rotate_key()", &[])?;
        let token = format!("at-{number}");
        store(&mut here, "bob", &token)?;
        wait_for_token(&mut there, "bob", &token)?;
        assert_eq!(get_token(&mut there, "alice")?, "at-1");
    }
    set(&cluster, "token_vault.previous_master_key_file", &old)?;
    set(
        &cluster,
        "token_vault.master_key_file",
        &new.to_string_lossy(),
    )?;
    let mut here = session(&cluster)?;
    here.execute("SELECT vault.rotate_master_key()", &[])?;
    store(&mut here, "bob", "at-after")?;
    wait_for_token(&mut there, "bob", "at-after")?;
    std::fs::remove_file(&old)?;
    assert_eq!(get_token(&mut session(&standby)?, "alice")?, "at-1");

    // What writes says so there.
    for statement in [
        "SELECT vault.rotate_key()",
        "SELECT vault.rotate_master_key()",
    ] {
        assert_eq!(
            sqlstate(there.execute(statement, &[])),
            "25006",
            "{statement}"
        );
    }
    standby.promote()?;
    there.execute("SELECT vault.rotate_key()", &[])?;
    store(&mut there, "carol", "at-carol")?;
    assert_eq!(get_token(&mut session(&standby)?, "carol")?, "at-carol");
    standby.assert_never_crashed();
    cluster.assert_never_crashed();
    Ok(())
}

/// A dump of a vault with values of every kind, under two data keys, restored into a cluster of its own without any
/// key; also the cluster it comes from.
fn restored() -> Result<(Cluster, Cluster)> {
    let source = cluster()?;
    let mut db = session(&source)?;
    db.batch_execute(
        "SELECT vault.create_tenant_key('globex');
         SELECT vault.store_token('acme', 'gina', access_token => 'at-gina', tenant => 'globex');
         SELECT vault.register_client('app', provider => 'acme', client_id => 'app', client_secret => 'cs-1');
         CREATE TABLE webhook (key vault.secret);
         INSERT INTO webhook VALUES ('whsec-1'::text)",
    )?;
    let dump = source.pg_dump("app")?;
    let copy = Cluster::start_new(&Options::new().without_fsync())?;
    copy.createdb("app")?;
    copy.pg_restore("app", &dump)?;
    Ok((source, copy))
}

#[test]
fn a_dump_opens_in_a_new_cluster_with_the_same_master_key() -> Result<()> {
    let (source, copy) = restored()?;
    std::fs::copy(source.master_key_file(), copy.directory().join("copied"))?;
    let key = std::fs::read_to_string(source.master_key_file())?;
    write(&copy, &copy.master_key_file(), &key, 0o600)?;
    let mut db = session(&copy)?;
    let row = db.query_one(
        "SELECT vault.get_token('acme', 'alice'), vault.get_token('acme', 'gina', tenant => 'globex'),
                (SELECT vault.reveal(key) FROM webhook)",
        &[],
    )?;
    let read: Vec<&str> = (0..3).map(|column| row.get(column)).collect();
    assert_eq!(read, ["at-1", "at-gina", "whsec-1"]);
    let unreadable = db.query(
        "SELECT outcome FROM vault.verify() WHERE outcome <> 'ok'",
        &[],
    )?;
    assert!(unreadable.is_empty(), "{unreadable:?}");
    // And it can be written on.
    store(&mut db, "bob", "at-bob")?;
    db.execute("SELECT vault.rotate_key('globex')", &[])?;
    assert_eq!(get_token(&mut db, "bob")?, "at-bob");
    Ok(())
}

/// Everything that is in the vault's tables and the application's.
fn contents(db: &mut Client) -> Result<String> {
    let tables = [
        "key",
        "token",
        "client",
        "client_secret",
        "refresh_schedule",
        "access_rule",
    ];
    let mut all = String::new();
    for table in tables {
        let query = format!(
            "SELECT coalesce(string_agg(t::text, ' ' ORDER BY t::text), '') FROM vault.{table} AS t"
        );
        all.push_str(db.query_one(&query, &[])?.get(0));
    }
    let column = "SELECT string_agg(key::text, ' ') FROM webhook";
    Ok(all + db.query_one(column, &[])?.get::<_, &str>(0))
}

#[test]
fn under_another_master_key_nothing_is_read_and_nothing_written() -> Result<()> {
    let (source, copy) = restored()?;
    let wanted = status(&source, "master key")?.0.replace("fingerprint ", "");
    write(&copy, &copy.master_key_file(), &"e1".repeat(32), 0o600)?;
    let before = contents(&mut session(&copy)?)?;
    let statements = [
        ("SELECT vault.get_token('acme', 'alice')", "TV003"),
        ("SELECT vault.reveal(key) FROM webhook", "TV003"),
        (
            "SELECT vault.store_token('acme', 'bob', access_token => 'at-2')",
            "TV003",
        ),
        (
            "SELECT vault.store_token('acme', 'gina', access_token => 'at-2', tenant => 'globex')",
            "TV003",
        ),
        ("SELECT vault.seal('plaintext')", "TV003"),
        ("INSERT INTO webhook VALUES ('plaintext'::text)", "TV003"),
        (
            "SELECT vault.register_client('new', provider => 'acme', client_id => 'x', client_secret => 'cs')",
            "TV003",
        ),
        ("SELECT vault.add_client_secret('app', 'cs-2')", "TV003"),
        ("SELECT vault.create_tenant_key('initech')", "TV003"),
        ("SELECT vault.rotate_key()", "TV003"),
        ("SELECT vault.rotate_key('globex')", "TV003"),
        ("SELECT vault.rotate_master_key()", "TV003"),
        ("SELECT vault.create_master_key()", "TV005"),
    ];
    for (statement, code) in statements {
        let refused = session(&copy)?.query(statement, &[]);
        assert_eq!(sqlstate(refused), code, "{statement}");
        let told = complaint(session(&copy)?.query(statement, &[]));
        assert!(told.contains(&wanted), "{statement}: {told}");
    }
    assert_eq!(contents(&mut session(&copy)?)?, before);
    let (state, advice) = status(&copy, "master key")?;
    assert!(state.contains("not the one"), "{state}");
    assert!(advice.unwrap_or_default().contains(&wanted));
    copy.assert_never_crashed();
    Ok(())
}
