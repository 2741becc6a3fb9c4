//! Token endpoints in dialects: `/dialect/CLIENT_ID` and whatever path the client's dialect has.

use std::time::SystemTime;

use super::token::{blank_entry, note_position, record};
use crate::app::App;
use crate::behaviour::{Act, Behaviour, Delivery};
use crate::credential::Handle;
use crate::dialect::{Answer, Credential, Dialect, Issued, RefreshRequest, Refusal};
use crate::journal::{Endpoint, Entry, Outcome};
use crate::message::{Reply, Request};
use crate::store::{Granted, Refused, Store, TokenAnswer};

const PREFIX: &str = "/dialect/";

/// The client that a path belongs to, and the rest of the path.
pub(super) fn client_of(path: &str) -> Option<(&str, &str)> {
    let below = path.strip_prefix(PREFIX)?;
    Some(below.split_at(below.find('/')?))
}

pub(super) fn answer(app: &App, request: &Request, concurrent: u32) -> Delivery {
    let mut entry = blank_entry(Endpoint::Token, request, None, None);
    entry.client_id = client_of(&request.path).map(|(client_id, _)| client_id.to_owned());
    entry.concurrent = concurrent;
    let behaviour = app.behaviours.take(entry.client_id.as_deref());
    entry.behaviour = behaviour.clone();
    match behaviour.map(Behaviour::act) {
        Some(Act::Instead(delivery)) => {
            record(app, entry);
            delivery
        }
        Some(Act::After(deliver)) => deliver(process(app, request, entry)),
        None => Delivery::Reply(process(app, request, entry)),
    }
}

fn process(app: &App, request: &Request, mut entry: Entry) -> Reply {
    // Held until the entry is written: the journal's order is the order of what happened.
    let mut store = app.store();
    let reply = refresh(&mut store, request, &mut entry);
    record(app, entry);
    reply
}

fn refresh(store: &mut Store, request: &Request, entry: &mut Entry) -> Reply {
    entry.outcome = Outcome::Refused;
    let found = client_of(&request.path).and_then(|(client_id, path)| {
        let client = store.client(client_id)?;
        Some((client.clone(), client.dialect.clone()?, path))
    });
    let Some((client, dialect, path)) = found else {
        return super::not_found();
    };
    let checked = dialect.check(
        &seen(request, path),
        &client.client_id,
        &client.client_secrets,
    );
    match checked {
        Ok(credential) => grant(store, &client.client_id, &dialect, credential, entry),
        Err(Refusal::WrongClient) => {
            entry.error = Some("invalid_client".to_owned());
            dialect.client_refused.reply(None)
        }
        Err(Refusal::NotInDialect(reason)) => {
            let body = serde_json::json!({"error": "invalid_request", "error_description": reason});
            entry.error = Some(reason);
            Answer::new(400, body).reply(None)
        }
    }
}

fn seen<'a>(request: &'a Request, path: &'a str) -> RefreshRequest<'a> {
    let header = |(name, value): (
        &'a hyper::header::HeaderName,
        &'a hyper::header::HeaderValue,
    )| { Some((name.as_str(), value.to_str().ok()?)) };
    RefreshRequest {
        method: request.method.as_str(),
        path,
        query: request.query.as_deref(),
        headers: request.headers.iter().filter_map(header).collect(),
        body: &request.body,
    }
}

fn grant(
    store: &mut Store,
    client_id: &str,
    dialect: &Dialect,
    credential: Credential,
    entry: &mut Entry,
) -> Reply {
    let handle = |token: &str| Handle::of(token).to_string();
    let granted = match &credential {
        Credential::RefreshToken(token) => {
            entry.grant_type = Some("refresh_token".to_owned());
            entry.refresh_token_id = Some(handle(token));
            store.refresh(client_id, token, None)
        }
        Credential::AccessToken(token) => {
            entry.grant_type = Some("access_token".to_owned());
            store.renew(client_id, token)
        }
        Credential::Client => {
            entry.grant_type = Some("client_credentials".to_owned());
            Ok(store.grant_to_client(client_id))
        }
    };
    match granted {
        Ok(Granted {
            outcome,
            answer,
            position,
        }) => {
            entry.outcome = outcome;
            entry.new_refresh_token_id = answer.refresh_token.as_deref().map(handle);
            note_position(entry, position);
            dialect.success.reply(Some(&issued(answer)))
        }
        Err(Refused {
            outcome,
            error,
            position,
        }) => {
            entry.outcome = outcome;
            entry.error = Some(error.code.to_owned());
            if let Some(position) = position {
                note_position(entry, position);
            }
            dialect.grant_refused.reply(None)
        }
    }
}

/// What the server has issued, now.
pub(crate) fn issued(answer: TokenAnswer) -> Issued {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Issued {
        access_token: answer.access_token,
        refresh_token: answer.refresh_token,
        scope: answer.scope,
        expires_in: answer.expires_in,
        now: now.unwrap_or_default().as_secs(),
    }
}
