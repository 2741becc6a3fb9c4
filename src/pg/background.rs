//! Background workers: registering, starting, and living as one.

use std::time::Duration;

use pgrx::bgworkers::{
    BackgroundWorker, BackgroundWorkerBuilder, BackgroundWorkerStatus, BgWorkerStartTime,
    SignalWakeFlags,
};
use pgrx::{IntoDatum, pg_sys};

use super::version;

const LIBRARY: &str = "token_vault";
const RESTART_AFTER: Duration = Duration::from_secs(1);

/// Registers a worker that the postmaster starts, and starts again, as soon as the server may write.
/// Only while preloading.
pub fn register(name: &str, function: &str) {
    BackgroundWorkerBuilder::new(name)
        .set_type(name)
        .set_library(LIBRARY)
        .set_function(function)
        .enable_spi_access()
        .set_start_time(BgWorkerStartTime::RecoveryFinished)
        .set_restart_time(Some(RESTART_AFTER))
        .load();
}

/// A worker that was started from a running session.
pub struct Started(pgrx::bgworkers::DynamicBackgroundWorker);

/// Starts a worker for `database` that is not started again when it ends; `extra` tells it what for. None:
/// `max_worker_processes` is used up.
pub fn start(name: &str, function: &str, database: pg_sys::Oid, extra: &str) -> Option<Started> {
    BackgroundWorkerBuilder::new(name)
        .set_type(name)
        .set_library(LIBRARY)
        .set_function(function)
        .enable_spi_access()
        .set_start_time(BgWorkerStartTime::RecoveryFinished)
        .set_restart_time(None)
        .set_argument(database.into_datum())
        .set_extra(extra)
        .set_notify_pid(super::server::process_id())
        .load_dynamic()
        .ok()
        .map(Started)
}

impl Started {
    /// Whether the worker has ended (or could never start). Its start and end set this process's latch.
    pub fn has_ended(&self) -> bool {
        matches!(
            self.0.pid(),
            Err(BackgroundWorkerStatus::Stopped | BackgroundWorkerStatus::PostmasterDied)
        )
    }
}

/// The workers of this library that are connected to a database.
pub fn of_database(database: pg_sys::Oid) -> Vec<i32> {
    // SAFETY: the array of processes lies in shared memory for ever. It is read as it changes: a process that has just
    // come or gone may be missed or named, which callers allow for by looking again.
    let connected: Vec<i32> = unsafe {
        let processes = pg_sys::ProcGlobal;
        (0..(*processes).allProcCount as usize)
            .map(|place| (*processes).allProcs.add(place))
            .filter(|process| (**process).pid != 0 && (**process).databaseId == database)
            .map(|process| (*process).pid)
            .collect()
    };
    connected
        .into_iter()
        .filter(|pid| has_our_type(*pid))
        .collect()
}

/// Whether this process is a worker of this library.
pub fn is_ours() -> bool {
    // SAFETY: the worker's entry, or null; its type is a C string.
    unsafe {
        pg_sys::MyBgworkerEntry
            .as_ref()
            .and_then(|entry| super::log::bytes(entry.bgw_type.as_ptr()))
            .is_some_and(|kind| kind.starts_with(LIBRARY.as_bytes()))
    }
}

/// Whether a process is a worker of this library.
fn has_our_type(pid: i32) -> bool {
    // SAFETY: NULL, or a NUL-terminated text of the server's that lasts until the next call.
    unsafe {
        let kind = pg_sys::GetBackgroundWorkerTypeByPid(pid);
        !kind.is_null()
            && core::ffi::CStr::from_ptr(kind)
                .to_bytes()
                .starts_with(LIBRARY.as_bytes())
    }
}

/// Asks a worker to end, as pg_terminate_backend() does.
pub fn ask_to_end(pid: i32) {
    if let Some(pid) = rustix::process::Pid::from_raw(pid) {
        // It may have ended by itself.
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
    }
}

/// Ends this registered worker so that the postmaster starts it again: one that just returns is never seen again.
pub fn end_for_now() -> ! {
    version::end_process(1) // the code of an orderly end
}

/// What the session that started this worker told it.
pub fn extra() -> &'static str {
    BackgroundWorker::get_extra()
}

