//! `vault.refresh_due` for callers like cron: which tokens it takes, and what it says of each.

use postgres::Client;
use serde_json::json;
use token_vault_cluster::{Options, Result};
use token_vault_oauth_server::{Behaviour, RefreshPolicy};

use crate::many::Crowd;
use crate::provider::{CLIENT, DATABASE, Vault};

fn not_preloaded() -> Result<Vault> {
    Vault::start_with(&Options::new().not_preloaded().without_fsync())
}

/// Subject and outcome of each row, and whether it names an error.
fn outcomes(db: &mut Client, arguments: &str) -> Result<Vec<(String, String, Option<String>)>> {
    let query = format!(
        "SELECT subject, outcome, error FROM vault.refresh_due({arguments}) ORDER BY subject"
    );
    let rows = db.query(&query, &[])?;
    Ok(rows
        .iter()
        .map(|row| (row.get(0), row.get(1), row.get(2)))
        .collect())
}

fn crowd<'a>(tenant: &'a str, count: usize) -> Crowd<'a> {
    Crowd {
        tenant,
        provider: "acme",
        client: CLIENT,
        prefix: tenant,
        count,
    }
}

#[test]
fn each_token_has_an_outcome() -> Result<()> {
    let mut vault = not_preloaded()?;
    let server = vault.server.issuer();
    let cases = [
        ("dead", "reauthorization_required", Some("invalid_grant")),
        ("failing", "failed", Some("invalid_scope")),
        ("fine", "refreshed", None),
        ("refused", "failed", Some("invalid_client")),
    ];
    for (name, _, _) in cases {
        vault.add_provider(name, &server, json!({}))?;
        vault.register_at_provider(name, RefreshPolicy::default());
        vault.add_client_of(name, name, json!({}))?;
        vault.grant_crowd(Crowd {
            provider: name,
            client: name,
            prefix: name,
            ..crowd("default", 1)
        })?;
    }
    vault.server.revoke_family(0);
    let faulty = Behaviour::Error {
        status: 400,
        error: "invalid_scope".into(),
    };
    vault.server.misbehave_to("failing", faulty, None);
    vault
        .server
        .set_secrets("refused", vec!["cs-renewed-7".to_owned()]);
    let expected = cases.map(|(name, outcome, error)| {
        (
            format!("{name}-0"),
            outcome.to_owned(),
            error.map(str::to_owned),
        )
    });
    assert_eq!(outcomes(&mut vault.db, "")?, expected);
    // Those that failed are due again later, the dead one never.
    assert_eq!(outcomes(&mut vault.db, "")?, []);
    let later = outcomes(&mut vault.db, "within => interval '1 hour'")?;
    let subjects: Vec<&str> = later.iter().map(|(subject, _, _)| &**subject).collect();
    assert_eq!(subjects, ["failing-0", "fine-0", "refused-0"]);
    Ok(())
}

#[test]
fn what_expires_within_a_time_is_due_too() -> Result<()> {
    let mut vault = not_preloaded()?;
    vault.grant_for("soon", json!({ "expires_in": 3600 }))?;
    vault.grant_for("later", json!({ "expires_in": 36_000 }))?;
    assert_eq!(outcomes(&mut vault.db, "")?, []);
    let within = outcomes(&mut vault.db, "within => interval '1 hour'")?;
    assert_eq!(within, [("soon".to_owned(), "refreshed".to_owned(), None)]);
    Ok(())
}

#[test]
fn no_tenant_fills_the_list() -> Result<()> {
    for options in [Options::new().not_preloaded(), Options::new()] {
        let mut vault = Vault::start_with(&options.without_fsync())?;
        // Where there is a standing refresher, this holds it back until all are stored.
        vault.server.misbehave(Behaviour::Delay { ms: 50 }, None);
        vault.grant_crowd(crowd("large", 200))?;
        vault.grant_crowd(crowd("small", 1))?;
        vault.grant_crowd(crowd("tiny", 1))?;
        let listed = outcomes(&mut vault.db, "max_tokens => 10")?;
        assert_eq!(listed.len(), 10);
        let refreshed = |name: &str| {
            listed
                .iter()
                .any(|(subject, outcome, _)| subject == name && outcome == "refreshed")
        };
        let is_done = |vault: &mut Vault, name: &str| {
            Ok::<_, token_vault_cluster::Error>(
                refreshed(name) || vault.token(name)?.generation == 2,
            )
        };
        assert!(
            is_done(&mut vault, "small-0")? && is_done(&mut vault, "tiny-0")?,
            "{listed:?}"
        );
    }
    Ok(())
}

