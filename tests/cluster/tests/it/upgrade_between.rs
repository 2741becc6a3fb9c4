//! Between the installation of a new package and `ALTER EXTENSION token_vault UPDATE`: the new library does its work with the
//! objects of an earlier release, and says what is left to do. The update itself disturbs nobody.

use token_vault_cluster::{Cluster, Result};
use token_vault_oauth_server::{Config, OAuthServer};

use crate::copies::status;
use crate::provider::{CLIENT, DATABASE, Vault, refresher, register_provider};
use crate::releases::{CURRENT, Release, earlier};
use crate::session::{get_token, refresh_token};

/// A vault of an earlier release, with a provider beside it.
fn vault_of(release: &Release) -> Result<Vault> {
    let server = OAuthServer::start(Config::default())?;
    let cluster = Cluster::start_new(&release.options())?;
    let mut db = release.install(&cluster, DATABASE)?;
    register_provider(&mut db, &server)?;
    let mut vault = Vault {
        db,
        cluster,
        server,
    };
    vault.add_client(CLIENT)?;
    vault.trust_provider()?;
    Ok(vault)
}

/// What the extension is for: refreshed ahead of time and on demand, read, an encrypted column, a key replaced, a role's rules.
fn assert_works(vault: &mut Vault, subject: &str) -> Result<()> {
    vault.grant_that_is_due(subject)?;
    vault.wait_for_token(subject, "generation = 2")?;
    refresh_token(&mut vault.db, subject)?;
    let token = get_token(&mut vault.db, subject)?;
    assert_eq!(vault.who_is(&token)?, subject);
    vault.db.batch_execute(
        "CREATE TABLE IF NOT EXISTS webhook (key vault.secret); DELETE FROM webhook;
         INSERT INTO webhook VALUES ('whsec'::text)",
    )?;
    vault.db.batch_execute("SELECT vault.rotate_key()")?;
    let revealed = vault
        .db
        .query_one("SELECT vault.reveal(key) FROM webhook", &[])?;
    assert_eq!(revealed.get::<_, &str>(0), "whsec");
    assert_eq!(get_token(&mut vault.session()?, subject)?, token);
    vault.db.batch_execute(
        "DO $$ BEGIN IF to_regrole('web') IS NULL THEN CREATE ROLE web LOGIN; END IF; END $$;
         SELECT vault.revoke_access('web'); SELECT vault.grant_access('web', '{read,write}')",
    )?;
    let mut web = vault.cluster.connect(DATABASE, "web")?;
    assert_eq!(get_token(&mut web, subject)?, token);
    Ok(())
}

#[test]
fn the_library_works_with_the_objects_of_an_earlier_release() -> Result<()> {
    for release in earlier()? {
        let mut vault = vault_of(&release)?;
        assert_works(&mut vault, "alice")?;
        let (state, advice) = status(&mut vault.db, "version")?;
        assert_eq!(
            state,
            format!("library {CURRENT}, objects {}", release.version)
        );
        assert!(
            advice
                .unwrap_or_default()
                .contains("ALTER EXTENSION token_vault UPDATE")
        );
        let log = vault.cluster.log()?;
        let warnings = log
            .lines()
            .filter(|line| line.contains("ALTER EXTENSION token_vault UPDATE"));
        let warnings: Vec<&str> = warnings.collect();
        assert_eq!(warnings.len(), 1, "{log}");
        assert!(
            warnings[0].contains("WARNING") && warnings[0].contains("\"app\""),
            "{}",
            warnings[0]
        );

        // The refresher stays, and so does a session that has used the vault before.
        let before = vault.refresher()?;
        let mut other = vault.session()?;
        get_token(&mut other, "alice")?;
        vault
            .session()?
            .batch_execute("ALTER EXTENSION token_vault UPDATE")?;
        assert_eq!(
            status(&mut vault.db, "version")?,
            (CURRENT.to_owned(), None)
        );
        get_token(&mut other, "alice")?;
        assert_works(&mut vault, "bob")?;
        assert_eq!(refresher(&mut other, DATABASE)?, before);
        let log = vault.cluster.log()?;
        assert!(!log.contains("ERROR"), "{log}");
        vault.cluster.assert_never_crashed();
    }
    Ok(())
}
