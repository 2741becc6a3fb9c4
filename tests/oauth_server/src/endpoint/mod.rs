//! The endpoints: each turns a request into an answer.

mod authorize;
pub(crate) mod control;
pub(crate) mod dialect;
mod me;
mod metadata;
mod revoke;
mod token;

use std::sync::Arc;

use hyper::Method;
use serde_json::json;

use crate::app::{App, InFlight};
use crate::behaviour::Delivery;
use crate::message::{Reply, Request};
use crate::wire::Handler;

/// Everything behind the TLS listener.
#[derive(Clone)]
pub(crate) struct Public(pub Arc<App>);

impl Handler for Public {
    type Guard = Option<InFlight>;

    fn handle(&self, request: &Request) -> (Delivery, Self::Guard) {
        let app = &self.0;
        if request.path == token::PATH && request.method == Method::POST {
            let mut in_flight = InFlight::arrive(app);
            let delivery = token::answer(app, request, &mut in_flight);
            return (delivery, Some(in_flight));
        }
        if dialect::client_of(&request.path).is_some() {
            let in_flight = InFlight::arrive(app);
            return (
                dialect::answer(app, request, in_flight.concurrent),
                Some(in_flight),
            );
        }
        let reply = match (request.path.as_str(), &request.method) {
            (authorize::PATH, &Method::GET) => authorize::answer(app, request),
            (revoke::PATH, &Method::POST) => revoke::answer(app, request),
            (me::PATH, &Method::GET) => me::answer(app, request),
            (metadata::PATH, &Method::GET) => metadata::answer(app),
            (token::PATH | revoke::PATH, _) => method_not_allowed("POST"),
            (authorize::PATH | me::PATH | metadata::PATH, _) => method_not_allowed("GET"),
            _ => not_found(),
        };
        (Delivery::Reply(reply), None)
    }
}

fn method_not_allowed(allowed: &str) -> Reply {
    Reply::json(405, &json!({ "error": "invalid_request" })).with_header("allow", allowed)
}

fn not_found() -> Reply {
    Reply::json(404, &json!({ "error": "not_found" }))
}
