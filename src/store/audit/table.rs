//! Entries as rows of `vault.audit_entry`.

use std::cell::Cell;

use token_vault_core::audit::{Entry, Mac, batch_message, entry_message};

use super::buffer;
use crate::pg::spi::BuiltinOid::{
    BYTEAARRAYOID, BYTEAOID, INT8ARRAYOID, INT8OID, TEXTARRAYOID, TEXTOID, TIMESTAMPTZARRAYOID,
    TIMESTAMPTZOID,
};
use crate::pg::spi::{self, Row, Session, Statement, timestamp};
use crate::pg::{server, time, transaction};

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
    static INSERT: Statement = Statement::new(
        "INSERT INTO vault.audit_entry (at, event, login_role, role, application_name, client_address,
                                        tenant, provider, subject, label, reason, detail, pending)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12::jsonb, nextval('vault.audit_pending'))",
        &[
            TIMESTAMPTZOID,
            TEXTOID,
            TEXTOID,
            TEXTOID,
            TEXTOID,
            TEXTOID,
            TEXTOID,
            TEXTOID,
            TEXTOID,
            TEXTOID,
            TEXTOID,
            TEXTOID,
        ],
    );
    let arguments = [
        timestamp(Some(entry.at)),
        entry.event.into(),
        entry.login_role.into(),
        entry.role.into(),
        entry.application_name.into(),
        entry.client_address.into(),
        entry.tenant.into(),
        entry.provider.into(),
        entry.subject.into(),
        entry.label.into(),
        entry.reason.into(),
        entry.detail.into(),
    ];
    spi::session(|session| session.run(&INSERT, &arguments));
    announce_at_commit();
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

/// Writes many entries; with `seals`, sealed at once, else like [`insert`]. What is in `detail` must be as jsonb shows it.
pub fn insert_all(session: &Session, entries: &[Entry], seals: Option<&[(i64, Mac)]>) {
    static INSERT: Statement = Statement::new(
        "INSERT INTO vault.audit_entry (at, event, login_role, role, application_name, client_address,
                                        tenant, provider, subject, label, reason, detail, position, mac, pending)
         SELECT a.at, a.event, a.login_role, a.role, a.application_name, a.client_address, a.tenant, a.provider, a.subject,
                a.label, a.reason, a.detail::jsonb, a.position, a.mac,
                CASE WHEN a.position IS NULL THEN nextval('vault.audit_pending') END
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
    let (positions, macs): (Vec<Option<i64>>, Vec<Option<Vec<u8>>>) = match seals {
        None => (vec![None; entries.len()], vec![None; entries.len()]),
        Some(seals) => seals
            .iter()
            .map(|(position, mac)| (Some(*position), Some(mac.to_vec())))
            .unzip(),
    };
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

/// The oldest entries that are not sealed, with their numbers.
pub fn pending(session: &Session, limit: i64) -> Vec<(i64, Written)> {
    static PENDING: Statement = Statement::new(
        concat!(
            "SELECT pending, ",
            columns!(),
            " FROM vault.audit_entry WHERE pending IS NOT NULL ORDER BY pending LIMIT $1"
        ),
        &[INT8OID],
    );
    session.query(&PENDING, &[limit.into()], |row| {
        (row.required(1), Written::read(row, 2))
    })
}

/// Whether there are entries that are not sealed.
pub fn has_pending(session: &Session) -> bool {
    static EXISTS: Statement = Statement::new(
        "SELECT FROM vault.audit_entry WHERE pending IS NOT NULL LIMIT 1",
        &[],
    );
    session.query_one(&EXISTS, &[], |_| ()).is_some()
}

/// Seals entries by their numbers.
pub fn set_seals(session: &Session, pending: Vec<i64>, seals: &[(i64, Mac)]) {
    static SEAL: Statement = Statement::new(
        "UPDATE vault.audit_entry AS e SET position = s.position, mac = s.mac, pending = NULL
         FROM unnest($1, $2, $3) AS s (pending, position, mac) WHERE e.pending = s.pending",
        &[INT8ARRAYOID, INT8ARRAYOID, BYTEAARRAYOID],
    );
    let (positions, macs): (Vec<i64>, Vec<Vec<u8>>) = seals
        .iter()
        .map(|(position, mac)| (*position, mac.to_vec()))
        .unzip();
    session.run(&SEAL, &[pending.into(), positions.into(), macs.into()]);
}
