//! Entries as rows of `vault.audit_entry`.

use std::cell::Cell;

use token_vault_core::audit::{Batch, Entry, Mac, batch_message, entry_message};

use super::buffer;
use crate::pg::spi::BuiltinOid::{
    BYTEAARRAYOID, BYTEAOID, INT8ARRAYOID, INT8OID, TEXTARRAYOID, TEXTOID, TIMESTAMPTZARRAYOID,
    TIMESTAMPTZOID,
};
use crate::pg::spi::{self, Row, Session, Statement, timestamp};
use crate::pg::{catalog, heap, server, time, transaction};

/// The columns of an entry in their order, as [`Written::read`] takes them.
macro_rules! columns {
    () => {
        "at, event, login_role, role, application_name, client_address, tenant, provider, subject, label, reason, detail::text, batch"
    };
}
pub(super) use columns;

/// An entry that was read.
pub struct Written {
    at: time::UnixMicros,
    texts: [Option<String>; 11],
    /// Many entries at this place.
    batch: Option<Vec<u8>>,
}

impl Written {
    /// From columns of a row, of which this is the first.
    pub fn read(row: &Row, first: i32) -> Written {
        Written {
            at: row.time(first).expect("at is never null"),
            texts: std::array::from_fn(|place| row.get(first + 1 + place as i32)),
            batch: row.get(first + 12),
        }
    }

    /// What its code authenticates.
    pub fn message(&self, previous: &Mac, position: i64) -> Vec<u8> {
        match &self.batch {
            None => entry_message(previous, position, &self.entry()),
            Some(batch) => batch_message(previous, position, &self.entry(), batch),
        }
    }

    pub fn entry(&self) -> Entry<'_> {
        let texts = self.texts.each_ref().map(Option::as_deref);
        Entry::from_texts(self.at, texts).expect("event is never null")
    }
}

/// Nobody drops the log, or the vault with it, before this transaction ends.
pub fn lock(session: &Session) {
    static LOCK: Statement = Statement::new(
        "LOCK TABLE ONLY vault.audit_entry IN ROW EXCLUSIVE MODE",
        &[],
    );
    session.run(&LOCK, &[]);
}

/// Writes one entry in the running transaction. It is sealed once that has committed.
pub fn insert(entry: &Entry) {
    append_unsealed(&[*entry]);
    announce_at_commit();
}

/// Writes entries as one row that waits to be sealed.
pub fn append_unsealed(entries: &[Entry]) {
    static APPEND: Statement = Statement::new(
        "INSERT INTO vault.audit_unsealed (entries) VALUES ($1)",
        &[BYTEAOID],
    );
    if entries.is_empty() {
        return;
    }
    let bytes = Batch::encode(entries);
    let table = catalog::relation(c"audit_unsealed");
    if heap::append(table, &[bytes.as_slice().into()]).is_err() {
        spi::session(|session| session.run(&APPEND, &[bytes.into()]));
    }
}

/// Has the refresher seal what this transaction writes, once it has committed.
fn announce_at_commit() {
    thread_local! {
        static IS_ANNOUNCED: Cell<bool> = const { Cell::new(false) };
    }
    if !IS_ANNOUNCED.replace(true) {
        transaction::after_commit(|| buffer::announce_unsealed(server::database()));
        transaction::at_end(|| IS_ANNOUNCED.set(false));
    }
}

