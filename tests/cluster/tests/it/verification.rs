//! `vault.verify()` names every value that cannot be read, and why, and nothing makes it fail.

use std::collections::BTreeMap;
use std::fs;

use postgres::Client;
use token_vault_cluster::{Cluster, Options, Result};

use crate::keys::active_key;
use crate::master_key::write;
use crate::provider::DATABASE;
use crate::reencryption_harness::{store_tokens, vault, verified, without_custodian};
use crate::session::sqlstate;

/// Three tokens of two tenants with all their fields, two clients with two secrets each, a table of three values.
fn filled(options: &Options) -> Result<(Cluster, Client)> {
    let (cluster, mut db) = vault(options)?;
    db.batch_execute("SELECT vault.create_tenant_key('globex')")?;
    store_tokens(&mut db, "default", 2)?;
    store_tokens(&mut db, "globex", 1)?;
    db.batch_execute(
        "SELECT vault.register_client(c, 'acme', c, 'cs-' || c), vault.add_client_secret(c, 'newer-' || c) FROM unnest('{one,two}'::text[]) AS c",
    )?;
    db.batch_execute(
        "CREATE TABLE hook (id integer PRIMARY KEY, key vault.secret);
         INSERT INTO hook VALUES (1, 'whsec_1'::text), (2, vault.seal('whsec_2', 'context')), (3, NULL)",
    )?;
    Ok((cluster, db))
}

/// Two data keys and that of the audit log, nine fields, four client secrets, two values in the column.
const ALL_OK: &str = "ok 18";

