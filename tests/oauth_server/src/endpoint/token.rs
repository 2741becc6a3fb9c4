//! The token endpoint (RFC 6749 §3.2): the code grant, the refresh grant, and the misbehaviours.

use std::time::SystemTime;

use crate::app::{App, InFlight};
use crate::behaviour::{Act, Behaviour, Delivery};
use crate::client_auth::Presented;
use crate::credential::Handle;
use crate::error::OAuthError;
use crate::form::Form;
use crate::journal::{Endpoint, Entry, Outcome};
use crate::message::{Reply, Request};
use crate::store::{Granted, Position, Refused, Store};

pub(super) const PATH: &str = "/token";

pub(super) fn answer(app: &App, request: &Request, in_flight: &mut InFlight) -> Delivery {
    let form = Form::of_body(request);
    let presented = form
        .as_ref()
        .map_err(|error| *error)
        .and_then(|form| Presented::read(request, form));
    let mut entry = blank_entry(
        Endpoint::Token,
        request,
        form.as_ref().ok(),
        presented.as_ref().ok(),
    );
    entry.concurrent = in_flight.concurrent;

    let behaviour = app.behaviours.take(entry.client_id.as_deref());
    entry.behaviour = behaviour.clone();
    match behaviour.map(Behaviour::act) {
        Some(Act::Instead(delivery)) => {
            in_flight.entry = record(app, entry);
            delivery
        }
        Some(Act::After(deliver)) => deliver(process(app, form, presented, entry, in_flight)),
        None => Delivery::Reply(process(app, form, presented, entry, in_flight)),
    }
}

/// What is known of a request before anything has been done with it.
pub(super) fn blank_entry(
    endpoint: Endpoint,
    request: &Request,
    form: Option<&Form>,
    presented: Option<&Presented>,
) -> Entry {
    let parameter = |name| form.and_then(|form| form.get(name));
    Entry {
        seq: 0,
        at: SystemTime::UNIX_EPOCH,
        endpoint,
        client_id: presented.map(|presented| presented.client_id.clone()),
        auth_method: presented.map(|presented| presented.method),
        secret_index: None,
        grant_type: parameter("grant_type").map(str::to_owned),
        refresh_token_id: parameter("refresh_token").map(|token| Handle::of(token).to_string()),
        new_refresh_token_id: None,
        family: None,
        outcome: Outcome::NotProcessed,
        error: None,
        generation_before: None,
        generation_after: None,
        connection: request.connection,
        concurrent: 0,
        behaviour: None,
        delivered_at: None,
    }
}

/// Writes the entry where a journal is kept; returns its place there.
pub(super) fn record(app: &App, entry: Entry) -> Option<u64> {
    app.record.then(|| app.journal.add(entry))
}

/// Notes where a request has left its grant.
pub(super) fn note_position(entry: &mut Entry, position: Position) {
    entry.family = Some(position.family);
    entry.generation_before = Some(position.generation_before);
    entry.generation_after = Some(position.generation_after);
}

fn process(
    app: &App,
    form: Result<Form, OAuthError>,
    presented: Result<Presented, OAuthError>,
    mut entry: Entry,
    in_flight: &mut InFlight,
) -> Reply {
    // Held until the entry is written: the journal's order is the order of what happened.
    let mut store = app.store();
    let result = form
        .and_then(|form| Ok((form, presented?)))
        .map_err(Refused::from)
        .and_then(|(form, presented)| {
            entry.secret_index = presented.verify(store.client(&presented.client_id))?;
            grant(&mut store, &presented.client_id, &form)
        });
    let reply = match &result {
        Ok(Granted {
            outcome,
            answer,
            position,
        }) => {
            entry.outcome = *outcome;
            entry.new_refresh_token_id = answer
                .refresh_token
                .as_deref()
                .map(|token| Handle::of(token).to_string());
            note_position(&mut entry, *position);
            Reply::json(200, answer).no_store()
        }
        Err(Refused {
            outcome,
            error,
            position,
        }) => {
            entry.outcome = *outcome;
            entry.error = Some(error.code.to_owned());
            if let Some(position) = position {
                note_position(&mut entry, *position);
            }
            error.reply()
        }
    };
    in_flight.entry = record(app, entry);
    reply
}

fn grant(store: &mut Store, client_id: &str, form: &Form) -> Result<Granted, Refused> {
    match form.require("grant_type", "grant_type is missing")? {
        "authorization_code" => {
            let code = form.require("code", "code is missing")?;
            let redirect_uri = form.require("redirect_uri", "redirect_uri is missing")?;
            let verifier = form.require("code_verifier", "code_verifier is missing")?;
            check_verifier(verifier)?;
            store.redeem_code(client_id, code, redirect_uri, verifier)
        }
        "refresh_token" => {
            let refresh_token = form.require("refresh_token", "refresh_token is missing")?;
            store.refresh(client_id, refresh_token, form.get("scope"))
        }
        _ => Err(OAuthError::unsupported_grant_type().into()),
    }
}

/// The syntax of RFC 7636 §4.1.
fn check_verifier(verifier: &str) -> Result<(), OAuthError> {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    if (43..=128).contains(&verifier.len()) && verifier.bytes().all(unreserved) {
        Ok(())
    } else {
        Err(OAuthError::invalid_request("code_verifier is malformed"))
    }
}
