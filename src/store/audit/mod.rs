//! The audit log: who did what when, about which token; never a value.
//!
//! What changes something is written in its own transaction. What was read or refused must stay even if the transaction is
//! rolled back, and must not make its reader wait for a disk: it goes through shared memory. Where that is not possible,
//! the reader writes it itself, and if that is undone, it is in the server's log.
//!
//! | file | concern |
//! | --- | --- |
//! | `buffer` | entries in shared memory |
//! | `table` | entries as rows |
//! | `chain` | sealing: place and code of each entry |
//! | `verify` | walking along the chain |
//! | `months` | partitions, and what is old |
//! | `roles` | the names of who is calling |
//! | `run` | whether the entries in shared memory may have been lost |

pub mod buffer;
pub mod chain;
pub mod months;
mod roles;
pub mod run;
mod table;
pub mod verify;

use serde_json::{Map, Value, json};
use token_vault_core::access::Resource;
use token_vault_core::audit::Entry;

use crate::error::{Error, Result};
use crate::pg::inval::{self, Topic};
use crate::pg::settings::{AuditLevel, AuditOverflow};
use crate::pg::spi::Session;
use crate::pg::{connection, report, server, settings, time, undone};
use crate::store::event;
use crate::store::token::TokenKey;
use buffer::Place;

/// What an entry is about, as far as it is about a token, a client or a tenant.
#[derive(Clone, Copy, Default)]
pub struct About<'a> {
    pub tenant: Option<&'a str>,
    pub provider: Option<&'a str>,
    pub subject: Option<&'a str>,
    pub label: Option<&'a str>,
}

