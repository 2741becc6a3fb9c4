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

/// The names of the relations that have columns of type `vault.<name>`, of its arrays, or of domains over them.
pub fn relations_of_type(name: &CStr) -> Vec<Vec<u8>> {
    // SAFETY: catalog look-ups by NUL-terminated names; missing_ok is true.
    let first = unsafe {
        let schema = pg_sys::get_namespace_oid(c"vault".as_ptr(), true);
        pg_sys::GetSysCacheOid(
            pg_sys::SysCacheIdentifier::TYPENAMENSP as core::ffi::c_int,
            pg_sys::Anum_pg_type_oid as i16,
            name.as_ptr().into(),
            schema.into(),
            pg_sys::Datum::null(),
            pg_sys::Datum::null(),
        )
    };
    let (mut types, mut names, mut at) = (vec![first], Vec::new(), 0);
    while let Some(kind) = types.get(at).copied() {
        for (class, oid) in dependents(pg_sys::TypeRelationId, kind) {
            if class == pg_sys::RelationRelationId {
                // SAFETY: a catalog look-up; null where the relation has gone.
                names.extend(
                    unsafe { super::log::bytes(pg_sys::get_rel_name(oid)) }.map(<[u8]>::to_vec),
                );
            } else if class == pg_sys::TypeRelationId && !types.contains(&oid) {
                types.push(oid);
            }
        }
        at += 1;
    }
    names
}

/// The names of the functions of users whose source meets a condition.
pub fn functions_with_source(is_meant: impl Fn(&[u8]) -> bool) -> Vec<Vec<u8>> {
    let mut names = Vec::new();
    let no_keys: &mut [pg_sys::ScanKeyData] = &mut [];
    scan(
        pg_sys::ProcedureRelationId,
        pg_sys::InvalidOid,
        no_keys,
        |row, columns| {
            // SAFETY: a row of pg_proc, of which `prosrc` is a text that is never null.
            unsafe {
                let function = &*pg_sys::GETSTRUCT(row).cast::<pg_sys::FormData_pg_proc>();
                if function.oid.to_u32() < pg_sys::FirstNormalObjectId {
                    return;
                }
                let mut is_null = false;
                let source = pg_sys::heap_getattr(
                    row,
                    pg_sys::Anum_pg_proc_prosrc as core::ffi::c_int,
                    columns,
                    &mut is_null,
                );
                let source = pg_sys::text_to_cstring(source.cast_mut_ptr());
                if super::log::bytes(source).is_some_and(&is_meant) {
                    names.extend(
                        super::log::bytes(function.proname.data.as_ptr()).map(<[u8]>::to_vec),
                    );
                }
                pg_sys::pfree(source.cast());
            }
        },
    );
    names
}

/// pg_depend, which pgrx has no bindings of: OIDs and columns of its header, the same in every version.
mod depend {
    use pgrx::pg_sys::Oid;

    pub const RELATION: u32 = 2608;
    pub const REFERENCE_INDEX: u32 = 2674;
    pub const REFCLASSID: i16 = 4;
    pub const REFOBJID: i16 = 5;

    /// What a row begins with.
    #[repr(C)]
    pub struct Row {
        pub classid: Oid,
        pub objid: Oid,
    }
}

/// Class and OID of what depends on an object.
fn dependents(class: pg_sys::Oid, object: pg_sys::Oid) -> Vec<(pg_sys::Oid, pg_sys::Oid)> {
    let key = |column: i16, value: pg_sys::Oid| {
        let mut key = pg_sys::ScanKeyData::default();
        // SAFETY: writes to the key; the function compares OIDs.
        unsafe {
            pg_sys::ScanKeyInit(
                &mut key,
                column,
                pg_sys::BTEqualStrategyNumber as u16,
                pg_sys::F_OIDEQ.into(),
                value.into(),
            );
        }
        key
    };
    let mut found = Vec::new();
    scan(
        depend::RELATION.into(),
        depend::REFERENCE_INDEX.into(),
        &mut [
            key(depend::REFCLASSID, class),
            key(depend::REFOBJID, object),
        ],
        |row, _| {
            // SAFETY: a row of pg_depend.
            let row = unsafe { &*pg_sys::GETSTRUCT(row).cast::<depend::Row>() };
            found.push((row.classid, row.objid));
        },
    );
    found
}

/// Reads the rows of a catalog that meet the keys, through an index if one is named.
fn scan(
    catalog: pg_sys::Oid,
    index: pg_sys::Oid,
    keys: &mut [pg_sys::ScanKeyData],
    mut read: impl FnMut(pg_sys::HeapTuple, pg_sys::TupleDesc),
) {
    const LOCK: pg_sys::LOCKMODE = pg_sys::AccessShareLock as pg_sys::LOCKMODE;
    // SAFETY: a scan of a catalog under its lock, with a catalog snapshot (null); each row is read before the scan moves
    // on. After an error the transaction's abort releases everything.
    unsafe {
        let relation = pg_sys::table_open(catalog, LOCK);
        let scan = pg_sys::systable_beginscan(
            relation,
            index,
            index != pg_sys::InvalidOid,
            core::ptr::null_mut(),
            keys.len() as core::ffi::c_int,
            keys.as_mut_ptr(),
        );
        loop {
            let row = pg_sys::systable_getnext(scan);
            if row.is_null() {
                break;
            }
            read(row, (*relation).rd_att);
        }
        pg_sys::systable_endscan(scan);
        pg_sys::table_close(relation, LOCK);
    }
}
