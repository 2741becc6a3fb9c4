//! After a rotation every value comes under the active key, beside everything else that goes on, and the old key ends
//! when nothing can need it any more.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use postgres::Client;
use postgres::fallible_iterator::FallibleIterator;
use serde_json::Value;
use token_vault_cluster::wait::{wait_for, wait_for_sql};
use token_vault_cluster::{Cluster, Options, Result, StopMode};
use token_vault_core::envelope::{self, Context, KeyId, TokenField};
use token_vault_core::keys::{DataKey, parse_key_file};
use token_vault_oauth_server::RefreshPolicy;

use crate::keys::{active_key, set};
use crate::master_key::register_provider;
use crate::provider::{CLIENT, DATABASE, LIMIT, Vault};
use crate::session::{complaint, get_token, sqlstate};

/// A cluster whose vault knows a provider that is never asked.
pub fn vault(options: &Options) -> Result<(Cluster, Client)> {
    let cluster = Cluster::start_new(options)?;
    let mut db = cluster.create_vault(DATABASE)?;
    register_provider(&mut db)?;
    Ok((cluster, db))
}

/// Where no custodian can be started: nobody but the sessions of a test seals values again.
pub fn without_custodian() -> Options {
    Options::new()
        .without_fsync()
        .not_preloaded()
        .set("max_worker_processes", "0")
}

fn fast_vault() -> Result<(Cluster, Client)> {
    vault(&Options::new().without_fsync())
}

/// Tokens `user-1` to `user-N`, each with refresh and ID token.
pub fn store_tokens(db: &mut Client, tenant: &str, tokens: i32) -> Result<()> {
    db.execute(
        "SELECT vault.store_token('acme', 'user-' || i, access_token => 'at-' || $1 || i, refresh_token => 'rt-' || $1 || i,
                                  id_token => 'it-' || $1 || i, expires_in => 86400, tenant => $1)
         FROM generate_series(1, $2) AS i",
        &[&tenant, &tokens],
    )?;
    Ok(())
}

/// Replaces a key; returns the new one's id.
pub fn rotate(db: &mut Client, tenant: Option<&str>) -> Result<String> {
    Ok(db
        .query_one("SELECT vault.rotate_key($1)", &[&tenant])?
        .get(0))
}

/// `CALL vault.reencrypt()`, as soon as no custodian is at work.
pub fn reencrypt(db: &mut Client) -> Result<()> {
    wait_for("the custodian to leave", LIMIT, || {
        wait_for_sql(db, NO_CUSTODIAN, LIMIT)?;
        match db.batch_execute("CALL vault.reencrypt()") {
            Ok(()) => Ok(Some(())),
            Err(error) if error.code().is_some_and(|code| code.code() == "55006") => Ok(None),
            Err(error) => Err(error.into()),
        }
    })
}

pub fn wait_until_done(db: &mut Client) -> Result<()> {
    wait_for_sql(
        db,
        "SELECT state = 'done' FROM vault.reencryption_job",
        LIMIT,
    )
}

/// Waits until there are so many keys in a state.
pub fn wait_for_keys(db: &mut Client, state: &str, count: i64) -> Result<()> {
    let query = format!("SELECT count(*) = {count} FROM vault.key WHERE state = '{state}'");
    wait_for_sql(db, &query, LIMIT)
}

/// The state of a key.
pub fn state_of(db: &mut Client, key: &str) -> Result<String> {
    let query = "SELECT state FROM vault.key WHERE lpad(to_hex(id), 16, '0') = $1";
    Ok(db.query_one(query, &[&key])?.get(0))
}

/// How many tokens and client secrets carry another key in their bytes than the one that is active for their tenant.
pub fn stale_values(db: &mut Client) -> Result<i64> {
    let query = "
        SELECT count(*) FROM (
            SELECT t.tenant, v.envelope FROM vault.token AS t
            CROSS JOIN LATERAL (VALUES (access_token), (refresh_token), (id_token)) AS v (envelope)
            UNION ALL
            SELECT coalesce(c.tenant, ''), s.client_secret FROM vault.client_secret AS s JOIN vault.client AS c ON c.id = s.client
        ) AS x (tenant, envelope)
        WHERE envelope IS NOT NULL AND encode(substr(envelope, 3, 8), 'hex') IS DISTINCT FROM (
            SELECT lpad(to_hex(k.id), 16, '0') FROM vault.key AS k
            WHERE k.state = 'active' AND (k.tenant = x.tenant OR k.tenant IS NULL) ORDER BY k.tenant NULLS LAST LIMIT 1)";
    Ok(db.query_one(query, &[])?.get(0))
}

