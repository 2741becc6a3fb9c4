//! A whole entry of the server's log.

use super::literals::redact;
use super::{Exhausted, HIDDEN, Text, audit, buffer, context, message, plan};

/// What a server is about to log.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// Whether message, detail and hint are this extension's own, which never hold a secret.
    pub is_own: bool,
    /// Whether it reports a statement, and is no error that one has met.
    pub reports_statement: bool,
    /// The five characters of its SQLSTATE.
    pub sqlstate: [u8; 5],
    /// The format string that the message was made with.
    pub format: &'a [u8],
    /// The message.
    pub message: &'a [u8],
    /// More about it.
    pub detail: Option<&'a [u8]>,
    /// What to do about it.
    pub hint: Option<&'a [u8]>,
    /// Where it came from.
    pub context: Option<&'a [u8]>,
    /// Schema, table, column, type and constraint that the error is about.
    pub names: [Option<&'a [u8]>; 5],
    /// A statement that was made by the server or by a function.
    pub internal_query: Option<&'a [u8]>,
    /// The client's statement.
    pub statement: Option<&'a [u8]>,
}

/// An entry that may be logged.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Clean {
    /// See [`Entry::message`].
    pub message: Text,
    /// See [`Entry::detail`].
    pub detail: Option<Text>,
    /// See [`Entry::hint`].
    pub hint: Option<Text>,
    /// See [`Entry::context`].
    pub context: Option<Text>,
    /// See [`Entry::internal_query`].
    pub internal_query: Option<Text>,
    /// See [`Entry::statement`].
    pub statement: Option<Text>,
}

/// Classes of SQLSTATEs whose messages hold no values: transactions rolled back (40), resources (53), objects in use (55),
/// intervention (57).
const WITHOUT_VALUES: [&[u8]; 4] = [b"40", b"53", b"55", b"57"];

/// The format string of a message that somebody has made as a whole, a function's RAISE for one.
const BARE: &[u8] = b"%s";

/// Where the statement was logged before.
const DURATION: &[u8] = b"duration: %s ms";

/// Waits for locks, and temporary files.
const HARMLESS: [&[u8]; 2] = [b"process %d ", b"temporary file: path \"%s\""];

/// How the detail of a reported statement begins.
const DETAILS: [&[u8]; 3] = [b"parameters: ", b"Parameters: ", b"prepare: "];

/// The longest text before a statement in a message: a duration, names of a prepared statement and a portal.
const LONGEST_HEAD: usize = 256;

impl Entry<'_> {
    /// The entry without secrets.
    ///
    /// # Errors
    /// If there is no memory for it; then it must not be logged as it is.
    pub fn clean(&self) -> Result<Clean, Exhausted> {
        let statement = self.statement.map(redact).transpose()?;
        let shown = statement.as_ref().map_or(&b""[..], Text::bytes);
        Ok(Clean {
            message: self.message(shown)?,
            detail: self.detail.map(|detail| self.detail(detail)).transpose()?,
            hint: self.hint.map(|hint| self.hint(hint)).transpose()?,
            context: self.context.map(context::clean).transpose()?,
            internal_query: self.internal_query.map(redact).transpose()?,
            statement,
        })
    }

    fn message(&self, shown: &[u8]) -> Result<Text, Exhausted> {
        if self.is_harmless() || WITHOUT_VALUES.contains(&&self.sqlstate[..2]) {
            return Text::copy(self.message);
        }
        if let Some(head) = self.head() {
            let mut text = Text::copy(head)?;
            text.push(shown)?;
            return Ok(text);
        }
        if self.format.starts_with(audit::FORMAT) {
            return audit::clean(self.message);
        }
        if self.format == plan::FORMAT {
            return plan::clean(self.message);
        }
        let is_known = |value: &[u8]| self.names.contains(&Some(value));
        message::clean(self.format, self.message, shown, is_known)
    }

    /// Whether message and detail hold no value, but numbers and names of the server's own.
    fn is_harmless(&self) -> bool {
        let is_known = |format: &&[u8]| self.format.starts_with(format);
        self.is_own || self.format == DURATION || HARMLESS.iter().any(is_known)
    }

    /// What a message says before the statement that it ends with, in any language.
    fn head(&self) -> Option<&[u8]> {
        let is_servers = self.reports_statement && self.format != BARE;
        let statement = self.statement.filter(|_| is_servers)?;
        let head = self.message.strip_suffix(statement)?;
        (head.len() <= LONGEST_HEAD).then_some(head)
    }

    fn detail(&self, detail: &[u8]) -> Result<Text, Exhausted> {
        if self.is_harmless() {
            return Text::copy(detail);
        }
        let Some(prefix) = DETAILS
            .into_iter()
            .find(|prefix| detail.starts_with(prefix))
        else {
            return Text::copy(HIDDEN);
        };
        let mut text = Text::copy(prefix)?;
        text.push(redact(&detail[prefix.len()..])?.bytes())?;
        Ok(text)
    }

    /// A hint that quotes nothing is the server's own words, unless even the message was somebody's.
    fn hint(&self, hint: &[u8]) -> Result<Text, Exhausted> {
        let is_fixed = self.format != BARE
            && buffer::find(hint, b"\"").is_none()
            && buffer::find(hint, b"'").is_none();
        if self.is_own || is_fixed {
            Text::copy(hint)
        } else {
            Text::copy(HIDDEN)
        }
    }
}
