//! `pg_upgrade` from each major version of PostgreSQL to the next: everything is there afterwards, and nothing is refreshed
//! until somebody says that the new cluster is the original now.
//!
//! `TOKEN_VAULT_UPGRADE_PATH` names the servers, as paths of `pg_config` with colons between them; `make test-all` sets it.

use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};

use postgres::Client;
use token_vault_cluster::wait::wait_for_sql;
use token_vault_cluster::{Cluster, Options, Result, StopMode, Transfer};

use crate::audit_harness::{assert_whole, wait_until_sealed};
use crate::copies::{assert_waits, status};
use crate::provider::{DATABASE, LIMIT, Vault};

const SERVERS: &str = "TOKEN_VAULT_UPGRADE_PATH";

/// What users have made with the type and the functions: a default, checks, indexes, a domain, arrays, partitions, a view.
const TABLES: &str = "
    CREATE ROLE app_role LOGIN;
    CREATE TABLE webhook (
        id bigint PRIMARY KEY,
        signing_key vault.secret NOT NULL,
        fallback vault.secret DEFAULT 'whsec-default',
        CONSTRAINT not_empty CHECK (octet_length(signing_key::text) > 60));
    CREATE UNIQUE INDEX webhook_covering ON webhook (id) INCLUDE (signing_key);
    CREATE INDEX webhook_text ON webhook (left(signing_key::text, 40));
    CREATE DOMAIN api_key AS vault.secret CHECK (VALUE IS NOT NULL);
    CREATE TABLE account (id int, key api_key, spare vault.secret[]) PARTITION BY LIST (id);
    CREATE TABLE account_1 PARTITION OF account FOR VALUES IN (1);
    CREATE VIEW webhook_plain AS SELECT id, vault.reveal(signing_key) AS signing_key FROM webhook;
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN NEW.signing_key := vault.seal(vault.reveal(NEW.signing_key)); RETURN NEW; END $$;
    CREATE TRIGGER note BEFORE UPDATE ON webhook FOR EACH ROW EXECUTE FUNCTION note();
    GRANT SELECT, INSERT ON webhook, webhook_plain TO app_role;
    INSERT INTO webhook VALUES (1, 'whsec-one'), (2, 'whsec-two');
    INSERT INTO account VALUES (1, 'ak-one', ARRAY['ak-two', 'ak-three']::text[]::vault.secret[]);";

/// Two generations of data keys, a tenant with one of its own, rules, a provider and a client of one's own.
const VAULT: &str = "
    SELECT vault.create_tenant_key('globex');
    SELECT vault.store_token('acme', 'gina', access_token => 'at-gina-9f31', expires_in => 86400, tenant => 'globex',
                             client => 'app');
    SELECT vault.grant_access('app_role', privileges => '{read,write}');
    SELECT vault.grant_access('app_role', privileges => '{refresh}', tenant => 'globex', provider => 'acme');
    SELECT vault.register_provider('quirky', token_endpoint => 'https://quirky.example/token');
    SELECT vault.pause_reencryption();
    SELECT vault.rotate_key();
    INSERT INTO webhook VALUES (3, 'whsec-three')";

/// What a reader with every right sees, opened.
const CONTENT: &str = "
    SELECT 'token ' || tenant || ' ' || subject || ' ' || vault.get_token(provider, subject, tenant => tenant, auto_refresh => false)
    FROM vault.tokens WHERE status = 'valid'
    UNION ALL SELECT 'webhook ' || id || ' ' || signing_key FROM webhook_plain
    UNION ALL SELECT 'fallback ' || id || ' ' || vault.reveal(fallback) FROM webhook
    UNION ALL SELECT 'account ' || vault.reveal(key) || ' ' || vault.reveal(spare[2]) FROM account
    UNION ALL SELECT 'rule ' || r::text FROM vault.access_rules r
    UNION ALL SELECT 'client ' || c::text FROM vault.clients c
    UNION ALL SELECT format('key %s %s %s %s %s %s %s', key, tenant, state, master_key_fingerprint, tokens, client_secrets, secrets)
    FROM vault.keys
    UNION ALL SELECT 'verified ' || outcome || ' ' || count(*) FROM vault.verify() GROUP BY outcome
    ORDER BY 1";

/// What the extension is made of, as far as it is the same in every version of PostgreSQL.
const CATALOG: &str = include_str!("pg_upgrade.sql");

/// The servers to go through, oldest first.
fn servers() -> Vec<PathBuf> {
    let named = std::env::var(SERVERS).unwrap_or_default();
    let servers: Vec<PathBuf> = std::env::split_paths(&named).collect();
    assert!(servers.len() >= 2, "{SERVERS} does not name two servers");
    servers
}

fn options(server: &Path) -> Options {
    Options::new()
        .of_server(server)
        .with_data_checksums()
        .without_fsync()
        .set("token_vault.audit", "all")
}

fn lines(db: &mut Client, query: &str) -> Result<Vec<String>> {
    Ok(db.query(query, &[])?.iter().map(|row| row.get(0)).collect())
}

/// Puts the old cluster's master key where the new one looks for it.
fn hand_over_master_key(old: &Cluster, new: &Cluster) -> Result<()> {
    std::fs::copy(old.master_key_file(), new.master_key_file())?;
    let owner = old.master_key_file().metadata()?;
    Ok(chown(
        new.master_key_file(),
        Some(owner.uid()),
        Some(owner.gid()),
    )?)
}