/// What `verify()` finds, counted: "ok 12, moved 1".
pub fn verified(db: &mut Client) -> Result<String> {
    let query = "
        SELECT string_agg(outcome || ' ' || count, ', ' ORDER BY outcome)
        FROM (SELECT outcome, count(*) FROM vault.verify() GROUP BY outcome) AS o";
    Ok(db.query_one(query, &[])?.get(0))
}

/// Every plaintext of tokens and clients, opened without the extension.
pub fn plaintexts(cluster: &Cluster, db: &mut Client) -> Result<BTreeMap<String, String>> {
    let keys = data_keys(cluster, db)?;
    let open = |context: Context, envelope: &[u8]| -> Result<String> {
        let id = envelope::key_id(envelope)?;
        let key = keys.get(&id).ok_or("a destroyed key is in use")?;
        let plaintext = envelope::open(key.cipher(), &context, envelope)?;
        Ok(String::from_utf8(plaintext.expose().to_vec())?)
    };
    let mut found = BTreeMap::new();
    for row in db.query(
        "SELECT tenant, subject, label, access_token, refresh_token, id_token FROM vault.token",
        &[],
    )? {
        let fields = [
            TokenField::AccessToken,
            TokenField::RefreshToken,
            TokenField::IdToken,
        ];
        let (tenant, subject, label): (&str, &str, &str) = (row.get(0), row.get(1), row.get(2));
        for (field, column) in fields.into_iter().zip(3..) {
            let Some(envelope) = row.get::<_, Option<&[u8]>>(column) else {
                continue;
            };
            let context = Context::Token {
                tenant,
                provider: "acme",
                subject,
                label,
                field,
            };
            let name = format!("{tenant}/{subject}/{label}/{field:?}");
            found.insert(name, open(context, envelope)?);
        }
    }
    for row in db.query(
        "SELECT coalesce(c.tenant, ''), c.name, s.position, s.client_secret
         FROM vault.client_secret AS s JOIN vault.client AS c ON c.id = s.client",
        &[],
    )? {
        let (tenant, client): (&str, &str) = (row.get(0), row.get(1));
        let context = Context::ClientSecret {
            tenant,
            client,
            provider: "acme",
        };
        let name = format!("{tenant}/{client}/{}", row.get::<_, i32>(2));
        found.insert(name, open(context, row.get(3))?);
    }
    Ok(found)
}

fn data_keys(cluster: &Cluster, db: &mut Client) -> Result<HashMap<KeyId, DataKey>> {
    let master = parse_key_file(&fs::read(cluster.master_key_file())?)?;
    let rows = db.query(
        "SELECT id, coalesce(tenant, ''), wrapped_key FROM vault.key WHERE state <> 'destroyed'",
        &[],
    )?;
    rows.iter()
        .map(|row| {
            let id = KeyId(row.get(0));
            Ok((id, master.unwrap(id, row.get(1), row.get(2))?))
        })
        .collect()
}

/// The events that a listening session has been sent so far and within a moment, until `enough`.
pub fn events(listener: &mut Client, enough: impl Fn(&[Value]) -> bool) -> Result<Vec<Value>> {
    let mut events = Vec::new();
    let mut notifications = listener.notifications();
    let mut waiting = notifications.timeout_iter(LIMIT);
    while !enough(&events) {
        let notification = waiting.next()?.ok_or("no more events came")?;
        events.push(serde_json::from_str(notification.payload())?);
    }
    Ok(events)
}

/// The tokens' rows without what re-encryption may change.
fn all_but_values(db: &mut Client) -> Result<String> {
    let query = "SELECT md5(string_agg((to_jsonb(t) - '{access_token,refresh_token,id_token}'::text[])::text, ' ' ORDER BY id))
                 FROM vault.token AS t";
    Ok(db.query_one(query, &[])?.get(0))
}

fn number(db: &mut Client, query: &str) -> Result<i64> {
    Ok(db.query_one(query, &[])?.get(0))
}

/// Lets nothing but this session's transaction have one token in ten.
fn lock_a_tenth(holder: &mut Client) -> Result<()> {
    Ok(holder
        .batch_execute("BEGIN; SELECT FROM vault.token WHERE subject LIKE 'user-%0' FOR UPDATE")?)
}

/// No custodian is there.
pub const NO_CUSTODIAN: &str =
    "SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'token_vault custodian'";

const ALL_BUT_A_TENTH: &str =
    "SELECT done = 5400 AND state = 'running' AND total = 6000 FROM vault.reencryption";

