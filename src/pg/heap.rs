//! Adding a row to a table that nothing depends on: without a plan, and without starting the executor.

use pgrx::pg_sys;

use super::Oid;
use super::index_scan::NotOrdinary;
use super::spi::Argument;

const LOCK: pg_sys::LOCKMODE = pg_sys::RowExclusiveLock as pg_sys::LOCKMODE;

/// Appends a row to `table` in the running transaction; no privilege is looked at. The arguments are the columns in their
/// order, and of their types. `Err`: there is no such table, or somebody has given it an index, a trigger, a constraint or another
/// shape; use SPI, which also says what is missing.
pub fn append(table: Oid, row: &[Argument]) -> Result<(), NotOrdinary> {
    if table == pg_sys::InvalidOid {
        return Err(NotOrdinary);
    }
    // SAFETY: the table is open, under a lock that lasts until the transaction's end, and has as many columns as there are
    // values. An error jumps out, and the transaction's abort closes what is open (resource owner).
    unsafe {
        pg_sys::PreventCommandIfReadOnly(c"INSERT".as_ptr());
        let table = pg_sys::table_open(table, LOCK);
        let is_ordinary = is_ordinary(table, row.len());
        if is_ordinary {
            let slot = pg_sys::table_slot_create(table, core::ptr::null_mut());
            for (column, argument) in row.iter().enumerate() {
                let value = argument.datum();
                *(*slot).tts_values.add(column) = value.unwrap_or(pg_sys::Datum::null());
                *(*slot).tts_isnull.add(column) = value.is_none();
            }
            pg_sys::ExecStoreVirtualTuple(slot);
            pg_sys::simple_table_tuple_insert(table, slot);
            pg_sys::ExecDropSingleTupleTableSlot(slot);
        }
        pg_sys::table_close(table, pg_sys::NoLock as pg_sys::LOCKMODE);
        if is_ordinary {
            Ok(())
        } else {
            Err(NotOrdinary)
        }
    }
}

/// Whether a row can be added without telling anybody.
///
/// # Safety
/// `table` is open.
unsafe fn is_ordinary(table: pg_sys::Relation, columns: usize) -> bool {
    // SAFETY: the parts of an open relation's entry.
    unsafe {
        let class = &*(*table).rd_rel;
        let attributes = &*(*table).rd_att;
        let is_unchecked = attributes.constr.as_ref().is_none_or(|constraints| {
            constraints.num_check == 0 && !constraints.has_generated_stored
        });
        class.relkind == pg_sys::RELKIND_RELATION as core::ffi::c_char
            && usize::try_from(attributes.natts) == Ok(columns)
            && is_unchecked
            && !(class.relhasindex || class.relhasrules || class.relhastriggers)
            && !class.relrowsecurity
    }
}
