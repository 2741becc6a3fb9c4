//! Entries of the server's log, before they are written (emit_log_hook).
//!
//! The server lets a hook suppress an entry, and nothing else. So an entry that must not be written as it is is
//! suppressed, and before that reported once more, to the log only, with other texts in its place: by the server's own
//! EmitErrorReport, so that level, SQLSTATE, position and the formats of the log (stderr, CSV, JSON, syslog) are what they
//! would have been. What the client gets is untouched.
//!
//! The hook runs in the middle of the report of any error, one about missing memory included. Nothing in it may raise an
//! error or take the server's memory.

use core::ffi::{CStr, c_char, c_int};
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;

use pgrx::pg_sys;
use token_vault_core::redact::Exhausted;
use token_vault_core::redact::entry::{Clean, Entry};

use super::{background, report};

/// What is to be written instead of an entry; None: the entry as it is.
pub type Policy = fn(&Entry, Process) -> Option<Result<Clean, Exhausted>>;

/// Who logs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Process {
    /// A client's session, or a worker that may run somebody's statements.
    Session,
    /// A process of the server's own, or a worker of this library.
    Other,
}

/// Written where there is no memory for anything else.
const WITHHELD: &CStr =
    c"message withheld: it may contain a secret, and there is no memory to take it out";

static POLICY: OnceLock<Policy> = OnceLock::new();
/// The hook of a library that was loaded before this one.
static NEXT: OnceLock<pg_sys::emit_log_hook_type> = OnceLock::new();

/// C strings that the server reads while it writes an entry. They outlive an error that ends the writing: then the
/// server may look at them once more, until it begins the next entry but one.
#[derive(Default)]
struct Texts {
    message: Vec<u8>,
    detail: Option<Vec<u8>>,
    hint: Option<Vec<u8>>,
    context: Option<Vec<u8>>,
    internal_query: Option<Vec<u8>>,
    statement: Option<Vec<u8>>,
}

thread_local! {
    /// The texts of the entry being written, and those of the one before.
    static TEXTS: RefCell<[Texts; 2]> = RefCell::default();
}

unsafe extern "C-unwind" {
    // elog.c. pgrx's function of this name catches errors and raises them anew, which an error in progress forbids.
    fn EmitErrorReport();
}

/// Lets `policy` decide about each entry from now on; called again, it does nothing.
pub fn watch(policy: Policy) {
    // SAFETY: a variable of the process; the server calls the hook from its only thread.
    unsafe {
        if POLICY.set(policy).is_ok() && NEXT.set(pg_sys::emit_log_hook).is_ok() {
            pg_sys::emit_log_hook = Some(emit_log);
        }
    }
}

/// The hook. An error of the server's (it writes to pipes and files) jumps over this frame, so nothing in it needs
/// dropping.
unsafe extern "C-unwind" fn emit_log(entry: *mut pg_sys::ErrorData) {
    // SAFETY: the entry on top of the server's stack of errors, whose strings are valid; it is as it was afterwards, but
    // for the permitted change. `debug_query_string` is the session's.
    unsafe {
        if is_rewritten(&*entry) || !rewrite(&*entry) {
            if let Some(Some(next)) = NEXT.get() {
                next(entry);
            }
            return;
        }
        let original = *entry;
        let statement = pg_sys::debug_query_string;
        put(&mut *entry);
        EmitErrorReport();
        *entry = original;
        (*entry).output_to_server = false;
        pg_sys::debug_query_string = statement;
    }
}

/// Whether this is the entry that [`emit_log`] has put in the place of another. Told by an address that is this
/// library's while [`TEXTS`] has it.
fn is_rewritten(entry: &pg_sys::ErrorData) -> bool {
    let is_ours = |texts: &[Texts; 2]| texts[0].pointer() == entry.message.cast_const();
    // Gone when the process ends; then nothing is rewritten either.
    TEXTS
        .try_with(|texts| texts.try_borrow().is_ok_and(|texts| is_ours(&texts)))
        .unwrap_or(false)
}

