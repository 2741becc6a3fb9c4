//! Being the last library that hooks into the server, and so the first one that is called.

use std::sync::OnceLock;

use pgrx::pg_sys;

/// What is to be done; more than once, if the server starts anew after a crash.
static WORK: OnceLock<fn()> = OnceLock::new();
/// The hook of a library that was loaded before this one.
static NEXT: OnceLock<pg_sys::shmem_startup_hook_type> = OnceLock::new();

/// Does `work` when all libraries of shared_preload_libraries are loaded, whatever their order; at once if this one is not
/// among them. Called once.
pub fn when_all_are_loaded(work: fn()) {
    if !super::server::is_preloading() {
        return work();
    }
    // SAFETY: the postmaster alone runs here, before it starts any process.
    unsafe {
        if WORK.set(work).is_ok() && NEXT.set(pg_sys::shmem_startup_hook).is_ok() {
            pg_sys::shmem_startup_hook = Some(startup);
        }
    }
}

unsafe extern "C-unwind" fn startup() {
    if let Some(Some(next)) = NEXT.get() {
        // SAFETY: as the server calls it.
        unsafe { next() };
    }
    if let Some(work) = WORK.get() {
        work();
    }
}