/// The vault after an upgrade by this server, started. No key is there while it is upgraded.
fn upgraded(mut vault: Vault, server: &Path, transfer: Transfer) -> Result<Vault> {
    vault.cluster.stop(StopMode::Fast)?;
    let mut new = vault.cluster.upgrade(&options(server), transfer)?;
    assert!(!new.log()?.contains("token_vault"), "{}", new.log()?);
    hand_over_master_key(&vault.cluster, &new)?;
    new.start()?;
    new.analyze()?;
    new.trust(vault.server.ca_pem())?;
    vault.db = new.connect(DATABASE, "postgres")?;
    vault.cluster = new;
    Ok(vault)
}

/// Has the vault upgraded once; `times` says how often alice's token has been issued.
fn upgrade(mut vault: Vault, server: &Path, transfer: Transfer, times: usize) -> Result<Vault> {
    wait_until_sealed(&mut vault.db)?;
    let catalog = lines(&mut vault.db, CATALOG)?;
    let content = lines(&mut vault.db, CONTENT)?;
    assert!(
        content.iter().any(|line| line == "webhook 3 whsec-three"),
        "{content:#?}"
    );
    let mut vault = upgraded(vault, server, transfer)?;
    assert_same(&catalog, &lines(&mut vault.db, CATALOG)?);
    assert_same(&content, &lines(&mut vault.db, CONTENT)?);
    assert_whole(&mut vault.db)?;
    vault.cluster.pg_dump(DATABASE)?;
    // What users have made goes on working.
    vault.db.batch_execute(
        "INSERT INTO webhook VALUES (4, 'whsec-four'); UPDATE webhook SET id = id; DELETE FROM webhook WHERE id = 4",
    )?;

    assert_waits(&mut vault.db, &vault.server, "another cluster")?;
    vault.db.execute("SELECT vault.adopt_installation()", &[])?;
    assert_eq!(status(&mut vault.db, "installation")?.1, None);
    vault.wait_for_token(
        "alice",
        &format!("generation = {} AND status = 'valid'", times + 1),
    )?;
    // What is left to do for the next one.
    wait_for_sql(
        &mut vault.db,
        "SELECT bool_and(status = 'valid') FROM vault.tokens WHERE refresh_due_at IS NOT NULL",
        LIMIT,
    )?;
    vault.cluster.assert_never_crashed();
    Ok(vault)
}

fn assert_same(before: &[String], after: &[String]) {
    let lacking = |of: &[String], other: &[String]| -> Vec<String> {
        of.iter()
            .filter(|line| !other.contains(line))
            .cloned()
            .collect()
    };
    let (gone, new) = (lacking(before, after), lacking(after, before));
    assert!(
        gone.is_empty() && new.is_empty(),
        "gone: {gone:#?}\nnew: {new:#?}"
    );
}

/// Whether PostgreSQL itself can do it. An older minor release may not know what a newer one of an earlier version has
/// written.
fn can_upgrade(from: &Path, to: &Path) -> Result<bool> {
    let [old, new] = [from, to].map(|server| options(server).not_preloaded());
    let plain = Cluster::start_new(&old)?;
    plain.psql("postgres", "CREATE TABLE plain (id int)")?;
    plain.stop(StopMode::Fast)?;
    let outcome = plain.upgrade(&new, Transfer::Copy);
    if let Err(error) = &outcome {
        let (from, to) = (from.display(), to.display());
        eprintln!("skipped: {from} to {to}, impossible also without a vault: {error}");
    }
    Ok(outcome.is_ok())
}

/// A vault made by this server.
fn start(server: &Path) -> Result<Vault> {
    let mut vault = Vault::start_with(&options(server))?;
    vault.grant("alice")?;
    vault.db.batch_execute(TABLES)?;
    vault.db.batch_execute(VAULT)?;
    vault.grant("bob")?;
    Ok(vault)
}

/// Upgrades a vault from one server to the next that PostgreSQL can upgrade to; those it has passed over begin anew.
fn upgrade_through_all(transfer: Transfer) -> Result<()> {
    let mut servers = servers();
    while servers.len() > 1 {
        let mut at = servers.remove(0);
        let mut vault = start(&at)?;
        let mut passed_over = Vec::new();
        let mut times = 1;
        for next in servers {
            if can_upgrade(&at, &next)? {
                vault = upgrade(vault, &next, transfer, times)?;
                (at, times) = (next, times + 1);
            } else {
                passed_over.push(next);
            }
        }
        assert!(
            times > 1 || passed_over.is_empty(),
            "{}: no way to a later version",
            at.display()
        );
        if !passed_over.is_empty() {
            passed_over.push(at);
        }
        servers = passed_over;
    }
    Ok(())
}

#[test]
#[ignore = "needs servers of several versions: make test-all"]
fn a_vault_goes_through_every_version_by_copy() -> Result<()> {
    upgrade_through_all(Transfer::Copy)
}

#[test]
#[ignore = "needs servers of several versions: make test-all"]
fn a_vault_goes_through_every_version_by_link() -> Result<()> {
    upgrade_through_all(Transfer::Link)
}
