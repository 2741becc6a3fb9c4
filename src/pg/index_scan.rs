//! Reading rows by their keys, straight from an index: the hot path of `get_token`.
//!
//! Compared with a kept SPI plan this leaves out the change of role and search path (no privilege and no name is
//! looked at), the executor's start and end, and the copy of the result. No operator is looked up either:
//! the keys are compared by the index's own operator class.

use pgrx::{FromDatum, IntoDatum, pg_sys};

use super::Oid;
use super::time::{self, UnixMicros};
use super::version;

/// A row under the scan's eyes.
pub struct Tuple {
    slot: *mut pg_sys::TupleTableSlot,
}

impl Tuple {
    /// Attribute `number`, counted from 1; None is SQL NULL. The Rust type must fit the column's.
    pub fn get<T: FromDatum>(&self, number: usize) -> Option<T> {
        let (value, is_null) = self.datum(number);
        // SAFETY: the value belongs to the slot, which holds its tuple while the closure of `find` runs.
        unsafe { T::from_datum(value, is_null) }
    }

    pub fn is_null(&self, number: usize) -> bool {
        self.datum(number).1
    }

    fn datum(&self, number: usize) -> (pg_sys::Datum, bool) {
        // SAFETY: the slot holds a tuple while the closure of `find` runs; deforming it fills the first
        // `number` values.
        unsafe {
            if ((*self.slot).tts_nvalid as usize) < number {
                pg_sys::slot_getsomeattrs_int(self.slot, number as i32);
            }
            (
                *(*self.slot).tts_values.add(number - 1),
                *(*self.slot).tts_isnull.add(number - 1),
            )
        }
    }

    /// An attribute that the table declares NOT NULL.
    pub fn required<T: FromDatum>(&self, number: usize) -> T {
        self.get(number)
            .unwrap_or_else(|| panic!("attribute {number} is never null"))
    }

    /// A timestamptz attribute.
    pub fn time(&self, number: usize) -> Option<UnixMicros> {
        self.get(number).map(time::from_sql)
    }
}

/// The table is partitioned, foreign, distributed, or has another key.
#[derive(Debug)]
pub struct NotOrdinary;

/// Looks rows up by their text key columns, in the index's order, in the state that was committed when it was opened (and
/// the transaction's own writes).
pub struct Scan<const N: usize> {
    table: pg_sys::Relation,
    index: pg_sys::Relation,
    snapshot: pg_sys::Snapshot,
    scan: pg_sys::IndexScanDesc,
    slot: *mut pg_sys::TupleTableSlot,
}

const LOCK: pg_sys::LOCKMODE = pg_sys::AccessShareLock as pg_sys::LOCKMODE;

impl<const N: usize> Scan<N> {
    /// `Err`: not an ordinary table with such an index; use SPI.
    pub fn open(table: Oid, index: Oid) -> Result<Self, NotOrdinary> {
        // SAFETY: relations are opened under a lock, checked, and closed by `drop`; after an error the
        // transaction's abort releases everything (resource owner).
        unsafe {
            let table = pg_sys::table_open(table, LOCK);
            if (*(*table).rd_rel).relkind != pg_sys::RELKIND_RELATION as core::ffi::c_char {
                pg_sys::table_close(table, LOCK);
                return Err(NotOrdinary);
            }
            let index = pg_sys::index_open(index, LOCK);
            if usize::try_from((*(*index).rd_index).indnkeyatts) != Ok(N)
                || !(*(*index).rd_index).indisvalid
            {
                pg_sys::index_close(index, LOCK);
                pg_sys::table_close(table, LOCK);
                return Err(NotOrdinary);
            }
            let snapshot = pg_sys::RegisterSnapshot(pg_sys::GetLatestSnapshot());
            let scan = version::begin_index_scan(table, index, snapshot, N as i32);
            let slot = pg_sys::table_slot_create(table, core::ptr::null_mut());
            Ok(Scan {
                table,
                index,
                snapshot,
                scan,
                slot,
            })
        }
    }

    /// The row whose key equals `key`, if there is one.
    pub fn find<R>(&mut self, key: [&str; N], read: impl FnOnce(&Tuple) -> R) -> Option<R> {
        // SAFETY: scan, index and slot belong together; the keys are copied before they go.
        let found = unsafe {
            let mut keys: [pg_sys::ScanKeyData; N] = core::mem::zeroed();
            for (place, text) in key.iter().enumerate() {
                pg_sys::ScanKeyEntryInitialize(
                    &mut keys[place],
                    0,
                    place as i16 + 1,
                    pg_sys::BTEqualStrategyNumber as u16,
                    pg_sys::TEXTOID,
                    *(*self.index).rd_indcollation.add(place),
                    pg_sys::Oid::from(pg_sys::F_TEXTEQ),
                    text.into_datum().expect("text is never null"),
                );
            }
            let keys = keys.as_mut_ptr();
            pg_sys::index_rescan(self.scan, keys, N as i32, core::ptr::null_mut(), 0);
            pg_sys::index_getnext_slot(
                self.scan,
                pg_sys::ScanDirection::ForwardScanDirection,
                self.slot,
            )
        };
        found.then(|| read(&Tuple { slot: self.slot }))
    }
}

impl<const N: usize> Drop for Scan<N> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        // SAFETY: closes what `open` opened, in reverse order.
        unsafe {
            pg_sys::ExecDropSingleTupleTableSlot(self.slot);
            pg_sys::index_endscan(self.scan);
            pg_sys::UnregisterSnapshot(self.snapshot);
            pg_sys::index_close(self.index, LOCK);
            pg_sys::table_close(self.table, LOCK);
        }
    }
}