/// What is not ok: "relation.column location: outcome" and its detail.
fn findings(db: &mut Client) -> Result<BTreeMap<String, Option<String>>> {
    let rows = db.query(
        "SELECT relation || '.' || column_name || ' ' || location || ': ' || outcome, detail
         FROM vault.verify() WHERE outcome <> 'ok'",
        &[],
    )?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

/// The findings without details.
fn found(db: &mut Client) -> Result<Vec<String>> {
    Ok(findings(db)?.into_keys().collect())
}

/// Does `change`, returns what is found then, and undoes it.
fn found_after(db: &mut Client, change: &str) -> Result<Vec<String>> {
    db.batch_execute("BEGIN")?;
    db.batch_execute(change)?;
    let found = found(db)?;
    db.batch_execute("ROLLBACK")?;
    Ok(found)
}

#[test]
fn a_vault_in_order_is_all_ok_and_each_value_is_named_with_its_key() -> Result<()> {
    let (cluster, mut db) = filled(&without_custodian())?;
    assert_eq!(verified(&mut db)?, ALL_OK);
    let rows = db.query(
        "SELECT concat_ws(' ', relation, column_name, location, k.tenant, detail) FROM vault.verify() AS v
         JOIN vault.keys AS k USING (key) WHERE relation <> 'vault.key' ORDER BY 1",
        &[],
    )?;
    let named: Vec<&str> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(
        named,
        [
            "public.hook key (0,1)",
            "public.hook key (0,2)",
            "vault.client_secret client_secret /one/0",
            "vault.client_secret client_secret /one/1",
            "vault.client_secret client_secret /two/0",
            "vault.client_secret client_secret /two/1",
            "vault.token access_token default/acme/user-1/",
            "vault.token access_token default/acme/user-2/",
            "vault.token access_token globex/acme/user-1/ globex",
            "vault.token id_token default/acme/user-1/",
            "vault.token id_token default/acme/user-2/",
            "vault.token id_token globex/acme/user-1/ globex",
            "vault.token refresh_token default/acme/user-1/",
            "vault.token refresh_token default/acme/user-2/",
            "vault.token refresh_token globex/acme/user-1/ globex",
        ]
    );
    cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn an_empty_vault_has_its_keys_verified() -> Result<()> {
    let (_cluster, mut db) = vault(&Options::new().without_fsync())?;
    // The one for values, and that of the audit log.
    assert_eq!(verified(&mut db)?, "ok 2");
    Ok(())
}

#[test]
fn a_flipped_bit_in_any_part_is_found_and_nothing_else_is() -> Result<()> {
    let (cluster, mut db) = filled(&without_custodian())?;
    let length: i32 = db
        .query_one(
            "SELECT octet_length(access_token) FROM vault.token WHERE tenant = 'default' AND subject = 'user-1'",
            &[],
        )?
        .get(0);
    let value = "vault.token.access_token default/acme/user-1/";
    for byte in 0..length {
        let flip = format!(
            "UPDATE vault.token SET access_token = set_byte(access_token, {byte}, get_byte(access_token, {byte}) # 16)
             WHERE tenant = 'default' AND subject = 'user-1'"
        );
        // A key of another number is not here; everything else is damage.
        let outcome = match byte {
            2..10 => "unknown key",
            _ => "damaged",
        };
        let expected = [format!("{value}: {outcome}")];
        assert_eq!(found_after(&mut db, &flip)?, expected, "byte {byte}");
    }
    // The same in the other places, at one byte.
    for (change, expected) in [
        (
            "UPDATE vault.client_secret SET client_secret = set_byte(client_secret, 40, get_byte(client_secret, 40) # 1)
             WHERE position = 0 AND client = (SELECT id FROM vault.client WHERE name = 'two')",
            "vault.client_secret.client_secret /two/0: damaged",
        ),
        (
            "UPDATE hook SET key = vault.seal('x')::text::vault.secret WHERE id = 1;
             UPDATE hook SET key = (SELECT 'tv1.' || translate(encode(set_byte(b, 45, get_byte(b, 45) # 1), 'base64'), E'+/=\\n', '-_')
                 FROM (SELECT vault.secret_send(key) AS b) AS s)::vault.secret WHERE id = 1",
            "public.hook.key (0,5): damaged",
        ),
    ] {
        assert_eq!(found_after(&mut db, change)?, [expected], "{change}");
    }
    let key = active_key(&mut db)?;
    let damaged_key = "UPDATE vault.key SET wrapped_key = set_byte(wrapped_key, 60, get_byte(wrapped_key, 60) # 1) WHERE tenant IS NULL";
    let found = found_after(&mut db, damaged_key)?;
    let of_key = format!("vault.key.wrapped_key {key}: damaged");
    assert!(found.contains(&of_key), "{found:?}");
    assert_eq!(verified(&mut db)?, ALL_OK);
    cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn a_value_of_the_wrong_length_is_damaged() -> Result<()> {
    let (cluster, mut db) = filled(&without_custodian())?;
    for value in [
        "''::bytea",
        "'\\x01'::bytea",
        "'\\x0101'::bytea",
        "substr(refresh_token, 1, 10)",
        "substr(refresh_token, 1, 49)",
        "substr(refresh_token, 1, 50)",
        "substr(refresh_token, 1, octet_length(refresh_token) - 1)",
        "refresh_token || '\\x00'",
        "substr(refresh_token, 2)",
    ] {
        let change =
            format!("UPDATE vault.token SET refresh_token = {value} WHERE tenant = 'default'");
        let found = found_after(&mut db, &change)?;
        let expected = [1, 2]
            .map(|user| format!("vault.token.refresh_token default/acme/user-{user}/: damaged"));
        // Its key's number is shifted along with the rest.
        let is_shifted = value == "substr(refresh_token, 2)";
        assert!(
            found == expected || is_shifted && found.len() == 2,
            "{value}: {found:?}"
        );
    }
    cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn a_value_that_was_moved_is_told_with_the_place_it_belongs_to() -> Result<()> {
    let (cluster, mut db) = filled(&without_custodian())?;
    // What is done, what is found, and where that belongs.
    let cases = [
        (
            "UPDATE vault.token AS t SET access_token = o.access_token FROM vault.token AS o
             WHERE t.subject = 'user-1' AND t.tenant = 'default' AND o.subject = 'user-2'",
            "vault.token.access_token default/acme/user-1/",
            "it is the access_token of default/acme/user-2/",
        ),
        (
            "UPDATE vault.token SET access_token = refresh_token WHERE subject = 'user-2'",
            "vault.token.access_token default/acme/user-2/",
            "it is the refresh_token of default/acme/user-2/",
        ),
        (
            "UPDATE vault.token SET refresh_token = id_token WHERE subject = 'user-2'",
            "vault.token.refresh_token default/acme/user-2/",
            "it is the id_token of default/acme/user-2/",
        ),
        (
            "UPDATE vault.token AS t SET access_token = o.access_token FROM vault.token AS o
             WHERE t.tenant = 'globex' AND o.tenant = 'default' AND o.subject = 'user-1'",
            "vault.token.access_token globex/acme/user-1/",
            "it is the access_token of default/acme/user-1/",
        ),
        (
            "UPDATE vault.token AS t SET access_token = o.access_token FROM vault.token AS o
             WHERE o.tenant = 'globex' AND t.tenant = 'default' AND t.subject = 'user-1'",
            "vault.token.access_token default/acme/user-1/",
            "it is the access_token of globex/acme/user-1/",
        ),
        (
            "UPDATE vault.token SET access_token = (SELECT vault.secret_send(key) FROM hook WHERE id = 1) WHERE subject = 'user-2'",
            "vault.token.access_token default/acme/user-2/",
            "it is a value of type vault.secret",
        ),
        (
            "UPDATE vault.token SET id_token = (SELECT client_secret FROM vault.client_secret LIMIT 1) WHERE subject = 'user-2'",
            "vault.token.id_token default/acme/user-2/",
            "it is a secret of client one of all tenants",
        ),
        (
            "UPDATE vault.client_secret SET client_secret = (SELECT access_token FROM vault.token WHERE tenant = 'globex')
             WHERE position = 1 AND client = (SELECT id FROM vault.client WHERE name = 'one')",
            "vault.client_secret.client_secret /one/1",
            "it is the access_token of globex/acme/user-1/",
        ),
        (
            "UPDATE vault.client_secret SET client_secret = (SELECT s.client_secret FROM vault.client_secret AS s
                 JOIN vault.client AS c ON c.id = s.client WHERE c.name = 'two' AND s.position = 0)
             WHERE position = 0 AND client = (SELECT id FROM vault.client WHERE name = 'one')",
            "vault.client_secret.client_secret /one/0",
            "it is a secret of client two of all tenants",
        ),
        (
            "INSERT INTO hook SELECT 4, ('tv1.' || translate(encode(access_token, 'base64'), E'+/=\\n', '-_'))::vault.secret
             FROM vault.token WHERE subject = 'user-2'",
            "public.hook.key (0,4)",
            "it is the access_token of default/acme/user-2/",
        ),
        (
            "UPDATE vault.token SET tenant = 'initech' WHERE tenant = 'globex'",
            "vault.token",
            "",
        ),
    ];
    for (change, place, detail) in cases {
        db.batch_execute("BEGIN")?;
        db.batch_execute(change)?;
        let found = findings(&mut db)?;
        db.batch_execute("ROLLBACK")?;
        if detail.is_empty() {
            // A row under another name: its place is nowhere any more.
            let all_damaged = found.keys().all(|name| name.ends_with(": damaged"));
            assert!(found.len() == 3 && all_damaged, "{change}: {found:?}");
            continue;
        }
        let expected = BTreeMap::from([(format!("{place}: moved"), Some(detail.to_owned()))]);
        assert_eq!(found, expected, "{change}");
    }
    // Two secrets of one client may change places: both are tried anyway.
    let swapped = "UPDATE vault.client_secret SET position = -1 - position; UPDATE vault.client_secret SET position = 2 + position";
    assert_eq!(found_after(&mut db, swapped)?, Vec::<String>::new());
    assert_eq!(verified(&mut db)?, ALL_OK);
    cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn what_a_missing_or_destroyed_key_has_sealed_is_told() -> Result<()> {
    let (cluster, mut db) = filled(&without_custodian())?;
    for (change, reason) in [
        (
            "UPDATE vault.key SET state = 'destroyed', wrapped_key = NULL, destroyed_at = now() WHERE tenant = 'globex'",
            "destroyed",
        ),
        ("DELETE FROM vault.key WHERE tenant = 'globex'", ""),
    ] {
        // In another session: this one may have the key in memory.
        db.batch_execute(&format!("CREATE TABLE saved AS TABLE vault.key; {change}"))?;
        let mut late = cluster.connect(DATABASE, "postgres")?;
        let found = findings(&mut late)?;
        for field in ["access_token", "refresh_token", "id_token"] {
            let name = format!("vault.token.{field} globex/acme/user-1/: unknown key");
            let detail = found
                .get(&name)
                .unwrap_or_else(|| panic!("{name}: {found:?}"));
            assert!(
                detail
                    .as_ref()
                    .is_some_and(|detail| detail.contains(reason)),
                "{detail:?}"
            );
        }
        assert_eq!(found.len(), 3, "{found:?}");
        db.batch_execute(
            "DELETE FROM vault.key; INSERT INTO vault.key SELECT * FROM saved; DROP TABLE saved",
        )?;
    }
    let mut late = cluster.connect(DATABASE, "postgres")?;
    assert_eq!(verified(&mut late)?, ALL_OK);
    cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn with_the_wrong_master_key_every_key_is_unknown_and_the_reason_is_told() -> Result<()> {
    let (cluster, mut db) = filled(&without_custodian())?;
    let file = cluster.master_key_file();
    let key = fs::read(&file)?;
    for (contents, reason) in [("c7".repeat(32), "master key"), (String::new(), "is empty")] {
        write(&cluster, &file, &contents, 0o600)?;
        let mut late = cluster.connect(DATABASE, "postgres")?;
        let found = findings(&mut late)?;
        assert_eq!(found.len(), 18, "{found:?}");
        for (name, detail) in &found {
            assert!(name.ends_with(": unknown key"), "{name}");
            assert!(
                detail
                    .as_ref()
                    .is_some_and(|detail| detail.contains(reason)),
                "{name}: {detail:?}"
            );
        }
    }
    fs::write(&file, key)?;
    assert_eq!(verified(&mut db)?, ALL_OK);
    cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn a_table_that_cannot_be_read_is_told_and_the_others_are_checked() -> Result<()> {
    let (cluster, mut db) = filled(&without_custodian())?;
    db.batch_execute(
        "CREATE ROLE owner; CREATE TABLE closed (key vault.secret); INSERT INTO closed VALUES ('c'::text);
         ALTER TABLE closed OWNER TO owner; REVOKE ALL ON closed FROM owner;
         CREATE TABLE later (key vault.secret); INSERT INTO later VALUES ('l'::text);
         CREATE TABLE many (keys vault.secret[]); INSERT INTO many SELECT ARRAY[key] FROM later",
    )?;
    let found = findings(&mut db)?;
    let names: Vec<&str> = found.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "public.closed.key (0,0): not checked",
            "public.many.keys. : not checked"
        ]
    );
    let detail = found[names[0]].as_deref().unwrap_or_default();
    assert!(
        detail.contains("public.closed") && detail.contains("42501"),
        "{detail}"
    );
    let later =
        "SELECT count(*) FROM vault.verify() WHERE relation = 'public.later' AND outcome = 'ok'";
    assert_eq!(db.query_one(later, &[])?.get::<_, i64>(0), 1);
    cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn only_administrators_may_verify() -> Result<()> {
    let (cluster, mut db) = filled(&without_custodian())?;
    db.batch_execute(
        "CREATE ROLE app LOGIN; SELECT vault.grant_access('app', ARRAY['read', 'write', 'refresh'])",
    )?;
    let mut app = cluster.connect(DATABASE, "app")?;
    let verify = "SELECT outcome FROM vault.verify()";
    assert_eq!(sqlstate(app.query(verify, &[])), "42501");
    db.batch_execute("GRANT EXECUTE ON FUNCTION vault.verify() TO app")?;
    assert_eq!(sqlstate(app.query(verify, &[])), "42501");
    db.batch_execute("SELECT vault.grant_access('app', ARRAY['admin'])")?;
    assert_eq!(app.query(verify, &[])?.len(), 18);
    Ok(())
}
