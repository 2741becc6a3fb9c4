//! What listeners are told of outcomes: names and codes, never a secret.

use serde_json::{Map, Value, json};
use token_vault_core::audit::Entry;

use crate::pg::connection;
use crate::pg::settings::{self, AuditLevel};
use crate::pg::spi::Session;
use crate::pg::time::{self, UnixMicros};
use crate::store::audit;
use crate::store::client::Client;
use crate::store::event;
use crate::store::token::TokenKey;
use crate::worker::claim::Claim;

/// What has happened in one transaction.
#[derive(Default)]
pub(super) struct News {
    /// For listeners.
    events: Vec<String>,
    /// For the audit log.
    entries: Vec<Noted>,
}

/// An entry of the audit log.
struct Noted {
    event: &'static str,
    key: TokenKey,
    /// JSON.
    detail: Option<String>,
}

impl News {
    pub fn refreshed(&mut self, claim: &Claim, expires_at: Option<UnixMicros>) {
        if settings::audit() >= AuditLevel::All {
            self.note("refreshed", claim, None);
        }
        if settings::notify_refreshed() {
            let mut facts = of_token(&claim.key);
            facts.insert("expires_at".into(), json!(expires_at.map(time::to_sql)));
            self.add("refreshed", facts);
        }
    }

    pub fn reauthorization_required(&mut self, claim: &Claim, error: &str) {
        if settings::audit() >= AuditLevel::Writes {
            let detail = json!({"error": error, "attempt": claim.attempt}).to_string();
            self.note("reauthorization_required", claim, Some(detail));
        }
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
        self.events.push(event::text(event, facts));
    }

    pub fn send(self, session: &Session) {
        event::send_all(session, self.events);
    }

    fn note(&mut self, event: &'static str, claim: &Claim, detail: Option<String>) {
        self.entries.push(Noted {
            event,
            key: claim.key.clone(),
            detail,
        });
    }

    /// Puts into the audit log what belongs there.
    pub fn write_down(&self, now: UnixMicros) {
        let name = connection::application_name();
        let entries = self.entries.iter().map(|noted| Entry {
            at: now,
            event: noted.event,
            application_name: name.as_deref(),
            tenant: Some(&noted.key.tenant),
            provider: Some(&noted.key.provider),
            subject: Some(&noted.key.subject),
            label: Some(&noted.key.label),
            detail: noted.detail.as_deref(),
            ..Entry::default()
        });
        audit::refreshed(&entries.collect::<Vec<_>>());
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
