//! Facts about this server process, its cluster and its database.

use std::path::PathBuf;

use pgrx::pg_sys;

/// The number initdb gave the cluster; copies of its files share it, other clusters have another.
pub fn system_identifier() -> String {
    // SAFETY: reads the control file's copy in memory.
    unsafe { pg_sys::GetSystemIdentifier() }.to_string()
}

/// The OID of the connected database.
pub fn database() -> pg_sys::Oid {
    // SAFETY: a backend variable, set when the backend connected.
    unsafe { pg_sys::MyDatabaseId }
}

/// The name of the connected database.
pub fn database_name() -> String {
    // SAFETY: NULL or a NUL-terminated name in the current memory context; needs a transaction, as every function call has.
    unsafe {
        let name = pg_sys::get_database_name(pg_sys::MyDatabaseId);
        if name.is_null() {
            return String::new();
        }
        core::ffi::CStr::from_ptr(name)
            .to_string_lossy()
            .into_owned()
    }
}

/// The data directory.
pub fn data_directory() -> PathBuf {
    // SAFETY: set by the postmaster before any extension is loaded, and never changed.
    let path = unsafe { core::ffi::CStr::from_ptr(pg_sys::DataDir) };
    PathBuf::from(path.to_string_lossy().into_owned())
}

/// The timeline that this server writes on; 0 on a standby, which writes none. It stays the same until the server ends.
pub fn timeline() -> u32 {
    if in_recovery() {
        return 0;
    }
    // SAFETY: reads shared memory; defined once recovery has ended, which is never taken back.
    unsafe { pg_sys::GetWALInsertionTimeLine() }
}

/// What the server has kept of the label of the base backup that it was first started from, if it was.
pub fn backup_label() -> std::io::Result<Option<Vec<u8>>> {
    match std::fs::read(data_directory().join("backup_label.old")) {
        Ok(label) => Ok(Some(label)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether this server is a standby, which can't write.
pub fn in_recovery() -> bool {
    // SAFETY: reads shared memory.
    unsafe { pg_sys::RecoveryInProgress() }
}

/// Whether the library is being loaded by the postmaster (shared_preload_libraries).
pub fn is_preloading() -> bool {
    // SAFETY: a variable of the process.
    unsafe { pg_sys::process_shared_preload_libraries_in_progress }
}

/// Whether pg_upgrade has started this server, to copy objects into it or out of it.
pub fn is_upgrading() -> bool {
    // SAFETY: a variable of the process.
    unsafe { pg_sys::IsBinaryUpgrade }
}

/// This process's number.
pub fn process_id() -> i32 {
    // SAFETY: a variable of the process.
    unsafe { pg_sys::MyProcPid }
}

/// Whether this process is in a transaction in which the catalog can be read.
pub fn can_read_catalog() -> bool {
    // SAFETY: variables of the process.
    unsafe { pg_sys::MyDatabaseId != pg_sys::InvalidOid && pg_sys::IsTransactionState() }
}
