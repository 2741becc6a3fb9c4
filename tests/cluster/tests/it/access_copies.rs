//! A restored vault has rules for roles that may not be there: they do nothing, say so, and are mended in one statement.

use postgres::Client;
use token_vault_cluster::{Cluster, Options, Result};

use crate::master_key::register_provider;
use crate::session::sqlstate;

const READ: &str = "SELECT vault.get_token('acme', 'ann', tenant => 'blue')";

/// What `vault.access_rules` says of role `web`: whether it exists, and whether PostgreSQL's grants are missing.
fn rule(db: &mut Client) -> Result<(bool, bool)> {
    let row = db.query_one(
        "SELECT role_exists, grants_missing FROM vault.access_rules WHERE role = 'web'",
        &[],
    )?;
    Ok((row.get(0), row.get(1)))
}

fn status(db: &mut Client) -> Result<Vec<String>> {
    let rows = db.query(
        "SELECT state FROM vault.status() WHERE item = 'access rules'",
        &[],
    )?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

#[test]
fn rules_of_roles_that_are_not_there_do_nothing_until_they_are_granted_again() -> Result<()> {
    let cluster = Cluster::start_new(&Options::new().without_fsync())?;
    let mut db = cluster.create_vault("app")?;
    register_provider(&mut db)?;
    db.batch_execute(
        "CREATE ROLE web LOGIN; SELECT vault.grant_access('web', '{read,write}', tenant => 'blue');
         SELECT vault.store_token('acme', 'ann', 'at-1', tenant => 'blue')",
    )?;
    let dump = cluster.pg_dump("app")?;
    db.batch_execute("DROP OWNED BY web; DROP ROLE web")?;
    cluster.createdb("copy")?;
    // It stops at the grants to the role, which come last.
    let complaint = cluster
        .pg_restore("copy", &dump)
        .err()
        .map(|error| error.to_string());
    assert!(complaint.is_none_or(|text| text.contains("\"web\"")));

    let mut copy = cluster.connect("copy", "postgres")?;
    let token: String = copy.query_one(READ, &[])?.get(0);
    assert_eq!(token, "at-1");
    assert_eq!(rule(&mut copy)?, (false, false));
    assert_eq!(status(&mut copy)?, ["roles that do not exist: web"]);

    copy.batch_execute("CREATE ROLE web LOGIN")?;
    assert_eq!(rule(&mut copy)?, (true, true));
    assert_eq!(status(&mut copy)?, ["roles created after their rules: web"]);
    let mut web = cluster.connect("copy", "web")?;
    assert_eq!(sqlstate(web.query_one(READ, &[])), "42501");

    copy.batch_execute(
        "SELECT vault.grant_access(role, privileges, tenant, provider, subject) FROM vault.access_rules WHERE grants_missing",
    )?;
    assert_eq!(rule(&mut copy)?, (true, false));
    assert!(status(&mut copy)?.is_empty());
    assert_eq!(web.query_one(READ, &[])?.get::<_, &str>(0), "at-1");
    for refused in [
        "SELECT vault.get_token('acme', 'ann')",
        "SELECT vault.refresh_token('acme', 'ann', tenant => 'blue')",
    ] {
        assert_eq!(sqlstate(web.query_one(refused, &[])), "42501");
    }
    cluster.assert_never_crashed();
    Ok(())
}

/// Whoever may grant for one tenant gains nothing by what he grants, to others or to himself.
#[test]
fn no_chain_of_grants_leads_out_of_a_tenant() -> Result<()> {
    let cluster = Cluster::start_new(&Options::new().without_fsync())?;
    let mut db = cluster.create_vault("app")?;
    register_provider(&mut db)?;
    db.batch_execute(
        "CREATE ROLE chief LOGIN; CREATE ROLE helper LOGIN;
         SELECT vault.grant_access('chief', '{admin}', tenant => 'blue');
         SELECT vault.store_token('acme', 'ann', 'at-1', tenant => 'blue'), vault.store_token('acme', 'ann', 'at-2', tenant => 'red')",
    )?;
    let mut chief = cluster.connect("app", "chief")?;
    assert_eq!(sqlstate(chief.query_one(READ, &[])), "42501");
    chief.batch_execute(
        "SELECT vault.grant_access('chief', '{read,write,refresh,export,restore,admin}', tenant => 'blue');
         SELECT vault.grant_access('helper', '{read,admin}', tenant => 'blue', provider => 'ac*')",
    )?;
    assert_eq!(chief.query_one(READ, &[])?.get::<_, &str>(0), "at-1");
    let mut helper = cluster.connect("app", "helper")?;
    assert_eq!(helper.query_one(READ, &[])?.get::<_, &str>(0), "at-1");
    for db in [&mut chief, &mut helper] {
        for beyond in [
            "",
            ", tenant => 'red'",
            ", tenant => 'blu*'",
            ", tenant => 'blue*'",
            r", tenant => '\b*'",
            ", tenant => '**', provider => 'acme', subject => 'ann'",
        ] {
            let grant = format!("SELECT vault.grant_access('helper', '{{read}}'{beyond})");
            assert_eq!(sqlstate(db.batch_execute(&grant)), "42501", "{beyond}");
        }
    }
    // The helper's part ends at the providers that begin with "ac".
    let whole = "SELECT vault.grant_access('helper', '{read}', tenant => 'blue')";
    assert_eq!(sqlstate(helper.batch_execute(whole)), "42501");
    let within = "SELECT vault.grant_access('helper', '{export}', tenant => 'blue', provider => 'acme', subject => 'a*')";
    helper.batch_execute(within)?;
    // What the chief gives, the chief takes; the helper can't take the chief's.
    helper.batch_execute("SELECT vault.revoke_access('chief')")?;
    assert_eq!(chief.query_one(READ, &[])?.get::<_, &str>(0), "at-1");
    chief.batch_execute("SELECT vault.revoke_access('helper')")?;
    assert_eq!(sqlstate(helper.query_one(READ, &[])), "42501");
    // Superusers' rules are out of reach, whatever they are called.
    let count = "SELECT count(*) FROM vault.access_rules";
    assert_eq!(db.query_one(count, &[])?.get::<_, i64>(0), 1);
    Ok(())
}
