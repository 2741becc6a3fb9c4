//! Statements against the vault's tables: planned once per backend and kept.
//!
//! pgrx's own SPI client re-plans its convenience calls, keeps results until the transaction ends
//! (pgrx#2211) and decides by itself which snapshot a statement sees. A token is the state of
//! another system, so its readers want the newest committed row even under REPEATABLE READ.

use std::ffi::CString;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicPtr, Ordering};

pub use pgrx::pg_sys::BuiltinOid;
use pgrx::{FromDatum, IntoDatum, pg_sys};

use super::time::{self, UnixMicros};
use super::{role, row_lock, statement};

/// A statement text with the types of `$1`, `$2`, ...; planned at its first use in a backend.
pub struct Statement {
    sql: &'static str,
    types: &'static [BuiltinOid],
    plan: AtomicPtr<pg_sys::_SPI_plan>,
}

/// What a statement may see and do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Read-only, on the newest committed state whatever the isolation level.
    Latest,
    /// Read-only, on the snapshot that is active: several queries see one state.
    Active,
    /// May write; sees what its transaction's isolation level says.
    Write,
}

/// A value for a statement's parameter.
pub struct Argument(Option<pg_sys::Datum>);

impl<T: IntoDatum> From<T> for Argument {
    fn from(value: T) -> Self {
        Argument(value.into_datum())
    }
}

impl Argument {
    pub(super) fn datum(&self) -> Option<pg_sys::Datum> {
        self.0
    }
}

/// The right to run statements; exists only inside [`session`].
pub struct Session(PhantomData<*const ()>);

/// One row of a result.
pub struct Row<'a> {
    tuple: pg_sys::HeapTuple,
    descriptor: pg_sys::TupleDesc,
    _result: PhantomData<&'a Session>,
}

/// A statement whose text was made for this session: it names a table of a user's. It goes with the session.
pub struct Prepared<'a> {
    plan: pg_sys::SPIPlanPtr,
    parameters: usize,
    _session: PhantomData<&'a Session>,
}

/// Connects to the server's SPI as the vault's owner for the length of `work`. What `work` returns must
/// be owned by Rust: memory of the results goes with the connection.
pub fn session<R>(work: impl FnOnce(&Session) -> R) -> R {
    role::as_owner(|| connected(work))
}

/// [`session`], with the rights of the role that acts now.
pub fn connected<R>(work: impl FnOnce(&Session) -> R) -> R {
    let _connection = Connection::open();
    work(&Session(PhantomData))
}

struct Connection;

impl Connection {
    fn open() -> Self {
        // SAFETY: paired with SPI_finish in `drop`; after an error the transaction's abort does it (AtEOXact_SPI).
        unsafe { pg_sys::SPI_connect() };
        Connection
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            // SAFETY: `open` has connected.
            unsafe { pg_sys::SPI_finish() };
        }
    }
}

impl Statement {
    pub const fn new(sql: &'static str, types: &'static [BuiltinOid]) -> Self {
        Statement {
            sql,
            types,
            plan: AtomicPtr::new(core::ptr::null_mut()),
        }
    }

    fn plan(&self) -> pg_sys::SPIPlanPtr {
        let kept = self.plan.load(Ordering::Relaxed);
        if !kept.is_null() {
            return kept;
        }
        let sql = CString::new(self.sql).expect("statement texts are literals without NUL");
        let mut types: Vec<pg_sys::Oid> = self.types.iter().map(|oid| oid.value()).collect();
        // SAFETY: text and types outlive the call; SPI_keepplan moves the plan to a lasting memory context.
        unsafe {
            let plan = pg_sys::SPI_prepare(sql.as_ptr(), types.len() as i32, types.as_mut_ptr());
            if plan.is_null() || pg_sys::SPI_keepplan(plan) != 0 {
                panic!("could not prepare: {}", self.sql);
            }
            self.plan.store(plan, Ordering::Relaxed);
            plan
        }
    }
}

