//! Events for whoever listens: `LISTEN token_vault`. JSON, never a secret.

use serde_json::{Map, Value, json};

use crate::pg::spi::BuiltinOid::TEXTOID;
use crate::pg::spi::{self, Statement};

/// Tells the listeners, when this transaction commits, that something has happened.
pub fn send(event: &str, mut facts: Map<String, Value>) {
    static NOTIFY: Statement = Statement::new("SELECT pg_notify('token_vault', $1)", &[TEXTOID]);
    facts.insert("event".into(), json!(event));
    let payload = Value::Object(facts).to_string();
    spi::session(|session| session.run(&NOTIFY, &[payload.into()]));
}

/// The facts of an event about a key.
pub fn of_key(key: impl ToString, tenant: Option<&str>) -> Map<String, Value> {
    let mut facts = Map::new();
    facts.insert("key".into(), json!(key.to_string()));
    facts.insert("tenant".into(), json!(tenant));
    facts
}
