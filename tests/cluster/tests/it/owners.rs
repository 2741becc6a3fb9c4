//! Owners come and go: `REASSIGN OWNED` and `DROP OWNED` of roles with encrypted columns, and of the role that has created the
//! extension.

use postgres::Client;
use token_vault_cluster::wait::wait_for_sql;
use token_vault_cluster::{Cluster, Options, Result};

use crate::provider::{CLIENT, DATABASE, LIMIT, Vault, register_provider};
use crate::session::sqlstate;

const REVEALED: &str = "SELECT vault.reveal(key) FROM webhook";

/// A vault, and a table with an encrypted column of role `old`, who may read and write; and a role `new`.
fn vault_with_owner() -> Result<(Cluster, Client)> {
    let cluster = Cluster::start_new(&Options::new().without_fsync())?;
    let mut db = cluster.create_vault(DATABASE)?;
    db.batch_execute(
        "CREATE ROLE old LOGIN; CREATE ROLE new LOGIN; GRANT CREATE ON SCHEMA public TO old, new;
         SELECT vault.grant_access('old', '{read,write}');
         SET ROLE old;
         CREATE TABLE webhook (key vault.secret); INSERT INTO webhook VALUES ('whsec-1'::text);
         RESET ROLE",
    )?;
    Ok((cluster, db))
}

fn replace_key(db: &mut Client) -> Result<()> {
    db.batch_execute("SELECT vault.rotate_key()")?;
    let done = "SELECT count(*) FILTER (WHERE state = 'retired') = 0 FROM vault.keys";
    wait_for_sql(db, done, LIMIT)
}

#[test]
fn tables_change_hands_and_privileges_on_the_vault_do_not() -> Result<()> {
    let (cluster, mut db) = vault_with_owner()?;
    db.batch_execute("REASSIGN OWNED BY old TO new")?;
    let owner = "SELECT tableowner = 'new' FROM pg_tables WHERE tablename = 'webhook'";
    assert!(db.query_one(owner, &[])?.get::<_, bool>(0));
    assert_eq!(db.query_one(REVEALED, &[])?.get::<_, &str>(0), "whsec-1");
    // Keys are replaced as the new owner, who needs no privilege for it.
    replace_key(&mut db)?;
    assert_eq!(db.query_one(REVEALED, &[])?.get::<_, &str>(0), "whsec-1");

    let mut new = cluster.connect(DATABASE, "new")?;
    assert_eq!(sqlstate(new.query_one(REVEALED, &[])), "42501");
    db.batch_execute("SELECT vault.grant_access('new', '{read}')")?;
    assert_eq!(new.query_one(REVEALED, &[])?.get::<_, &str>(0), "whsec-1");
    // The old role has kept its rules, until it goes.
    let mut old = cluster.connect(DATABASE, "old")?;
    let asked = old.query_one("SELECT vault.has_token('acme', 'nobody')", &[]);
    assert_eq!(
        sqlstate(asked),
        "TV020",
        "let in, and there is no such provider"
    );
    drop(old);
    db.batch_execute("SELECT vault.revoke_access('old'); DROP OWNED BY old; DROP ROLE old")?;
    assert_eq!(new.query_one(REVEALED, &[])?.get::<_, &str>(0), "whsec-1");
    cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn what_an_owner_leaves_behind_goes_and_keys_are_replaced_without_it() -> Result<()> {
    let (cluster, mut db) = vault_with_owner()?;
    db.batch_execute("DROP OWNED BY old; DROP ROLE old")?;
    let left = "SELECT count(*) FROM pg_tables WHERE tablename = 'webhook'";
    assert_eq!(db.query_one(left, &[])?.get::<_, i64>(0), 0);
    replace_key(&mut db)?;
    let wrong = db.query("SELECT FROM vault.verify() WHERE outcome <> 'ok'", &[])?;
    assert!(wrong.is_empty());
    cluster.assert_never_crashed();
    Ok(())
}

/// The extension belongs to the superuser who has created it, and can outlive this one.
#[test]
fn the_extension_outlives_the_superuser_who_has_created_it() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.db.batch_execute(
        "DROP EXTENSION token_vault; CREATE ROLE dba SUPERUSER; CREATE ROLE web LOGIN; SET ROLE dba;
         CREATE EXTENSION token_vault; SELECT vault.create_master_key();
         SELECT vault.grant_access('web', '{read,write}'); RESET ROLE",
    )?;
    register_provider(&mut vault.db, &vault.server)?;
    vault.add_client(CLIENT)?;
    vault.grant_that_is_due("alice")?;
    vault.wait_for_token("alice", "generation = 2")?;

    vault
        .db
        .batch_execute("REASSIGN OWNED BY dba TO postgres; DROP OWNED BY dba; DROP ROLE dba")?;
    vault.grant_that_is_due("bob")?;
    vault.wait_for_token("bob", "generation = 2")?;
    replace_key(&mut vault.db)?;
    let mut web = vault.cluster.connect(DATABASE, "web")?;
    for subject in ["alice", "bob"] {
        let token: String = web
            .query_one("SELECT vault.get_token('acme', $1)", &[&subject])?
            .get(0);
        assert_eq!(vault.who_is(&token)?, subject);
    }
    vault.cluster.assert_never_crashed();
    Ok(())
}
