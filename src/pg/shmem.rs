//! State shared by all processes of the server. It exists only when the library is preloaded.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, Ordering};

use pgrx::{PGRXSharedMemory, PgLwLock, PgSharedMemoryInitialization};

/// Set by the postmaster before it forks, so every process of the server inherits it.
static PRELOADED: AtomicBool = AtomicBool::new(false);

/// Whether the library was preloaded, that is, whether shared state and the standing workers exist.
pub fn is_preloaded() -> bool {
    PRELOADED.load(Ordering::Relaxed)
}

/// Called by `_PG_init` when it has asked for the shared state.
pub fn set_preloaded() {
    PRELOADED.store(true, Ordering::Relaxed);
}

/// A value in shared memory under a lock of its own. Hold the lock briefly: no SQL, no logging, nothing
/// that may fail. `T` is plain data (`Copy`): it has no pointers into one process and no destructor.
pub struct SharedState<T: Copy + 'static>(PgLwLock<Plain<T>>);

/// Plain data in shared memory.
pub struct Plain<T>(T);

// SAFETY: `Copy` types own nothing outside themselves; `SharedState` is made of them alone.
unsafe impl<T: Copy> PGRXSharedMemory for Plain<T> {}

impl<T> Deref for Plain<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Plain<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T: Copy + 'static> SharedState<T> {
    /// `name` must be unique in the server.
    pub const fn new(name: &'static core::ffi::CStr) -> Self {
        // SAFETY: names carry the extension's name, and each is used once.
        SharedState(unsafe { PgLwLock::new(name) })
    }

    /// Reads or changes the value under its lock; None where the library was not preloaded.
    pub fn with<R>(&self, work: impl FnOnce(&mut T) -> R) -> Option<R> {
        is_preloaded().then(|| work(&mut self.0.exclusive()))
    }
}

impl<T: Copy + 'static> PgSharedMemoryInitialization for SharedState<T> {
    type Value = Plain<T>;

    unsafe fn on_shmem_request(&'static self) {
        // SAFETY: the caller's promise is passed on.
        unsafe { self.0.on_shmem_request() }
    }

    unsafe fn on_shmem_startup(&'static self, value: Plain<T>) {
        // SAFETY: the caller's promise is passed on.
        unsafe { self.0.on_shmem_startup(value) }
    }
}

impl<T> From<T> for Plain<T> {
    fn from(value: T) -> Self {
        Plain(value)
    }
}
