//! No more requests at once, and in a period, than a provider or a client can bear.

use std::time::Duration;

use serde_json::{Value, json};
use token_vault_cluster::{Options, Result};
use token_vault_oauth_server::{Behaviour, Entry};

use crate::many::Crowd;
use crate::provider::{CLIENT, Vault};

/// The period of the rates, and how much of it the requests may lose on their way to the provider.
const PERIOD: Duration = Duration::from_secs(4);
const ON_THE_WAY: Duration = Duration::from_millis(700);

fn crowd(prefix: &str, count: usize) -> Crowd<'_> {
    Crowd {
        tenant: "default",
        provider: "acme",
        client: CLIENT,
        prefix,
        count,
    }
}

fn limit_provider(vault: &mut Vault, settings: Value) -> Result<()> {
    let server = vault.server.issuer();
    vault.add_provider("acme", &server, settings)
}

fn most_at_once(requests: &[Entry]) -> u32 {
    requests
        .iter()
        .map(|entry| entry.concurrent)
        .max()
        .unwrap_or(0)
}

/// The most requests in any period.
fn most_in_a_period(requests: &[Entry]) -> usize {
    let within = |first: &Entry, other: &Entry| {
        other.seq >= first.seq
            && other.at.duration_since(first.at).unwrap_or_default() < PERIOD - ON_THE_WAY
    };
    let count = |first| requests.iter().filter(|other| within(first, other)).count();
    requests.iter().map(count).max().unwrap_or(0)
}

#[test]
fn a_provider_is_never_asked_for_more_at_once_than_it_bears() -> Result<()> {
    let mut vault = Vault::start()?;
    limit_provider(&mut vault, json!({ "max_concurrent_requests": 2 }))?;
    vault.add_client("other")?;
    vault.server.misbehave(Behaviour::Delay { ms: 10 }, None);
    vault.pause()?;
    vault.grant_crowd(crowd("due", 40))?;
    vault.grant_crowd(Crowd {
        client: "other",
        ..crowd("other", 40)
    })?;
    vault.resume()?;
    vault.wait_for_count(80, "vault.tokens WHERE generation = 2")?;
    assert_eq!(most_at_once(&vault.refreshes()), 2);
    Ok(())
}

#[test]
fn sessions_that_ask_are_bound_by_the_limit_too_and_all_get_their_token() -> Result<()> {
    let mut vault = Vault::start()?;
    limit_provider(&mut vault, json!({ "max_concurrent_requests": 1 }))?;
    let subjects: Vec<String> = (0..12).map(|number| format!("user-{number}")).collect();
    for subject in &subjects {
        vault.grant(subject)?;
        vault.expire(subject)?;
    }
    vault.server.misbehave(Behaviour::Delay { ms: 20 }, None);
    let number = std::sync::atomic::AtomicUsize::new(0);
    let tokens = crate::session::at_once(&vault.cluster, subjects.len(), |db| {
        let number = number.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        (number, crate::session::get_token(db, &subjects[number]))
    })?;
    for (number, token) in tokens {
        assert_eq!(vault.who_is(&token?)?, subjects[number]);
    }
    assert_eq!(most_at_once(&vault.refreshes()), 1);
    assert_eq!(vault.refreshes().len(), subjects.len());
    Ok(())
}

#[test]
fn a_client_has_a_limit_of_its_own() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.add_client_of("acme", CLIENT, json!({ "max_concurrent_requests": 3 }))?;
    vault.server.misbehave(Behaviour::Delay { ms: 10 }, None);
    vault.grant_crowd(crowd("due", 60))?;
    vault.wait_for_count(60, "vault.tokens WHERE generation = 2")?;
    assert_eq!(most_at_once(&vault.refreshes()), 3);
    Ok(())
}

#[test]
fn errands_keep_the_limits_too() -> Result<()> {
    let mut vault = Vault::start_with(&Options::new().not_preloaded().without_fsync())?;
    limit_provider(&mut vault, json!({ "max_concurrent_requests": 2 }))?;
    vault.server.misbehave(Behaviour::Delay { ms: 10 }, None);
    vault.grant_crowd(crowd("due", 40))?;
    assert_eq!(
        vault.count("vault.refresh_due() WHERE outcome = 'refreshed'")?,
        40
    );
    assert_eq!(most_at_once(&vault.refreshes()), 2);
    Ok(())
}

#[test]
fn no_period_has_more_requests_than_the_providers_rate() -> Result<()> {
    let mut vault = Vault::start()?;
    let rate = json!({ "rate_limit_requests": 5, "rate_limit_seconds": PERIOD.as_secs() });
    limit_provider(&mut vault, rate)?;
    vault.add_client("other")?;
    vault.pause()?;
    vault.grant_crowd(crowd("due", 8))?;
    vault.grant_crowd(Crowd {
        client: "other",
        ..crowd("other", 8)
    })?;
    vault.resume()?;
    vault.wait_for_count(16, "vault.tokens WHERE generation = 2")?;
    assert_eq!(most_in_a_period(&vault.refreshes()), 5);
    Ok(())
}

#[test]
fn no_period_has_more_requests_than_the_clients_rate() -> Result<()> {
    let mut vault = Vault::start()?;
    let rate = json!({ "rate_limit_requests": 4, "rate_limit_seconds": PERIOD.as_secs() });
    vault.add_client_of("acme", CLIENT, rate)?;
    vault.grant_crowd(crowd("due", 10))?;
    vault.wait_for_count(10, "vault.tokens WHERE generation = 2")?;
    assert_eq!(most_in_a_period(&vault.refreshes()), 4);
    Ok(())
}

/// A request with the next of a client's secrets is a request.
#[test]
fn the_rate_counts_the_requests_with_a_secret_that_is_refused() -> Result<()> {
    let mut vault = Vault::start()?;
    let rate = json!({ "rate_limit_requests": 4, "rate_limit_seconds": PERIOD.as_secs() });
    limit_provider(&mut vault, rate)?;
    vault.db.execute(
        "SELECT vault.add_client_secret($1, 'cs-not-yet-1')",
        &[&CLIENT],
    )?;
    vault.grant_crowd(crowd("due", 6))?;
    vault.wait_for_count(6, "vault.tokens WHERE generation = 2")?;
    assert_eq!(vault.refreshes().len(), 12);
    assert!(most_in_a_period(&vault.refreshes()) <= 5);
    Ok(())
}

#[test]
fn a_limit_that_is_lifted_holds_nobody_up_any_longer() -> Result<()> {
    let mut vault = Vault::start()?;
    let rate = json!({ "rate_limit_requests": 1, "rate_limit_seconds": 3600 });
    limit_provider(&mut vault, rate)?;
    vault.grant_crowd(crowd("due", 5))?;
    vault.wait_for_count(1, "vault.tokens WHERE generation = 2")?;
    vault.wait_for_activity("query NOT LIKE 'refreshing%'")?;
    assert_eq!(vault.refreshes().len(), 1);
    limit_provider(&mut vault, json!({}))?;
    vault.wait_for_count(5, "vault.tokens WHERE generation = 2")?;
    assert_eq!(vault.refreshes().len(), 5);
    Ok(())
}
