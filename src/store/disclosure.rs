//! What every function passes that hands out a secret, once the caller's right to it is known: whether the way to the
//! client is safe, whether it says why, how much it has had, and the entry in the audit log.

use crate::error::{Error, Result};
use crate::pg::settings::AuditLevel;
use crate::pg::{connection, settings};
use crate::store::audit::{self, About, Detail};
use crate::store::limit;

/// Which kind of secret.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An access token.
    Token,
    /// An encrypted column's value.
    Value,
    /// A refresh token or client secret.
    Export,
}

/// Before anything is opened, or a refresh waited for.
pub fn permit(about: About) -> Result<()> {
    if settings::require_secure_transport() && !connection::is_private() {
        return Err(Error::InsecureTransport);
    }
    if settings::audit_reason_required() && settings::audit_reason().is_none() {
        return Err(Error::AuditReasonRequired);
    }
    limit::count_read(about)
}

/// Before it is handed out.
pub fn note(kind: Kind, about: About, detail: Option<Detail>) -> Result<()> {
    let (level, event) = match kind {
        Kind::Token => (AuditLevel::All, "read"),
        Kind::Value => (AuditLevel::All, "revealed"),
        Kind::Export => (AuditLevel::Writes, "exported"),
    };
    audit::disclosed(level, event, about, detail)
}
