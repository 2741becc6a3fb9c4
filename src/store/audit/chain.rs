//! The chain's head, and sealing: each entry gets its place and its code after it was committed, so that no session waits
//! for another one's.

use token_vault_core::audit::{BEGINNING, Batch, Entry, Mac, batch_message, entry_message};
use token_vault_core::envelope::KeyId;

use super::table;
use crate::error::Result;
use crate::pg::spi::BuiltinOid::{BYTEAOID, INT8OID};
use crate::pg::spi::{Row, Session, Statement};
use crate::pg::time;
use crate::store::keyring;

/// Rows of unsealed entries that are taken at a time.
const ROWS: i64 = 2_000;
/// Entries, at most, that are written with one statement.
const BATCH: usize = 4_000;

/// The end of the chain.
#[derive(Clone, Copy)]
pub struct Head {
    pub key: KeyId,
    pub position: i64,
    pub mac: Mac,
}

impl Head {
    fn read(row: &Row) -> Head {
        Head {
            key: KeyId(row.required(1)),
            position: row.required(2),
            mac: mac(row, 3),
        }
    }

    /// Appends entries; returns their places and codes.
    fn append(&mut self, entries: &[Entry]) -> Result<Vec<(i64, Mac)>> {
        let (mut position, mut mac) = (self.position, self.mac);
        let seals = keyring::with_audit_key(self.key, |key| {
            let append = |entry| {
                position += 1;
                mac = key.audit_mac(&entry_message(&mac, position, entry));
                (position, mac)
            };
            entries.iter().map(append).collect()
        })?;
        (self.position, self.mac) = (position, mac);
        Ok(seals)
    }
}

/// A code from a row.
pub fn mac(row: &Row, column: i32) -> Mac {
    let bytes: Vec<u8> = row.required(column);
    bytes.try_into().unwrap_or(BEGINNING)
}

/// Begins the chain, with the key that was made for it.
pub fn begin(session: &Session, key: KeyId) {
    static BEGIN: Statement = Statement::new(
        "INSERT INTO vault.audit_chain (key, position, mac) VALUES ($1, 0, $2)",
        &[INT8OID, BYTEAOID],
    );
    session.run(&BEGIN, &[key.0.into(), BEGINNING.to_vec().into()]);
}

/// The head as it is; None: no master key has been created yet.
pub fn head(session: &Session) -> Option<Head> {
    static HEAD: Statement =
        Statement::new("SELECT key, position, mac FROM vault.audit_chain", &[]);
    session.query_one(&HEAD, &[], Head::read)
}

/// The head, which nobody else moves until this transaction ends; None: it can't be moved, because there is none or its
/// key is not to be had.
pub fn hold(session: &Session) -> Option<Head> {
    static HOLD: Statement = Statement::new(
        "SELECT key, position, mac FROM vault.audit_chain FOR UPDATE",
        &[],
    );
    let head = session.write(&HOLD, &[], Head::read).pop()?;
    keyring::with_audit_key(head.key, |_| ()).ok()?;
    Some(head)
}

fn save(session: &Session, head: &Head) {
    static SAVE: Statement = Statement::new(
        "UPDATE vault.audit_chain SET position = $1, mac = $2",
        &[INT8OID, BYTEAOID],
    );
    session.run(&SAVE, &[head.position.into(), head.mac.to_vec().into()]);
}

/// So many entries at once share a row and a place: a row for each would cost more than the reads themselves.
const CROWD: usize = 100;

/// Writes entries as one row, if they are many and it can be sealed.
pub fn write_batch(session: &Session, entries: &[Entry]) -> Result<bool> {
    let (Some(first), true) = (entries.first(), entries.len() >= CROWD) else {
        return Ok(false);
    };
    let Some(mut head) = hold(session) else {
        return Ok(false);
    };
    let batch = Batch::encode(entries);
    let first = Entry {
        at: first.at,
        event: "batch",
        ..Entry::default()
    };
    head.position += 1;
    let message = batch_message(&head.mac, head.position, &first, &batch);
    head.mac = keyring::with_audit_key(head.key, |key| key.audit_mac(&message))?;
    table::insert_batch(session, &first, batch, (head.position, head.mac));
    save(session, &head);
    Ok(true)
}

/// Writes entries that are not in the table yet: sealed, if that is possible.
pub fn write(session: &Session, entries: &[Entry]) -> Result<()> {
    let Some(mut head) = hold(session) else {
        table::append_unsealed(entries);
        return Ok(());
    };
    let details = table::as_jsonb(session, entries.iter().map(|entry| entry.detail).collect());
    let entries: Vec<Entry> = entries
        .iter()
        .zip(&details)
        .map(|(entry, detail)| Entry {
            detail: detail.as_deref(),
            ..*entry
        })
        .collect();
    let seals = head.append(&entries)?;
    table::insert_sealed(session, &entries, &seals);
    save(session, &head);
    Ok(())
}

/// Seals what sessions have written and committed, at most [`ROWS`] of it; returns how many entries, and whether there may
/// be more.
pub fn seal(session: &Session) -> Result<(i64, bool)> {
    // The key is not asked for (a command may have to be run) where there is nothing to do.
    if !table::has_unsealed(session) || hold(session).is_none() {
        return Ok((0, false));
    }
    let rows = table::take_unsealed(session, ROWS);
    let mut entries: Vec<Entry> = rows.iter().flat_map(|row| entries_of(row)).collect();
    entries.sort_by_key(|entry| entry.at);
    for entries in entries.chunks(BATCH) {
        if !write_batch(session, entries)? {
            write(session, entries)?;
        }
    }
    Ok((entries.len() as i64, rows.len() as i64 == ROWS))
}

/// The entries of an unsealed row. One that somebody has spoilt leaves that behind.
fn entries_of(row: &[u8]) -> Vec<Entry<'_>> {
    Batch::decode(row).unwrap_or_else(|_| {
        vec![Entry {
            at: time::now(),
            event: "audit_unreadable",
            ..Entry::default()
        }]
    })
}
