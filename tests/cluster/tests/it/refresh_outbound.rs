//! Where requests may go, and when none may go at all.

use std::io::ErrorKind;
use std::net::TcpListener;
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

/// The policy's own corpus, as far as an address stands in the URL: see its head for the columns.
const CORPUS: &str = include_str!("../../../../src/http/tests/corpus/outbound.txt");

/// Every refused spelling of an address in the corpus.
fn refused_hosts() -> Vec<&'static str> {
    let lines = CORPUS.lines().filter(|line| !line.starts_with('#'));
    let columns = lines.map(|line| line.split(" | ").collect::<Vec<_>>());
    columns
        .filter(|columns| columns.len() == 2 && columns[0] != "allowed")
        .filter_map(|columns| columns[1].strip_prefix("https://")?.strip_suffix("/token"))
        .collect()
}

#[test]
fn e12_no_spelling_of_a_forbidden_address_gets_a_connection() -> Result<()> {
    let mut vault = Vault::start_with(
        &options()
            .set("token_vault.allowed_networks", "")
            .set("token_vault.request_timeout", "5s"),
    )?;
    // Whatever reaches this machine, under whichever of its addresses, comes here.
    let trap = TcpListener::bind("[::]:0").or_else(|_| TcpListener::bind("0.0.0.0:0"))?;
    trap.set_nonblocking(true)?;
    let port = trap.local_addr()?.port();
    let hosts = refused_hosts();
    assert!(hosts.len() >= 250, "{}", hosts.len());
    let mut stored = 0;
    for host in hosts {
        let endpoint = format!("https://{host}:{port}/token");
        let registered = vault.db.execute(
            "SELECT vault.register_provider($1, token_endpoint => $2)",
            &[&host, &endpoint],
        );
        // A row that is refused is as good.
        if registered.is_err() {
            continue;
        }
        stored += 1;
        vault.db.execute(
            "SELECT vault.register_client($1, provider => $1, client_id => 'id', client_secret => 'cs-1')",
            &[&host],
        )?;
        vault.db.execute(
            "SELECT vault.store_token($1, $1, 'at', refresh_token => 'rt', expires_in => 3600)",
            &[&host],
        )?;
    }
    assert!(stored >= 200, "{stored}");
    vault.db.execute(
        "SELECT * FROM vault.refresh_due(within => '1 day', max_tokens => 1000)",
        &[],
    )?;
    let wrong = "SELECT format('%s: %s', subject, last_error) FROM vault.tokens
        WHERE generation <> 1 OR status <> 'valid' OR last_error IS NULL
           OR last_error !~ 'nothing was sent: (the address is not allowed|the URL|the host name)|endpoint is not an https URL'";
    let mut left = Vec::new();
    let all = wait_for("an outcome of each", LIMIT, || {
        let rows = vault.db.query(wrong, &[])?;
        left = rows.iter().map(|row| row.get::<_, String>(0)).collect();
        Ok(left.is_empty().then_some(()))
    });
    assert!(all.is_ok(), "{left:#?}");
    let nobody = trap.accept().err().map(|error| error.kind());
    assert_eq!(nobody, Some(ErrorKind::WouldBlock));
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
