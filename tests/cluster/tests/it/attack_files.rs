//! Every place that a server's data goes to: its files, the WAL archive, a base backup, a standby, dumps in each format, logical
//! decoding, temporary files. After tokens were stored, refreshed, encrypted again and deleted, no secret lies in any of them,
//! and what was planted in plain text is found in each.

use std::path::Path;

use postgres::Client;
use token_vault_cluster::canary::Search;
use token_vault_cluster::wait::{wait_for, wait_for_sql};
use token_vault_cluster::{Options, Result, StopMode};

use crate::column_dump::run;
use crate::provider::{CLIENT, DATABASE, LIMIT, Vault, secret};

/// Stand in ordinary columns beside the encrypted ones: before the copies are made, and while the standby follows, in place
/// of the first.
const PLANTED: [&str; 2] = ["planted-first-0c61e7d2a9", "planted-later-7b18f3e640"];
const COLUMN: &str = "whsec-canary-51f8e2c0b3";

/// What is looked for, and what must be found.
struct Canaries {
    secrets: Search,
    planted: [Search; 2],
}

impl Canaries {
    /// No secret is in a place, but what was planted is: `which` of the two.
    fn check(&self, place: &Path, which: &[usize]) -> Result<()> {
        let report = self.secrets.run(place)?;
        assert!(report.files > 0, "{}: nothing to search", place.display());
        report.assert_clean();
        for number in which {
            let found = self.planted[*number].run(place)?.findings;
            if found.is_empty() {
                return Err(
                    format!("planted secret {number} was missed in {}", place.display()).into(),
                );
            }
        }
        Ok(())
    }
}

/// The credentials of every token as they are now.
fn credentials(db: &mut Client) -> Result<Vec<String>> {
    let rows = db.query(
        "SELECT unnest(ARRAY[e.access_token, e.refresh_token, e.id_token])
         FROM vault.tokens AS t, vault.export_token_set(t.provider, t.subject, t.tenant, t.label) AS e",
        &[],
    )?;
    Ok(rows
        .iter()
        .filter_map(|row| row.get::<_, Option<String>>(0))
        .collect())
}

/// Everything that writes: stores, refreshes, replaces keys, encrypts again, deletes, rewrites tables.
fn work(vault: &mut Vault, planted: &str) -> Result<Vec<String>> {
    let mut secrets = Vec::new();
    for number in 0..5 {
        vault.grant(&format!("user-{number}"))?;
    }
    secrets.extend(credentials(&mut vault.db)?);
    vault.grant_that_is_due("due")?;
    vault.wait_for_token("due", "generation > 1")?;
    vault
        .db
        .execute("SELECT vault.refresh_token('acme', 'user-1')", &[])?;
    secrets.extend(credentials(&mut vault.db)?);
    vault.db.batch_execute(&format!(
        "INSERT INTO webhook SELECT id, '{COLUMN}'::text, '{planted}' FROM generate_series(1, 2000) AS id ON CONFLICT (id) DO UPDATE SET plain = EXCLUDED.plain;
         UPDATE webhook SET key = lower('{COLUMN}') WHERE id % 10 = 0;
         SELECT vault.rotate_key()"
    ))?;
    let renewed = "SELECT count(*) > 0 AND bool_and(tokens + client_secrets + secrets = 0) FROM vault.keys WHERE state <> 'active'";
    wait_for_sql(&mut vault.db, renewed, LIMIT)?;
    vault.db.batch_execute(
        "DELETE FROM webhook WHERE id % 7 = 0; SELECT vault.delete_token('acme', 'user-2')",
    )?;
    vault.cluster.psql(DATABASE, "VACUUM FULL webhook; ANALYZE; CREATE INDEX ON webhook (id) INCLUDE (key); ALTER TABLE webhook ADD extra int DEFAULT random(); ALTER TABLE webhook DROP extra; CHECKPOINT")?;
    Ok(secrets)
}

fn dumps(vault: &mut Vault, canaries: &Canaries) -> Result<()> {
    for format in ["plain", "custom", "directory"] {
        let target = vault.cluster.directory().join(format!("dump.{format}"));
        let path = target.to_string_lossy();
        let arguments = [
            "--format",
            format,
            "--compress=0",
            "--file",
            &path,
            DATABASE,
        ];
        run(&vault.cluster, &mut vault.db, "pg_dump", &arguments)?;
        canaries.check(&target, &[1])?;
    }
    let all = vault.cluster.directory().join("dumpall");
    run(
        &vault.cluster,
        &mut vault.db,
        "pg_dumpall",
        &["--file", &all.to_string_lossy()],
    )?;
    canaries.check(&all, &[1])
}

/// What both plugins make of the changes since the slots were created.
fn decoded(vault: &mut Vault, canaries: &Canaries) -> Result<()> {
    let changes = vault.cluster.directory().join("changes");
    for query in [
        "SELECT convert_to(data, 'UTF8') FROM pg_logical_slot_get_changes('test_decoding', NULL, NULL)",
        "SELECT data FROM pg_logical_slot_get_binary_changes('pgoutput', NULL, NULL, 'proto_version', '1', 'publication_names', 'everything')",
    ] {
        let rows = vault.db.query(query, &[])?;
        let bytes: Vec<u8> = rows
            .iter()
            .flat_map(|row| row.get::<_, Vec<u8>>(0))
            .collect();
        std::fs::write(&changes, bytes)?;
        canaries.check(&changes, &[0, 1])?;
    }
    Ok(())
}

