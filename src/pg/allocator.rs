//! Memory of Rust code that is wiped when it is freed.
//!
//! Our own types for secrets wipe themselves. What libraries copy on the way (a header, a record being decrypted, a JSON
//! text, the buffers of a connection) does not; so whatever is freed is overwritten first, and what a process has done
//! with is in no core dump, swap file or later allocation of it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::ffi::c_void;

/// The system's allocator, which wipes what is freed. A block that grows or shrinks is copied to a new one, so that no
/// remainder stays behind; that is [`GlobalAlloc`]'s own way to reallocate.
pub struct Wiping;

unsafe extern "C" {
    /// string.h of glibc, musl and the BSDs: a memset that compilers must not leave out.
    fn explicit_bzero(block: *mut c_void, bytes: usize);
}

// SAFETY: the system's allocator keeps the contract; wiping a block before it is freed changes nothing that anybody may
// still read.
unsafe impl GlobalAlloc for Wiping {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller gives back a block of this size, and nobody uses it any more.
        unsafe {
            explicit_bzero(block.cast(), layout.size());
            System.dealloc(block, layout);
        }
    }
}
