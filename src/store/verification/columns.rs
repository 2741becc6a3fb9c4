//! Values in a user's table. They are read as the table's owner, whose own code may run then; an error ends the
//! verification of that part only.

use super::origin::Place;
use super::source::{BATCH_BYTES, Batch};
use super::{Finding, Outcome, Value};
use crate::pg::secret_datum::Secret;
use crate::pg::spi::BuiltinOid::TIDOID;
use crate::pg::spi::{self, Prepared, Row, Session};
use crate::pg::tid::Tid;
use crate::pg::{role, transaction};
use crate::store::column::Table;
use crate::store::key_usage;

/// Blocks that are read at once.
const BLOCKS: u32 = 16;

/// One table, and how far it has been read.
pub struct Columns {
    table: Table,
    from: Tid,
    /// How many blocks there are to read; None: not known yet.
    blocks: Option<u32>,
}

impl Columns {
    pub fn of(table: Table) -> Columns {
        Columns {
            table,
            from: Tid::before(0),
            blocks: None,
        }
    }

    /// None: all has been read.
    pub fn next_batch(&mut self) -> Option<Batch> {
        if self.blocks.is_some_and(|blocks| self.from.block >= blocks) {
            return None;
        }
        let from = self.from;
        let read = transaction::attempt(|| read(&self.table, from, self.blocks));
        let batch = match read {
            Ok((blocks, next, values)) => {
                self.blocks = Some(blocks);
                self.from = next;
                Batch {
                    values,
                    ..Batch::default()
                }
            }
            Err(aborted) => {
                // What can't be read at its beginning can't be read at all.
                self.blocks.get_or_insert(0);
                self.from = window_end(from);
                let problem = key_usage::problem(&self.table, &aborted);
                Batch {
                    findings: vec![unreadable(&self.table, from, problem)],
                    ..Batch::default()
                }
            }
        };
        Some(batch)
    }
}

fn window_end(from: Tid) -> Tid {
    Tid::before(from.block.saturating_add(BLOCKS))
}

/// The number of blocks, where to go on, and the values up to there.
fn read(table: &Table, from: Tid, blocks: Option<u32>) -> (u32, Tid, Vec<Value>) {
    role::as_table_owner(table.owner, || {
        let blocks = blocks.unwrap_or_else(|| key_usage::blocks(table.oid));
        spi::connected(|session| {
            let to = end(session, table, from);
            let select = in_range(session, table, &table.columns.join(", "));
            let rows = select.query_active(&[from.into(), to.into()], |row| values(table, row));
            (blocks, to, rows.into_iter().flatten().collect())
        })
    })
}

/// Where the next rows end that are read at once: after so many blocks, or before their values are too long together.
fn end(session: &Session, table: &Table, from: Tid) -> Tid {
    let sizes: Vec<String> = (table.columns.iter())
        .map(|column| format!("coalesce(pg_column_size({column}), 0)::bigint"))
        .collect();
    let select = in_range(session, table, &sizes.join(" + "));
    let end = window_end(from);
    let rows = select.query_active(&[from.into(), end.into()], |row| {
        (row.required::<Tid>(1), row.required::<i64>(2))
    });
    let mut bytes = 0;
    for (number, (row, size)) in rows.into_iter().enumerate() {
        bytes += size;
        if number > 0 && bytes > BATCH_BYTES {
            return row;
        }
    }
    end
}

fn in_range<'a>(session: &'a Session, table: &Table, what: &str) -> Prepared<'a> {
    let sql = format!(
        "SELECT ctid, {what} FROM ONLY {} WHERE ctid >= $1 AND ctid < $2",
        table.name
    );
    session.prepare(&sql, &[TIDOID.value(), TIDOID.value()])
}

fn values(table: &Table, row: &Row) -> Vec<Value> {
    let Tid { block, line } = row.required::<Tid>(1);
    let location = format!("({block},{line})");
    let value = |(column, number): (&String, i32)| {
        Some(Value {
            relation: table.name.clone(),
            column: column.clone(),
            location: location.clone(),
            place: Place::Column,
            envelope: row.get::<Secret>(number)?.0,
        })
    };
    table.columns.iter().zip(2..).filter_map(value).collect()
}

fn unreadable(table: &Table, from: Tid, problem: String) -> Finding {
    Finding {
        relation: table.name.clone(),
        column: table.columns.join(", "),
        location: format!("({},0)", from.block),
        key: None,
        outcome: Outcome::NotChecked,
        detail: Some(problem),
    }
}
