//! An administrator moves the vault's tables, or a table with an encrypted column, to another tablespace.

use token_vault_cluster::{Options, Result, StopMode};

use crate::provider::{Vault, refresher};
use crate::session::get_token;

/// How many relations of the vault are in the tablespace `place`.
const MOVED: &str =
    "SELECT count(*) FROM pg_class AS c JOIN pg_tablespace AS t ON t.oid = c.reltablespace
    WHERE c.relnamespace = 'vault'::regnamespace AND t.spcname = 'place'";

#[test]
fn everything_of_the_vault_can_be_moved_while_it_works() -> Result<()> {
    let mut vault = Vault::start_with(&Options::new())?;
    vault.grant_that_is_due("alice")?;
    vault.wait_for_token("alice", "generation = 2")?;
    vault.db.batch_execute(
        "CREATE TABLE webhook (key vault.secret); INSERT INTO webhook VALUES ('whsec-1'::text)",
    )?;
    let pid = vault.refresher()?;
    let place = vault.cluster.directory_for_server("place")?;
    vault.db.batch_execute(&format!(
        "CREATE TABLESPACE place LOCATION '{}'",
        place.display()
    ))?;
    vault
        .db
        .batch_execute("ALTER TABLE ALL IN TABLESPACE pg_default SET TABLESPACE place")?;
    vault
        .db
        .batch_execute("ALTER INDEX ALL IN TABLESPACE pg_default SET TABLESPACE place")?;
    assert!(vault.db.query_one(MOVED, &[])?.get::<_, i64>(0) > 30);

    // The same refresher goes on, sessions do, and a key is replaced.
    vault.grant_that_is_due("bob")?;
    vault.wait_for_token("bob", "generation = 2")?;
    assert_eq!(vault.refresher()?, pid);
    vault.db.batch_execute("SELECT vault.rotate_key()")?;
    let done = "SELECT count(*) FILTER (WHERE state = 'retired') = 0 FROM vault.keys";
    token_vault_cluster::wait::wait_for_sql(&mut vault.db, done, crate::provider::LIMIT)?;
    assert_all_there(&mut vault)?;

    vault.cluster.kill9()?;
    vault.cluster.start()?;
    vault.db = vault.session()?;
    assert_all_there(&mut vault)?;
    vault.cluster.restart(StopMode::Fast)?;
    vault.db = vault.session()?;
    refresher(&mut vault.db, crate::provider::DATABASE)?;
    vault.grant_that_is_due("carol")?;
    vault.wait_for_token("carol", "generation = 2")?;
    vault.cluster.assert_never_crashed();
    Ok(())
}

fn assert_all_there(vault: &mut Vault) -> Result<()> {
    for subject in ["alice", "bob"] {
        let token = get_token(&mut vault.db, subject)?;
        assert_eq!(vault.who_is(&token)?, subject);
    }
    let revealed = vault
        .db
        .query_one("SELECT vault.reveal(key) FROM webhook", &[])?;
    assert_eq!(revealed.get::<_, &str>(0), "whsec-1");
    Ok(())
}
