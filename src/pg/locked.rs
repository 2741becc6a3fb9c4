//! Memory for keys: pages of their own, locked against swapping, left out of core dumps, wiped when given back.

use std::mem::size_of;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mlock, mmap_anonymous, munmap};

use super::registers;

/// A value in such memory. What is moved in leaves a copy where it came from: see [`with_clean_stack`].
pub struct Locked<T> {
    value: NonNull<T>,
    is_locked: bool,
}

// SAFETY: the value is owned as by a box.
unsafe impl<T: Send> Send for Locked<T> {}
// SAFETY: shared access to it is shared access to the value.
unsafe impl<T: Sync> Sync for Locked<T> {}

impl<T> Locked<T> {
    /// Moves `value` into pages of its own. `Err`: the system has no memory left, or can't keep it out of dumps.
    pub fn new(value: T) -> std::io::Result<Self> {
        const { assert!(size_of::<T>() > 0 && align_of::<T>() <= 4096) };
        // SAFETY: a new private mapping, as long as the value and aligned to pages, that belongs to nobody else. It
        // is unmapped in `drop`, and here when it can't be kept out of core dumps.
        unsafe {
            let pages = mmap_anonymous(
                core::ptr::null_mut(),
                size_of::<T>(),
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::PRIVATE,
            )?;
            if let Err(problem) = madvise(pages, size_of::<T>(), Advice::LinuxDontDump) {
                munmap(pages, size_of::<T>())?;
                return Err(problem.into());
            }
            // A small RLIMIT_MEMLOCK is no reason to refuse work: `status()` tells the administrator.
            let is_locked = mlock(pages, size_of::<T>()).is_ok();
            let value_at = pages.cast::<T>();
            value_at.write(value);
            Ok(Locked {
                value: NonNull::new_unchecked(value_at),
                is_locked,
            })
        }
    }

    /// Whether the pages are held in memory, so that they never reach swap.
    pub fn is_locked(&self) -> bool {
        self.is_locked
    }
}

impl<T> Deref for Locked<T> {
    type Target = T;
    fn deref(&self) -> &T {
        // SAFETY: initialized in `new`, valid until `drop`.
        unsafe { self.value.as_ref() }
    }
}

impl<T> DerefMut for Locked<T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above, and borrowed exclusively.
        unsafe { self.value.as_mut() }
    }
}

impl<T> Drop for Locked<T> {
    fn drop(&mut self) {
        // SAFETY: the value is dropped once, its bytes are overwritten, and nobody can reach the pages after that.
        unsafe {
            self.value.drop_in_place();
            let bytes = self.value.as_ptr().cast::<u8>();
            for place in 0..size_of::<T>() {
                bytes.add(place).write_volatile(0);
            }
            // Failing to unmap leaves zeros behind.
            let _ = munmap(self.value.as_ptr().cast(), size_of::<T>());
        }
    }
}

/// Stack that functions which prepare keys may use: several times what any of them was seen to need.
const STACK_BYTES: usize = 64 * 1024;

/// Runs work that has keys on its stack (moved values, key schedules, hash states), and overwrites what it has left
/// there and in registers, also when it fails.
///
/// A value is returned as it lies on that stack, so what it returns has no gaps that nobody has filled. An error, which
/// has them wherever one kind is shorter than another, is copied part by part.
pub fn with_clean_stack<T, E: Clone>(work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    let outcome = {
        let _wipe = WipeStack;
        run(work)
    };
    outcome.map_err(|error| E::clone(&error))
}

/// A frame of its own: all that `work` leaves lies below the caller's then.
#[inline(never)]
fn run<T, E>(work: impl FnOnce() -> Result<T, E>) -> Result<T, Box<E>> {
    work().map_err(Box::new)
}

struct WipeStack;

impl Drop for WipeStack {
    fn drop(&mut self) {
        wipe_stack();
        registers::wipe();
    }
}

#[inline(never)]
fn wipe_stack() {
    let mut scratch = [0u64; STACK_BYTES / size_of::<u64>()];
    zeroize::Zeroize::zeroize(&mut scratch[..]);
    std::hint::black_box(&scratch);
}
