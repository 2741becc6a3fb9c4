//! Where requests may go, and when none may go at all.

use std::time::Duration;

use serde_json::json;
use token_vault_cluster::wait::wait_for;
use token_vault_cluster::{Options, Result};
use token_vault_oauth_server::Behaviour;

use crate::provider::{LIMIT, Vault};
use crate::session::{complaint, get_token, refresh_token, sqlstate};

fn options() -> Options {
    Options::new().without_fsync()
}

#[test]
fn e12_nothing_is_sent_to_an_address_that_is_not_allowed_until_it_is() -> Result<()> {
    let mut vault = Vault::start_with(&options().set("token_vault.allowed_networks", ""))?;
    vault.grant("alice")?;
    let refused = refresh_token(&mut vault.db, "alice");
    assert!(complaint(refused).contains("the address is not allowed"));
    assert_eq!(vault.server.token_requests(), 0);
    assert_eq!(vault.token("alice")?.status, "valid");

    // The setting reaches the running worker, which tries again by itself.
    let before = vault.refresher()?;
    vault.alter_system("token_vault.allowed_networks", "127.0.0.0/8, ::1/128")?;
    vault.wait_for_token("alice", "generation = 2")?;
    assert_eq!(vault.refresher()?, before);
    assert_eq!(vault.server.token_requests(), 1);
    Ok(())
}

#[test]
fn e12_a_redirect_is_not_followed() -> Result<()> {
    let mut vault = Vault::start()?;
    // To the token endpoint itself: a client that follows would succeed there.
    let location = format!("{}/token", vault.server.issuer());
    for status in [302, 307] {
        let client = format!("redirected-{status}");
        vault.add_client(&client)?;
        vault.grant_of(&client, &client, json!({}))?;
        let redirect = Behaviour::Redirect {
            status,
            location: location.clone(),
        };
        vault.server.misbehave_to(&client, redirect, Some(1));
        let refused = complaint(refresh_token(&mut vault.db, &client));
        assert!(refused.contains(&format!("status {status}")), "{refused}");
        // The provider may mend it: the token waits.
        assert_eq!(vault.token(&client)?.status, "valid");
        vault.wait_for_token(&client, "generation = 2")?;
    }
    Ok(())
}

#[test]
fn nothing_is_sent_to_a_server_whose_certificate_is_not_trusted() -> Result<()> {
    let mut vault = Vault::start_untrusting(&options())?;
    vault.grant("alice")?;
    let refused = complaint(refresh_token(&mut vault.db, "alice"));
    assert!(
        refused.contains("nothing was sent") && refused.contains("certificate"),
        "{refused}"
    );
    assert_eq!(vault.server.token_requests(), 0);

    vault.trust_provider()?;
    vault.wait_for_token("alice", "generation = 2")?;
    Ok(())
}

#[test]
fn an_unusable_ca_file_stops_requests_with_one_warning_until_it_is_mended() -> Result<()> {
    const WARNING: &str = "token_vault sends nothing until its settings are mended";
    let mut vault = Vault::start()?;
    let warnings =
        |vault: &Vault| -> Result<usize> { Ok(vault.cluster.log()?.matches(WARNING).count()) };
    let refresher = vault.refresher()?;
    vault.alter_system("token_vault.ca_file", "/does/not/exist.pem")?;
    wait_for("the warning", LIMIT, || {
        Ok((warnings(&vault)? > 0).then_some(()))
    })?;

    vault.grant_that_is_due("alice")?;
    vault
        .db
        .batch_execute("SET token_vault.refresh_wait = '1s'")?;
    assert_eq!(sqlstate(get_token(&mut vault.db, "alice")), "TV033");
    assert_eq!(vault.server.token_requests(), 0);
    assert_eq!(warnings(&vault)?, 1);

    vault
        .db
        .batch_execute("ALTER SYSTEM RESET token_vault.ca_file")?;
    vault.trust_provider()?;
    vault.wait_for_token("alice", "generation = 2")?;
    assert_eq!(vault.refresher()?, refresher);
    vault.cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn while_refreshing_is_switched_off_nothing_is_sent() -> Result<()> {
    let mut vault = Vault::start_with(&options().set("token_vault.refresh_enabled", "off"))?;
    let valid = vault.grant("valid")?;
    vault.grant_that_is_due("due")?;
    assert_eq!(get_token(&mut vault.db, "valid")?, valid);
    for refused in [
        get_token(&mut vault.db, "due").map(drop),
        refresh_token(&mut vault.db, "valid"),
        vault
            .db
            .query("SELECT * FROM vault.refresh_due()", &[])
            .map(drop),
    ] {
        assert_eq!(sqlstate(refused), "TV034");
    }
    let advice: Option<String> = vault
        .db
        .query_one(
            "SELECT advice FROM vault.status() WHERE item = 'refresher'",
            &[],
        )?
        .get(0);
    assert!(
        advice
            .unwrap_or_default()
            .contains("token_vault.refresh_enabled")
    );
    assert_eq!(vault.server.token_requests(), 0);

    vault.alter_system("token_vault.refresh_enabled", "on")?;
    vault.wait_for_token("due", "generation = 2")?;
    assert_eq!(vault.token("valid")?.generation, 1);
    Ok(())
}

#[test]
fn a_provider_that_is_away_is_tried_again() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.grant("alice")?;
    // A port on which nobody listens: that of a server that has gone.
    let gone = token_vault_oauth_server::OAuthServer::start(Default::default())?;
    crate::provider::register_provider(&mut vault.db, &gone)?;
    drop(gone);
    let refused = complaint(refresh_token(&mut vault.db, "alice"));
    assert!(refused.contains("nothing was sent"), "{refused}");
    assert_eq!(vault.token("alice")?.status, "valid");

    crate::provider::register_provider(&mut vault.db, &vault.server)?;
    vault.wait_for_token("alice", "generation = 2")?;
    let pause: f64 = vault
        .db
        .query_one(
            "SELECT extract(epoch FROM refreshed_at - created_at)::float8 FROM vault.tokens",
            &[],
        )?
        .get(0);
    assert!(pause < Duration::from_secs(15).as_secs_f64(), "{pause}");
    Ok(())
}