/// Sorts, hashes and tuple stores that don't fit into memory, looked at while their statements are under way.
fn temporary_files(vault: &mut Vault, canaries: &Canaries) -> Result<()> {
    let place = vault.cluster.data_directory().join("base/pgsql_tmp");
    for (fetched, query) in [
        (1, "SELECT key, plain FROM webhook ORDER BY md5(id::text)"),
        (
            1,
            "SELECT a.key, b.plain FROM webhook AS a JOIN webhook AS b ON md5(a.id::text) = md5(b.id::text)",
        ),
        (
            1500,
            "WITH w AS MATERIALIZED (SELECT key, plain FROM webhook) SELECT a.key, b.plain FROM w AS a CROSS JOIN w AS b",
        ),
        (
            1,
            "SELECT (array_agg(key ORDER BY md5(id::text)))[1:2], plain || id FROM webhook GROUP BY plain || id",
        ),
        (
            1,
            "SELECT t.access_token, t.refresh_token, w.key, w.plain FROM vault.token AS t CROSS JOIN webhook AS w ORDER BY md5(w.id::text)",
        ),
    ] {
        let mut session = vault.session()?;
        session.batch_execute(&format!(
            "SET work_mem = '64kB'; SET enable_mergejoin = off; SET enable_nestloop = off; BEGIN; DECLARE c CURSOR FOR {query}; FETCH {fetched} FROM c"
        ))?;
        canaries
            .check(&place, &[1])
            .map_err(|error| format!("{query}: {error}"))?;
        session.batch_execute("ROLLBACK")?;
    }
    Ok(())
}

#[test]
fn no_secret_reaches_any_place_that_data_goes_to() -> Result<()> {
    let archive = tempfile::Builder::new().prefix("tv-archive-").tempdir()?;
    let archive = archive.path();
    std::fs::set_permissions(archive, std::os::unix::fs::PermissionsExt::from_mode(0o777))?;
    let options = Options::new().without_fsync();
    let archiving = options
        .clone()
        .set("wal_level", "logical")
        .set("archive_mode", "on")
        .set(
            "archive_command",
            &format!("cp %p {}/%f", archive.display()),
        )
        // Pages go to the WAL as rows, and changes to files of the slots.
        .set("full_page_writes", "on")
        .set("logical_decoding_work_mem", "64kB");
    let mut vault = Vault::start_with(&archiving)?;
    vault.db.batch_execute("CREATE TABLE webhook (id bigint PRIMARY KEY, key vault.secret, plain text); CREATE PUBLICATION everything FOR ALL TABLES")?;
    for plugin in ["test_decoding", "pgoutput"] {
        let slot = format!("SELECT pg_create_logical_replication_slot('{plugin}', '{plugin}')");
        vault.db.batch_execute(&slot)?;
    }
    let mut secrets = work(&mut vault, PLANTED[0])?;
    let backup = vault.cluster.recoverable_backup(&options)?;
    let standby = vault.cluster.standby(&options)?;
    secrets.extend(work(&mut vault, PLANTED[1])?);
    secrets.extend([COLUMN.to_owned(), secret(CLIENT)]);
    let canaries = Canaries {
        secrets: Search::new(&secrets)?,
        planted: [Search::new([PLANTED[0]])?, Search::new([PLANTED[1]])?],
    };
    assert!(
        canaries.secrets.secrets() > 20,
        "{}",
        canaries.secrets.secrets()
    );

    temporary_files(&mut vault, &canaries)?;
    dumps(&mut vault, &canaries)?;
    decoded(&mut vault, &canaries)?;
    let (segment, end): (String, String) = {
        let row = vault.db.query_one("SELECT pg_walfile_name(switched), pg_current_wal_lsn()::text FROM pg_switch_wal() switched", &[])?;
        (row.get(0), row.get(1))
    };
    wait_for("the archive", LIMIT, || {
        let last = vault.db.query_one(
            "SELECT coalesce(last_archived_wal, '') FROM pg_stat_archiver",
            &[],
        )?;
        Ok(
            (last.get::<_, &str>(0) >= segment.as_str() || archive.join(&segment).exists())
                .then_some(()),
        )
    })?;
    let mut follower = standby.connect(DATABASE, "postgres")?;
    wait_for_sql(
        &mut follower,
        &format!("SELECT pg_last_wal_replay_lsn() >= '{end}'::pg_lsn"),
        LIMIT,
    )?;
    drop(follower);

    standby.stop(StopMode::Fast)?;
    vault.cluster.stop(StopMode::Fast)?;
    canaries.check(archive, &[0, 1])?;
    canaries.check(&backup.data_directory(), &[0])?;
    for cluster in [&vault.cluster, &standby] {
        canaries.check(&cluster.data_directory().join("base"), &[1])?;
        canaries.check(&cluster.data_directory().join("pg_wal"), &[1])?;
        canaries.check(&cluster.data_directory(), &[1])?;
        canaries.secrets.run(&cluster.log_file())?.assert_clean();
        cluster.assert_never_crashed();
    }
    Ok(())
}
