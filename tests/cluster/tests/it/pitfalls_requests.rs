//! The shape of a request is what the provider's row says: the provider here refuses every other.

use serde_json::json;
use token_vault_cluster::Result;

use crate::dialect::Shape;
use crate::provider::Vault;

const FORM: [(&str, &str); 2] = [
    ("grant_type", "refresh_token"),
    ("refresh_token", "{refresh_token}"),
];

/// The parameters of RFC 6749 §6, and others.
fn parameters(others: &[(&str, &str)]) -> serde_json::Value {
    FORM.iter().chain(others).copied().collect()
}

#[test]
fn e1_e2_e3_e10_the_client_authenticates_as_its_provider_wants() -> Result<()> {
    let mut vault = Vault::start()?;
    for shape in [
        Shape::new("basic", json!({}), json!({})),
        Shape::new(
            "raw-basic",
            json!({"basic_form_encoded": false}),
            json!({"basic": {"username": "{client_id}", "password": "{client_secret}", "form_encoded": false}}),
        ),
        Shape::new(
            "post",
            json!({"token_endpoint_auth_method": "client_secret_post"}),
            json!({"basic": null, "parameters": parameters(&[
                ("client_id", "{client_id}"), ("client_secret", "{client_secret}"),
            ])}),
        ),
        Shape::new(
            "public",
            json!({"token_endpoint_auth_method": "none"}),
            json!({"basic": null, "parameters": parameters(&[("client_id", "{client_id}")])}),
        )
        .public(),
        Shape::new(
            "secret-as-user",
            json!({"basic_username": "{client_secret}", "basic_password": ""}),
            json!({"basic": {"username": "{client_secret}", "password": "", "form_encoded": true}}),
        ),
    ] {
        shape.refreshes(&mut vault)?;
    }
    Ok(())
}

#[test]
fn e4_e5_e6_e7_e8_the_request_has_the_shape_that_the_row_says() -> Result<()> {
    let mut vault = Vault::start()?;
    for shape in [
        Shape::new(
            "json",
            json!({"token_request_format": "json", "refresh_parameters": {"site": {"id": "{client_id}", "n": 1}}}),
            json!({"body": "json", "parameters": {
                "grant_type": "refresh_token", "refresh_token": "{refresh_token}",
                "site": {"id": "json", "n": 1},
            }}),
        ),
        Shape::new(
            "other-url",
            json!({"refresh_endpoint": "{base}/refresh", "refresh_query_parameters": {"v": "2"}}),
            json!({"path": "/refresh", "query": {"v": "2"}}),
        ),
        Shape::new(
            "renamed",
            json!({
                "token_endpoint_auth_method": "client_secret_post",
                "refresh_parameters": {"client_id": null, "client_key": "{client_id}", "request": "token"},
            }),
            json!({"basic": null, "parameters": parameters(&[
                ("client_key", "{client_id}"), ("client_secret", "{client_secret}"), ("request", "token"),
            ])}),
        ),
        // What a code exchange needs (`token_parameters`) does not take the refresh's grant type away.
        Shape::new(
            "code-parameters",
            json!({"token_parameters": {"grant_type": "authorization_code", "audience": "x"}}),
            json!({}),
        ),
        Shape::new(
            "by-get",
            json!({
                "token_request_method": "GET", "token_endpoint_auth_method": "client_secret_post",
                "refresh_credential": "access_token",
                "refresh_parameters": {"grant_type": "fb_exchange_token", "fb_exchange_token": "{access_token}"},
            }),
            json!({
                "body": "get", "basic": null, "parameters": {},
                "query": {
                    "grant_type": "fb_exchange_token", "fb_exchange_token": "{access_token}",
                    "client_id": "{client_id}", "client_secret": "{client_secret}",
                },
                "success": {"status": 200, "body": {"access_token": "{access_token}", "expires_in": "{expires_in}"}},
            }),
        ),
    ] {
        shape.refreshes(&mut vault)?;
    }
    Ok(())
}

#[test]
fn c8b_c10_e11_e13_a_request_repeats_what_only_the_grant_knows() -> Result<()> {
    let mut vault = Vault::start()?;
    for shape in [
        // The answer's scope, because some demand it at every refresh.
        Shape::new(
            "scope",
            json!({"refresh_parameters": {"scope": "{scope}"}}),
            json!({
                "parameters": parameters(&[("scope", "a b")]),
                "success": {"status": 200, "body": {
                    "access_token": "{access_token}", "refresh_token": "{refresh_token}",
                    "expires_in": "{expires_in}", "scope": "{scope}",
                }},
            }),
        ),
        // Audience and resource, or the new token is for another interface.
        Shape::new(
            "audience",
            json!({"refresh_parameters": {"audience": "{audience}", "resource": "{resource}"}}),
            json!({"parameters": parameters(&[("audience", "api"), ("resource", "https://r.example/?a=b")])}),
        )
        .with_metadata(json!({"audience": "api"}), json!({"resource": "https://r.example/?a=b"})),
        // The tenant in the URL.
        Shape::new(
            "tenant",
            json!({"refresh_endpoint": "{base}/{tenant}/token"}),
            json!({"path": "/acme%2Feu%20west/token"}),
        )
        .with_metadata(json!({}), json!({"tenant": "acme/eu west"})),
        // What nobody but the answer says.
        Shape::new(
            "realm",
            json!({"refresh_parameters": {"realm": "{realm_id}"}}),
            json!({
                "parameters": parameters(&[("realm", "r-17")]),
                "success": {"status": 200, "body": {
                    "access_token": "{access_token}", "refresh_token": "{refresh_token}",
                    "expires_in": "{expires_in}", "realm_id": "r-17",
                }},
            }),
        ),
    ] {
        shape.refreshes(&mut vault)?;
    }
    Ok(())
}

#[test]
fn e12_metadata_of_a_token_does_not_choose_the_host() -> Result<()> {
    let mut vault = Vault::start()?;
    let shape = Shape::new(
        "host",
        json!({"refresh_endpoint": "https://{host}/token"}),
        json!({}),
    )
    .with_metadata(json!({}), json!({"host": "localhost"}));
    shape.set_up(&mut vault)?;
    let refused = vault
        .db
        .execute("SELECT vault.refresh_token('host', 'host')", &[]);
    let complaint = crate::session::complaint(refused);
    assert!(complaint.contains("decides the host"), "{complaint}");
    assert_eq!(vault.token("host")?.status, "valid");
    assert!(shape.requests(&vault).is_empty());
    Ok(())
}
