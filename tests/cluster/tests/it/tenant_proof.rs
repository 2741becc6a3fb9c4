//! Entering a tenant with a signed proof: who has entered cannot leave.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use postgres::{Client, NoTls, SimpleQueryMessage};
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};
use token_vault_cluster::{Cluster, Options, Result};

use crate::master_key::{register_provider, session};
use crate::session::{complaint, sqlstate};

fn pair(seed: u8) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).expect("a seed")
}

/// Makes the holder of a key a tenant authority.
pub fn add_authority(db: &mut Client, name: &str, seed: u8) -> Result<()> {
    let public_key = pair(seed).public_key().as_ref().to_vec();
    db.execute(
        "SELECT vault.add_tenant_authority($1, $2)",
        &[&name, &public_key],
    )?;
    Ok(())
}

/// A proof for a tenant that is good for a minute.
pub fn proof(seed: u8, tenant: &str, database: &str) -> String {
    let claims = json!({"tenant": tenant, "exp": now() + 60, "iat": now(), "aud": database});
    signed(seed, &json!({"alg": "EdDSA"}), &claims)
}

fn signed(seed: u8, header: &Value, claims: &Value) -> String {
    let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let message = format!("{}.{}", encode(header), encode(claims));
    let signature = URL_SAFE_NO_PAD.encode(pair(seed).sign(message.as_bytes()));
    format!("{message}.{signature}")
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970")
        .as_secs()
}

/// A vault with a token for each of two tenants, one authority, and an application's role that may read everything.
fn start() -> Result<(Cluster, Client)> {
    start_with(&Options::new().without_fsync())
}

fn start_with(options: &Options) -> Result<(Cluster, Client)> {
    let cluster = Cluster::start_new(options)?;
    let mut db = cluster.create_vault("app")?;
    register_provider(&mut db)?;
    db.batch_execute(
        "SELECT vault.store_token('acme', 'ann', 'at-blue', tenant => 'blue'), vault.store_token('acme', 'ann', 'at-red', tenant => 'red');
         CREATE ROLE web LOGIN; SELECT vault.grant_access('web', '{read,write}')",
    )?;
    add_authority(&mut db, "app", 1)?;
    Ok((cluster, db))
}

type Outcome<T> = std::result::Result<T, postgres::Error>;

fn enter(db: &mut Client, tenant: &str, proof: &str) -> Outcome<()> {
    db.execute("SELECT vault.enter_tenant($1, $2)", &[&tenant, &proof])
        .map(drop)
}

fn token(db: &mut Client) -> Outcome<Option<String>> {
    db.query_one("SELECT vault.get_token('acme', 'ann')", &[])?
        .try_get(0)
}

fn shown(db: &mut Client) -> Outcome<String> {
    db.query_one("SHOW token_vault.tenant", &[])?.try_get(0)
}