impl<'a> About<'a> {
    /// Nothing in particular: the whole vault.
    pub const VAULT: About<'static> = About {
        tenant: None,
        provider: None,
        subject: None,
        label: None,
    };

    pub fn tenant(tenant: Option<&'a str>) -> About<'a> {
        About {
            tenant,
            ..About::VAULT
        }
    }

    pub fn resource(resource: &Resource<'a>) -> About<'a> {
        let (provider, subject) = match *resource {
            Resource::Token {
                provider, subject, ..
            } => (Some(provider), Some(subject)),
            Resource::Subject { subject, .. } => (None, Some(subject)),
            Resource::Client { provider, .. } => (Some(provider), None),
            _ => (None, None),
        };
        About {
            tenant: resource.tenant(),
            provider,
            subject,
            label: None,
        }
    }
}

impl<'a> From<&'a TokenKey> for About<'a> {
    fn from(key: &'a TokenKey) -> About<'a> {
        About {
            tenant: Some(&key.tenant),
            provider: Some(&key.provider),
            subject: Some(&key.subject),
            label: Some(&key.label),
        }
    }
}

/// Facts beside those that have columns of their own: names and codes.
pub type Detail = Map<String, Value>;

/// `detail!(reads = 5, ...)`.
pub fn detail<const N: usize>(facts: [(&str, Value); N]) -> Option<Detail> {
    let facts = facts.map(|(name, value)| (name.to_owned(), value));
    Some(facts.into_iter().collect())
}

/// Something was changed; written in the transaction that changes it.
pub fn changed(event: &str, about: About, detail: Option<Detail>) {
    if settings::audit() >= AuditLevel::Writes {
        with_entry(event, about, detail, table::insert);
    }
}

/// A secret is handed out. An error if that can't be written down.
pub fn disclosed(
    level: AuditLevel,
    event: &str,
    about: About,
    detail: Option<Detail>,
) -> Result<()> {
    if settings::audit() < level {
        return Ok(());
    }
    with_entry(event, about, detail, |entry| match keep(entry) {
        Place::Taken => Ok(()),
        Place::Full if settings::audit_overflow() == AuditOverflow::Fail => Err(Error::AuditFull),
        _ if server::in_recovery() => {
            log(entry);
            Ok(())
        }
        _ if connection::cannot_write() => Err(Error::AuditImpossible),
        _ => {
            table::insert(entry);
            undone::log_if_undone(line(entry));
            Ok(())
        }
    })
}

/// Something was refused: an error follows, and the transaction is rolled back.
pub fn refused(event: &str, about: About, detail: Option<Detail>) {
    if settings::audit() >= AuditLevel::Writes {
        with_entry(event, about, detail, |entry| {
            if keep(entry) != Place::Taken {
                log(entry);
            }
        });
    }
}

/// Entries of the refresher, which knows of them itself; written in its transaction.
pub fn refreshed(entries: &[Entry]) {
    table::append_unsealed(entries);
    if let [_, ..] = entries {
        buffer::announce_unsealed(server::database());
    }
}

/// Hands an entry over to the database's refresher.
fn keep(entry: &Entry) -> Place {
    if server::in_recovery() {
        return Place::Closed;
    }
    let mut bytes = Vec::with_capacity(256);
    entry.encode(&mut bytes);
    buffer::add(server::database(), inval::present(Topic::Tokens), &bytes)
}

/// Completes an entry with who, when, and why.
fn with_entry<R>(
    event: &str,
    about: About,
    detail: Option<Detail>,
    work: impl FnOnce(&Entry) -> R,
) -> R {
    let roles = (!connection::is_background()).then(roles::names);
    let application_name = connection::application_name();
    let client_address = connection::client_address();
    let reason = settings::audit_reason();
    let detail = detail.map(|detail| Value::Object(detail).to_string());
    work(&Entry {
        at: time::now(),
        event,
        login_role: roles.as_ref().map(|names| &*names.login),
        role: roles.as_ref().map(|names| &*names.current),
        application_name: application_name.as_deref(),
        client_address: client_address.as_deref(),
        tenant: about.tenant,
        provider: about.provider,
        subject: about.subject,
        label: about.label,
        reason: reason.as_deref(),
        detail: detail.as_deref(),
    })
}

fn log(entry: &Entry) {
    report::log(line(entry));
}

/// An entry for the server's log.
fn line(entry: &Entry) -> String {
    format!("token_vault audit: {}", Value::Object(facts(entry)))
}

fn facts(entry: &Entry) -> Map<String, Value> {
    let detail: Option<Value> = entry
        .detail
        .and_then(|detail| serde_json::from_str(detail).ok());
    let facts = json!({
        "at": time::to_sql(entry.at), "event": entry.event, "login_role": entry.login_role, "role": entry.role,
        "application_name": entry.application_name, "client_address": entry.client_address,
        "tenant": entry.tenant, "provider": entry.provider, "subject": entry.subject, "label": entry.label,
        "reason": entry.reason, "detail": detail,
    });
    match facts {
        Value::Object(mut facts) => {
            facts.retain(|_, value| !value.is_null());
            facts
        }
        _ => Map::new(),
    }
}

/// Events that listeners are told of although the transaction that they happened in is rolled back.
const TOLD: [&str; 2] = ["read_limit_exceeded", "unusual_reads"];

/// Writes the oldest entries of the buffer, at most so many, in the refresher's transaction; returns how many. The caller
/// takes them out of the buffer when it has committed. What was read from a vault that is gone is left out.
pub fn write_buffered(session: &Session, limit: usize) -> Result<usize> {
    // With this lock the vault stays the one that it is.
    table::lock(session);
    let vault = inval::present(Topic::Tokens);
    let (records, seen) = buffer::oldest(server::database(), vault, limit);
    let entries: Vec<Entry> = buffer::records(&records)
        .filter_map(|bytes| Entry::decode(bytes).ok())
        .collect();
    if !entries.is_empty() && !chain::write_batch(session, &entries)? {
        chain::write(session, &entries)?;
    }
    let told = entries.iter().filter(|entry| TOLD.contains(&entry.event));
    let texts = told.map(|entry| event::text(entry.event, facts(entry)));
    event::send_all(session, texts.collect());
    Ok(seen)
}
