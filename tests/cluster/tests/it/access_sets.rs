//! Sets of tokens and a role whose rules cover a part of them: what is outside is not seen, not counted, not touched.

use postgres::Client;
use token_vault_cluster::{Options, Result};

use crate::many::Crowd;
use crate::provider::{CLIENT, DATABASE, Vault};
use crate::session::sqlstate;

/// A vault in which many tokens of others are due before two of subject `mine`, and a role that may refresh only those.
fn start(options: &Options) -> Result<Vault> {
    // The standing refresher must not be faster.
    let options = options
        .clone()
        .without_fsync()
        .set("token_vault.refresh_enabled", "off");
    let mut vault = Vault::start_with(&options)?;
    vault.register_at_provider(CLIENT, crate::provider::ROTATION_WITH_LEEWAY);
    for tenant in ["blue", "default"] {
        vault.grant_crowd(Crowd {
            tenant,
            provider: "acme",
            client: CLIENT,
            prefix: "theirs",
            count: 20,
        })?;
        vault.grant_crowd(Crowd {
            tenant,
            provider: "acme",
            client: CLIENT,
            prefix: "mine",
            count: 2,
        })?;
    }
    vault.db.batch_execute(
        "UPDATE vault.refresh_schedule AS s SET due_at = clock_timestamp() - CASE WHEN t.subject LIKE 'mine%' THEN '1 s' ELSE '1 h' END::interval
         FROM vault.token AS t WHERE t.id = s.token;
         CREATE ROLE cron LOGIN; SELECT vault.grant_access('cron', '{refresh}', tenant => 'blue', subject => 'mine*')",
    )?;
    vault.alter_system("token_vault.refresh_enabled", "on")?;
    Ok(vault)
}

/// Tenant, subject and outcome of each row.
fn refresh_due(db: &mut Client, arguments: &str) -> Result<Vec<String>> {
    let query = format!(
        "SELECT concat_ws(' ', tenant, subject, outcome) FROM vault.refresh_due({arguments}) ORDER BY 1"
    );
    Ok(db
        .query(&query, &[])?
        .iter()
        .map(|row| row.get(0))
        .collect())
}

/// The tokens that have been refreshed.
fn refreshed(vault: &mut Vault) -> Result<Vec<String>> {
    let rows = vault.db.query(
        "SELECT tenant || ' ' || subject FROM vault.token WHERE generation > 1 ORDER BY 1",
        &[],
    )?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

#[test]
fn without_a_standing_refresher_nothing_else_is_refreshed() -> Result<()> {
    let mut vault = start(&Options::new().not_preloaded())?;
    let mut cron = vault.cluster.connect(DATABASE, "cron")?;
    assert_eq!(refresh_due(&mut cron, "max_tokens => 1")?.len(), 1);
    assert_eq!(refreshed(&mut vault)?.len(), 1);
    refresh_due(&mut cron, "")?;
    assert_eq!(refreshed(&mut vault)?, ["blue mine-0", "blue mine-1"]);
    // There is nothing more for it, also where it looks further ahead.
    let later = refresh_due(&mut cron, "within => '1 year'")?;
    assert_eq!(later, ["blue mine-0 refreshed", "blue mine-1 refreshed"]);
    assert_eq!(refreshed(&mut vault)?.len(), 2);
    // Who may refresh all does.
    assert_eq!(refresh_due(&mut vault.db, "")?.len(), 42);
    vault.cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn with_one_only_those_rows_are_told() -> Result<()> {
    let vault = start(&Options::new())?;
    let mut cron = vault.cluster.connect(DATABASE, "cron")?;
    let rows = refresh_due(&mut cron, "within => '1 year'")?;
    assert_eq!(rows, ["blue mine-0 refreshed", "blue mine-1 refreshed"]);
    for refused in [
        "SELECT vault.refresh_token('acme', 'theirs-0', tenant => 'blue')",
        "SELECT vault.refresh_token('acme', 'mine-0')",
    ] {
        assert_eq!(sqlstate(cron.batch_execute(refused)), "42501");
    }
    vault.cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn views_of_a_large_vault_show_the_rows_of_the_rules() -> Result<()> {
    let mut vault = start(&Options::new().not_preloaded())?;
    vault.db.batch_execute(
        "CREATE ROLE one LOGIN; CREATE ROLE every LOGIN; CREATE ROLE blind LOGIN;
         SELECT vault.grant_access('one', '{read}', tenant => 'blue', subject => 'mine*'),
                vault.grant_access('every', '{read}'), vault.grant_access('blind', '{write}');
         GRANT SELECT ON vault.tokens TO blind; GRANT EXECUTE ON FUNCTION vault.can_see, vault.can_see_all TO blind",
    )?;
    for (role, expected) in [("one", 2), ("every", 44), ("blind", 0)] {
        let mut db = vault.cluster.connect(DATABASE, role)?;
        let rows: i64 = db
            .query_one("SELECT count(*) FROM vault.tokens", &[])?
            .get(0);
        assert_eq!(rows, expected, "{role}");
        // A function of the caller's that costs nothing is not asked about rows that are hidden.
        db.batch_execute(
            "CREATE FUNCTION pg_temp.leak(subject text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS
                 $$ BEGIN IF subject LIKE 'theirs%' THEN RAISE 'leaked %', subject; END IF; RETURN true; END $$",
        )?;
        let leaked = db.query_one(
            "SELECT count(*) FROM vault.tokens WHERE pg_temp.leak(subject)",
            &[],
        );
        match role {
            "every" => assert_eq!(sqlstate(leaked), "P0001"),
            _ => assert_eq!(leaked?.get::<_, i64>(0), expected, "{role}"),
        }
    }
    Ok(())
}
