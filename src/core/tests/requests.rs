//! Token requests, case by case: `vectors/requests.json` holds a provider row, a client and a grant beside the request
//! that has to come out. `Authorization: Basic` is written decoded there.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use token_vault_core::oauth::{
    Client, Grant, Method, Misconfigured, Provider, TokenRequest, refresh_request,
    revocation_request,
};
use token_vault_core::secret::{AccessToken, ClientSecret, RefreshToken};

type Build = fn(&Provider, &Client, &Grant) -> Result<TokenRequest, Misconfigured>;

#[test]
fn every_quirk_of_a_refresh_request() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("vectors/requests.json")).unwrap();
    assert!(cases.len() >= 25);
    for case in cases {
        let name = &case["name"];
        let row = case["provider"].as_object().unwrap().clone();
        let built = build(refresh_request, row, &case["client"], &case["grant"]);
        match (built, case["error"].as_str()) {
            (Ok(request), None) => assert_eq!(shown(&request), expected(&case), "{name}"),
            (Err(error), Some(expected)) => assert_eq!(error.to_string(), expected, "{name}"),
            (built, _) => panic!("{name}: {built:?}"),
        }
    }
}

#[test]
fn revocation_names_the_refresh_token_first() {
    let row =
        json!({"revocation_endpoint": "https://p.test/revoke", "token_request_method": "GET"});
    let body = |grant: Value| {
        let request = build(
            revocation_request,
            row.as_object().unwrap().clone(),
            &Value::Null,
            &grant,
        )
        .unwrap();
        assert_eq!(request.method, Method::Post);
        assert_eq!(request.url.expose(), "https://p.test/revoke");
        String::from_utf8(request.body.expose().to_vec()).unwrap()
    };
    assert_eq!(
        body(json!({"refresh_token": "rt", "access_token": "at"})),
        "token=rt&token_type_hint=refresh_token"
    );
    assert_eq!(
        body(json!({"access_token": "at"})),
        "token=at&token_type_hint=access_token"
    );
}

#[test]
fn revocation_needs_an_endpoint_and_a_token() {
    let error = |row: Value, grant: Value| {
        build(
            revocation_request,
            row.as_object().unwrap().clone(),
            &Value::Null,
            &grant,
        )
        .unwrap_err()
    };
    assert_eq!(
        error(json!({}), json!({"refresh_token": "rt"})),
        Misconfigured::NoRevocationEndpoint
    );
    let endpoint = json!({"revocation_endpoint": "https://p.test/revoke"});
    assert_eq!(
        error(endpoint, json!({})),
        Misconfigured::MissingAccessToken
    );
}

#[test]
fn requests_cannot_be_formatted() {
    let row = json!({"token_endpoint_auth_method": "client_secret_post", "token_request_format": "query"});
    let request = build(
        refresh_request,
        row.as_object().unwrap().clone(),
        &Value::Null,
        &Value::Null,
    )
    .unwrap();
    assert_eq!(format!("{request:?}"), "TokenRequest { method: Post, .. }");
}

fn build(
    build: Build,
    mut row: Map<String, Value>,
    client: &Value,
    grant: &Value,
) -> Result<TokenRequest, Misconfigured> {
    row.insert("name".to_string(), json!("p"));
    row.entry("token_endpoint")
        .or_insert(json!("https://p.test/token"));
    let provider: Provider = serde_json::from_value(Value::Object(row)).unwrap();

    let (default_client, default_grant) = (
        json!({"client_id": "id", "client_secret": "s3cret"}),
        json!({"refresh_token": "rt/1"}),
    );
    let client = if client.is_null() {
        &default_client
    } else {
        client
    };
    let grant = if grant.is_null() {
        &default_grant
    } else {
        grant
    };
    let text = |from: &Value, name: &str| from[name].as_str().map(str::to_string);
    let secret = text(client, "client_secret").map(ClientSecret::new);
    let access_token = text(grant, "access_token").map(AccessToken::new);
    let refresh_token = text(grant, "refresh_token").map(RefreshToken::new);
    build(
        &provider,
        &Client {
            client_id: client["client_id"].as_str().unwrap(),
            client_secret: secret.as_ref(),
            metadata: &client["metadata"],
        },
        &Grant {
            access_token: access_token.as_ref(),
            refresh_token: refresh_token.as_ref(),
            scope: grant["scope"].as_str(),
            metadata: &grant["metadata"],
        },
    )
}

fn expected(case: &Value) -> Value {
    json!({
        "method": case.get("method").unwrap_or(&json!("POST")),
        "url": case["url"],
        "headers": case["headers"],
        "body": case["body"],
        "json": case["json"],
    })
}

fn shown(request: &TokenRequest) -> Value {
    let headers: Map<String, Value> = request
        .headers
        .iter()
        .map(
            |(name, value)| match value.expose().strip_prefix("Basic ") {
                Some(encoded) => {
                    let decoded = String::from_utf8(STANDARD.decode(encoded).unwrap()).unwrap();
                    (name.clone(), json!(format!("Basic {decoded}")))
                }
                None => (name.clone(), json!(value.expose())),
            },
        )
        .collect();
    let is_json = headers.get("Content-Type") == Some(&json!("application/json"));
    let body = request.body.expose();
    json!({
        "method": match request.method { Method::Get => "GET", Method::Post => "POST" },
        "url": request.url.expose(),
        "headers": headers,
        "body": if is_json { Value::Null } else { json!(String::from_utf8(body.to_vec()).unwrap()) },
        "json": if is_json { serde_json::from_slice(body).unwrap() } else { Value::Null },
    })
}
