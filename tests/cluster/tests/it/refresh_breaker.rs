//! A provider in trouble, or a client that is told to slow down, is left alone for a while and comes back by itself.

use serde_json::json;
use token_vault_cluster::{Result, wait::wait_for};
use token_vault_oauth_server::{Behaviour, Entry, RefreshPolicy};

use crate::many::Crowd;
use crate::provider::{CLIENT, LIMIT, Vault};
use crate::session::{complaint, get_token, refresh_token, sqlstate};

/// So many may be under way when the first ones fail; then come single probes.
const FEW: usize = 40;

fn crowd(count: usize) -> Crowd<'static> {
    Crowd {
        tenant: "default",
        provider: "acme",
        client: CLIENT,
        prefix: "due",
        count,
    }
}

fn unavailable(retry_after: &str) -> Behaviour {
    Behaviour::RetryAfter {
        status: 503,
        value: retry_after.to_owned(),
    }
}

fn of_client<'a>(requests: &'a [Entry], client: &'a str) -> impl Iterator<Item = &'a Entry> {
    requests
        .iter()
        .filter(move |entry| entry.client_id.as_deref() == Some(client))
}

/// Waits until nothing is sent because of trouble: a session that asks is told so.
fn wait_for_open_circuit(vault: &mut Vault, subject: &str, words: &str) -> Result<()> {
    wait_for("the open circuit", LIMIT, || {
        let refused = refresh_token(&mut vault.db, subject);
        let complaint = complaint(refused);
        Ok(complaint.contains(words).then_some(()))
    })
}

/// Many tokens of a provider that answers none of them, until its circuit is open.
fn in_trouble(behaviour: Behaviour) -> Result<Vault> {
    let mut vault = Vault::start()?;
    vault.grant("alice")?;
    vault.expire("alice")?;
    vault.server.misbehave(behaviour, None);
    vault.grant_crowd(crowd(100))?;
    vault.wait_for_refreshes(5)?;
    wait_for_open_circuit(&mut vault, "alice", "is in trouble")?;
    // What was under way when it opened would close it again, were it answered.
    vault.wait_for_activity("query NOT LIKE 'refreshing%'")?;
    Ok(vault)
}

#[test]
fn a_provider_that_fails_again_and_again_is_left_alone_until_it_is_well() -> Result<()> {
    for behaviour in [
        Behaviour::Html { status: 503 },
        Behaviour::DropBeforeProcessing,
    ] {
        let mut vault = in_trouble(behaviour.clone())?;
        // Who asks is told at once, not after token_vault.refresh_wait.
        let told = get_token(&mut vault.db, "alice");
        assert_eq!(sqlstate(told), "TV032", "{behaviour:?}");
        // Two more probes.
        let before = vault.refreshes().len();
        vault.wait_for_refreshes(before + 2)?;
        let asked = vault.refreshes().len();
        assert!(asked <= FEW, "{asked} requests, {behaviour:?}");
        let untouched = vault.count("vault.tokens WHERE refresh_failures = 0")?;
        assert!(untouched >= 60, "only {untouched} were spared");
        assert_eq!(
            vault.count("vault.tokens WHERE status = 'reauthorization_required'")?,
            0
        );
        vault.server.behave();
        vault.wait_for_count(
            100,
            "vault.tokens WHERE subject LIKE 'due-%' AND generation = 2",
        )?;
    }
    Ok(())
}

#[test]
fn other_providers_go_on() -> Result<()> {
    let mut vault = Vault::start()?;
    let server = vault.server.issuer();
    vault.add_provider("other", &server, json!({}))?;
    vault.register_at_provider("well", RefreshPolicy::default());
    vault.add_client_of("other", "well", json!({}))?;
    vault.grant("alice")?;
    vault.server.misbehave_to(CLIENT, unavailable("3600"), None);
    vault.grant_crowd(crowd(100))?;
    vault.wait_for_refreshes(5)?;
    wait_for_open_circuit(&mut vault, "alice", "is in trouble")?;
    vault.grant_crowd(Crowd {
        provider: "other",
        client: "well",
        prefix: "well",
        ..crowd(50)
    })?;
    vault.wait_for_count(
        50,
        "vault.tokens WHERE provider = 'other' AND generation = 2",
    )?;
    Ok(())
}

#[test]
fn a_reload_lets_it_be_tried_again() -> Result<()> {
    let mut vault = in_trouble(unavailable("3600"))?;
    vault.server.behave();
    wait_for_open_circuit(&mut vault, "alice", "is in trouble")?;
    let before = vault.refreshes().len();
    assert!(before <= FEW, "{before} requests");
    vault.cluster.reload()?;
    // Those that were answered keep to what they were told.
    vault.wait_for_count(60, "vault.tokens WHERE generation = 2")?;
    refresh_token(&mut vault.db, "alice")?;
    Ok(())
}

#[test]
fn a_change_of_the_providers_row_lets_it_be_tried_again() -> Result<()> {
    let mut vault = in_trouble(unavailable("3600"))?;
    vault.server.behave();
    let server = vault.server.issuer();
    vault.add_provider("acme", &server, json!({}))?;
    vault.wait_for_count(60, "vault.tokens WHERE generation = 2")?;
    Ok(())
}

#[test]
fn a_client_that_is_told_to_slow_down_does_and_the_others_go_on() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.add_client("fast")?;
    vault.grant_of("fast", "alice", json!({}))?;
    let slow_down = Behaviour::RetryAfter {
        status: 429,
        value: "4".to_owned(),
    };
    vault.server.misbehave_to("fast", slow_down, None);
    vault.grant_crowd(Crowd {
        client: "fast",
        prefix: "fast",
        ..crowd(100)
    })?;
    vault.wait_for_refreshes(3)?;
    wait_for_open_circuit(&mut vault, "alice", "slow down")?;
    vault.grant_crowd(crowd(50))?;
    vault.wait_for_count(50, "vault.tokens WHERE client = 'app' AND generation = 2")?;
    let requests = vault.refreshes();
    let asked = of_client(&requests, "fast").count();
    assert!(asked <= FEW, "{asked} requests");
    vault.server.behave();
    vault.wait_for_count(
        100,
        "vault.tokens WHERE client = 'fast' AND generation >= 2 AND subject <> 'alice'",
    )?;
    Ok(())
}
