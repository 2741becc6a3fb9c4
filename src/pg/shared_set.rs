//! A set of numbers that all processes share, to which any may add and from which nothing is taken. Reading it needs no
//! lock, so it can be read where none may be taken: while an error is reported.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous};

/// Places: a power of two.
const PLACES: usize = 8192;
/// How far from its place a number is looked for. Where that much is taken, the set is full.
const REACH: usize = 64;

/// What a number is replaced by that stands for an empty place.
const INSTEAD_OF_ZERO: u64 = 1;

type Places = [AtomicU64; PLACES];

/// This process's own set, where the library is not preloaded.
static OWN: Places = [const { AtomicU64::new(0) }; PLACES];
/// Memory that the postmaster has made before it started any process: all inherit it. It outlives a restart after a
/// crash, which does no harm.
static SHARED: OnceLock<&'static Places> = OnceLock::new();

/// Called once, when the library is preloaded.
pub fn prepare() {
    // SAFETY: fresh zeroed pages at an address of the kernel's choice, never unmapped; every bit pattern is a number.
    let pages = unsafe {
        mmap_anonymous(
            core::ptr::null_mut(),
            size_of::<Places>(),
            ProtFlags::READ | ProtFlags::WRITE,
            MapFlags::SHARED,
        )
    };
    // Without memory for it, each process has its own.
    if let Ok(pages) = pages {
        // SAFETY: as above; page-aligned and of this size.
        let _ = SHARED.set(unsafe { &*pages.cast::<Places>() });
    }
}

fn places() -> &'static Places {
    SHARED.get().copied().unwrap_or(&OWN)
}

/// The places in which a number can be.
fn reachable(number: u64) -> impl Iterator<Item = &'static AtomicU64> {
    let places = places();
    (0..REACH).map(move |step| &places[(number as usize).wrapping_add(step) % PLACES])
}

/// Adds a number; false: there is no place for it.
pub fn insert(number: u64) -> bool {
    let number = number.max(INSTEAD_OF_ZERO);
    reachable(number).any(|place| {
        let before = place.compare_exchange(0, number, Ordering::Relaxed, Ordering::Relaxed);
        before.is_ok() || before == Err(number)
    })
}

/// Whether a number was added.
pub fn contains(number: u64) -> bool {
    let number = number.max(INSTEAD_OF_ZERO);
    for place in reachable(number) {
        match place.load(Ordering::Relaxed) {
            0 => return false,
            found if found == number => return true,
            _ => (),
        }
    }
    false
}