impl Session {
    /// All rows of a query on the newest committed state (and the transaction's own writes).
    pub fn query<R>(
        &self,
        statement: &Statement,
        arguments: &[Argument],
        row: impl FnMut(&Row) -> R,
    ) -> Vec<R> {
        self.execute(statement, arguments, Mode::Latest, row)
    }

    /// All rows of a query on the snapshot that is active.
    pub fn query_active<R>(
        &self,
        statement: &Statement,
        arguments: &[Argument],
        row: impl FnMut(&Row) -> R,
    ) -> Vec<R> {
        self.execute(statement, arguments, Mode::Active, row)
    }

    /// The first row of a query, if there is one.
    pub fn query_one<R>(
        &self,
        statement: &Statement,
        arguments: &[Argument],
        row: impl FnMut(&Row) -> R,
    ) -> Option<R> {
        self.query(statement, arguments, row).into_iter().next()
    }

    /// Runs a writing statement and returns what its RETURNING clause gives.
    pub fn write<R>(
        &self,
        statement: &Statement,
        arguments: &[Argument],
        row: impl FnMut(&Row) -> R,
    ) -> Vec<R> {
        self.execute(statement, arguments, Mode::Write, row)
    }

    /// Runs a writing statement; returns the number of rows it touched.
    pub fn run(&self, statement: &Statement, arguments: &[Argument]) -> u64 {
        self.execute(statement, arguments, Mode::Write, |_| ());
        // SAFETY: set by the call above.
        unsafe { pg_sys::SPI_processed }
    }

    /// Runs a text made for this one call; the caller has quoted every name in it.
    pub fn run_once(&self, sql: &str, types: &[BuiltinOid], arguments: &[Argument]) {
        let sql = CString::new(sql).expect("names from the catalog have no NUL");
        let mut types: Vec<pg_sys::Oid> = types.iter().map(|oid| oid.value()).collect();
        let (mut values, nulls) = datums(arguments);
        // SAFETY: text, types and values outlive the call; errors are raised, not returned.
        unsafe {
            pg_sys::SPI_execute_with_args(
                sql.as_ptr(),
                types.len() as i32,
                types.as_mut_ptr(),
                values.as_mut_ptr(),
                nulls.as_ptr(),
                false,
                0,
            );
        }
    }

    /// Plans a text that was made for this session; the caller has quoted every name in it.
    pub fn prepare(&self, sql: &str, types: &[pg_sys::Oid]) -> Prepared<'_> {
        let text = CString::new(sql).expect("names from the catalog have no NUL");
        let mut types = types.to_vec();
        // SAFETY: text and types outlive the call.
        let plan =
            unsafe { pg_sys::SPI_prepare(text.as_ptr(), types.len() as i32, types.as_mut_ptr()) };
        if plan.is_null() {
            panic!("could not prepare: {sql}");
        }
        Prepared {
            plan,
            parameters: types.len(),
            _session: PhantomData,
        }
    }

    fn execute<R>(
        &self,
        statement: &Statement,
        arguments: &[Argument],
        mode: Mode,
        row: impl FnMut(&Row) -> R,
    ) -> Vec<R> {
        let plan = statement.plan();
        let _own = statement::own_text();
        assert_eq!(
            statement.types.len(),
            arguments.len(),
            "arguments of: {}",
            statement.sql
        );
        execute_plan(plan, arguments, mode, row)
    }
}

impl Prepared<'_> {
    /// All rows, on the snapshot that is active.
    pub fn query_active<R>(&self, arguments: &[Argument], row: impl FnMut(&Row) -> R) -> Vec<R> {
        self.execute(arguments, Mode::Active, row)
    }

    /// Runs it as a writing statement and returns its rows.
    pub fn write<R>(&self, arguments: &[Argument], row: impl FnMut(&Row) -> R) -> Vec<R> {
        self.execute(arguments, Mode::Write, row)
    }

    /// Runs it as a writing statement; returns the number of rows it touched.
    pub fn run(&self, arguments: &[Argument]) -> u64 {
        self.execute(arguments, Mode::Write, |_| ());
        // SAFETY: set by the call above.
        unsafe { pg_sys::SPI_processed }
    }

    fn execute<R>(&self, arguments: &[Argument], mode: Mode, row: impl FnMut(&Row) -> R) -> Vec<R> {
        assert_eq!(self.parameters, arguments.len(), "arguments");
        execute_plan(self.plan, arguments, mode, row)
    }
}