/// Writes entries with their places and codes, a row for each. What is in `detail` must be as jsonb shows it.
pub fn insert_sealed(session: &Session, entries: &[Entry], seals: &[(i64, Mac)]) {
    static INSERT: Statement = Statement::new(
        "INSERT INTO vault.audit_entry (at, event, login_role, role, application_name, client_address,
                                        tenant, provider, subject, label, reason, detail, position, mac)
         SELECT a.at, a.event, a.login_role, a.role, a.application_name, a.client_address, a.tenant, a.provider, a.subject,
                a.label, a.reason, a.detail::jsonb, a.position, a.mac
         FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
              AS a (at, event, login_role, role, application_name, client_address, tenant, provider, subject, label,
                    reason, detail, position, mac)",
        &[
            TIMESTAMPTZARRAYOID,
            TEXTARRAYOID,
            TEXTARRAYOID,
            TEXTARRAYOID,
            TEXTARRAYOID,
            TEXTARRAYOID,
            TEXTARRAYOID,
            TEXTARRAYOID,
            TEXTARRAYOID,
            TEXTARRAYOID,
            TEXTARRAYOID,
            TEXTARRAYOID,
            INT8ARRAYOID,
            BYTEAARRAYOID,
        ],
    );
    if entries.is_empty() {
        return;
    }
    let texts = |read: for<'a> fn(&Entry<'a>) -> Option<&'a str>| {
        entries.iter().map(read).collect::<Vec<Option<&str>>>()
    };
    let at = entries.iter().map(|entry| time::to_sql(entry.at));
    let (positions, macs): (Vec<i64>, Vec<Vec<u8>>) = seals
        .iter()
        .map(|(position, mac)| (*position, mac.to_vec()))
        .unzip();
    let arguments = [
        at.collect::<Vec<_>>().into(),
        texts(|entry| Some(entry.event)).into(),
        texts(|entry| entry.login_role).into(),
        texts(|entry| entry.role).into(),
        texts(|entry| entry.application_name).into(),
        texts(|entry| entry.client_address).into(),
        texts(|entry| entry.tenant).into(),
        texts(|entry| entry.provider).into(),
        texts(|entry| entry.subject).into(),
        texts(|entry| entry.label).into(),
        texts(|entry| entry.reason).into(),
        texts(|entry| entry.detail).into(),
        positions.into(),
        macs.into(),
    ];
    session.run(&INSERT, &arguments);
}

/// Writes many entries as one row, sealed at once.
pub fn insert_batch(session: &Session, first: &Entry, batch: Vec<u8>, (position, mac): (i64, Mac)) {
    static INSERT: Statement = Statement::new(
        "INSERT INTO vault.audit_entry (at, event, batch, position, mac) VALUES ($1, $2, $3, $4, $5)",
        &[TIMESTAMPTZOID, TEXTOID, BYTEAOID, INT8OID, BYTEAOID],
    );
    let arguments = [
        timestamp(Some(first.at)),
        first.event.into(),
        batch.into(),
        position.into(),
        mac.to_vec().into(),
    ];
    session.run(&INSERT, &arguments);
}

/// These JSON texts as jsonb shows them: the form that is sealed.
pub fn as_jsonb(session: &Session, details: Vec<Option<&str>>) -> Vec<Option<String>> {
    static SHOW: Statement = Statement::new(
        "SELECT d.detail::jsonb::text FROM unnest($1) WITH ORDINALITY AS d (detail, place) ORDER BY d.place",
        &[TEXTARRAYOID],
    );
    if details.iter().all(Option::is_none) {
        return vec![None; details.len()];
    }
    session.query(&SHOW, &[details.into()], |row| row.get(1))
}

/// Whether there are entries that are not sealed.
pub fn has_unsealed(session: &Session) -> bool {
    static EXISTS: Statement = Statement::new("SELECT FROM vault.audit_unsealed LIMIT 1", &[]);
    session.query_one(&EXISTS, &[], |_| ()).is_some()
}

/// Takes away rows of entries that are not sealed, at most so many.
pub fn take_unsealed(session: &Session, limit: i64) -> Vec<Vec<u8>> {
    static TAKE: Statement = Statement::new(
        "DELETE FROM vault.audit_unsealed
         WHERE ctid = ANY (ARRAY(SELECT ctid FROM vault.audit_unsealed LIMIT $1)) RETURNING entries",
        &[INT8OID],
    );
    session.write(&TAKE, &[limit.into()], |row| row.required(1))
}
