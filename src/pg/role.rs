//! The calling role, and acting as the owner of the vault for the length of a closure.

use core::ffi::CStr;

use pgrx::pg_sys;

use super::{background, catalog, version};

/// A role's OID.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Role(pg_sys::Oid);

/// The role whose privileges the running statement has: after SET ROLE, and inside a SECURITY DEFINER
/// function of the user, that is the role set there.
pub fn current() -> Role {
    // SAFETY: reads a backend variable.
    Role(unsafe { pg_sys::GetUserId() })
}

impl Role {
    /// The role of this name, if there is one.
    pub fn by_name(name: &str) -> Option<Role> {
        let name = std::ffi::CString::new(name).ok()?;
        // SAFETY: a catalog look-up by a NUL-terminated name; missing_ok is true.
        let oid = unsafe { pg_sys::get_role_oid(name.as_ptr(), true) };
        (oid != pg_sys::InvalidOid).then_some(Role(oid))
    }

    /// The role that the catalog names by this number.
    pub fn from_oid(oid: pg_sys::Oid) -> Role {
        Role(oid)
    }

    /// The number PostgreSQL knows the role by.
    pub fn oid(self) -> pg_sys::Oid {
        self.0
    }

    pub fn is_superuser(self) -> bool {
        // SAFETY: a catalog look-up.
        unsafe { pg_sys::superuser_arg(self.0) }
    }

    /// Whether this role is, or inherits from, `other`: PostgreSQL's own rule for table privileges.
    pub fn has_privileges_of(self, other: Role) -> bool {
        // SAFETY: a catalog look-up.
        unsafe { pg_sys::has_privs_of_role(self.0, other.0) }
    }

    /// Whether it may do with a database what only its owner may.
    pub fn owns_database(self, database: pg_sys::Oid) -> bool {
        version::owns_database(self.0, database)
    }

    pub fn may_create_databases(self) -> bool {
        let attribute = |row: &pg_sys::FormData_pg_authid| row.rolcreatedb;
        // SAFETY: the cache of these rows.
        let has_attribute =
            || unsafe { catalog::with_row(pg_sys::SysCacheIdentifier::AUTHOID, self.0, attribute) };
        self.is_superuser() || has_attribute().unwrap_or(false)
    }

    /// The role's name, for messages.
    pub fn name(self) -> String {
        // SAFETY: with noerr, the result is NULL or a NUL-terminated string in the current memory context.
        unsafe {
            let name = pg_sys::GetUserNameFromId(self.0, true);
            if name.is_null() {
                return format!("{}", self.0.to_u32());
            }
            CStr::from_ptr(name).to_string_lossy().into_owned()
        }
    }
}

/// Restores the caller's identity and settings, also when a panic unwinds through it. When PostgreSQL
/// aborts the transaction it restores them itself (xact.c, `AbortTransaction`).
struct Restore {
    user: pg_sys::Oid,
    security_context: core::ffi::c_int,
    guc_level: core::ffi::c_int,
}

impl Drop for Restore {
    fn drop(&mut self) {
        // SAFETY: gives back exactly what `switch` took.
        unsafe {
            if !std::thread::panicking() {
                pg_sys::AtEOXact_GUC(false, self.guc_level);
            }
            pg_sys::SetUserIdAndSecContext(self.user, self.security_context);
        }
    }
}

/// Runs `work` with the rights of the bootstrap superuser and a search path that holds nothing but
/// `pg_catalog`, so that no object of the caller's can be reached by a name. The caller's rights must
/// have been checked before.
pub fn as_owner<R>(work: impl FnOnce() -> R) -> R {
    let owner = Role(pg_sys::Oid::from(pg_sys::BOOTSTRAP_SUPERUSERID));
    let _restore = switch(owner, pg_sys::SECURITY_LOCAL_USERID_CHANGE, &[]);
    work()
}

/// Runs `work` on a table of a user's, as that user, the way PostgreSQL's own maintenance does it: what code the
/// user has tied to the table (index expressions, checks, domains) runs with the user's rights and can't leave
/// them. Ordinary triggers, rules and foreign keys do not fire, and row security does not hide a table's rows from
/// its owner. Waits for a lock only briefly, and for the user's code no longer than the server waits for us.
pub fn as_table_owner<R>(owner: Role, work: impl FnOnce() -> R) -> R {
    let flags = pg_sys::SECURITY_RESTRICTED_OPERATION
        | pg_sys::SECURITY_LOCAL_USERID_CHANGE
        | pg_sys::SECURITY_NOFORCE_RLS;
    let settings = [
        (c"session_replication_role", c"replica"),
        (c"lock_timeout", c"250ms"),
    ];
    let _may_die = background::may_die();
    let _restore = switch(owner, flags, &settings);
    work()
}

type Setting = (&'static CStr, &'static CStr);

fn switch(to: Role, flags: u32, settings: &[Setting]) -> Restore {
    let mut user = pg_sys::InvalidOid;
    let mut security_context = 0;
    // SAFETY: the documented way to change identity for a while (miscinit.c); `Restore` undoes it.
    let restore = unsafe {
        pg_sys::GetUserIdAndSecContext(&mut user, &mut security_context);
        let guc_level = pg_sys::NewGUCNestLevel();
        pg_sys::SetUserIdAndSecContext(to.0, security_context | flags as core::ffi::c_int);
        Restore {
            user,
            security_context,
            guc_level,
        }
    };
    set((c"search_path", c"pg_catalog, pg_temp"));
    settings.iter().copied().for_each(set);
    restore
}

/// Changes a setting until the nesting level that [`switch`] has begun ends.
fn set((name, value): Setting) {
    // SAFETY: both texts are NUL-terminated and copied.
    unsafe {
        pg_sys::set_config_option(
            name.as_ptr(),
            value.as_ptr(),
            pg_sys::GucContext::PGC_SUSET,
            pg_sys::GucSource::PGC_S_SESSION,
            pg_sys::GucAction::GUC_ACTION_SAVE,
            true,
            0,
            false,
        );
    }
}