/// Connects this worker to a database by its OID, or (None) to the shared catalogs only, and takes over
/// its signals: SIGTERM asks it to finish, SIGHUP to read the configuration again.
pub fn connect(database: Option<pg_sys::Oid>) {
    BackgroundWorker::attach_signal_handlers(SignalWakeFlags::SIGHUP | SignalWakeFlags::SIGTERM);
    match database {
        // The role is the bootstrap superuser: tables of the vault are closed to everybody else.
        Some(oid) => BackgroundWorker::connect_worker_to_spi_by_oid(Some(oid), None),
        None => BackgroundWorker::connect_worker_to_spi(None, None),
    }
    // Until its handlers were attached, the process ignored SIGHUP: a reload since its fork would be missed.
    read_configuration();
}

/// Whether the server has asked this worker to end. Stays true.
pub fn must_stop() -> bool {
    // SAFETY: a flag of this process, set by the signal handler and never cleared.
    unsafe { (&raw const pg_sys::ShutdownRequestPending).read_volatile() != 0 }
}

unsafe extern "C-unwind" {
    // postgres.c; pgrx binds it as a function of Rust, which can't be a signal's handler.
    fn die(signal: core::ffi::c_int);
}

/// While this is alive, the server's request to end ends this worker at once, also in the middle of a statement.
pub struct MayDie(());

/// For statements that run code of a user's, which may take for ever. None: this process is no worker of ours; a
/// session ends at once anyway.
pub fn may_die() -> Option<MayDie> {
    // SAFETY: `die` is what sessions handle this signal with; it acts where interrupts are checked.
    unsafe {
        if !is_ours() {
            return None;
        }
        version::handle_signal(pg_sys::SIGTERM, Some(die));
        if must_stop() {
            die(pg_sys::SIGTERM as core::ffi::c_int); // the request came before
        }
        Some(MayDie(()))
    }
}

impl Drop for MayDie {
    fn drop(&mut self) {
        // The worker's own handler again.
        BackgroundWorker::attach_signal_handlers(SignalWakeFlags::SIGTERM);
    }
}

/// Reads the configuration files again if the server was told to; whether it was.
pub fn reload_configuration() -> bool {
    let told = BackgroundWorker::sighup_received();
    if told {
        read_configuration();
    }
    told
}

fn read_configuration() {
    // SAFETY: no transaction is open; the flag belongs to this process.
    unsafe {
        (&raw mut pg_sys::ConfigReloadPending).write_volatile(0);
        pg_sys::ProcessConfigFile(pg_sys::GucContext::PGC_SIGHUP);
    }
}

/// From now on this worker waits behind a lock only briefly: it has other things to do, and comes back.
pub fn limit_lock_waits() {
    set(c"lock_timeout", c"250ms");
}

/// Plans statements once and for all. Arrays of any length come as parameters: a plan that was made for one of them is
/// not better than the general one.
pub fn prefer_general_plans() {
    set(c"plan_cache_mode", c"force_generic_plan");
}

/// How much a worker steps back from the processor: see nice(2).
const STEP_BACK: i32 = 10;

/// Lets sessions that want the processor go first. What this worker does is never urgent.
pub fn step_back() {
    // Where that is not allowed, it works on as it is.
    let _ = rustix::process::nice(STEP_BACK);
}

/// Settings of a worker's session: what it writes is durable, and it never waits for ever behind a lock.
pub fn prepare_session() {
    set(c"lock_timeout", c"30s");
    set(c"statement_timeout", c"0");
    set(c"default_transaction_isolation", c"read committed");
    set(c"default_transaction_read_only", c"off");
    // Compiling costs more than any of these statements.
    set(c"jit", c"off");
    // SAFETY: reads a variable of this process.
    let commit = unsafe { pg_sys::synchronous_commit } as u32;
    // A rotated refresh token that a crash takes back is lost: "off" is not for this process.
    if commit == pg_sys::SyncCommitLevel::SYNCHRONOUS_COMMIT_OFF {
        set(c"synchronous_commit", c"local");
    }
}

fn set(name: &core::ffi::CStr, value: &core::ffi::CStr) {
    // SAFETY: both texts are NUL-terminated and copied.
    unsafe {
        pg_sys::SetConfigOption(
            name.as_ptr(),
            value.as_ptr(),
            pg_sys::GucContext::PGC_USERSET,
            pg_sys::GucSource::PGC_S_SESSION,
        );
    }
}
