//! Opening everything, to learn what can be read: data keys, tokens, client secrets, encrypted columns.
//!
//! Values are read and opened in small batches, all as the calling statement's snapshot shows them, so that memory
//! stays flat and what is re-encrypted meanwhile is seen once. What does not open is kept until the end and
//! then tried in every other place of the vault: an intact value that belongs elsewhere was moved.

mod columns;
mod origin;
mod source;

use std::collections::VecDeque;

use token_vault_core::envelope::{self, Context};

use crate::error::{Error, Result};
use crate::store::keyring;

use origin::Place;
use source::Source;

/// Bytes of values kept for the search of their origin; what comes later counts as damaged.
const MAX_KEPT: usize = 64 << 20;

/// One value, and whether it opens.
pub struct Finding {
    pub relation: String,
    pub column: String,
    /// Which row: tenant/provider/subject/label, tenant/client/position, or a row's ctid.
    pub location: String,
    pub key: Option<String>,
    pub outcome: Outcome,
    pub detail: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It opens.
    Ok,
    /// It opens nowhere.
    Damaged,
    /// It opens, but in another place.
    Moved,
    /// Its key is not here, was destroyed, or can't be unwrapped.
    UnknownKey,
    /// It could not be looked at.
    NotChecked,
}

impl Outcome {
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Ok => "ok",
            Outcome::Damaged => "damaged",
            Outcome::Moved => "moved",
            Outcome::UnknownKey => "unknown key",
            Outcome::NotChecked => "not checked",
        }
    }
}

/// A value to verify.
struct Value {
    relation: String,
    column: String,
    location: String,
    place: Place,
    envelope: Vec<u8>,
}

/// Looks at one value after the other.
pub struct Verification {
    sources: VecDeque<Source>,
    values: VecDeque<Value>,
    findings: VecDeque<Finding>,
    /// What did not open in its place.
    closed: Vec<Value>,
    kept: usize,
}

impl Verification {
    /// Of the whole vault.
    pub fn new() -> Self {
        Verification {
            sources: source::all(),
            values: VecDeque::new(),
            findings: VecDeque::new(),
            closed: Vec::new(),
            kept: 0,
        }
    }

    fn fill(&mut self) {
        while self.values.is_empty() && self.findings.is_empty() {
            let Some(source) = self.sources.front_mut() else {
                return;
            };
            match source.next_batch() {
                Some(batch) => {
                    self.values.extend(batch.values);
                    self.findings.extend(batch.findings);
                }
                None => {
                    self.sources.pop_front();
                }
            }
        }
    }

    /// None: it does not open here, and is looked for elsewhere at the end.
    fn judge(&mut self, value: Value) -> Option<Finding> {
        match open(&value.place.context(), &value.envelope) {
            Ok(()) => Some(value.finding(Outcome::Ok, None)),
            Err(Error::Undecryptable { .. }) if self.kept < MAX_KEPT => {
                self.kept += value.envelope.len();
                self.closed.push(value);
                None
            }
            Err(Error::Undecryptable { .. }) => Some(value.finding(Outcome::Damaged, None)),
            Err(error) => Some(value.finding(Outcome::UnknownKey, Some(error.message()))),
        }
    }
}

impl Iterator for Verification {
    type Item = Finding;

    fn next(&mut self) -> Option<Finding> {
        loop {
            pgrx::check_for_interrupts!();
            self.fill();
            if let Some(finding) = self.findings.pop_front() {
                return Some(finding);
            }
            match self.values.pop_front() {
                Some(value) => {
                    if let Some(finding) = self.judge(value) {
                        return Some(finding);
                    }
                }
                None if self.closed.is_empty() => return None,
                None => {
                    let closed = std::mem::take(&mut self.closed);
                    self.findings.extend(origin::search(closed));
                }
            }
        }
    }
}

impl Value {
    fn finding(self, outcome: Outcome, detail: Option<String>) -> Finding {
        Finding {
            key: envelope::key_id(&self.envelope)
                .ok()
                .map(|id| id.to_string()),
            relation: self.relation,
            column: self.column,
            location: self.location,
            outcome,
            detail,
        }
    }
}

/// Opens a value and wipes its plaintext at once.
fn open(context: &Context, envelope: &[u8]) -> Result<()> {
    keyring::open(context, envelope, "the value").map(drop)
}
