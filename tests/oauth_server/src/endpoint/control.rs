//! The control port: what [`crate::OAuthServer`] offers to callers in its own process, for everybody else. Plain HTTP
//! on loopback, JSON both ways.
//!
//! | request | body | answer |
//! | --- | --- | --- |
//! | `GET /journal?since=SEQ` | | `[Entry, …]` |
//! | `GET /control/issued` | | every secret ever issued or registered |
//! | `POST /control/client` | `ClientConfig` | |
//! | `POST /control/secrets` | `{client_id, client_secrets}` | |
//! | `POST /control/behaviour` | `{behaviour, times?, client_id?}` | |
//! | `DELETE /control/behaviour` | | |
//! | `POST /control/expire` | | all access tokens have expired |
//! | `POST /control/revoke_family` | `{family}` | |
//! | `POST /control/issue` | `{client_id, subject, scope?}` | the answer of RFC 6749 §5.1 |

use std::sync::Arc;

use hyper::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::not_found;
use crate::app::App;
use crate::behaviour::{Behaviour, Delivery};
use crate::config::ClientConfig;
use crate::message::{Reply, Request};
use crate::wire::Handler;

/// Everything behind the control listener.
#[derive(Clone)]
pub(crate) struct Control(pub Arc<App>);

impl Handler for Control {
    type Guard = ();

    fn handle(&self, request: &Request) -> (Delivery, ()) {
        let reply = answer(&self.0, request).unwrap_or_else(|reply| reply);
        (Delivery::Reply(reply), ())
    }
}

#[derive(Deserialize)]
struct Secrets {
    client_id: String,
    client_secrets: Vec<String>,
}

#[derive(Deserialize)]
struct Misbehave {
    behaviour: Behaviour,
    times: Option<u32>,
    client_id: Option<String>,
}

#[derive(Deserialize)]
struct RevokeFamily {
    family: u64,
}

#[derive(Deserialize)]
struct Issue {
    client_id: String,
    subject: String,
    #[serde(default)]
    scope: String,
}

fn answer(app: &App, request: &Request) -> Result<Reply, Reply> {
    match (&request.method, request.path.as_str()) {
        (&Method::GET, "/journal") => Ok(Reply::json(200, &app.journal.since(since(request)?))),
        (&Method::GET, "/control/issued") => Ok(Reply::json(200, &app.store().issued())),
        (&Method::POST, "/control/client") => {
            app.store().register(body::<ClientConfig>(request)?);
            Ok(done())
        }
        (&Method::POST, "/control/secrets") => {
            let Secrets {
                client_id,
                client_secrets,
            } = body(request)?;
            found(app.store().set_secrets(&client_id, client_secrets))
        }
        (&Method::POST, "/control/behaviour") => {
            let Misbehave {
                behaviour,
                times,
                client_id,
            } = body(request)?;
            app.behaviours.push(client_id, behaviour, times);
            Ok(done())
        }
        (&Method::DELETE, "/control/behaviour") => {
            app.behaviours.clear();
            Ok(done())
        }
        (&Method::POST, "/control/expire") => {
            app.store().expire_access_tokens();
            Ok(done())
        }
        (&Method::POST, "/control/revoke_family") => {
            let RevokeFamily { family } = body(request)?;
            found(app.store().revoke_family(family))
        }
        (&Method::POST, "/control/issue") => issue(app, &body(request)?),
        _ => Err(not_found()),
    }
}

fn issue(app: &App, wanted: &Issue) -> Result<Reply, Reply> {
    let mut store = app.store();
    if store.client(&wanted.client_id).is_none() {
        return Err(not_found());
    }
    let (_, answer) = store.open_grant(&wanted.client_id, &wanted.subject, &wanted.scope);
    Ok(Reply::json(200, &answer))
}

fn since(request: &Request) -> Result<usize, Reply> {
    let Some(query) = &request.query else {
        return Ok(0);
    };
    let number = query
        .strip_prefix("since=")
        .and_then(|number| number.parse().ok());
    number.ok_or_else(|| bad_request("the query is not since=NUMBER"))
}

fn body<T: DeserializeOwned>(request: &Request) -> Result<T, Reply> {
    serde_json::from_slice(&request.body).map_err(|error| bad_request(&error.to_string()))
}

fn found(exists: bool) -> Result<Reply, Reply> {
    if exists { Ok(done()) } else { Err(not_found()) }
}

fn done() -> Reply {
    Reply::json(200, &Value::Object(serde_json::Map::new()))
}

fn bad_request(reason: &str) -> Reply {
    Reply::json(
        400,
        &json!({ "error": "invalid_request", "error_description": reason }),
    )
}
