//! The authorization endpoint (RFC 6749 §4.1.1), PKCE required. The user named by `login_hint` approves at once.

use crate::app::App;
use crate::error::OAuthError;
use crate::form::Form;
use crate::message::{Reply, Request};
use crate::store::AuthorizationRequest;

pub(super) const PATH: &str = "/authorize";

/// Length of `BASE64URL(SHA256(…))`.
const S256_CHALLENGE_LENGTH: usize = 43;

pub(super) fn answer(app: &App, request: &Request) -> Reply {
    match verified_redirect(app, request) {
        // Nothing may be redirected to an address that is not the client's (RFC 6749 §4.1.2.1).
        Err(error) => error.reply(),
        Ok((form, client_id, redirect_uri)) => {
            let outcome = approve(app, &form, client_id, redirect_uri.clone());
            redirect(app, &redirect_uri, form.get("state"), outcome)
        }
    }
}

fn verified_redirect(app: &App, request: &Request) -> Result<(Form, String, String), OAuthError> {
    let form = Form::of_query(request)?;
    let client_id = form
        .require("client_id", "client_id is missing")?
        .to_owned();
    let redirect_uri = form
        .require("redirect_uri", "redirect_uri is missing")?
        .to_owned();
    let store = app.store();
    let client = store
        .client(&client_id)
        .ok_or(OAuthError::invalid_request("the client is unknown"))?;
    if !client.redirect_uris.contains(&redirect_uri) {
        return Err(OAuthError::invalid_request(
            "redirect_uri is not registered",
        ));
    }
    drop(store);
    Ok((form, client_id, redirect_uri))
}

/// Issues a code, or says which error the client is told.
fn approve(
    app: &App,
    form: &Form,
    client_id: String,
    redirect_uri: String,
) -> Result<String, &'static str> {
    if form.get("response_type") != Some("code") {
        return Err("unsupported_response_type");
    }
    // `plain`, which an omitted method stands for, protects nothing (RFC 9700 §2.1.1).
    if form.get("code_challenge_method") != Some("S256") {
        return Err("invalid_request");
    }
    let challenge = form
        .get("code_challenge")
        .filter(|challenge| challenge.len() == S256_CHALLENGE_LENGTH);
    let (Some(code_challenge), Some(subject)) = (challenge, form.get("login_hint")) else {
        return Err("invalid_request");
    };
    Ok(app.store().issue_code(AuthorizationRequest {
        client_id,
        redirect_uri,
        subject: subject.to_owned(),
        scope: form.get("scope").unwrap_or_default().to_owned(),
        code_challenge: code_challenge.to_owned(),
    }))
}

fn redirect(
    app: &App,
    redirect_uri: &str,
    state: Option<&str>,
    outcome: Result<String, &'static str>,
) -> Reply {
    let mut query = form_urlencoded::Serializer::new(String::new());
    match &outcome {
        Ok(code) => query.append_pair("code", code),
        Err(error) => query.append_pair("error", error),
    };
    if let Some(state) = state {
        query.append_pair("state", state);
    }
    query.append_pair("iss", &app.issuer);
    let separator = if redirect_uri.contains('?') { '&' } else { '?' };
    let location = format!("{redirect_uri}{separator}{}", query.finish());
    Reply::empty(302)
        .with_header("location", location)
        .no_store()
}
