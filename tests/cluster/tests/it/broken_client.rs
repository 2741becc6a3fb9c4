//! A provider that refuses our client condemns no token: all wait, and go on when the client is mended.

use serde_json::json;
use token_vault_cluster::{Result, StopMode};
use token_vault_oauth_server::{Behaviour, RefreshPolicy};

use crate::events::Listener;
use crate::many::{Crowd, answers};
use crate::provider::{CLIENT, Vault, secret};
use crate::session::{complaint, refresh_token, sqlstate};

/// So many may be under way when the first one is refused; then come single probes.
const FEW: usize = 40;
const DUE: i64 = 200;

const REFUSED: &str = "vault.clients WHERE name = 'app' AND status = 'refused'
     AND refused_with = 'invalid_client' AND refused_since IS NOT NULL";
const WORKING: &str = "vault.clients WHERE name = 'app' AND status = 'working'
     AND refused_with IS NULL AND refused_since IS NULL";

/// A vault with a crowd of due tokens, whose client the provider has just refused; and who heard of it.
fn refused() -> Result<(Vault, Listener)> {
    let mut vault = Vault::start()?;
    let listener = Listener::start(&vault)?;
    vault
        .server
        .set_secrets(CLIENT, vec!["cs-renewed-5".to_owned()]);
    vault.grant_crowd(Crowd {
        tenant: "default",
        provider: "acme",
        client: CLIENT,
        prefix: "due",
        count: DUE as usize,
    })?;
    vault.wait_for_count(1, REFUSED)?;
    vault.wait_for_activity("query NOT LIKE 'refreshing%'")?;
    Ok((vault, listener))
}

fn wait_for_all(vault: &mut Vault) -> Result<()> {
    vault.wait_for_count(
        DUE,
        "vault.tokens WHERE subject LIKE 'due-%' AND generation >= 2",
    )
}

#[test]
fn its_tokens_wait_and_nothing_but_probes_is_sent() -> Result<()> {
    let (mut vault, mut listener) = refused()?;
    // Two probes more.
    let before = vault.refreshes().len();
    vault.wait_for_refreshes(before + 2)?;
    let asked = vault.refreshes().len();
    assert!(asked <= FEW, "{asked} requests");
    assert_eq!(
        vault.count("vault.tokens WHERE status = 'reauthorization_required'")?,
        0
    );
    assert_eq!(
        vault.count(
            "vault.attention WHERE reason = 'client_refused' AND needs_person AND client = 'app'
             AND provider = 'acme' AND error = 'invalid_client' AND subject IS NULL"
        )?,
        1
    );
    let event = listener.wait_for("client_broken")?;
    assert_eq!(
        event,
        json!({"event": "client_broken", "tenant": null, "provider": "acme", "client": "app", "error": "invalid_client"})
    );
    assert_eq!(listener.count("client_broken")?, 0, "it is told once");
    // Who asks is told at once.
    let told = refresh_token(&mut vault.db, "due-199");
    assert!(complaint(told).contains("refuses the client"));
    assert_eq!(sqlstate(refresh_token(&mut vault.db, "due-199")), "TV032");
    Ok(())
}

#[test]
fn another_secret_lets_all_go_on_at_once() -> Result<()> {
    for statement in [
        "SELECT vault.add_client_secret('app', 'cs-renewed-5')",
        "SELECT vault.add_client_secret('app', 'cs-renewed-5', place => 'last')",
        "SELECT vault.register_client('app', provider => 'acme', client_id => 'app', client_secret => 'cs-renewed-5')",
    ] {
        let (mut vault, _) = refused()?;
        vault.db.batch_execute(statement)?;
        wait_for_all(&mut vault)?;
        vault.wait_for_count(1, WORKING)?;
        assert_eq!(vault.count("vault.attention")?, 0);
    }
    Ok(())
}

#[test]
fn what_is_mended_at_the_provider_is_found_by_a_probe() -> Result<()> {
    let (mut vault, mut listener) = refused()?;
    vault.server.set_secrets(CLIENT, vec![secret(CLIENT)]);
    wait_for_all(&mut vault)?;
    vault.wait_for_count(1, WORKING)?;
    let event = listener.wait_for("client_recovered")?;
    assert_eq!(
        event,
        json!({"event": "client_recovered", "tenant": null, "provider": "acme", "client": "app"})
    );
    Ok(())
}