#[test]
fn everything_comes_under_the_active_keys_and_the_old_ones_end() -> Result<()> {
    let (cluster, mut db) = fast_vault()?;
    for tenant in ["globex", "initech"] {
        db.execute("SELECT vault.create_tenant_key($1)", &[&tenant])?;
    }
    for (tenant, tokens) in [("default", 1000), ("globex", 600), ("initech", 400)] {
        store_tokens(&mut db, tenant, tokens)?;
    }
    for (client, tenant) in [
        ("one", None),
        ("two", Some("globex")),
        ("three", Some("new")),
    ] {
        db.execute(
            "SELECT vault.register_client($1, 'acme', $1, 'cs-' || $1, tenant => $2), vault.add_client_secret($1, 'newer-' || $1, tenant => $2)",
            &[&client, &tenant],
        )?;
    }
    // What the tenants' keys have begun is over.
    wait_until_done(&mut db)?;
    let before = (plaintexts(&cluster, &mut db)?, all_but_values(&mut db)?);
    assert_eq!(before.0.len(), 6006);
    let mut listener = cluster.connect(DATABASE, "postgres")?;
    listener.batch_execute("LISTEN token_vault")?;

    let old = db.query("SELECT key FROM vault.keys ORDER BY key", &[])?;
    let mut old: Vec<String> = old.iter().map(|row| row.get(0)).collect();
    let mut new = Vec::new();
    for tenant in [None, Some("globex"), Some("initech")] {
        new.push(rotate(&mut db, tenant)?);
    }
    assert!(stale_values(&mut db)? > 0 || state_of(&mut db, &old[0])? != "active");
    wait_for_keys(&mut db, "destroyed", 3)?;
    assert_eq!(stale_values(&mut db)?, 0);
    assert_eq!(plaintexts(&cluster, &mut db)?, before.0);
    assert_eq!(all_but_values(&mut db)?, before.1);
    assert_eq!(verified(&mut db)?, "ok 6009");

    let rows = db.query(
        "SELECT key, tenant, destroyed_at >= retired_at AND unused_since <= destroyed_at, tokens + client_secrets
         FROM vault.keys WHERE state = 'destroyed' ORDER BY key",
        &[],
    )?;
    for (row, key) in rows.iter().zip(&old) {
        assert_eq!(row.get::<_, &str>(0), key);
        assert!(row.get::<_, bool>(2), "{key}");
        assert_eq!(row.get::<_, i64>(3), 0, "{key}");
    }
    let counts = number(
        &mut db,
        "SELECT sum(tokens + client_secrets)::bigint FROM vault.keys WHERE state = 'active'",
    )?;
    assert_eq!(counts, 6006);

    let events = events(&mut listener, |events| {
        events
            .iter()
            .filter(|event| event["event"] == "key_destroyed")
            .count()
            == 3
    })?;
    let of = |name: &str| -> Vec<String> {
        let named = events.iter().filter(|event| event["event"] == name);
        named
            .map(|event| event["key"].as_str().unwrap_or_default().to_owned())
            .collect()
    };
    assert_eq!(of("key_rotated"), new);
    let mut destroyed = of("key_destroyed");
    destroyed.sort();
    old.sort();
    assert_eq!(destroyed, old);
    for row in &rows {
        let (key, tenant): (String, Option<String>) = (row.get(0), row.get(1));
        let mut told = events
            .iter()
            .filter(|event| event["event"] == "key_destroyed");
        assert!(
            told.any(|event| event["key"] == key.as_str()
                && event["tenant"].as_str() == tenant.as_deref()),
            "{key} of {tenant:?}"
        );
    }
    cluster.assert_never_crashed();
    Ok(())
}

/// A vault with a column whose values are under an old key that nothing uses as far as a search can see.
struct Copied {
    cluster: Cluster,
    db: Client,
    old: String,
}

impl Copied {
    /// `copy` runs in a session of its own, which still has its transaction open when the key is replaced.
    fn start(options: &Options, copy: &str) -> Result<(Self, Client)> {
        let (cluster, mut db) = vault(options)?;
        db.batch_execute(
            "CREATE TABLE hook (id integer, key vault.secret); INSERT INTO hook VALUES (1, 'whsec_1'::text)",
        )?;
        let old = active_key(&mut db)?;
        let mut other = cluster.connect(DATABASE, "postgres")?;
        other.batch_execute(copy)?;
        rotate(&mut db, None)?;
        Ok((Self { cluster, db, old }, other))
    }

