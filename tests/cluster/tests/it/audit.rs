//! Who did what, when, about which token: every kind of entry, and that no entry holds a value.

use token_vault_cluster::Result;

use crate::audit_harness::{assert_whole, count, options, read, start, wait_for_entries};
use crate::provider::Vault;
use crate::session::sqlstate;

#[test]
fn a_read_says_who_and_why_and_which() -> Result<()> {
    let (cluster, mut db) = start(&options())?;
    let mut web = cluster
        .connection("app", "web")
        .application_name("billing")
        .connect(postgres::NoTls)?;
    web.batch_execute("SET token_vault.audit_reason = 'ticket 4711'")?;
    assert_eq!(read(&mut web, "ann")?.as_deref(), Some("at-ann-9f27"));
    wait_for_entries(&mut db, "event = 'read'", 1)?;
    let row = db.query_one(
        "SELECT login_role, role, application_name, tenant, provider, subject, label, reason,
                at BETWEEN now() - interval '1 minute' AND now(), client_address
         FROM vault.audit_log WHERE event = 'read'",
        &[],
    )?;
    let texts: Vec<String> = (0..8).map(|column| row.get(column)).collect();
    assert_eq!(
        texts,
        [
            "web",
            "web",
            "billing",
            "default",
            "acme",
            "ann",
            "",
            "ticket 4711"
        ]
    );
    assert!(row.get::<_, bool>(8));
    assert_whole(&mut db)?;

    // After SET ROLE both roles are named.
    db.batch_execute("SET ROLE web; SELECT vault.authorization_header('acme', 'ann'); RESET ROLE")?;
    wait_for_entries(
        &mut db,
        "event = 'read' AND login_role = 'postgres' AND role = 'web'",
        1,
    )?;
    // What hands nothing out is no read.
    db.batch_execute("SELECT vault.has_token('acme', 'ann'), vault.get_token('acme', 'nobody')")?;
    db.batch_execute("SELECT * FROM vault.get_token_set('acme', 'ann')")?;
    wait_for_entries(&mut db, "event = 'read'", 3)?;
    cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn everything_that_changes_or_leaves_has_its_entry() -> Result<()> {
    let (cluster, mut db) = start(&options())?;
    db.batch_execute(
        "SELECT vault.register_client('shop', provider => 'acme', client_id => 'id', client_secret => 'cs-81c7');
         SELECT vault.add_client_secret('shop', 'cs-5d02'), vault.disable_client('shop'), vault.enable_client('shop');
         SELECT vault.export_client_secrets('shop'); SELECT vault.drop_client_secrets('shop');
         SELECT vault.set_refresh_policy('acme', 'ann', 'never');
         SELECT vault.export_token_set('acme', 'ann');
         CREATE TABLE note (secret vault.secret); INSERT INTO note VALUES ('whsec-77aa'); SELECT vault.reveal(secret) FROM note;
         SELECT vault.rotate_key(); SELECT vault.create_tenant_key('blue');
         SELECT vault.store_token('acme', 'joe', access_token => 'at-joe-13f0', tenant => 'blue'); SELECT vault.shred_tenant('blue');
         SELECT vault.revoke_access('web', '{write}'); SELECT vault.delete_token('acme', 'ann'); SELECT vault.drop_client('shop');
         SELECT vault.adopt_installation()",
    )?;
    // Events, sorted, with their numbers; those of start() included.
    let expected = [
        ("client_disabled", 1),
        ("client_dropped", 1),
        ("client_enabled", 1),
        ("client_registered", 1),
        ("client_secret_added", 1),
        ("client_secrets_dropped", 1),
        ("deleted", 1),
        ("exported", 2),
        ("granted", 1),
        ("installation_adopted", 1),
        ("key_created", 1),
        ("key_rotated", 1),
        ("master_key_created", 1),
        ("provider_registered", 1),
        ("refresh_policy_set", 1),
        ("revealed", 1),
        ("revoked", 1),
        ("stored", 2),
        ("tenant_shredded", 1),
    ];
    for (event, entries) in expected {
        wait_for_entries(&mut db, &format!("event = '{event}'"), entries)?;
    }
    for value in [
        "at-ann-9f27",
        "at-joe-13f0",
        "cs-81c7",
        "cs-5d02",
        "whsec-77aa",
    ] {
        assert_eq!(
            count(&mut db, &format!("audit_log::text LIKE '%{value}%'"))?,
            0
        );
    }
    assert_whole(&mut db)?;
    // A change that is rolled back has not happened.
    let stored = count(&mut db, "event = 'stored'")?;
    db.batch_execute(
        "BEGIN; SELECT vault.store_token('acme', 'tom', access_token => 'at-tom'); ROLLBACK",
    )?;
    assert_eq!(count(&mut db, "event = 'stored'")?, stored);
    cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn what_was_denied_is_written_down() -> Result<()> {
    let (cluster, mut db) = start(&options().set("token_vault.audit", "writes"))?;
    let mut stranger = cluster.connect("app", "stranger")?;
    assert_eq!(sqlstate(read(&mut stranger, "ann")), "42501");
    assert_eq!(
        sqlstate(stranger.execute("SELECT vault.rotate_key()", &[])),
        "42501"
    );
    let mut web = cluster.connect("app", "web")?;
    web.batch_execute("SET token_vault.tenant = 'blue'")?;
    let other = "SELECT vault.get_token('acme', 'ann', tenant => 'default')";
    assert_eq!(sqlstate(web.execute(other, &[])), "TV041");
    wait_for_entries(
        &mut db,
        "event = 'denied' AND role = 'stranger' AND subject = 'ann' AND detail->>'privilege' = 'read'",
        1,
    )?;
    wait_for_entries(
        &mut db,
        "event = 'denied' AND detail->>'privilege' = 'admin'",
        1,
    )?;
    wait_for_entries(
        &mut db,
        "event = 'denied' AND role = 'web' AND detail->>'problem' = 'another tenant'",
        1,
    )?;
    assert_eq!(count(&mut db, "event = 'denied'")?, 3);
    // Reads are not, at this level.
    read(&mut db, "ann")?;
    assert_whole(&mut db)?;
    assert_eq!(count(&mut db, "event = 'read'")?, 0);
    Ok(())
}

#[test]
fn a_role_sees_what_it_may_read() -> Result<()> {
    let (cluster, mut db) = start(&options())?;
    db.batch_execute(
        "SELECT vault.store_token('acme', 'joe', access_token => 'at-joe');
         CREATE ROLE anns LOGIN; SELECT vault.grant_access('anns', '{read}', subject => 'ann')",
    )?;
    let mut anns = cluster.connect("app", "anns")?;
    read(&mut anns, "ann")?;
    read(&mut db, "joe")?;
    wait_for_entries(&mut db, "event = 'read'", 2)?;
    assert_eq!(
        count(&mut anns, "true")?,
        count(&mut db, "subject = 'ann'")?
    );
    assert_eq!(count(&mut anns, "subject = 'ann' AND event = 'read'")?, 1);
    for closed in [
        "vault.audit_entry",
        "vault.audit_unsealed",
        "vault.audit_entry_default",
        "vault.audit_chain",
    ] {
        assert_eq!(
            sqlstate(anns.query(&format!("SELECT * FROM {closed}"), &[])),
            "42501"
        );
    }
    for call in [
        "vault.audit_seal()",
        "vault.audit_head()",
        "vault.audit_verify()",
    ] {
        assert_eq!(
            sqlstate(anns.query(&format!("SELECT * FROM {call}"), &[])),
            "42501"
        );
    }
    Ok(())
}

#[test]
fn a_reason_can_be_demanded() -> Result<()> {
    let (cluster, mut db) = start(&options())?;
    db.batch_execute("ALTER ROLE web SET token_vault.audit_reason_required = on")?;
    let mut web = cluster.connect("app", "web")?;
    assert_eq!(sqlstate(read(&mut web, "ann")), "TV052");
    let long = "x".repeat(201);
    assert_eq!(
        sqlstate(web.batch_execute(&format!("SET token_vault.audit_reason = '{long}'"))),
        "22023"
    );
    web.batch_execute(&format!(
        "SET token_vault.audit_reason = '{}'",
        "ä".repeat(200)
    ))?;
    read(&mut web, "ann")?;
    // For a transaction only, as a pooler wants it.
    web.batch_execute(
        "RESET token_vault.audit_reason; BEGIN; SET LOCAL token_vault.audit_reason = 'job 7'",
    )?;
    read(&mut web, "ann")?;
    web.batch_execute("COMMIT")?;
    assert_eq!(sqlstate(read(&mut web, "ann")), "TV052");
    assert_eq!(
        sqlstate(web.batch_execute("SET token_vault.audit_reason_required = off")),
        "42501"
    );
    wait_for_entries(&mut db, "event = 'read' AND reason = 'job 7'", 1)?;
    // Storing needs none.
    web.batch_execute("SELECT vault.store_token('acme', 'ann', access_token => 'at-2')")?;
    Ok(())
}

#[test]
fn refreshes_are_written_with_their_outcome() -> Result<()> {
    let mut vault = Vault::start_with(&options())?;
    vault.grant_that_is_due("ann")?;
    vault.wait_for_token("ann", "generation = 2")?;
    vault.grant_that_is_due("joe")?;
    vault.wait_for_token("joe", "generation = 2")?;
    wait_for_entries(
        &mut vault.db,
        "event = 'refreshed' AND login_role IS NULL AND application_name = 'token_vault refresher'",
        2,
    )?;
    assert_whole(&mut vault.db)
}