#[test]
fn other_clients_of_the_provider_go_on() -> Result<()> {
    let (mut vault, _) = refused()?;
    vault.add_client("other")?;
    vault.grant_crowd(Crowd {
        tenant: "default",
        provider: "acme",
        client: "other",
        prefix: "other",
        count: 100,
    })?;
    vault.wait_for_count(
        100,
        "vault.tokens WHERE client = 'other' AND generation = 2",
    )?;
    vault.wait_for_count(1, REFUSED)?;
    Ok(())
}

#[test]
fn a_restart_does_not_forget_that_it_is_refused() -> Result<()> {
    let (mut vault, _) = refused()?;
    let before = vault.refreshes().len();
    vault.cluster.restart(StopMode::Fast)?;
    vault.db = vault.session()?;
    assert_eq!(vault.count(REFUSED)?, 1);
    vault.wait_for_refreshes(before + 1)?;
    vault.wait_for_activity("query NOT LIKE 'refreshing%'")?;
    let asked = vault.refreshes().len() - before;
    assert!(asked <= 3, "{asked} requests at once after the restart");
    vault
        .db
        .batch_execute("SELECT vault.add_client_secret('app', 'cs-renewed-5')")?;
    wait_for_all(&mut vault)
}

/// A provider in trouble says nothing about the client.
#[test]
fn trouble_of_the_provider_does_not_make_it_believe_in_the_client_again() -> Result<()> {
    let (mut vault, _) = refused()?;
    vault
        .server
        .misbehave(Behaviour::Html { status: 503 }, Some(1));
    let before = vault.refreshes().len();
    // The probe that meets the trouble, and the next one.
    vault.wait_for_refreshes(before + 2)?;
    vault.wait_for_activity("query NOT LIKE 'refreshing%'")?;
    let asked = vault.refreshes().len() - before;
    assert!(
        asked <= 3,
        "{asked} requests after a probe that met trouble"
    );
    Ok(())
}

/// Neither a provider in trouble nor a faulty request is mended by another secret.
#[test]
fn the_next_secret_is_tried_for_a_refused_client_only() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.grant("alice")?;
    vault
        .db
        .batch_execute("SELECT vault.add_client_secret('app', 'cs-other-5', place => 'last')")?;
    for behaviour in [
        Behaviour::Html { status: 503 },
        Behaviour::Error {
            status: 400,
            error: "invalid_request".into(),
        },
        Behaviour::Error {
            status: 429,
            error: "invalid_client".into(),
        },
        Behaviour::Empty { status: 401 },
    ] {
        let before = vault.refreshes();
        vault.server.misbehave(behaviour.clone(), Some(1));
        assert_eq!(
            sqlstate(refresh_token(&mut vault.db, "alice")),
            "TV032",
            "{behaviour:?}"
        );
        let requests = vault.refreshes().split_off(before.len());
        let secrets: Vec<_> = requests.iter().map(|entry| &entry.behaviour).collect();
        assert_eq!(secrets, [&Some(behaviour)]);
        vault.wait_for_token("alice", "refresh_failures = 0")?;
    }
    Ok(())
}

/// They know no client of their own, but are refreshed by this one.
#[test]
fn tokens_that_were_stored_before_their_client_was_registered_wait_too() -> Result<()> {
    let mut vault = Vault::start()?;
    let server = vault.server.issuer();
    vault.add_provider("early", &server, json!({}))?;
    vault.register_at_provider("late", RefreshPolicy::default());
    let early = Crowd {
        tenant: "default",
        provider: "early",
        client: "late",
        prefix: "due",
        count: DUE as usize,
    };
    for answer in answers(&vault.server, early) {
        vault.db.execute(
            "SELECT vault.store_token_response('early', md5(($1::jsonb)::text), $1)",
            &[&answer],
        )?;
    }
    vault
        .server
        .set_secrets("late", vec!["cs-renewed-5".to_owned()]);
    vault.add_client_of("early", "late", json!({}))?;
    vault.wait_for_count(
        1,
        "vault.clients WHERE name = 'late' AND status = 'refused'",
    )?;
    vault.wait_for_activity("query NOT LIKE 'refreshing%'")?;
    let asked = vault.refreshes().len();
    assert!(asked <= FEW, "{asked} requests");
    vault
        .db
        .batch_execute("SELECT vault.add_client_secret('late', 'cs-renewed-5')")?;
    vault.wait_for_count(
        DUE,
        "vault.tokens WHERE provider = 'early' AND generation >= 2",
    )
}
