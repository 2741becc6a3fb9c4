//! A protected resource: shows whether an access token really works (RFC 6750).

use serde_json::json;

use crate::app::App;
use crate::message::{Reply, Request};

pub(super) const PATH: &str = "/api/me";

pub(super) fn answer(app: &App, request: &Request) -> Reply {
    let Some(token) = request.authorization("bearer") else {
        return Reply::empty(401).with_header("www-authenticate", "Bearer");
    };
    match app.store().bearer(token) {
        Some(bearer) => {
            let body = json!({ "subject": bearer.subject, "client_id": bearer.client_id, "scope": bearer.scope });
            Reply::json(200, &body)
        }
        None => Reply::json(401, &json!({ "error": "invalid_token" }))
            .with_header("www-authenticate", "Bearer error=\"invalid_token\""),
    }
}
