//! The revocation endpoint (RFC 7009).

use super::token::{blank_entry, note_position, record};
use crate::app::App;
use crate::client_auth::Presented;
use crate::credential::Handle;
use crate::form::Form;
use crate::journal::{Endpoint, Entry, Outcome};
use crate::message::{Reply, Request};
use crate::store::{Position, Refused};

pub(super) const PATH: &str = "/revoke";

pub(super) fn answer(app: &App, request: &Request) -> Reply {
    let mut entry = blank_entry(Endpoint::Revocation, request, None, None);
    let reply = match revoke(app, request, &mut entry) {
        Ok(position) => {
            entry.outcome = Outcome::Revoked;
            if let Some(position) = position {
                note_position(&mut entry, position);
            }
            Reply::empty(200)
        }
        Err(refused) => {
            entry.outcome = Outcome::Refused;
            entry.error = Some(refused.error.code.to_owned());
            refused.error.reply()
        }
    };
    record(app, entry);
    reply
}

/// `Ok(None)`: the token is unknown, and so is revoked already as far as the client is concerned (§2.2).
fn revoke(app: &App, request: &Request, entry: &mut Entry) -> Result<Option<Position>, Refused> {
    let form = Form::of_body(request)?;
    let presented = Presented::read(request, &form)?;
    entry.client_id = Some(presented.client_id.clone());
    entry.auth_method = Some(presented.method);
    let mut store = app.store();
    entry.secret_index = presented.verify(store.client(&presented.client_id))?;
    let token = form.require("token", "token is missing")?;
    entry.refresh_token_id = Some(Handle::of(token).to_string());
    store.revoke(&presented.client_id, token)
}
