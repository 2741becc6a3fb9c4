//! Settings of the audit log and of what limits reading.

use core::ffi::{CStr, c_char, c_void};
use std::ffi::CString;
use std::time::Duration;

use pgrx::guc::{GucContext, GucFlags, GucRegistry, GucSetting, PostgresGucEnum};
use pgrx::{pg_guard, pg_sys};

use crate::pg::server;

/// The longest reason, in characters.
const MAX_REASON: usize = 200;

/// What is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, PostgresGucEnum)]
pub enum AuditLevel {
    #[name = c"off"]
    Off,
    /// What changes something, what was denied, and what left by export.
    #[name = c"writes"]
    Writes,
    /// Reads and refreshes as well.
    #[name = c"all"]
    All,
}

/// What a reader does whose entry finds no place in the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PostgresGucEnum)]
pub enum AuditOverflow {
    #[name = c"write"]
    Write,
    #[name = c"fail"]
    Fail,
}

static AUDIT: GucSetting<AuditLevel> = GucSetting::<AuditLevel>::new(AuditLevel::Writes);
static AUDIT_OVERFLOW: GucSetting<AuditOverflow> =
    GucSetting::<AuditOverflow>::new(AuditOverflow::Write);
static AUDIT_REASON: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(None);
static AUDIT_REASON_REQUIRED: GucSetting<bool> = GucSetting::<bool>::new(false);
static AUDIT_RETENTION: GucSetting<i32> = GucSetting::<i32>::new(0);
static AUDIT_BUFFER: GucSetting<i32> = GucSetting::<i32>::new(4096);
static REQUIRE_SECURE_TRANSPORT: GucSetting<bool> = GucSetting::<bool>::new(true);
static READ_LIMIT: GucSetting<i32> = GucSetting::<i32>::new(0);
static TENANT_READ_LIMIT: GucSetting<i32> = GucSetting::<i32>::new(0);
static UNUSUAL_READS: GucSetting<i32> = GucSetting::<i32>::new(1000);

pub(super) fn define() {
    let none = GucFlags::default();
    GucRegistry::define_enum_guc(
        c"token_vault.audit",
        c"What is written into the audit log.",
        c"writes: what changes something, what was denied or exported. all: reads and refreshes as well.",
        &AUDIT,
        GucContext::Suset,
        none,
    );
    GucRegistry::define_enum_guc(
        c"token_vault.audit_overflow",
        c"What becomes of a read whose audit entry finds no place in the buffer.",
        c"write: it writes the entry in its own transaction. fail: it fails.",
        &AUDIT_OVERFLOW,
        GucContext::Suset,
        none,
    );
    // SAFETY: the hook turns panics into errors.
    unsafe {
        GucRegistry::define_string_guc_with_hooks(
            c"token_vault.audit_reason",
            c"Why this session reads secrets, for the audit log.",
            c"At most 200 characters.",
            &AUDIT_REASON,
            GucContext::Userset,
            none,
            Some(check_reason),
            None,
            None,
        );
    }
    flag(
        c"token_vault.audit_reason_required",
        c"Whether secrets are handed out only to sessions that say why.",
        &AUDIT_REASON_REQUIRED,
        GucContext::Suset,
    );
    super::seconds(
        c"token_vault.audit_retention",
        c"How long entries of the audit log are kept.",
        c"0: for ever. Whole months are dropped.",
        &AUDIT_RETENTION,
    );
    GucRegistry::define_int_guc(
        c"token_vault.audit_buffer",
        c"Shared memory for audit entries that are not written yet.",
        c"",
        &AUDIT_BUFFER,
        64,
        1 << 20,
        // A library that is loaded later can't have such a setting; it has no buffer either.
        match server::is_preloading() {
            true => GucContext::Postmaster,
            false => GucContext::Sighup,
        },
        GucFlags::UNIT_KB,
    );
    flag(
        c"token_vault.require_secure_transport",
        c"Whether secrets are handed out over TLS, GSSAPI encryption, Unix sockets and the loopback only.",
        &REQUIRE_SECURE_TRANSPORT,
        GucContext::Sighup,
    );
    limit(
        c"token_vault.read_limit",
        c"Secrets that a role may read in a minute, in all its sessions together.",
        c"0: no limit. For ALTER ROLE ... SET; the role that has logged in counts.",
        &READ_LIMIT,
    );
    limit(
        c"token_vault.tenant_read_limit",
        c"Secrets of one tenant that may be read in a minute, by everybody together.",
        c"0: no limit.",
        &TENANT_READ_LIMIT,
    );
    limit(
        c"token_vault.unusual_reads",
        c"Reads of a role in a minute that may be unusual.",
        c"An event is sent when they are also ten times as many as in the last hour. 0: never.",
        &UNUSUAL_READS,
    );
}

fn flag(
    name: &'static CStr,
    short: &'static CStr,
    setting: &'static GucSetting<bool>,
    context: GucContext,
) {
    GucRegistry::define_bool_guc(name, short, c"", setting, context, GucFlags::default());
}

fn limit(
    name: &'static CStr,
    short: &'static CStr,
    long: &'static CStr,
    setting: &'static GucSetting<i32>,
) {
    let (context, flags) = (GucContext::Suset, GucFlags::default());
    GucRegistry::define_int_guc(name, short, long, setting, 0, i32::MAX, context, flags);
}

/// The check hook of the reason.
#[pg_guard]
unsafe extern "C-unwind" fn check_reason(
    value: *mut *mut c_char,
    _extra: *mut *mut c_void,
    _source: pg_sys::GucSource::Type,
) -> bool {
    // SAFETY: the server passes a pointer to the new value, which is NULL or NUL-terminated.
    let length = unsafe {
        match (*value).is_null() {
            true => 0,
            false => CStr::from_ptr(*value).to_string_lossy().chars().count(),
        }
    };
    if length > MAX_REASON {
        // SAFETY: the text is copied into the current memory context, which outlives the error's report.
        unsafe {
            pg_sys::GUC_check_errdetail_string =
                pg_sys::pstrdup(c"A reason has at most 200 characters.".as_ptr());
        }
    }
    length <= MAX_REASON
}

pub fn audit() -> AuditLevel {
    AUDIT.get()
}

pub fn audit_overflow() -> AuditOverflow {
    AUDIT_OVERFLOW.get()
}

pub fn audit_reason() -> Option<String> {
    super::string(&AUDIT_REASON)
}

pub fn audit_reason_required() -> bool {
    AUDIT_REASON_REQUIRED.get()
}

/// None: entries are kept for ever.
pub fn audit_retention() -> Option<Duration> {
    let retention = Duration::from_secs(AUDIT_RETENTION.get() as u64);
    (!retention.is_zero()).then_some(retention)
}

/// Bytes.
pub fn audit_buffer() -> usize {
    AUDIT_BUFFER.get() as usize * 1024
}

pub fn require_secure_transport() -> bool {
    REQUIRE_SECURE_TRANSPORT.get()
}

/// Reads a minute; None: no limit.
pub fn read_limit() -> Option<u32> {
    limited(&READ_LIMIT)
}

/// Reads a minute; None: no limit.
pub fn tenant_read_limit() -> Option<u32> {
    limited(&TENANT_READ_LIMIT)
}

/// 0: nothing is unusual.
pub fn unusual_reads() -> u32 {
    UNUSUAL_READS.get() as u32
}

fn limited(setting: &GucSetting<i32>) -> Option<u32> {
    u32::try_from(setting.get()).ok().filter(|reads| *reads > 0)
}
