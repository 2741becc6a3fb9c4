//! Counting, for each data key, the values that are sealed with it.

use std::collections::{BTreeMap, HashMap};

use token_vault_core::envelope::KeyId;

use crate::error::{OrRaise, Result};
use crate::pg::role;
use crate::pg::spi::BuiltinOid::{OIDOID, TIDOID};
use crate::pg::spi::{self, Row, Statement};
use crate::pg::tid::Tid;
use crate::pg::transaction::{self, Aborted};
use crate::pg::{Oid, background, catalog, snapshot};
use crate::store::column::{self, Table};
use crate::store::envelope_head::{self, EnvelopeHead};

/// How many blocks are read between two looks whether to stop.
const BLOCKS_AT_ONCE: u32 = 512;

/// Values sealed with one key.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Counts {
    /// Access, refresh and ID tokens.
    pub tokens: i64,
    pub client_secrets: i64,
    /// Values in columns of type `vault.secret`.
    pub secrets: i64,
}

/// All that is sealed, at one moment.
#[derive(Default)]
pub struct Usage {
    keys: BTreeMap<i64, Counts>,
    /// Values that are sealed otherwise than a new one would be.
    pub stale: i64,
    /// Users' tables that could not be read, and why.
    pub unreadable: Vec<String>,
}

/// The server wants this process to end; the counting was not finished.
#[derive(Debug)]
pub struct Stopped;

impl Usage {
    /// Whether no value that was found is sealed with this key.
    pub fn is_unused(&self, key: KeyId) -> bool {
        !self.keys.contains_key(&key.0)
    }

    /// For each key with values, how many there are.
    pub fn into_counts(self) -> impl Iterator<Item = (i64, Counts)> {
        self.keys.into_iter()
    }

    fn add(&mut self, found: Found, place: fn(&mut Counts) -> &mut i64) {
        if let Some(key) = found.key {
            *place(self.keys.entry(key).or_default()) += found.values;
        }
        if !found.is_current {
            self.stale += found.values;
        }
    }
}

/// So many values with the same key.
struct Found {
    key: Option<i64>,
    is_current: bool,
    values: i64,
}

impl Found {
    fn read(row: &Row) -> Found {
        Found {
            key: row.get(1),
            is_current: row.required(2),
            values: row.required(3),
        }
    }
}

/// Counts all values, as they are in the newest committed state.
pub fn scan() -> std::result::Result<Usage, Stopped> {
    snapshot::with_latest(|| {
        let mut usage = Usage::default();
        count_tokens(&mut usage)?;
        count_client_secrets(&mut usage);
        for table in column::tables() {
            count_table(&table, &mut usage)?;
        }
        Ok(usage)
    })
}

fn count_tokens(usage: &mut Usage) -> std::result::Result<(), Stopped> {
    static TOKENS: Statement = Statement::new(
        "SELECT vault.envelope_key(v.envelope), vault.is_current(t.tenant, v.envelope), count(*)
         FROM vault.token AS t
         CROSS JOIN LATERAL (VALUES (t.access_token), (t.refresh_token), (t.id_token), (t.unread_answer)) AS v (envelope)
         WHERE t.ctid >= $1 AND t.ctid < $2 AND v.envelope IS NOT NULL GROUP BY 1, 2",
        &[TIDOID, TIDOID],
    );
    let blocks = blocks(catalog::relation(c"token"));
    in_ranges(Tid::before(0), blocks, |from, to| {
        let found = spi::session(|session| {
            session.query_active(&TOKENS, &[from.into(), to.into()], Found::read)
        });
        found
            .into_iter()
            .for_each(|found| usage.add(found, |counts| &mut counts.tokens));
    })
}

