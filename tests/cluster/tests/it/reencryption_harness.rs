//! A vault whose keys are replaced: what the tests of rotation, re-encryption and verification have in common.

use std::collections::{BTreeMap, HashMap};
use std::fs;

use postgres::Client;
use postgres::fallible_iterator::FallibleIterator;
use serde_json::Value;
use token_vault_cluster::wait::{wait_for, wait_for_sql};
use token_vault_cluster::{Cluster, Options, Result};
use token_vault_core::envelope::{self, Context, KeyId, TokenField};
use token_vault_core::keys::{DataKey, parse_key_file};

use crate::master_key::register_provider;
use crate::provider::{DATABASE, LIMIT};

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

pub fn fast_vault() -> Result<(Cluster, Client)> {
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
        "SELECT id, coalesce(tenant, ''), wrapped_key FROM vault.key WHERE state IN ('active', 'retired')",
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

pub fn number(db: &mut Client, query: &str) -> Result<i64> {
    Ok(db.query_one(query, &[])?.get(0))
}

/// No custodian is there.
pub const NO_CUSTODIAN: &str =
    "SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'token_vault custodian'";