#[test]
fn a_bound_session_refreshes_its_tenants_tokens_only() -> Result<()> {
    let mut vault = not_preloaded()?;
    for tenant in ["blue", "red"] {
        vault.grant_crowd(crowd(tenant, 5))?;
    }
    let mut bound = vault.cluster.connect(DATABASE, "postgres")?;
    bound.batch_execute("SET token_vault.tenant = 'blue'")?;
    let refreshed = outcomes(&mut bound, "")?;
    assert_eq!(refreshed.len(), 5);
    assert!(
        refreshed
            .iter()
            .all(|(subject, outcome, _)| subject.starts_with("blue-") && outcome == "refreshed")
    );
    assert_eq!(
        vault.count("vault.tokens WHERE tenant = 'red' AND generation = 1")?,
        5
    );
    assert_eq!(vault.refreshes().len(), 5);
    Ok(())
}

/// What is listed is what the worker refreshes, also where more is due than was asked for.
#[test]
fn an_errand_refreshes_the_tokens_that_are_listed() -> Result<()> {
    let mut vault = not_preloaded()?;
    for tenant in ["blue", "green", "red"] {
        vault.grant_crowd(crowd(tenant, 20))?;
    }
    for round in 1..=4 {
        let listed = outcomes(&mut vault.db, "max_tokens => 15")?;
        assert_eq!(listed.len(), 15);
        assert!(
            listed.iter().all(|(_, outcome, _)| outcome == "refreshed"),
            "{listed:?}"
        );
        assert_eq!(vault.refreshes().len(), 15 * round);
    }
    assert_eq!(outcomes(&mut vault.db, "max_tokens => 15")?, []);
    Ok(())
}

#[test]
fn it_tells_what_others_have_done_with_its_tokens_meanwhile() -> Result<()> {
    let mut vault = not_preloaded()?;
    vault.grant_that_is_due("deleted")?;
    vault.grant_that_is_due("stored")?;
    vault
        .server
        .misbehave(Behaviour::Delay { ms: 1500 }, Some(2));
    let mut caller = vault.session()?;
    let told = std::thread::scope(|scope| -> Result<_> {
        let told = scope.spawn(|| outcomes(&mut caller, "").map_err(|error| error.to_string()));
        vault.wait_for_refreshes(2)?;
        vault.grant("stored")?;
        vault
            .db
            .batch_execute("SELECT vault.delete_token('acme', 'deleted')")?;
        Ok(told.join().expect("the caller's thread")?)
    })?;
    let told: Vec<(&str, &str)> = told
        .iter()
        .map(|(subject, outcome, _)| (&**subject, &**outcome))
        .collect();
    assert_eq!(told, [("deleted", "deleted"), ("stored", "refreshed")]);
    Ok(())
}

#[test]
fn its_arguments_are_checked() -> Result<()> {
    let mut vault = not_preloaded()?;
    for arguments in [
        "within => interval '-1 s'",
        "max_tokens => 0",
        "max_tokens => 1001",
        "max_tokens => -1",
    ] {
        let refused = vault
            .db
            .query(&format!("SELECT vault.refresh_due({arguments})"), &[]);
        assert_eq!(crate::session::sqlstate(refused), "22023", "{arguments}");
    }
    let refused = vault
        .db
        .query("SELECT vault.refresh_due(max_tokens => NULL)", &[]);
    assert_eq!(crate::session::sqlstate(refused), "22004");
    Ok(())
}