fn count_client_secrets(usage: &mut Usage) {
    static CLIENT_SECRETS: Statement = Statement::new(
        "SELECT vault.envelope_key(s.client_secret), vault.is_current(coalesce(c.tenant, ''), s.client_secret), count(*)
         FROM vault.client_secret AS s JOIN vault.client AS c ON c.id = s.client GROUP BY 1, 2",
        &[],
    );
    spi::session(|session| session.query_active(&CLIENT_SECRETS, &[], Found::read))
        .into_iter()
        .for_each(|found| usage.add(found, |counts| &mut counts.client_secrets));
}

fn count_table(table: &Table, usage: &mut Usage) -> std::result::Result<(), Stopped> {
    match transaction::attempt(|| values_by_key(table, Tid::before(0))) {
        Ok(values) => {
            for (key, values) in values? {
                let is_current = envelope_head::is_current_in_column(key).or_raise();
                let key = key.map(|key| key.0);
                let found = Found {
                    key,
                    is_current,
                    values,
                };
                usage.add(found, |counts| &mut counts.secrets);
            }
        }
        Err(aborted) => usage.unreadable.push(problem(table, &aborted)),
    }
    Ok(())
}

/// How many values of a table, from a place on, are not sealed as new ones would be.
pub fn stale_in(table: &Table, from: Tid) -> Result<i64> {
    let values = transaction::attempt(|| snapshot::with_latest(|| values_by_key(table, from)));
    let Ok(Ok(values)) = values else {
        return Ok(0);
    };
    let mut stale = 0;
    for (key, values) in values {
        if !envelope_head::is_current_in_column(key)? {
            stale += values;
        }
    }
    Ok(stale)
}

/// Which table, and what kind of error: the message itself may hold data of the user's.
pub fn problem(table: &Table, aborted: &Aborted) -> String {
    format!("{}: SQLSTATE {}", table.name, aborted.1)
}

type ValuesByKey = HashMap<Option<KeyId>, i64>;

fn values_by_key(table: &Table, from: Tid) -> std::result::Result<ValuesByKey, Stopped> {
    let mut values = HashMap::new();
    let blocks = role::as_table_owner(table.owner, || blocks(table.oid));
    let sql = format!(
        "SELECT {} FROM ONLY {} WHERE ctid >= $1 AND ctid < $2",
        table.columns.join(", "),
        table.name
    );
    let columns = 1..=table.columns.len() as i32;
    in_ranges(from, blocks, |from, to| {
        role::as_table_owner(table.owner, || {
            spi::connected(|session| {
                let select = session.prepare(&sql, &[TIDOID.value(), TIDOID.value()]);
                select.query_active(&[from.into(), to.into()], |row| {
                    for head in columns
                        .clone()
                        .filter_map(|column| row.get::<EnvelopeHead>(column))
                    {
                        *values.entry(envelope_head::key(&head)).or_insert(0) += 1;
                    }
                });
            })
        })
    })?;
    Ok(values)
}

/// How many blocks a table has; rows that are added later lie behind them. Waits for a lock on the table, and so is
/// called where it does not wait for long.
pub fn blocks(table: Oid) -> u32 {
    static BLOCKS: Statement = Statement::new(
        "SELECT pg_relation_size($1::regclass) / current_setting('block_size')::bigint",
        &[OIDOID],
    );
    let blocks: Option<i64> =
        spi::session(|session| session.query_one(&BLOCKS, &[table.into()], |row| row.get(1)))
            .flatten();
    blocks.unwrap_or_default() as u32
}

/// Goes through a table in ranges of blocks, unless the server wants this process to end.
fn in_ranges(
    from: Tid,
    blocks: u32,
    mut count: impl FnMut(Tid, Tid),
) -> std::result::Result<(), Stopped> {
    let mut from = from;
    while from.block < blocks {
        if background::must_stop() {
            return Err(Stopped);
        }
        pgrx::check_for_interrupts!();
        let to = Tid::before(from.block.saturating_add(BLOCKS_AT_ONCE));
        count(from, to);
        from = to;
    }
    Ok(())
}