    /// The custodian has found the key unused, and has looked again, more than once.
    fn wait_until_it_waits(&mut self) -> Result<()> {
        let query = format!(
            "SELECT EXISTS (SELECT FROM pg_stat_activity AS a, vault.keys AS k
                 WHERE a.backend_type = 'token_vault custodian' AND k.key = '{}'
                   AND a.query_start > k.unused_since + interval '2.5 s')",
            self.old
        );
        wait_for_sql(&mut self.db, &query, LIMIT)?;
        assert_eq!(state_of(&mut self.db, &self.old)?, "retired");
        Ok(())
    }

    /// So many copies are there, and open; the old key has gone.
    fn assert_all_moved(&mut self, copies: i64) -> Result<()> {
        wait_for_keys(&mut self.db, "destroyed", 1)?;
        assert_eq!(state_of(&mut self.db, &self.old)?, "destroyed");
        let opened = number(
            &mut self.db,
            "SELECT count(*) FROM hook WHERE vault.reveal(key) = 'whsec_1'",
        )?;
        assert_eq!(opened, copies);
        self.cluster.assert_never_crashed();
        Ok(())
    }
}

#[test]
fn a_key_outlives_every_transaction_that_is_older() -> Result<()> {
    let options = Options::new().without_fsync();
    let (mut vault, mut other) = Copied::start(&options, "BEGIN; SELECT 1")?;
    vault.wait_until_it_waits()?;
    other.batch_execute("COMMIT")?;
    vault.assert_all_moved(1)
}

#[test]
fn a_value_that_is_copied_and_not_yet_committed_keeps_its_key() -> Result<()> {
    let options = Options::new().without_fsync();
    let copy = "BEGIN; INSERT INTO hook SELECT 2, key FROM hook";
    let (mut vault, mut other) = Copied::start(&options, copy)?;
    vault.wait_until_it_waits()?;
    other.batch_execute("COMMIT")?;
    vault.assert_all_moved(2)
}

#[test]
fn a_prepared_transaction_keeps_the_key_over_a_crash() -> Result<()> {
    let options = Options::new().set("max_prepared_transactions", "2");
    let copy = "BEGIN; INSERT INTO hook SELECT 2, key FROM hook; PREPARE TRANSACTION 'copy'";
    let (mut vault, _other) = Copied::start(&options, copy)?;
    vault.wait_until_it_waits()?;
    vault.cluster.restart(StopMode::Immediate)?;
    vault.db = vault.cluster.connect(DATABASE, "postgres")?;
    reencrypt(&mut vault.db)?;
    assert_eq!(state_of(&mut vault.db, &vault.old.clone())?, "retired");
    vault.db.batch_execute("COMMIT PREPARED 'copy'")?;
    reencrypt(&mut vault.db)?;
    vault.assert_all_moved(2)
}

