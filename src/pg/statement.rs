//! The texts of statements, wherever the server shows or keeps them: pg_stat_activity, and what other libraries
//! (pg_stat_statements, auto_explain, pgaudit) are given through the hooks of analysis, executor and utility statements.
//!
//! Whether a text is sensitive is not decided here. One that is goes on masked: of the same length, so that every position
//! in it is still true.

use core::ffi::{CStr, c_char, c_int};
use std::cell::Cell;
use std::sync::OnceLock;

use pgrx::{PgList, is_a, pg_guard, pg_sys};

use super::{cleaned, log, version};

/// What is asked about texts.
pub struct Concerns {
    /// The catalog can be read: a statement is being analyzed.
    pub catalog_is_readable: fn(),
    /// Whether a text must not be shown as it is.
    pub is_sensitive: fn(&[u8]) -> bool,
    /// A client's statement has turned out to be sensitive, whatever it looks like.
    pub has_turned_out: fn(&[u8]),
    /// A sensitive statement makes, or changes, something of this name.
    pub is_defined: fn(&[u8]),
    /// A definition's text that is not sensitive; whether its object may be nevertheless.
    pub may_define: fn(&[u8]) -> bool,
    /// An extension of this name is created, and perhaps (`bool`) others that it needs.
    pub extension_created: fn(&CStr, bool),
}

static CONCERNS: OnceLock<Concerns> = OnceLock::new();
/// The hooks of libraries that were loaded before.
static NEXT: OnceLock<Hooks> = OnceLock::new();

struct Hooks {
    analyze: pg_sys::post_parse_analyze_hook_type,
    start: pg_sys::ExecutorStart_hook_type,
    utility: pg_sys::ProcessUtility_hook_type,
}

