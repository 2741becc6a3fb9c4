//! What listeners are told of outcomes: names and codes, never a secret.

use serde_json::{Map, Value, json};

use crate::pg::settings;
use crate::pg::spi::Session;
use crate::pg::time::{self, UnixMicros};
use crate::store::client::Client;
use crate::store::event;
use crate::store::token::TokenKey;
use crate::worker::claim::Claim;

/// Events of one transaction, sent together.
#[derive(Default)]
pub(super) struct News(Vec<String>);

impl News {
    pub fn refreshed(&mut self, claim: &Claim, expires_at: Option<UnixMicros>) {
        if settings::notify_refreshed() {
            let mut facts = of_token(&claim.key);
            facts.insert("expires_at".into(), json!(expires_at.map(time::to_sql)));
            self.add("refreshed", facts);
        }
    }

    pub fn reauthorization_required(&mut self, claim: &Claim, error: &str) {
        self.add("reauthorization_required", with_error(claim, error));
    }

    pub fn refresh_fails(&mut self, claim: &Claim, error: &str) {
        self.add("refresh_fails", with_error(claim, error));
    }

    pub fn client_broken(&mut self, client: &Client, error: &str) {
        let mut facts = of_client(client);
        facts.insert("error".into(), json!(error));
        self.add("client_broken", facts);
    }

    pub fn client_recovered(&mut self, client: &Client) {
        self.add("client_recovered", of_client(client));
    }

    fn add(&mut self, event: &str, facts: Map<String, Value>) {
        self.0.push(event::text(event, facts));
    }

    pub fn send(self, session: &Session) {
        event::send_all(session, self.0);
    }
}

fn with_error(claim: &Claim, error: &str) -> Map<String, Value> {
    let mut facts = of_token(&claim.key);
    facts.insert("error".into(), json!(error));
    facts.insert("attempt".into(), json!(claim.attempt));
    facts
}

fn of_token(key: &TokenKey) -> Map<String, Value> {
    let facts = json!({
        "tenant": key.tenant, "provider": key.provider, "subject": key.subject, "label": key.label,
    });
    object(facts)
}

fn of_client(client: &Client) -> Map<String, Value> {
    object(json!({"tenant": client.tenant, "provider": client.provider, "client": client.name}))
}

fn object(facts: Value) -> Map<String, Value> {
    match facts {
        Value::Object(facts) => facts,
        _ => Map::new(),
    }
}