#[test]
fn who_has_entered_cannot_leave() -> Result<()> {
    let (cluster, _) = start()?;
    let mut web = cluster.connect("app", "web")?;
    assert_eq!(token(&mut web)?, None);
    enter(&mut web, "blue", &proof(1, "blue", "app"))?;
    assert_eq!(token(&mut web)?.as_deref(), Some("at-blue"));

    for refused in [
        "SET token_vault.tenant = 'red'",
        "SET token_vault.tenant = ''",
        "SELECT set_config('token_vault.tenant', 'red', false)",
        "SELECT set_config('token_vault.tenant', 'red', true)",
        "BEGIN; SET LOCAL token_vault.tenant = 'red'",
        "SELECT vault.get_token('acme', 'ann', tenant => 'red')",
    ] {
        assert_eq!(sqlstate(web.batch_execute(refused)), "TV041", "{refused}");
        web.batch_execute("ROLLBACK")?;
    }
    // These ask nobody; they change nothing.
    for harmless in [
        "SET token_vault.tenant = 'blue'",
        "RESET token_vault.tenant",
        "SET token_vault.tenant TO DEFAULT",
        "RESET ALL",
        "DISCARD ALL",
        "RESET SESSION AUTHORIZATION",
        "BEGIN; ROLLBACK",
    ] {
        web.batch_execute(harmless)?;
        assert_eq!(shown(&mut web)?, "blue", "{harmless}");
        assert_eq!(token(&mut web)?.as_deref(), Some("at-blue"), "{harmless}");
    }
    let tenants: Vec<String> = web
        .query("SELECT tenant FROM vault.tokens", &[])?
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert_eq!(tenants, ["blue"]);
    // With another proof it goes elsewhere.
    enter(&mut web, "red", &proof(1, "red", "app"))?;
    assert_eq!(token(&mut web)?.as_deref(), Some("at-red"));
    // Others are where they were.
    assert_eq!(shown(&mut cluster.connect("app", "web")?)?, "");
    cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn a_refused_proof_changes_nothing_and_says_why() -> Result<()> {
    let (cluster, mut db) = start()?;
    add_authority(&mut db, "other", 2)?;
    let mut web = cluster.connect("app", "web")?;
    enter(&mut web, "blue", &proof(1, "blue", "app"))?;
    let header = json!({"alg": "EdDSA"});
    let claims = |exp: u64| json!({"tenant": "red", "exp": exp});
    for (proof, reason) in [
        (proof(1, "blue", "app"), "another tenant"),
        (proof(3, "red", "app"), "signed"),
        (proof(1, "red", "postgres"), "this database"),
        (signed(1, &header, &claims(now() - 1)), "expired"),
        (
            signed(1, &header, &claims(now() + 400)),
            "tenant_proof_lifetime",
        ),
        (
            signed(
                1,
                &json!({"alg": "EdDSA", "kid": "other"}),
                &claims(now() + 60),
            ),
            "signed",
        ),
        (
            signed(1, &json!({"alg": "none"}), &claims(now() + 60)),
            "EdDSA",
        ),
        (String::new(), "JWS"),
        ("a.b.c".into(), "JWS"),
        ("x".repeat(100_000), "too long"),
    ] {
        let refused = enter(&mut web, "red", &proof);
        let text = complaint(refused);
        assert!(text.contains(reason), "{reason}: {text}");
        assert!(proof.is_empty() || !text.contains(&proof), "{reason}");
        assert_eq!(
            sqlstate(enter(&mut web, "red", &proof)),
            "TV042",
            "{reason}"
        );
        assert_eq!(token(&mut web)?.as_deref(), Some("at-blue"), "{reason}");
    }
    let by_name = signed(
        2,
        &json!({"alg": "EdDSA", "kid": "other"}),
        &claims(now() + 60),
    );
    enter(&mut web, "red", &by_name)?;
    // An authority that was dropped vouches for nobody.
    db.execute("SELECT vault.drop_tenant_authority('other')", &[])?;
    assert_eq!(sqlstate(enter(&mut web, "red", &by_name)), "TV042");
    assert_eq!(token(&mut web)?.as_deref(), Some("at-red"));
    for (statement, state) in [
        ("SELECT vault.drop_tenant_authority('other')", "22023"),
        (
            "SELECT vault.add_tenant_authority('app', decode(repeat('00', 32), 'hex'))",
            "22023",
        ),
        ("SELECT vault.add_tenant_authority('new', '\\x00')", "22023"),
        ("SELECT vault.add_tenant_authority('new', NULL)", "22004"),
        ("SELECT vault.enter_tenant('red', NULL)", "22004"),
        ("SELECT vault.enter_tenant(NULL, 'x')", "22004"),
    ] {
        assert_eq!(sqlstate(db.batch_execute(statement)), state, "{statement}");
    }
    Ok(())
}

/// For poolers that lend a connection for a transaction.
#[test]
fn a_local_entry_ends_with_the_transaction_or_with_its_savepoint() -> Result<()> {
    let (cluster, _) = start()?;
    let mut web = cluster.connect("app", "web")?;
    let local = |tenant: &str| {
        let proof = proof(1, tenant, "app");
        format!("SELECT vault.enter_tenant('{tenant}', '{proof}', is_local => true)")
    };
    for end in ["COMMIT", "ROLLBACK"] {
        web.batch_execute(&format!("BEGIN; {}", local("blue")))?;
        assert_eq!(token(&mut web)?.as_deref(), Some("at-blue"));
        web.batch_execute(end)?;
        assert_eq!(shown(&mut web)?, "", "{end}");
        assert_eq!(token(&mut web)?, None, "{end}");
    }
    // Alone, it is over with its own statement.
    web.batch_execute(&local("blue"))?;
    assert_eq!(shown(&mut web)?, "");

    web.batch_execute(&format!(
        "BEGIN; {}; SAVEPOINT a; {}",
        local("blue"),
        local("red")
    ))?;
    assert_eq!(token(&mut web)?.as_deref(), Some("at-red"));
    web.batch_execute("ROLLBACK TO a")?;
    assert_eq!(token(&mut web)?.as_deref(), Some("at-blue"));
    web.batch_execute(&format!(
        "SAVEPOINT b; {}; SAVEPOINT c; RELEASE b",
        local("red")
    ))?;
    assert_eq!(token(&mut web)?.as_deref(), Some("at-red"));
    assert_eq!(
        sqlstate(web.batch_execute("SET LOCAL token_vault.tenant = 'blue'")),
        "TV041"
    );
    web.batch_execute("ROLLBACK TO a")?;
    assert_eq!(token(&mut web)?.as_deref(), Some("at-blue"));
    web.batch_execute("COMMIT")?;
    assert_eq!(token(&mut web)?, None);

    // Over what the session has entered; and that survives a rollback.
    web.batch_execute("BEGIN")?;
    enter(&mut web, "blue", &proof(1, "blue", "app"))?;
    web.batch_execute("ROLLBACK")?;
    web.batch_execute(&format!("BEGIN; {}", local("red")))?;
    assert_eq!(token(&mut web)?.as_deref(), Some("at-red"));
    web.batch_execute("COMMIT")?;
    assert_eq!(token(&mut web)?.as_deref(), Some("at-blue"));
    Ok(())
}

/// Without preloading it could, because PostgreSQL does not know yet who may change the setting.
#[test]
fn a_connections_options_do_not_take_the_demand_back() -> Result<()> {
    let (cluster, mut db) = start()?;
    db.batch_execute("ALTER ROLE web SET token_vault.require_tenant_proof = on")?;
    let mut connection = cluster.connection("app", "web");
    connection.options("-c token_vault.require_tenant_proof=off");
    assert_eq!(sqlstate(connection.connect(NoTls)), "42501");
    Ok(())
}

/// Also where the library is loaded by the first call: the settings of the role hold from then on.
#[test]
fn a_role_of_many_tenants_gets_nothing_without_a_proof() -> Result<()> {
    for options in [Options::new(), Options::new().not_preloaded()] {
        let (cluster, mut db) = start_with(&options.without_fsync())?;
        db.batch_execute("ALTER ROLE web SET token_vault.require_tenant_proof = on")?;
        let mut web = cluster.connect("app", "web")?;
        // Not to be taken back by the role itself, before the library is loaded or after it.
        let _ = web.batch_execute("SET token_vault.require_tenant_proof = off");
        assert_eq!(sqlstate(token(&mut web)), "TV043");
        assert_eq!(
            sqlstate(web.batch_execute("SET token_vault.require_tenant_proof = off")),
            "42501"
        );
        web.batch_execute("SET token_vault.tenant = 'blue'")?;
        assert_eq!(sqlstate(token(&mut web)), "TV043");
        web.batch_execute("ALTER ROLE web RESET ALL")?;
        for change in ["RESET", "SET"] {
            let value = if change == "SET" { " = off" } else { "" };
            let own = format!("ALTER ROLE web {change} token_vault.require_tenant_proof{value}");
            assert_eq!(sqlstate(web.batch_execute(&own)), "42501", "{own}");
        }
        assert_eq!(
            sqlstate(token(&mut cluster.connect("app", "web")?)),
            "TV043"
        );
        let visible: i64 = web
            .query_one("SELECT count(*) FROM vault.tokens", &[])?
            .get(0);
        assert_eq!(visible, 0);
        enter(&mut web, "blue", &proof(1, "blue", "app"))?;
        assert_eq!(token(&mut web)?.as_deref(), Some("at-blue"));
        assert_eq!(token(&mut session(&cluster)?)?, None);
        cluster.assert_never_crashed();
    }
    Ok(())
}

/// The policy of an application's own table may rely on it.
#[test]
fn current_setting_shows_the_tenant_that_counts() -> Result<()> {
    let (cluster, mut db) = start()?;
    db.batch_execute(
        "CREATE TABLE note (tenant text, body text); INSERT INTO note VALUES ('blue', 'b'), ('red', 'r');
         ALTER TABLE note ENABLE ROW LEVEL SECURITY; GRANT SELECT ON note TO web;
         CREATE POLICY own ON note USING (tenant = current_setting('token_vault.tenant', true))",
    )?;
    let mut web = cluster.connect("app", "web")?;
    let notes = |db: &mut Client| -> Result<Vec<String>> {
        let rows = db.query("SELECT body FROM note", &[])?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    };
    assert!(notes(&mut web)?.is_empty());
    enter(&mut web, "blue", &proof(1, "blue", "app"))?;
    web.batch_execute("RESET ALL")?;
    assert_eq!(notes(&mut web)?, ["b"]);
    Ok(())
}

#[test]
fn on_a_standby_and_after_a_restore_the_same_proofs_count() -> Result<()> {
    let (cluster, mut db) = start()?;
    let standby = cluster.standby(&Options::new().without_fsync())?;
    let mut there = standby.connect("app", "web")?;
    enter(&mut there, "blue", &proof(1, "blue", "app"))?;
    assert_eq!(token(&mut there)?.as_deref(), Some("at-blue"));

    let dump = cluster.pg_dump("app")?;
    cluster.createdb("copy")?;
    cluster.pg_restore("copy", &dump)?;
    let mut copy = cluster.connect("copy", "web")?;
    assert_eq!(
        sqlstate(enter(&mut copy, "blue", &proof(1, "blue", "app"))),
        "TV042"
    );
    enter(&mut copy, "blue", &proof(1, "blue", "copy"))?;
    assert_eq!(token(&mut copy)?.as_deref(), Some("at-blue"));
    let names: Vec<String> = db
        .query("SELECT name FROM vault.tenant_authorities", &[])?
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert_eq!(names, ["app"]);
    Ok(())
}

/// Two clients of one connection, behind a pooler that lends it for a transaction.
#[test]
fn a_pooled_connection_is_nobodys_after_the_transaction() -> Result<()> {
    let (cluster, _) = start()?;
    let pooler = cluster.pooler("app", 1)?;
    let token_of = |db: &mut Client, before: &str| -> Result<Option<String>> {
        let sql = format!("BEGIN; {before}; SELECT vault.get_token('acme', 'ann'); COMMIT");
        let messages = db.simple_query(&sql)?;
        let last = messages.iter().rev().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row.get(0).map(str::to_owned)),
            _ => None,
        });
        Ok(last.ok_or("one row")?)
    };
    let mut clients = [
        pooler.connection().connect(NoTls)?,
        pooler.connection().connect(NoTls)?,
        pooler.connection().connect(NoTls)?,
    ];
    for _ in 0..3 {
        for (client, tenant) in clients.iter_mut().zip(["blue", "red", ""]) {
            let enter = match tenant {
                "" => "SELECT 1".to_owned(),
                _ => format!(
                    "SELECT vault.enter_tenant('{tenant}', '{}', is_local => true)",
                    proof(1, tenant, "app")
                ),
            };
            let expected = (!tenant.is_empty()).then(|| format!("at-{tenant}"));
            assert_eq!(token_of(client, &enter)?, expected);
        }
    }
    Ok(())
}