unsafe extern "C-unwind" {
    // execMain.c and utility.c. pgrx's functions of these names catch errors and raise them anew.
    fn standard_ExecutorStart(query: *mut pg_sys::QueryDesc, flags: c_int);
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

/// Asks `concerns` about each statement from now on; called again, it does nothing. Libraries that were loaded before are
/// called after this one, and see what it hands on.
pub fn watch(concerns: Concerns) {
    // SAFETY: variables of the process, changed before it runs statements, or in the only thread that does.
    unsafe {
        let next = Hooks {
            analyze: pg_sys::post_parse_analyze_hook,
            start: pg_sys::ExecutorStart_hook,
            utility: pg_sys::ProcessUtility_hook,
        };
        if CONCERNS.set(concerns).is_ok() && NEXT.set(next).is_ok() {
            pg_sys::post_parse_analyze_hook = Some(analyzed);
            pg_sys::ExecutorStart_hook = Some(start);
            pg_sys::ProcessUtility_hook = Some(process_utility);
        }
    }
}

/// After a statement was analyzed. Errors jump over this frame, as over the others below.
unsafe extern "C-unwind" fn analyzed(
    state: *mut pg_sys::ParseState,
    query: *mut pg_sys::Query,
    jumble: *mut pg_sys::JumbleState,
) {
    // SAFETY: the server's arguments. The text is put back, unless the state is given up after an error.
    unsafe {
        let text = (*state).p_sourcetext;
        look_around();
        (*state).p_sourcetext = shown(text, pg_sys::CurrentMemoryContext);
        if let Some(Hooks {
            analyze: Some(next),
            ..
        }) = NEXT.get()
        {
            next(state, query, jumble);
        }
        (*state).p_sourcetext = text;
    }
}

thread_local! {
    /// The next plan that runs is one of ours: its text is a literal of this library's.
    static OWN: Cell<bool> = const { Cell::new(false) };
}

/// Until it is dropped, the next plan that is started is taken for one of ours, whose text hides nothing.
pub struct OwnText(());

/// See [`OwnText`].
pub fn own_text() -> OwnText {
    OWN.set(true);
    OwnText(())
}

impl Drop for OwnText {
    fn drop(&mut self) {
        OWN.set(false);
    }
}

/// Before a plan runs. The text stays masked: extensions look at it when the plan has ended, and parallel workers get it.
unsafe extern "C-unwind" fn start(query: *mut pg_sys::QueryDesc, flags: c_int) {
    // SAFETY: the server's arguments; the masked text lives as long as what points to it.
    unsafe {
        // A function that our plan calls may run a plan of somebody else's.
        if !OWN.replace(false) {
            (*query).sourceText = shown(
                (*query).sourceText,
                pg_sys::GetMemoryChunkContext(query.cast()),
            );
        }
        match NEXT.get() {
            Some(Hooks {
                start: Some(next), ..
            }) => next(query, flags),
            _ => standard_ExecutorStart(query, flags),
        }
    }
}

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
    // SAFETY: the server's arguments, but for the text, which is used for positions in it and to be shown.
    unsafe {
        let next = match NEXT.get() {
            Some(Hooks {
                utility: Some(next),
                ..
            }) => *next,
            _ => standard_ProcessUtility,
        };
        let text = utility_text((*statement).utilityStmt, text);
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
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn look_around() {
    if let Some(concerns) = CONCERNS.get() {
        (concerns.catalog_is_readable)();
    }
}

/// The text, or a masked copy in `context`.
#[pg_guard]
unsafe extern "C-unwind" fn shown(
    text: *const c_char,
    context: pg_sys::MemoryContext,
) -> *const c_char {
    // SAFETY: a statement's text, or null; a context that outlives the text's use.
    unsafe {
        match log::bytes(text) {
            Some(bytes) if is_sensitive(text) => cleaned::with(bytes, |cleaned| {
                let masked = cleaned.masked.as_ref();
                masked.map_or(text, |masked| copy(masked, context))
            }),
            _ => text,
        }
    }
}

/// Whether a text is sensitive; the client's statement, of which it is a part, is so, too.
unsafe fn is_sensitive(text: *const c_char) -> bool {
    // SAFETY: a statement's text, or null.
    let (Some(concerns), Some(bytes)) = (CONCERNS.get(), unsafe { log::bytes(text) }) else {
        return false;
    };
    let is_clients = core::ptr::eq(text, current_pointer());
    let is_sensitive = if is_clients {
        is_current_sensitive()
    } else {
        (concerns.is_sensitive)(bytes)
    };
    if is_sensitive {
        mark_current();
    }
    is_sensitive
}

/// The same for a utility statement. One that ends the transaction keeps its text: it has no literals worth hiding.
#[pg_guard]
unsafe extern "C-unwind" fn utility_text(
    node: *mut pg_sys::Node,
    text: *const c_char,
) -> *const c_char {
    // SAFETY: a statement's node and text.
    unsafe {
        if is_a(node, pg_sys::NodeTag::T_TransactionStmt) {
            return text;
        }
        if let (Some(concerns), Some(bytes)) = (CONCERNS.get(), log::bytes(text)) {
            note_extension(concerns, node);
            if let Some(name) = defined(node)
                && (is_sensitive(text) || (concerns.may_define)(bytes))
            {
                (concerns.is_defined)(name);
            }
        }
        shown(text, pg_sys::CurrentMemoryContext)
    }
}

unsafe fn note_extension(concerns: &Concerns, node: *mut pg_sys::Node) {
    // SAFETY: the tag tells the type; names are C strings.
    unsafe {
        if is_a(node, pg_sys::NodeTag::T_CreateExtensionStmt) {
            let statement = node.cast::<pg_sys::CreateExtensionStmt>();
            let cascades = PgList::<pg_sys::DefElem>::from_pg((*statement).options)
                .iter_ptr()
                .any(|option| CStr::from_ptr((*option).defname) == c"cascade");
            (concerns.extension_created)(CStr::from_ptr((*statement).extname), cascades);
        }
    }
}

/// The name of the table, view, type or function that a statement makes or changes.
unsafe fn defined<'a>(node: *mut pg_sys::Node) -> Option<&'a [u8]> {
    use pg_sys::NodeTag::*;
    // SAFETY: the tag tells the type; names are C strings of the statement's tree.
    unsafe {
        let last = |names: *mut pg_sys::List| {
            let name = PgList::<pg_sys::String>::from_pg(names).tail()?;
            log::bytes((*name).sval)
        };
        let relation = |range: *mut pg_sys::RangeVar| log::bytes(range.as_ref()?.relname);
        match (*node).type_ {
            T_CreateStmt | T_CreateForeignTableStmt => {
                relation((*node.cast::<pg_sys::CreateStmt>()).relation)
            }
            T_AlterTableStmt => relation((*node.cast::<pg_sys::AlterTableStmt>()).relation),
            T_ViewStmt => relation((*node.cast::<pg_sys::ViewStmt>()).view),
            T_CreateTableAsStmt => relation(
                (*node.cast::<pg_sys::CreateTableAsStmt>())
                    .into
                    .as_ref()?
                    .rel,
            ),
            T_RenameStmt => log::bytes((*node.cast::<pg_sys::RenameStmt>()).newname),
            T_CompositeTypeStmt => relation((*node.cast::<pg_sys::CompositeTypeStmt>()).typevar),
            T_CreateDomainStmt => last((*node.cast::<pg_sys::CreateDomainStmt>()).domainname),
            T_CreateFunctionStmt => last((*node.cast::<pg_sys::CreateFunctionStmt>()).funcname),
            _ => None,
        }
    }
}

/// # Safety
/// `text` ends with a NUL; the context is one of this process.
unsafe fn copy(text: &[u8], context: pg_sys::MemoryContext) -> *const c_char {
    // SAFETY: the memory is as long as the text.
    unsafe {
        let memory = pg_sys::MemoryContextAlloc(context, text.len()).cast::<u8>();
        core::ptr::copy_nonoverlapping(text.as_ptr(), memory, text.len());
        memory.cast()
    }
}

fn current_pointer() -> *const c_char {
    // SAFETY: a variable of the process.
    unsafe { pg_sys::debug_query_string }
}

/// The text that the client has sent and that is being executed.
pub fn current() -> Option<&'static [u8]> {
    // SAFETY: it stays while the statement runs, and nobody here keeps it longer.
    unsafe { log::bytes(current_pointer()) }
}

/// A message of the client: where its text is, and when it came. Another message has another time, if its text should
/// come to lie in the same place.
type Message = (usize, i64);

#[derive(Clone, Copy, Default)]
struct Verdict {
    message: Message,
    is_sensitive: bool,
    is_reported: bool,
}

thread_local! {
    /// What is known of the client's present message, so that its text is read once.
    static CURRENT: Cell<Verdict> = Cell::default();
}

fn message() -> Message {
    // SAFETY: a variable of the process.
    (current_pointer() as usize, unsafe {
        pg_sys::GetCurrentStatementStartTimestamp()
    })
}

/// Whether the client's statement is sensitive.
pub fn is_current_sensitive() -> bool {
    let verdict = CURRENT.get();
    let message = message();
    if verdict.message == message {
        return verdict.is_sensitive;
    }
    let is_sensitive = match (CONCERNS.get(), current()) {
        (Some(concerns), Some(text)) => (concerns.is_sensitive)(text),
        _ => return false,
    };
    CURRENT.set(Verdict {
        message,
        is_sensitive,
        is_reported: false,
    });
    is_sensitive
}

/// From now on the client's statement counts as sensitive, and pg_stat_activity shows it cleaned.
pub fn mark_current() {
    let was_sensitive = is_current_sensitive();
    let is_done = was_sensitive && CURRENT.get().is_reported;
    let (Some(concerns), Some(text)) = (CONCERNS.get(), current().filter(|_| !is_done)) else {
        return;
    };
    if !was_sensitive {
        (concerns.has_turned_out)(text);
    }
    CURRENT.set(Verdict {
        message: message(),
        is_sensitive: true,
        is_reported: true,
    });
    cleaned::with(text, |cleaned| {
        if cleaned.masked.is_some() {
            report(&cleaned.redacted);
        }
    });
}

/// Shows a cleaned text, which ends with a NUL, in pg_stat_activity.
fn report(text: &[u8]) {
    // SAFETY: this process's own entry, which nobody else writes; null before there is one.
    unsafe {
        if let Some(entry) = pg_sys::MyBEEntry.as_ref() {
            version::show_activity(entry, text.as_ptr().cast());
        }
    }
}
