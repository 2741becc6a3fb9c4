//! The vault's own objects in the system catalog.

use core::ffi::CStr;

use pgrx::pg_sys;

/// The OID of `vault.<name>`, or InvalidOid where there is none.
pub fn relation(name: &CStr) -> pg_sys::Oid {
    // SAFETY: catalog look-ups by NUL-terminated names; missing_ok is true.
    unsafe {
        let schema = pg_sys::get_namespace_oid(c"vault".as_ptr(), true);
        if schema == pg_sys::InvalidOid {
            return pg_sys::InvalidOid;
        }
        pg_sys::get_relname_relid(name.as_ptr(), schema)
    }
}

/// Whether the extension exists in this database.
pub fn extension_exists() -> bool {
    // SAFETY: a catalog look-up by a NUL-terminated name; missing_ok is true.
    unsafe { pg_sys::get_extension_oid(c"token_vault".as_ptr(), true) != pg_sys::InvalidOid }
}

/// The database of this name.
///
/// # Safety
/// `name` is NUL-terminated.
pub(super) unsafe fn database(name: *const core::ffi::c_char) -> Option<pg_sys::Oid> {
    // SAFETY: a catalog look-up; missing_ok is true.
    let oid = unsafe { pg_sys::get_database_oid(name, true) };
    (oid != pg_sys::InvalidOid).then_some(oid)
}

/// Whether everybody who may create databases may copy this one.
pub fn is_template(database: pg_sys::Oid) -> bool {
    let attribute = |row: &pg_sys::FormData_pg_database| row.datistemplate;
    // SAFETY: the cache of these rows.
    unsafe { with_row(pg_sys::SysCacheIdentifier::DATABASEOID, database, attribute) }
        .unwrap_or(false)
}

/// Reads the fixed part of a catalog's row; None: there is no such row.
///
/// # Safety
/// The cache's rows begin with a `T`.
pub(super) unsafe fn with_row<T, R>(
    cache: pg_sys::SysCacheIdentifier::Type,
    oid: pg_sys::Oid,
    read: impl FnOnce(&T) -> R,
) -> Option<R> {
    // SAFETY: a catalog look-up by OID; the row is released after it was read.
    unsafe {
        let row = pg_sys::SearchSysCache1(cache as core::ffi::c_int, oid.into());
        if row.is_null() {
            return None;
        }
        let result = read(&*pg_sys::GETSTRUCT(row).cast::<T>());
        pg_sys::ReleaseSysCache(row);
        Some(result)
    }
}

/// Every database that can be connected to, but no template. Needs no database of one's own.
pub fn databases() -> Vec<pg_sys::Oid> {
    let mut databases = Vec::new();
    // SAFETY: a sequential scan of a shared catalog under its lock (as autovacuum.c, get_database_list); the
    // tuples are read before the scan moves on.
    unsafe {
        let relation = pg_sys::table_open(
            pg_sys::DatabaseRelationId,
            pg_sys::AccessShareLock as pg_sys::LOCKMODE,
        );
        let scan = pg_sys::table_beginscan_catalog(relation, 0, core::ptr::null_mut());
        loop {
            let tuple = pg_sys::heap_getnext(scan, pg_sys::ScanDirection::ForwardScanDirection);
            if tuple.is_null() {
                break;
            }
            let database = pg_sys::GETSTRUCT(tuple).cast::<pg_sys::FormData_pg_database>();
            if (*database).datallowconn && !(*database).datistemplate {
                databases.push((*database).oid);
            }
        }
        (*(*scan).rs_rd)
            .rd_tableam
            .as_ref()
            .and_then(|am| am.scan_end)
            .expect("heap has scan_end")(scan);
        pg_sys::table_close(relation, pg_sys::AccessShareLock as pg_sys::LOCKMODE);
    }
    databases
}
