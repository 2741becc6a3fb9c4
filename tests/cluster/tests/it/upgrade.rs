//! `ALTER EXTENSION token_vault UPDATE` from every release: the result is what a fresh installation has, and what was stored
//! before opens.

use std::collections::BTreeMap;

use postgres::Client;
use token_vault_cluster::{Cluster, Options, Result};

use crate::catalog::{differences, snapshot};
use crate::contents::{OPENED, fill, opened};
use crate::releases::{CURRENT, earlier, install_current};
use crate::session::sqlstate;

/// What status() advises after an upgrade: privileges on what is new.
const GRANT_AGAIN: &str = "SELECT vault.grant_access(role, privileges, tenant, provider, subject) FROM vault.access_rules WHERE role_exists";

#[test]
fn an_upgraded_extension_is_the_same_as_a_fresh_one() -> Result<()> {
    for release in earlier()? {
        let cluster = Cluster::start_new(&release.options().not_preloaded())?;
        let mut old = release.install(&cluster, "old")?;
        fill(&mut old)?;
        assert_eq!(opened(&mut old)?, OPENED, "before");
        old.batch_execute("ALTER EXTENSION token_vault UPDATE")?;
        // Roles keep what they had.
        let mut web = cluster.connect("old", "web")?;
        web.execute("SELECT vault.get_token('acme', 'alice')", &[])?;
        old.batch_execute(GRANT_AGAIN)?;
        // The session that has upgraded goes on, and so does a new one.
        assert_eq!(opened(&mut old)?, OPENED, "after");
        let mut old = cluster.connect("old", "postgres")?;
        assert_eq!(opened(&mut old)?, OPENED, "in a new session");

        let mut fresh = install_current(&cluster, "fresh")?;
        fill(&mut fresh)?;
        let found = differences(&snapshot(&mut fresh)?, &snapshot(&mut old)?);
        assert!(
            found.is_empty(),
            "a fresh installation (-) and one upgraded from {} (+) differ: sql/token_vault--{0}--{CURRENT}.sql has to do more\n{}",
            release.version,
            found.join("\n")
        );
        cluster.assert_never_crashed();
    }
    Ok(())
}

/// The other way to another version: a dump, restored where the new one is installed.
#[test]
fn a_dump_of_an_earlier_release_is_restored_into_this_one() -> Result<()> {
    for release in earlier()? {
        let cluster = Cluster::start_new(&release.options().not_preloaded())?;
        let mut old = release.install(&cluster, "old")?;
        fill(&mut old)?;
        cluster.createdb("restored")?;
        cluster.pg_restore("restored", &cluster.pg_dump("old")?)?;
        let mut restored = cluster.connect("restored", "postgres")?;
        assert_eq!(opened(&mut restored)?, OPENED);
        let version = "SELECT extversion FROM pg_extension WHERE extname = 'token_vault'";
        assert_eq!(restored.query_one(version, &[])?.get::<_, &str>(0), CURRENT);
    }
    Ok(())
}

/// A way back would have to undo what the new version has written.
#[test]
fn there_is_no_way_back() -> Result<()> {
    for release in earlier()? {
        let cluster = Cluster::start_new(&release.options().not_preloaded())?;
        let mut db = install_current(&cluster, "app")?;
        let back = format!(
            "ALTER EXTENSION token_vault UPDATE TO '{}'",
            release.version
        );
        assert_eq!(sqlstate(db.batch_execute(&back)), "22023");
    }
    Ok(())
}

/// Before the restart, a preloaded library is still the old one.
#[test]
fn where_the_library_is_too_old_nothing_changes() -> Result<()> {
    let folder = tempfile::Builder::new().prefix("tv-script-").tempdir()?;
    let script = folder
        .path()
        .join(format!("token_vault--{CURRENT}--99.sql"));
    std::fs::write(
        &script,
        "CREATE TABLE vault.more ();
         CREATE FUNCTION vault.brand_new() RETURNS void LANGUAGE c AS 'MODULE_PATHNAME', 'brand_new_wrapper';",
    )?;
    let options = Options::new().without_fsync().not_preloaded();
    let cluster = Cluster::start_new(&options.with_script(&script))?;
    let mut db = install_current(&cluster, "app")?;
    fill(&mut db)?;
    let before = snapshot(&mut db)?;
    let update = "ALTER EXTENSION token_vault UPDATE TO '99'";
    assert_eq!(sqlstate(db.batch_execute(update)), "42883");
    assert_eq!(
        differences(&before, &snapshot(&mut db)?),
        Vec::<String>::new()
    );
    assert_eq!(opened(&mut db)?, OPENED);
    cluster.assert_never_crashed();
    Ok(())
}

/// For each symbol of the library: what it is called with, and what it returns.
fn symbols(db: &mut Client) -> Result<BTreeMap<String, String>> {
    let rows = db.query(
        "SELECT p.prosrc, concat_ws(' ', oidvectortypes(p.proargtypes), '->', pg_get_function_result(p.oid), p.proisstrict, p.prokind)
         FROM pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang
         WHERE p.pronamespace = 'vault'::regnamespace AND l.lanname = 'c'",
        &[],
    )?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

/// Until `ALTER EXTENSION UPDATE`, in a restored binary upgrade too, the new library is called as the old script says.
#[test]
fn a_symbol_of_the_library_is_never_called_in_another_way() -> Result<()> {
    for release in earlier()? {
        let cluster = Cluster::start_new(&release.options().not_preloaded())?;
        let then = symbols(&mut release.install(&cluster, "old")?)?;
        let now = symbols(&mut install_current(&cluster, "fresh")?)?;
        assert!(then.len() > 50);
        for (symbol, signature) in &then {
            let other = now.get(symbol).filter(|other| *other != signature);
            assert_eq!(
                other, None,
                "{symbol} was {signature} in {}",
                release.version
            );
        }
    }
    Ok(())
}
