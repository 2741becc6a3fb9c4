//! What reaches the server's log, pg_stat_activity and pg_stat_statements of statements with secrets: not the secrets.
//!
//! A statement is *sensitive* if its text names the vault's schema, a function that takes or returns a secret, a relation
//! with a column of type `vault.secret`, or a function that mentions one of these ([`names`]); or if a function of the
//! vault, or a sensitive statement inside a function, has run in it ([`turned_out`]). All literals and parameters of such
//! a statement are hidden, not only those that are secrets: nobody can tell them apart. Where it is shown, and how it is
//! cleaned there: `pg::log`, `pg::statement`, and `token_vault_core::redact`.

mod names;
mod turned_out;

use token_vault_core::redact::Exhausted;
use token_vault_core::redact::entry::{Clean, Entry};

use crate::pg::log::{self, Process};
use crate::pg::statement::{self, Concerns};
use crate::pg::{server, settings, shared_set, startup};

/// Called when the library is loaded, with the names of the functions that take or return secrets.
pub fn start(functions: &[&str]) {
    if server::is_preloading() {
        shared_set::prepare();
    }
    names::start(functions);
    startup::when_all_are_loaded(watch);
}

fn watch() {
    statement::watch(Concerns {
        catalog_is_readable: names::look_around,
        is_sensitive,
        has_turned_out: turned_out::remember,
        is_defined: names::learn,
        may_define: names::may_define,
        extension_created: names::extension_created,
    });
    log::watch(clean);
}

/// Called where a function of the vault runs: the client's statement is sensitive, whatever it looks like.
pub fn mark() {
    if settings::clean_logs() {
        statement::mark_current();
    }
}

fn is_sensitive(text: &[u8]) -> bool {
    settings::clean_logs() && names::are_watched() && (names::are_in(text) || turned_out::has(text))
}

/// What to log instead of `entry`.
fn clean(entry: &Entry, process: Process) -> Option<Result<Clean, Exhausted>> {
    if !settings::clean_logs() || !names::are_watched() {
        return None;
    }
    if entry.statement.is_some() && statement::is_current_sensitive() {
        // An error before a statement was analyzed leaves its text where it can be seen.
        statement::mark_current();
        return Some(entry.clean());
    }
    let is_meant = process == Process::Session || entry.statement.is_some();
    (is_meant && quotes(entry)).then(|| entry.clean())
}

/// Whether an entry quotes a sensitive statement that is not the client's: one of a function's, one of another session's
/// (a deadlock), one that an extension reports.
fn quotes(entry: &Entry) -> bool {
    let message = Some(entry.message).filter(|_| entry.reports_statement);
    let detail = entry.detail.filter(|_| !entry.is_own);
    [message, detail, entry.context, entry.internal_query]
        .into_iter()
        .flatten()
        .any(names::are_in)
}
