//! Nobody waits behind somebody else's crowd: tenants, clients and providers take turns.

use std::ops::Range;

use serde_json::json;
use token_vault_cluster::Result;
use token_vault_oauth_server::{Behaviour, Entry, RefreshPolicy};

use crate::many::Crowd;
use crate::provider::{CLIENT, Vault};

/// Where in the journal the first request for one of these grants stands; grants are numbered as they are made.
fn first_of(journal: &[Entry], grants: Range<u64>) -> usize {
    journal
        .iter()
        .position(|entry| entry.family.is_some_and(|grant| grants.contains(&grant)))
        .expect("a request for one of the grants")
}

fn crowd(prefix: &str, count: usize) -> Crowd<'_> {
    Crowd {
        tenant: prefix,
        provider: "acme",
        client: CLIENT,
        prefix,
        count,
    }
}

#[test]
fn a_tenant_with_20000_due_tokens_does_not_keep_the_others_waiting() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.pause()?;
    vault.grant_crowd(crowd("large", 20_000))?;
    vault.grant_crowd(crowd("small", 1))?;
    vault.grant_crowd(crowd("tiny", 1))?;
    vault.resume()?;
    for subject in ["small-0", "tiny-0"] {
        vault.wait_for_token(subject, "generation = 2")?;
    }
    let journal = vault.refreshes();
    for grant in 20_000..20_002 {
        let before = first_of(&journal, grant..grant + 1);
        assert!(before < 100, "{before} requests went before grant {grant}");
    }

    // One that comes while the crowd is being worked off.
    vault.server.misbehave(Behaviour::Delay { ms: 20 }, None);
    let before = vault.refreshes().len();
    vault.grant_crowd(crowd("late", 1))?;
    vault.wait_for_token("late-0", "generation = 2")?;
    let journal = vault.refreshes();
    let passed = first_of(&journal, 20_002..20_003) - before;
    let waiting = vault.count("vault.tokens WHERE tenant = 'large' AND generation = 1")?;
    assert!(waiting > 10_000, "only {waiting} of the crowd still wait");
    assert!(passed < 5_000, "{passed} of the crowd went before it");
    Ok(())
}

#[test]
fn clients_of_one_provider_take_turns() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.add_client("other")?;
    vault.pause()?;
    vault.grant_crowd(crowd("default", 2_000))?;
    vault.grant_crowd(Crowd {
        client: "other",
        prefix: "single",
        count: 1,
        ..crowd("default", 1)
    })?;
    vault.resume()?;
    vault.wait_for_token("single-0", "generation = 2")?;
    let before = first_of(&vault.refreshes(), 2_000..2_001);
    assert!(before < 100, "{before} requests of the other client");
    Ok(())
}

#[test]
fn a_provider_that_never_answers_does_not_stop_the_others() -> Result<()> {
    let mut vault = Vault::start()?;
    let server = vault.server.issuer();
    vault.add_provider("hanging", &server, json!({}))?;
    vault.register_at_provider("hung", RefreshPolicy::default());
    vault.add_client_of("hanging", "hung", json!({}))?;
    let forever = Behaviour::Delay { ms: 600_000 };
    vault.server.misbehave_to("hung", forever, None);
    vault.grant_crowd(Crowd {
        tenant: "default",
        provider: "hanging",
        client: "hung",
        prefix: "hung",
        count: 100,
    })?;
    // It has all the connections it can get.
    vault.wait_for_refreshes(12)?;
    vault.grant_crowd(crowd("default", 300))?;
    vault.wait_for_count(
        300,
        "vault.tokens WHERE provider = 'acme' AND generation = 2",
    )?;
    assert_eq!(
        vault.count("vault.tokens WHERE provider = 'hanging' AND generation = 2")?,
        0
    );
    let hung = vault.refreshes().into_iter();
    let hung = hung.filter(|entry| entry.client_id.as_deref() == Some("hung"));
    assert_eq!(hung.count(), 12, "three quarters of 16 connections");
    Ok(())
}
