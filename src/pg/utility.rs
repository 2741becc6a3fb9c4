//! Statements that fail, or leave something behind, because workers of ours are connected (ProcessUtility_hook).

use core::ffi::{CStr, c_char};
use std::sync::OnceLock;

use pgrx::{PgList, is_a, pg_guard, pg_sys};

use super::{catalog, role, server};

/// What is done about them.
pub struct Concerns {
    /// A statement that runs only while nobody else is connected to this database begins. Whoever issues it may.
    pub database_wanted: fn(pg_sys::Oid),
    /// The extension was dropped, in a transaction that is still open.
    pub extension_dropped: fn(),
}

static CONCERNS: OnceLock<Concerns> = OnceLock::new();
/// The hook of a library that was loaded before this one.
static NEXT: OnceLock<pg_sys::ProcessUtility_hook_type> = OnceLock::new();

/// Called once, when the library is preloaded.
pub fn watch(concerns: Concerns) {
    // SAFETY: the postmaster alone runs here, before it starts any process.
    unsafe {
        if CONCERNS.set(concerns).is_ok() && NEXT.set(pg_sys::ProcessUtility_hook).is_ok() {
            pg_sys::ProcessUtility_hook = Some(process_utility);
        }
    }
}

unsafe extern "C-unwind" {
    // utility.c. pgrx's function of this name catches errors and raises them anew, which costs time and loses details.
    fn standard_ProcessUtility(
        statement: *mut pg_sys::PlannedStmt,
        text: *const c_char,
        read_only_tree: bool,
        context: pg_sys::ProcessUtilityContext::Type,
        parameters: pg_sys::ParamListInfo,
        environment: *mut pg_sys::QueryEnvironment,
        destination: *mut pg_sys::DestReceiver,
        completion: *mut pg_sys::QueryCompletion,
    );
}

/// The hook. Errors of the statement jump over this frame, so nothing in it may need dropping.
#[allow(clippy::too_many_arguments)] // PostgreSQL's.
unsafe extern "C-unwind" fn process_utility(
    statement: *mut pg_sys::PlannedStmt,
    text: *const c_char,
    read_only_tree: bool,
    context: pg_sys::ProcessUtilityContext::Type,
    parameters: pg_sys::ParamListInfo,
    environment: *mut pg_sys::QueryEnvironment,
    destination: *mut pg_sys::DestReceiver,
    completion: *mut pg_sys::QueryCompletion,
) {
    // SAFETY: the arguments are the server's and are passed on as they are. `begins` and `has_ended` raise errors as
    // functions of the server do.
    unsafe {
        let node = (*statement).utilityStmt;
        let may_drop_us = is_concern(node) && begins(node);
        let next = match NEXT.get() {
            Some(Some(next)) => *next,
            _ => standard_ProcessUtility,
        };
        next(
            statement,
            text,
            read_only_tree,
            context,
            parameters,
            environment,
            destination,
            completion,
        );
        if may_drop_us {
            has_ended();
        }
    }
}

/// All that other statements pay.
unsafe fn is_concern(node: *mut pg_sys::Node) -> bool {
    use pg_sys::NodeTag::*;
    // SAFETY: a statement's node.
    let kind = unsafe { (*node).type_ };
    matches!(
        kind,
        T_DropdbStmt
            | T_CreatedbStmt
            | T_AlterDatabaseStmt
            | T_RenameStmt
            | T_DropStmt
            | T_DropOwnedStmt
    )
}

/// Before the statement; whether the extension might be gone after it.
#[pg_guard]
unsafe extern "C-unwind" fn begins(node: *mut pg_sys::Node) -> bool {
    // SAFETY: a statement's node.
    unsafe {
        if let Some(database) = wanted_database(node)
            && let Some(concerns) = CONCERNS.get()
        {
            (concerns.database_wanted)(database);
        }
        may_drop_extension(node) && catalog::extension_exists()
    }
}

/// After it.
#[pg_guard]
unsafe extern "C-unwind" fn has_ended() {
    if !catalog::extension_exists()
        && let Some(concerns) = CONCERNS.get()
    {
        (concerns.extension_dropped)();
    }
}

unsafe fn may_drop_extension(node: *mut pg_sys::Node) -> bool {
    // SAFETY: the tag tells the type.
    unsafe {
        is_a(node, pg_sys::NodeTag::T_DropOwnedStmt)
            || is_a(node, pg_sys::NodeTag::T_DropStmt)
                && (*node.cast::<pg_sys::DropStmt>()).removeType
                    == pg_sys::ObjectType::OBJECT_EXTENSION
    }
}

/// The database that nobody else may be connected to, if the role may do to it what the statement says. The server
/// checks that again; here it keeps others from disturbing our workers.
unsafe fn wanted_database(node: *mut pg_sys::Node) -> Option<pg_sys::Oid> {
    use pg_sys::NodeTag::*;
    // SAFETY: the tag tells the type; names are NUL-terminated.
    unsafe {
        match (*node).type_ {
            T_DropdbStmt => own((*node.cast::<pg_sys::DropdbStmt>()).dbname),
            T_RenameStmt => {
                let statement = node.cast::<pg_sys::RenameStmt>();
                if (*statement).renameType != pg_sys::ObjectType::OBJECT_DATABASE
                    || !role::current().may_create_databases()
                {
                    return None;
                }
                own((*statement).subname)
            }
            T_AlterDatabaseStmt => {
                let statement = node.cast::<pg_sys::AlterDatabaseStmt>();
                option((*statement).options, c"tablespace")?;
                own((*statement).dbname)
            }
            T_CreatedbStmt => template((*node.cast::<pg_sys::CreatedbStmt>()).options),
            _ => None,
        }
    }
}

/// The database of this name, if it belongs to the role and is another one than the session's, which none of these
/// statements takes.
unsafe fn own(name: *const c_char) -> Option<pg_sys::Oid> {
    // SAFETY: the caller's promise.
    let database = unsafe { catalog::database(name)? };
    (database != server::database() && role::current().owns_database(database)).then_some(database)
}

/// What CREATE DATABASE copies.
unsafe fn template(options: *mut pg_sys::List) -> Option<pg_sys::Oid> {
    // SAFETY: the option's value is a text where there is one.
    unsafe {
        let name = match option(options, c"template") {
            Some(option) if !(*option).arg.is_null() => pg_sys::defGetString(option),
            _ => c"template1".as_ptr(),
        };
        let database = catalog::database(name)?;
        let role = role::current();
        (role.may_create_databases()
            && (role.owns_database(database) || catalog::is_template(database)))
        .then_some(database)
    }
}

unsafe fn option(options: *mut pg_sys::List, name: &CStr) -> Option<*mut pg_sys::DefElem> {
    // SAFETY: a statement's list of options.
    unsafe {
        PgList::<pg_sys::DefElem>::from_pg(options)
            .iter_ptr()
            .find(|option| CStr::from_ptr((**option).defname) == name)
    }
}