/// Writes to [`TEXTS`] what is to be logged instead; false: nothing is.
fn rewrite(entry: &pg_sys::ErrorData) -> bool {
    let Some(policy) = POLICY.get() else {
        return false;
    };
    // SAFETY: the caller's entry.
    let decide =
        || policy(&unsafe { describe(entry) }, process()).map(|clean| clean.and_then(Texts::new));
    // A mistake here must neither end the report nor let the entry pass.
    let texts = match catch_unwind(AssertUnwindSafe(decide)) {
        Ok(None) => return false,
        Ok(Some(Ok(texts))) => texts,
        Ok(Some(Err(Exhausted))) | Err(_) => Texts::default(),
    };
    let kept = TEXTS.try_with(|both| {
        if let Ok(mut both) = both.try_borrow_mut() {
            both.swap(0, 1);
            both[0] = texts;
        }
    });
    kept.is_ok()
}

fn process() -> Process {
    // SAFETY: a variable of the process.
    match unsafe { pg_sys::MyBackendType } {
        pg_sys::BackendType::B_BACKEND => Process::Session,
        pg_sys::BackendType::B_BG_WORKER if !background::is_ours() => Process::Session,
        _ => Process::Other,
    }
}

/// # Safety
/// The entry's strings are valid, and so they stay while the result is used.
unsafe fn describe(entry: &pg_sys::ErrorData) -> Entry<'_> {
    // SAFETY: the caller's promise.
    let text = |text: *const c_char| unsafe { bytes(text) };
    let detail = text(entry.detail_log).or_else(|| text(entry.detail));
    Entry {
        is_own: text(entry.funcname) == Some(report::REPORTER.as_bytes()),
        reports_statement: entry.elevel <= pg_sys::LOG_SERVER_ONLY as c_int && entry.hide_stmt,
        sqlstate: report::decode_bytes(entry.sqlerrcode),
        format: text(entry.message_id).unwrap_or_default(),
        message: text(entry.message).unwrap_or_default(),
        detail,
        hint: text(entry.hint),
        context: text(entry.context),
        names: [
            text(entry.schema_name),
            text(entry.table_name),
            text(entry.column_name),
            text(entry.datatype_name),
            text(entry.constraint_name),
        ],
        internal_query: text(entry.internalquery),
        // SAFETY: the session's statement, or null.
        statement: text(unsafe { pg_sys::debug_query_string }),
    }
}

/// # Safety
/// A C string, which stays valid, or null.
pub(super) unsafe fn bytes<'a>(text: *const c_char) -> Option<&'a [u8]> {
    // SAFETY: the caller's promise.
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_bytes())
}

/// Puts [`TEXTS`] into the entry and in the place of the session's statement.
///
/// # Safety
/// The server writes the entry before another one is rewritten, or abandons it.
unsafe fn put(entry: &mut pg_sys::ErrorData) {
    let pointer = |text: &Option<Vec<u8>>| {
        text.as_ref().map_or(core::ptr::null_mut(), |text| {
            text.as_ptr().cast_mut().cast()
        })
    };
    TEXTS.with(|texts| {
        // SAFETY: read by nobody else here, as nothing below calls anything.
        let texts = unsafe { &(*texts.as_ptr())[0] };
        entry.message = texts.pointer().cast_mut();
        entry.detail = core::ptr::null_mut();
        entry.detail_log = pointer(&texts.detail);
        entry.hint = pointer(&texts.hint);
        entry.context = pointer(&texts.context);
        entry.internalquery = pointer(&texts.internal_query);
        entry.output_to_client = false;
        // SAFETY: a variable of the process, put back by the caller.
        unsafe { pg_sys::debug_query_string = pointer(&texts.statement) };
    });
}

impl Texts {
    fn new(clean: Clean) -> Result<Self, Exhausted> {
        let text = |text: Option<token_vault_core::redact::Text>| {
            text.map(token_vault_core::redact::Text::into_c_string)
                .transpose()
        };
        Ok(Self {
            message: clean.message.into_c_string()?,
            detail: text(clean.detail)?,
            hint: text(clean.hint)?,
            context: text(clean.context)?,
            internal_query: text(clean.internal_query)?,
            statement: text(clean.statement)?,
        })
    }

    fn pointer(&self) -> *const c_char {
        if self.message.is_empty() {
            WITHHELD.as_ptr()
        } else {
            self.message.as_ptr().cast()
        }
    }
}
