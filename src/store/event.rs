//! Events for whoever listens: `LISTEN token_vault`. JSON, never a secret.

use serde_json::{Map, Value, json};

use crate::pg::spi::BuiltinOid::TEXTARRAYOID;
use crate::pg::spi::{self, Session, Statement};
use crate::store::audit::{self, About};

/// The longest text that PostgreSQL takes is one byte less than 8,000 (async.c).
const MAX_BYTES: usize = 7_999;

/// Tells the listeners, when this transaction commits, that something has happened; it is in the audit log, too.
pub fn send(event: &str, facts: Map<String, Value>) {
    let tenant = facts.get("tenant").and_then(Value::as_str);
    audit::changed(event, About::tenant(tenant), Some(facts.clone()));
    spi::session(|session| send_all(session, vec![text(event, facts)]));
}

/// The same for events that are texts already.
pub fn send_all(session: &Session, events: Vec<String>) {
    static NOTIFY: Statement = Statement::new(
        "SELECT pg_notify('token_vault', e) FROM unnest($1) AS e",
        &[TEXTARRAYOID],
    );
    if !events.is_empty() {
        session.run(&NOTIFY, &[events.into()]);
    }
}

/// An event as it is sent. Names that are too long for it are cut off, and it says so.
pub fn text(event: &str, mut facts: Map<String, Value>) -> String {
    facts.insert("event".into(), json!(event));
    let whole = serde_json::to_string(&facts).unwrap_or_default();
    if whole.len() <= MAX_BYTES {
        return whole;
    }
    facts.insert("truncated".into(), json!(true));
    for fact in facts.values_mut() {
        if let Value::String(text) = fact {
            // Escaped, a character takes at most six bytes.
            *text = text.chars().take(150).collect();
        }
    }
    Value::Object(facts).to_string()
}

/// The facts of an event about a key.
pub fn of_key(key: impl ToString, tenant: Option<&str>) -> Map<String, Value> {
    let mut facts = Map::new();
    facts.insert("key".into(), json!(key.to_string()));
    facts.insert("tenant".into(), json!(tenant));
    facts
}
