//! A batch of rows in a user's table. All that is done to the table is done as its owner, so that no code that the
//! owner has tied to it runs with other rights; and an error there ends work on that table only.

use pgrx::IntoDatum;
use token_vault_core::column::COLUMN;
use token_vault_core::envelope::{self, KeyId};

use super::job::Place;
use super::{BATCH_BYTES, Batch};
use crate::error::{Error, Result};
use crate::pg::Oid;
use crate::pg::role;
use crate::pg::secret_datum::Secret;
use crate::pg::spi::{self, Argument, BuiltinOid, Prepared, Session};
use crate::pg::tid::Tid;
use crate::pg::transaction;
use crate::store::column::{self, Table};
use crate::store::envelope_head::{self, EnvelopeHead};
use crate::store::{key_usage, keyring};

/// So many blocks are looked at in one batch.
const WINDOW: u32 = 64;

/// Rows that may have something to do, and where the batch after them begins.
struct Found {
    rows: Vec<Tid>,
    next: Option<Tid>,
}

pub(super) fn batch(table: Oid, from: Tid, batch_size: usize) -> Result<(Batch, Place)> {
    let Some(table) = column::table(table) else {
        return Ok((Batch::default(), place_after(Some(table)))); // it was dropped
    };
    let next_table = || place_after(Some(table.oid));
    match transaction::attempt(|| reseal_some(&table, from, batch_size)) {
        Ok(done) => {
            let (batch, next) = done?;
            let next = next.map(|from| Place::Columns {
                table: table.oid,
                from,
            });
            Ok((batch, next.unwrap_or_else(next_table)))
        }
        Err(aborted) => {
            let batch = Batch {
                problems: key_usage::stale_in(&table, from)?,
                problem: Some(key_usage::problem(&table, &aborted)),
                ..Batch::default()
            };
            Ok((batch, next_table()))
        }
    }
}

/// The beginning of the table after this one, or of the first one; after the last one, the pass is over.
pub(super) fn place_after(table: Option<Oid>) -> Place {
    column::table_after(table).map_or(Place::Counting, |table| Place::Columns {
        table: table.oid,
        from: Tid::before(0),
    })
}

/// None: the table is finished.
fn reseal_some(table: &Table, from: Tid, batch_size: usize) -> Result<(Batch, Option<Tid>)> {
    role::as_table_owner(table.owner, || {
        let blocks = key_usage::blocks(table.oid);
        spi::connected(|session| {
            let found = find(session, table, from, blocks, batch_size)?;
            let work = Work::prepare(session, table);
            let mut batch = Batch::default();
            let mut bytes = 0;
            for row in found.rows {
                bytes += work.reseal(row, &mut batch)?;
                if bytes > BATCH_BYTES {
                    return Ok((batch, Some(after_row(row))));
                }
            }
            Ok((batch, found.next))
        })
    })
}

fn after_row(row: Tid) -> Tid {
    Tid {
        line: row.line + 1,
        ..row
    }
}

/// Looks through a range of blocks; only the first bytes of the values are read.
fn find(session: &Session, table: &Table, from: Tid, blocks: u32, limit: usize) -> Result<Found> {
    let end = Tid::before(from.block.saturating_add(WINDOW));
    let sql = format!(
        "SELECT ctid, {} FROM ONLY {} WHERE ctid >= $1 AND ctid < $2",
        table.columns.join(", "),
        table.name
    );
    let tid = BuiltinOid::TIDOID.value();
    let columns = 2..2 + table.columns.len() as i32;
    let mut rows = Vec::new();
    session
        .prepare(&sql, &[tid, tid])
        .write(&[from.into(), end.into()], |row| {
            for head in columns.clone().filter_map(|n| row.get::<EnvelopeHead>(n)) {
                if is_stale(envelope_head::key(&head))? {
                    rows.push(row.required::<Tid>(1));
                    break;
                }
            }
            Ok(())
        })
        .into_iter()
        .collect::<Result<()>>()?;
    let next = if rows.len() > limit {
        rows.truncate(limit);
        rows.last().copied().map(after_row)
    } else {
        (end.block < blocks).then_some(end)
    };
    Ok(Found { rows, next })
}

fn is_stale(key: Option<KeyId>) -> Result<bool> {
    envelope_head::is_current_in_column(key).map(|is_current| !is_current)
}

/// The statements for one row.
struct Work<'a> {
    table: &'a Table,
    lock: Prepared<'a>,
    update: Prepared<'a>,
}

impl<'a> Work<'a> {
    fn prepare(session: &'a Session, table: &'a Table) -> Self {
        let tid = BuiltinOid::TIDOID.value();
        let columns = table.columns.join(", ");
        let lock = format!(
            "SELECT ctid, {columns} FROM ONLY {} WHERE ctid = $1 FOR NO KEY UPDATE SKIP LOCKED",
            table.name
        );
        let assignments: Vec<String> = table
            .columns
            .iter()
            .zip(2..)
            .map(|(column, parameter)| format!("{column} = coalesce(${parameter}, {column})"))
            .collect();
        let update = format!(
            "UPDATE ONLY {} SET {} WHERE ctid = $1",
            table.name,
            assignments.join(", ")
        );
        let mut types = vec![tid];
        types.resize(1 + table.columns.len(), Secret::type_oid());
        Work {
            table,
            lock: session.prepare(&lock, &[tid]),
            update: session.prepare(&update, &types),
        }
    }

    /// Seals the values of one row again, unless it is locked, has moved or is gone; returns how long they are.
    fn reseal(&self, row: Tid, batch: &mut Batch) -> Result<i64> {
        let columns = 2..2 + self.table.columns.len() as i32;
        let locked = self.lock.write(&[row.into()], |row| {
            let values: Vec<Option<Secret>> = columns.clone().map(|n| row.get(n)).collect();
            (row.required::<Tid>(1), values)
        });
        let Some((row, values)) = locked.into_iter().next() else {
            return Ok(0);
        };
        let lengths = values.iter().flatten().map(|value| value.0.len() as i64);
        let bytes = lengths.sum();
        let mut resealed = 0;
        let mut arguments: Vec<Argument> = vec![row.into()];
        for value in values {
            let new = match value {
                Some(value) => self.reseal_value(&value, batch)?,
                None => None,
            };
            resealed += i64::from(new.is_some());
            arguments.push(new.into());
        }
        if resealed > 0 {
            let updated = self.update.run(&arguments);
            assert_eq!(updated, 1, "rows that took the update");
            batch.resealed += resealed;
        }
        Ok(bytes)
    }

    /// The value under the active key, where it is not yet.
    fn reseal_value(&self, value: &Secret, batch: &mut Batch) -> Result<Option<Secret>> {
        let key = envelope::key_id(&value.0).ok();
        if !is_stale(key)? {
            return Ok(None);
        }
        let resealed = key
            .ok_or(Error::Undecryptable { what: "a value" })
            .and_then(keyring::tenant_of)
            .and_then(|tenant| keyring::reseal(&tenant.unwrap_or_default(), &COLUMN, &value.0));
        match resealed {
            Ok(value) => Ok(Some(Secret(value))),
            Err(error) => batch.note(&self.table.name, error).map(|()| None),
        }
    }
}
