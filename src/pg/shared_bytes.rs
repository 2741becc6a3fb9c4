//! Shared memory whose size a setting says: a fixed head and plain bytes behind it, under one lock. It exists only when the
//! library is preloaded.

use core::ffi::CStr;
use core::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use pgrx::{PgSharedMemoryInitialization, pg_sys};

use super::shmem::{Plain, is_preloaded};

/// Bytes in shared memory with a head. Hold the lock briefly: no SQL, no logging, nothing that may fail.
pub struct SharedBytes<H: Copy + 'static> {
    name: &'static CStr,
    /// How many bytes; asked once, by the postmaster.
    length: fn() -> usize,
    place: AtomicPtr<Placed<H>>,
}

/// What lies in shared memory; the bytes follow it.
#[repr(C)]
struct Placed<H> {
    lock: *mut pg_sys::LWLock,
    length: usize,
    head: H,
}

/// Holds the lock. (An error of the server's would give it back, too.)
struct Guard(*mut pg_sys::LWLock);

impl Guard {
    fn lock(lock: *mut pg_sys::LWLock) -> Guard {
        // SAFETY: a lock in shared memory, which lasts as long as the process.
        unsafe { pg_sys::LWLockAcquire(lock, pg_sys::LWLockMode::LW_EXCLUSIVE) };
        Guard(lock)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // SAFETY: `lock` has taken it, and nothing in between can have given it back.
        unsafe { pg_sys::LWLockRelease(self.0) };
    }
}

impl<H: Copy + 'static> SharedBytes<H> {
    /// `name` must be unique in the server.
    pub const fn new(name: &'static CStr, length: fn() -> usize) -> Self {
        SharedBytes {
            name,
            length,
            place: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// Reads or changes head and bytes under the lock; None where the library was not preloaded.
    pub fn with<R>(&self, work: impl FnOnce(&mut H, &mut [u8]) -> R) -> Option<R> {
        let place = self.place.load(Ordering::Relaxed);
        if place.is_null() || !is_preloaded() {
            return None;
        }
        // SAFETY: `on_shmem_startup` has filled head and length in; the bytes lie behind them; the lock makes the
        // references the only ones.
        unsafe {
            let _guard = Guard::lock((*place).lock);
            let bytes = core::slice::from_raw_parts_mut(place.add(1).cast::<u8>(), (*place).length);
            Some(work(&mut (*place).head, bytes))
        }
    }
}

impl<H: Copy + 'static> PgSharedMemoryInitialization for SharedBytes<H> {
    type Value = Plain<H>;

    unsafe fn on_shmem_request(&'static self) {
        // SAFETY: called in the hook that this belongs in.
        unsafe {
            pg_sys::RequestAddinShmemSpace(size_of::<Placed<H>>() + (self.length)());
            pg_sys::RequestNamedLWLockTranche(self.name.as_ptr(), 1);
        }
    }

    unsafe fn on_shmem_startup(&'static self, head: Plain<H>) {
        let length = (self.length)();
        let mut found = false;
        // SAFETY: called by the postmaster before it forks, so nobody else looks for this name at the same time. The
        // server aligns what it hands out for any type, and its bytes are zero.
        unsafe {
            let size = size_of::<Placed<H>>() + length;
            let place = pg_sys::ShmemInitStruct(self.name.as_ptr(), size, &mut found);
            let place = place.cast::<Placed<H>>();
            if !found {
                let lock = &raw mut (*pg_sys::GetNamedLWLockTranche(self.name.as_ptr())).lock;
                place.write(Placed {
                    lock,
                    length,
                    head: *head,
                });
            }
            self.place.store(place, Ordering::Relaxed);
        }
    }
}
