//! What a refusal means is in the provider's row, and what it does not mean is never guessed.

use std::time::Duration;

use serde_json::{Value, json};
use token_vault_cluster::Result;
use token_vault_oauth_server::{AuthMethod, Behaviour, Outcome};

use crate::provider::{CLIENT, LIMIT, ROTATION_WITH_LEEWAY, Vault};
use crate::session::{get_token, refresh_token, sqlstate};

/// Changes the columns of provider `acme`.
fn set_row(vault: &mut Vault, settings: Value) -> Result<()> {
    vault.db.execute(
        "SELECT vault.register_provider('acme', token_endpoint => $1, settings => $2)",
        &[
            &format!("{}/token", vault.server.issuer()),
            &postgres::types::Json(settings),
        ],
    )?;
    Ok(())
}

/// A refusal with this body.
fn refusal(code: u16, body: Value) -> Behaviour {
    Behaviour::Status {
        code,
        body: body.to_string(),
        content_type: "application/json".to_owned(),
        headers: Vec::new(),
    }
}

#[test]
fn b2b_a_refusal_that_has_spent_the_refresh_token_is_survived_within_the_leeway() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.register_at_provider(CLIENT, ROTATION_WITH_LEEWAY);
    vault.grant("alice")?;
    let then = Box::new(refusal(400, json!({"error": "invalid_target"})));
    vault
        .server
        .misbehave(Behaviour::Processed { then }, Some(1));
    assert_eq!(sqlstate(refresh_token(&mut vault.db, "alice")), "TV032");
    let row = vault.token("alice")?;
    assert_eq!(
        (&*row.status, row.last_error.as_deref()),
        ("valid", Some("invalid_target"))
    );

    refresh_token(&mut vault.db, "alice")?;
    let outcomes = vault.outcomes();
    assert_eq!(outcomes, [Outcome::Rotated, Outcome::Repeated]);
    let token = get_token(&mut vault.db, "alice")?;
    assert_eq!(vault.who_is(&token)?, "alice");
    Ok(())
}

#[test]
fn b3_b5_the_row_explains_what_a_provider_means() -> Result<()> {
    let mut vault = Vault::start()?;
    let hubspot_like = json!({"error_fields": {"error": "/status"}, "error_verdicts": {"BAD_REFRESH_TOKEN": "grant_dead"}});
    let sub_codes =
        json!({"error_verdicts": {"AADSTS50173": "grant_dead", "AADSTS90033": "transient"}});
    let numbers = json!({"error_fields": {"error": "/result"}, "success_condition": {"pointer": "/result", "equals": "0000"},
        "error_verdicts": {"5009": "grant_dead"}});
    let described = |code: &str| json!({"error": "invalid_request", "error_description": format!("{code}: no.")});
    let invalid_grant =
        |code: &str| json!({"error": "invalid_grant", "error_description": format!("{code}: no.")});
    for (number, (row, behaviour, is_dead)) in [
        (
            hubspot_like.clone(),
            refusal(400, json!({"status": "BAD_REFRESH_TOKEN"})),
            true,
        ),
        (hubspot_like, refusal(400, json!({"status": "RATE"})), false),
        (
            json!({}),
            refusal(400, json!({"status": "BAD_REFRESH_TOKEN"})),
            false,
        ),
        (
            sub_codes.clone(),
            refusal(400, described("AADSTS50173")),
            true,
        ),
        (
            sub_codes.clone(),
            refusal(400, invalid_grant("AADSTS90033")),
            false,
        ),
        (
            sub_codes.clone(),
            refusal(400, invalid_grant("AADSTS901731")),
            true,
        ),
        (sub_codes, refusal(400, described("AADSTS501730")), false),
        (
            numbers.clone(),
            refusal(200, json!({"result": "5009", "access_token": "x"})),
            true,
        ),
        (
            numbers,
            refusal(200, json!({"result": "1", "access_token": "x"})),
            false,
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let subject = format!("subject-{number}");
        set_row(&mut vault, row)?;
        vault.grant(&subject)?;
        vault.server.misbehave(behaviour.clone(), Some(1));
        let expected = if is_dead { "TV031" } else { "TV032" };
        assert_eq!(
            sqlstate(refresh_token(&mut vault.db, &subject)),
            expected,
            "{behaviour:?}"
        );
        let status = vault.token(&subject)?.status;
        assert_eq!(
            status == "reauthorization_required",
            is_dead,
            "{behaviour:?}"
        );
        vault
            .db
            .execute("SELECT vault.delete_subject($1)", &[&subject])?;
    }
    Ok(())
}

#[test]
fn b8_a_token_that_keeps_failing_is_asked_for_less_and_less() -> Result<()> {
    let mut vault = Vault::start()?;
    // Unexplained, so that the token is the one that is wrong and not its provider.
    let unexplained = refusal(400, json!({"error": "out_of_cheese"}));
    vault.server.misbehave(unexplained, None);
    vault.grant_that_is_due("alice")?;
    let enough = vault
        .server
        .wait_for_journal(|journal| journal.len() >= 4, 2 * LIMIT)?;
    let pauses: Vec<Duration> = enough
        .windows(2)
        .map(|pair| pair[1].at.duration_since(pair[0].at).unwrap_or_default())
        .collect();
    // Chance takes up to half of 1, 2 and 4 seconds, and never leaves less than 1.
    for (pause, least) in pauses.iter().zip([1, 1, 2]) {
        assert!(*pause >= Duration::from_secs(least), "{pauses:?}");
    }
    Ok(())
}

#[test]
fn b12_e1_a_refused_client_is_not_tried_in_another_way() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.grant("alice")?;
    vault
        .server
        .set_secrets(CLIENT, vec!["cs-another-1".to_owned()]);
    assert_eq!(sqlstate(refresh_token(&mut vault.db, "alice")), "TV032");
    let requests = vault.refreshes();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].auth_method, Some(AuthMethod::ClientSecretBasic));
    assert_eq!(requests[0].error.as_deref(), Some("invalid_client"));
    assert_eq!(vault.token("alice")?.status, "valid");
    Ok(())
}