#[test]
fn a_key_is_kept_as_long_as_the_setting_says() -> Result<()> {
    let (cluster, mut db) = vault(
        &Options::new()
            .without_fsync()
            .set("token_vault.key_retention", "1h"),
    )?;
    store_tokens(&mut db, "default", 10)?;
    let old = active_key(&mut db)?;
    rotate(&mut db, None)?;
    wait_until_done(&mut db)?;
    for _ in 0..2 {
        reencrypt(&mut db)?;
    }
    let unused = "SELECT unused_since IS NOT NULL FROM vault.keys WHERE state = 'retired'";
    assert!(db.query_one(unused, &[])?.get::<_, bool>(0));
    assert_eq!(state_of(&mut db, &old)?, "retired");
    set(&cluster, "token_vault.key_retention", "0")?;
    let mut db = cluster.connect(DATABASE, "postgres")?;
    reencrypt(&mut db)?;
    assert_eq!(state_of(&mut db, &old)?, "destroyed");
    cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn a_key_is_kept_where_values_cannot_be_counted_and_status_says_where() -> Result<()> {
    let (cluster, mut db) = fast_vault()?;
    db.batch_execute(
        "CREATE TABLE hook (key vault.secret); INSERT INTO hook VALUES ('whsec_1'::text);
         CREATE TABLE \"many hooks\" (keys vault.secret[]); INSERT INTO \"many hooks\" SELECT ARRAY[key] FROM hook;
         CREATE MATERIALIZED VIEW seen AS SELECT key FROM hook",
    )?;
    let old = active_key(&mut db)?;
    rotate(&mut db, None)?;
    wait_until_done(&mut db)?;
    for (name, drop) in [
        ("public.\"many hooks\".keys", "DROP TABLE \"many hooks\""),
        ("public.seen.key", "DROP MATERIALIZED VIEW seen"),
    ] {
        for _ in 0..2 {
            reencrypt(&mut db)?;
        }
        assert_eq!(state_of(&mut db, &old)?, "retired", "{name}");
        let advice: Option<String> = db
            .query_one(
                "SELECT advice FROM vault.status() WHERE item = 'data keys'",
                &[],
            )?
            .get(0);
        let advice = advice.unwrap_or_default();
        assert!(advice.contains(name), "{name}: {advice}");
        let opaque = db.query_one(
            "SELECT count(*) FROM vault.verify() WHERE outcome = 'not checked' AND relation = $1",
            &[&name],
        )?;
        assert_eq!(opaque.get::<_, i64>(0), 1, "{name}");
        db.batch_execute(drop)?;
    }
    reencrypt(&mut db)?;
    assert_eq!(state_of(&mut db, &old)?, "destroyed");
    cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn paused_nothing_moves_over_a_restart_and_resumed_it_goes_on_where_it_was() -> Result<()> {
    let (mut cluster, mut db) = fast_vault()?;
    store_tokens(&mut db, "default", 2000)?;
    let before = plaintexts(&cluster, &mut db)?;
    let mut holder = cluster.connect(DATABASE, "postgres")?;
    lock_a_tenth(&mut holder)?;
    rotate(&mut db, None)?;
    wait_for_sql(&mut db, ALL_BUT_A_TENTH, LIMIT)?;
    db.batch_execute("SELECT vault.pause_reencryption()")?;
    holder.batch_execute("ROLLBACK")?;
    wait_for_sql(&mut db, NO_CUSTODIAN, LIMIT)?;

    cluster.restart(StopMode::Fast)?;
    let mut db = cluster.connect(DATABASE, "postgres")?;
    // The new refresher has had its first look, and the custodian that it has started has left again.
    wait_for_sql(
        &mut db,
        "SELECT coalesce(bool_or(query LIKE 'next token due in %'), false) FROM pg_stat_activity",
        LIMIT,
    )?;
    wait_for_sql(&mut db, NO_CUSTODIAN, LIMIT)?;
    assert_eq!(
        sqlstate(db.batch_execute("CALL vault.reencrypt()")),
        "55000"
    );
    assert_eq!(stale_values(&mut db)?, 600);
    let row = db.query_one(
        "SELECT state, remaining, finished_at IS NULL FROM vault.reencryption",
        &[],
    )?;
    assert_eq!(
        (row.get(0), row.get(1), row.get(2)),
        ("paused", 600_i64, true)
    );

    db.batch_execute("SELECT vault.resume_reencryption()")?;
    wait_until_done(&mut db)?;
    let row = db.query_one(
        "SELECT total, done, remaining, percent = 100 FROM vault.reencryption",
        &[],
    )?;
    let counted: [i64; 3] = [row.get(0), row.get(1), row.get(2)];
    assert_eq!(counted, [6000, 6000, 0], "it did not begin anew");
    assert!(row.get::<_, bool>(3));
    assert_eq!(stale_values(&mut db)?, 0);
    assert_eq!(plaintexts(&cluster, &mut db)?, before);
    wait_for_keys(&mut db, "destroyed", 1)?;
    cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn what_others_have_locked_is_passed_over_and_done_later_and_meanwhile_the_progress_is_shown()
-> Result<()> {
    let (cluster, mut db) = fast_vault()?;
    store_tokens(&mut db, "default", 2000)?;
    let mut holder = cluster.connect(DATABASE, "postgres")?;
    lock_a_tenth(&mut holder)?;
    rotate(&mut db, None)?;
    wait_for_sql(&mut db, ALL_BUT_A_TENTH, LIMIT)?;
    let row = db.query_one(
        "SELECT remaining, percent::float8, rate > 0, estimated_end > updated_at, finished_at IS NULL, problems FROM vault.reencryption",
        &[],
    )?;
    assert_eq!((row.get::<_, i64>(0), row.get::<_, f64>(1)), (600, 90.0));
    for column in 2..5 {
        assert!(row.get::<_, bool>(column), "column {column}");
    }
    assert_eq!(row.get::<_, i64>(5), 0);
    wait_for_sql(
        &mut db,
        "SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'token_vault custodian'
             AND query LIKE 're-encrypting: 5,400 of 6,000 values (90 %), %/s, % s left'",
        LIMIT,
    )?;
    // One at a time: the session is told which process it is.
    let custodian = number(
        &mut db,
        "SELECT pid::bigint FROM pg_stat_activity WHERE backend_type = 'token_vault custodian'",
    )?;
    let told = complaint(db.batch_execute("CALL vault.reencrypt()"));
    assert!(told.contains(&format!("process {custodian} ")), "{told}");
    holder.batch_execute("ROLLBACK")?;
    wait_until_done(&mut db)?;
    assert_eq!(stale_values(&mut db)?, 0);
    wait_for_keys(&mut db, "destroyed", 1)?;
    cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn a_session_that_is_at_it_shows_how_far_it_is() -> Result<()> {
    let (cluster, mut db) = vault(&without_custodian())?;
    store_tokens(&mut db, "default", 2000)?;
    let mut holder = cluster.connect(DATABASE, "postgres")?;
    lock_a_tenth(&mut holder)?;
    let mut caller = cluster.connect(DATABASE, "postgres")?;
    rotate(&mut db, None)?;
    let call = std::thread::spawn(move || {
        let result = caller.batch_execute("CALL vault.reencrypt(100)");
        (caller, result)
    });
    wait_for_sql(
        &mut db,
        "SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'client backend'
             AND query LIKE 'CALL vault.reencrypt(): re-encrypting: 5,400 of 6,000 values (90 \\%), %'",
        LIMIT,
    )?;
    holder.batch_execute("ROLLBACK")?;
    let (mut caller, result) = call.join().expect("the caller's thread");
    result?;
    wait_until_done(&mut db)?;
    assert_eq!(stale_values(&mut db)?, 0);
    let own: String = caller
        .query_one(
            "SELECT query FROM pg_stat_activity WHERE pid = pg_backend_pid()",
            &[],
        )?
        .get(0);
    assert!(own.starts_with("SELECT query"), "{own}");
    cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn a_call_in_a_transaction_block_or_a_function_is_refused_and_changes_nothing() -> Result<()> {
    let (cluster, mut db) = vault(&without_custodian())?;
    store_tokens(&mut db, "default", 10)?;
    db.batch_execute(
        "SELECT vault.rotate_key();
         CREATE FUNCTION in_a_function() RETURNS void LANGUAGE plpgsql AS 'BEGIN CALL vault.reencrypt(); END'",
    )?;
    assert_eq!(stale_values(&mut db)?, 30);
    db.batch_execute("BEGIN")?;
    assert_eq!(
        sqlstate(db.batch_execute("CALL vault.reencrypt()")),
        "2D000"
    );
    db.batch_execute("ROLLBACK")?;
    assert_eq!(
        sqlstate(db.batch_execute("SELECT in_a_function()")),
        "2D000"
    );
    for size in ["0", "-1", "10001"] {
        let call = format!("CALL vault.reencrypt({size})");
        assert_eq!(sqlstate(db.batch_execute(&call)), "22023", "{size}");
    }
    assert_eq!(
        sqlstate(db.batch_execute("CALL vault.reencrypt(NULL)")),
        "22004"
    );
    assert_eq!(stale_values(&mut db)?, 30);
    // The custody was not taken along.
    reencrypt(&mut db)?;
    assert_eq!(stale_values(&mut db)?, 0);
    cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn only_administrators_may() -> Result<()> {
    let (cluster, mut db) = fast_vault()?;
    store_tokens(&mut db, "default", 10)?;
    db.batch_execute(
        "CREATE ROLE app LOGIN; SELECT vault.grant_access('app', ARRAY['read', 'write', 'refresh']);
         GRANT EXECUTE ON ALL ROUTINES IN SCHEMA vault TO app; GRANT SELECT ON vault.reencryption, vault.keys TO app;
         SELECT vault.rotate_key()",
    )?;
    wait_for_keys(&mut db, "destroyed", 1)?;
    let mut app = cluster.connect(DATABASE, "app")?;
    for statement in [
        "SELECT vault.rotate_key()",
        "SELECT vault.create_tenant_key('globex')",
        "SELECT vault.pause_reencryption()",
        "SELECT vault.resume_reencryption()",
        "SELECT * FROM vault.key_usage()",
        "CALL vault.reencrypt()",
    ] {
        assert_eq!(
            sqlstate(app.batch_execute(statement)),
            "42501",
            "{statement}"
        );
    }
    for view in ["reencryption", "keys"] {
        assert_eq!(
            number(&mut app, &format!("SELECT count(*) FROM vault.{view}"))?,
            0,
            "{view}"
        );
    }
    db.batch_execute("SELECT vault.grant_access('app', ARRAY['admin'])")?;
    rotate(&mut app, None)?;
    wait_for_keys(&mut db, "destroyed", 2)?;
    assert_eq!(
        number(&mut app, "SELECT count(*) FROM vault.reencryption")?,
        1
    );
    cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn without_preloading_a_custodian_starts_at_commit_and_not_before() -> Result<()> {
    let (cluster, mut db) = vault(&Options::new().without_fsync().not_preloaded())?;
    store_tokens(&mut db, "default", 100)?;
    let before = plaintexts(&cluster, &mut db)?;
    let old = active_key(&mut db)?;
    db.batch_execute("BEGIN; SELECT vault.rotate_key(); ROLLBACK")?;
    assert_eq!(active_key(&mut db)?, old);
    assert_eq!(
        number(&mut db, "SELECT count(*) FROM vault.reencryption_job")?,
        0
    );
    rotate(&mut db, None)?;
    wait_until_done(&mut db)?;
    wait_for_keys(&mut db, "destroyed", 1)?;
    assert_eq!(stale_values(&mut db)?, 0);
    assert_eq!(plaintexts(&cluster, &mut db)?, before);
    cluster.assert_never_crashed();
    Ok(())
}

/// Three rotations, each up to the old key's end on the standby, too.
fn rotate_and_follow(db: &mut Client, standby: &Cluster) -> Result<()> {
    let mut follower = standby.connect(DATABASE, "postgres")?;
    for round in 1..=3 {
        rotate(db, None)?;
        wait_for_keys(db, "destroyed", round)?;
        wait_for_keys(&mut follower, "destroyed", round)?;
        let stale = stale_values(&mut follower)?;
        if stale > 0 {
            return Err(format!("{stale} values on the standby are under a destroyed key").into());
        }
    }
    Ok(())
}

#[test]
fn a_standby_reads_all_the_time() -> Result<()> {
    let (cluster, mut db) = fast_vault()?;
    store_tokens(&mut db, "default", 200)?;
    let standby = cluster.standby(&Options::new().without_fsync())?;
    let mut early = standby.connect(DATABASE, "postgres")?;
    assert_eq!(get_token(&mut early, "user-1")?, "at-default1");
    let ends = AtomicBool::new(false);
    std::thread::scope(|scope| -> Result<()> {
        let reader = scope.spawn(|| -> Result<usize> {
            let mut reads = 0;
            while !ends.load(Ordering::Relaxed) {
                let user = reads % 200 + 1;
                assert_eq!(
                    get_token(&mut early, &format!("user-{user}"))?,
                    format!("at-default{user}")
                );
                reads += 1;
            }
            Ok(reads)
        });
        let outcome = rotate_and_follow(&mut db, &standby);
        ends.store(true, Ordering::Relaxed);
        let reads = reader.join().expect("the reader's thread")?;
        assert!(reads > 200, "{reads} reads");
        outcome
    })?;
    let mut late = standby.connect(DATABASE, "postgres")?;
    assert_eq!(get_token(&mut late, "user-200")?, "at-default200");
    assert_eq!(
        sqlstate(late.batch_execute("SELECT vault.rotate_key()")),
        "25006"
    );
    cluster.assert_never_crashed();
    standby.assert_never_crashed();
    Ok(())
}

/// How many sessions store, read and delete at once, and on how many tokens each.
const WORKERS: usize = 4;
const TOKENS_OF_EACH: usize = 30;

/// Stores, reads and deletes tokens of its own until told to end; returns what it has stored last of each.
fn work(db: &mut Client, worker: usize, ends: &AtomicBool) -> Result<HashMap<String, String>> {
    let mut stored = HashMap::new();
    let mut step = worker;
    while !ends.load(Ordering::Relaxed) {
        step += 1;
        let subject = format!("worker-{worker}-{}", (step * 7) % TOKENS_OF_EACH);
        match step % 5 {
            0 => {
                let deleted: bool = db
                    .query_one("SELECT vault.delete_token('acme', $1)", &[&subject])?
                    .get(0);
                assert_eq!(deleted, stored.remove(&subject).is_some(), "{subject}");
            }
            1 | 2 => {
                let token = format!("at-{worker}-{step}");
                db.execute(
                    "SELECT vault.store_token('acme', $1, access_token => $2, id_token => 'it-' || $2, expires_in => 86400)",
                    &[&subject, &token],
                )?;
                stored.insert(subject, token);
            }
            _ => {
                let token: Option<String> = db
                    .query_one("SELECT vault.get_token('acme', $1)", &[&subject])?
                    .get(0);
                assert_eq!(token.as_ref(), stored.get(&subject), "{subject}");
            }
        }
    }
    Ok(stored)
}

#[test]
fn nothing_is_lost_and_nobody_is_disturbed_through_five_rotations() -> Result<()> {
    const ROTATIONS: i64 = 5;
    // Whoever waits in a circle is told at once, before a limit on waiting ends it by chance.
    let options = Options::new()
        .without_fsync()
        .set("deadlock_timeout", "10ms");
    let mut vault = Vault::start_with(&options)?;
    // No leeway: an answer that is lost or applied to the wrong generation ends the grant.
    vault.register_at_provider(
        CLIENT,
        RefreshPolicy::Rotate {
            reuse_detection: true,
            leeway: Duration::ZERO,
        },
    );
    let granted: Vec<String> = (0..20).map(|number| format!("granted-{number}")).collect();
    for subject in &granted {
        vault.grant(subject)?;
    }
    store_tokens(&mut vault.db, "default", 1000)?;
    let ends = AtomicBool::new(false);
    let mut stored = HashMap::new();
    std::thread::scope(|scope| -> Result<()> {
        let ends = &ends;
        let mut threads = Vec::new();
        for worker in 0..WORKERS {
            let mut db = vault.session()?;
            threads.push(scope.spawn(move || work(&mut db, worker, ends)));
        }
        let mut db = vault.session()?;
        let granted = &granted;
        let refreshing = scope.spawn(move || -> Result<usize> {
            let mut refreshes = 0;
            while !ends.load(Ordering::Relaxed) {
                let subject = &granted[refreshes % granted.len()];
                db.execute("SELECT vault.refresh_token('acme', $1)", &[subject])?;
                refreshes += 1;
            }
            Ok(refreshes)
        });
        let outcome = rotate_often(&mut vault.db, ROTATIONS);
        ends.store(true, Ordering::Relaxed);
        for thread in threads {
            stored.extend(thread.join().expect("a worker's thread")?);
        }
        let refreshes = refreshing.join().expect("the refreshing thread")?;
        assert!(refreshes > granted.len(), "{refreshes} refreshes");
        outcome
    })?;
    for (subject, token) in &stored {
        assert_eq!(&get_token(&mut vault.db, subject)?, token, "{subject}");
    }
    for subject in &granted {
        let token = get_token(&mut vault.db, subject)?;
        assert_eq!(&vault.who_is(&token)?, subject);
        let row = vault.token(subject)?;
        assert_eq!((&*row.status, row.last_error), ("valid", None), "{subject}");
    }
    wait_for_keys(&mut vault.db, "destroyed", ROTATIONS)?;
    assert_eq!(stale_values(&mut vault.db)?, 0);
    let verified = verified(&mut vault.db)?;
    assert!(
        verified.starts_with("ok ") && !verified.contains(','),
        "{verified}"
    );
    assert_no_complaint(&vault.cluster)?;
    vault.cluster.assert_never_crashed();
    Ok(())
}

/// No process of the server has met an error or given anything up.
fn assert_no_complaint(cluster: &Cluster) -> Result<()> {
    let log = cluster.log()?;
    let complaints: Vec<&str> = log
        .lines()
        .filter(|line| {
            ["ERROR:", "WARNING:", "FATAL:"]
                .iter()
                .any(|level| line.contains(level))
        })
        .collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    Ok(())
}

/// One rotation after the other, each as soon as the one before it is done.
fn rotate_often(db: &mut Client, rotations: i64) -> Result<()> {
    for _ in 0..rotations {
        rotate(db, None)?;
        wait_until_done(db)?;
    }
    Ok(())
}

#[test]
fn sessions_that_store_in_another_order_never_deadlock_with_it() -> Result<()> {
    const ROTATIONS: i64 = 8;
    const TOKENS: i32 = 200;
    let (cluster, mut db) = vault(
        &Options::new()
            .without_fsync()
            .set("deadlock_timeout", "10ms"),
    )?;
    db.batch_execute("SELECT vault.register_client('one', 'acme', 'id', 'cs-one')")?;
    let tenants = ["one", "two", "three"];
    for tenant in tenants {
        store_tokens(&mut db, tenant, TOKENS)?;
    }
    let ends = AtomicBool::new(false);
    std::thread::scope(|scope| -> Result<()> {
        let ends = &ends;
        let mut threads = Vec::new();
        for tenant in tenants {
            let mut session = cluster.connect(DATABASE, "postgres")?;
            threads.push(scope.spawn(move || -> Result<i32> {
                let mut transactions = 0;
                while !ends.load(Ordering::Relaxed) {
                    let mut transaction = session.transaction()?;
                    // Never the same row in two transactions that follow each other: it would hardly ever be free.
                    let chosen = |user: &i32| user % 9 == transactions % 9;
                    for user in (1..=TOKENS).rev().filter(chosen) {
                        transaction.execute(
                            "SELECT vault.store_token('acme', 'user-' || $2::integer, access_token => 'at-' || $1 || $2::integer, expires_in => 86400, tenant => $1)",
                            &[&tenant, &user],
                        )?;
                    }
                    transaction.commit()?;
                    transactions += 1;
                }
                Ok(transactions)
            }));
        }
        let outcome = rotate_often(&mut db, ROTATIONS);
        ends.store(true, Ordering::Relaxed);
        for thread in threads {
            let transactions = thread.join().expect("the session's thread")?;
            assert!(transactions > 10, "{transactions} transactions");
        }
        outcome
    })?;
    assert_eq!(stale_values(&mut db)?, 0);
    let plain = plaintexts(&cluster, &mut db)?;
    assert_eq!(plain.len(), 3 * 3 * TOKENS as usize + 1);
    for tenant in tenants {
        assert_eq!(
            plain[&format!("{tenant}/user-{TOKENS}//AccessToken")],
            format!("at-{tenant}{TOKENS}")
        );
    }
    assert_no_complaint(&cluster)?;
    cluster.assert_never_crashed();
    Ok(())
}