/// There are as many arguments as the plan has parameters.
fn execute_plan<R>(
    plan: pg_sys::SPIPlanPtr,
    arguments: &[Argument],
    mode: Mode,
    mut row: impl FnMut(&Row) -> R,
) -> Vec<R> {
    let (mut values, nulls) = datums(arguments);
    // SAFETY: plan, values and nulls fit each other. The snapshot is the newest one, or none, which means what
    // SPI_execute_plan would take.
    unsafe {
        let code = match mode {
            Mode::Latest => pg_sys::SPI_execute_snapshot(
                plan,
                values.as_mut_ptr(),
                nulls.as_ptr(),
                pg_sys::GetLatestSnapshot(),
                core::ptr::null_mut(),
                true,
                false,
                0,
            ),
            Mode::Active => {
                pg_sys::SPI_execute_plan(plan, values.as_mut_ptr(), nulls.as_ptr(), true, 0)
            }
            Mode::Write => {
                pg_sys::SPI_execute_plan(plan, values.as_mut_ptr(), nulls.as_ptr(), false, 0)
            }
        };
        if code < 0 {
            panic!("SPI error {code}");
        }
        let table = pg_sys::SPI_tuptable;
        if table.is_null() {
            return Vec::new();
        }
        let descriptor = (*table).tupdesc;
        let rows = (0..(*table).numvals as usize)
            .map(|index| {
                row(&Row {
                    tuple: *(*table).vals.add(index),
                    descriptor,
                    _result: PhantomData,
                })
            })
            .collect();
        pg_sys::SPI_freetuptable(table);
        rows
    }
}

/// Values and null marks, as SPI takes them.
fn datums(arguments: &[Argument]) -> (Vec<pg_sys::Datum>, Vec<core::ffi::c_char>) {
    arguments
        .iter()
        .map(|argument| match argument.0 {
            Some(datum) => (datum, b' ' as core::ffi::c_char),
            None => (pg_sys::Datum::null(), b'n' as core::ffi::c_char),
        })
        .unzip()
}

impl Row<'_> {
    /// Column `number`, counted from 1; None is SQL NULL. The Rust type must fit the column's.
    pub fn get<T: FromDatum>(&self, number: i32) -> Option<T> {
        let mut is_null = false;
        // SAFETY: tuple and descriptor belong together and live until the result is freed.
        unsafe {
            let datum = pg_sys::SPI_getbinval(self.tuple, self.descriptor, number, &mut is_null);
            T::from_datum(datum, is_null)
        }
    }

    /// A column that the table declares NOT NULL.
    pub fn required<T: FromDatum>(&self, number: i32) -> T {
        self.get(number)
            .unwrap_or_else(|| panic!("column {number} is never null"))
    }

    /// Whether the running transaction holds this row, told by its columns `xmin` and `xmax`.
    pub fn is_ours(&self, xmin: i32, xmax: i32) -> bool {
        let [xmin, xmax] = [xmin, xmax].map(|number| {
            let mut is_null = false;
            // SAFETY: as in `get`; the columns are of type xid, which is passed by value.
            let datum =
                unsafe { pg_sys::SPI_getbinval(self.tuple, self.descriptor, number, &mut is_null) };
            pg_sys::TransactionId::from_inner(datum.value() as u32)
        });
        row_lock::is_ours(xmin, xmax)
    }

    /// A timestamptz column.
    pub fn time(&self, number: i32) -> Option<UnixMicros> {
        self.get(number).map(time::from_sql)
    }
}

/// A timestamptz parameter.
pub fn timestamp(time: Option<UnixMicros>) -> Argument {
    time.map(time::to_sql).into()
}
