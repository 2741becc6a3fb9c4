//! The C library's allocator in a process with threads.

/// Makes the process return what it frees, as far as it does not need it again in the next round. By itself, glibc gives
/// each thread an arena, and takes a large block that has been freed once as a sign to keep blocks of that size: after a
/// few answers of a megabyte, each thread's arena stays that large for ever.
///
/// Call it before the first thread starts. Other C libraries have other ways, and nothing is done there.
pub fn return_what_is_freed() {
    #[cfg(target_env = "gnu")]
    glibc::limit();
}

#[cfg(target_env = "gnu")]
mod glibc {
    use std::ffi::c_int;

    // malloc.h; the numbers are part of the ABI.
    const M_TRIM_THRESHOLD: c_int = -1;
    const M_MMAP_THRESHOLD: c_int = -3;
    const M_ARENA_MAX: c_int = -8;

    /// What is larger is returned with each free: an answer of the largest size.
    const LARGE_BLOCK: c_int = 512 * 1024;
    /// So much that is free at the end of an arena is kept: what a batch of refreshes takes. With glibc's own 128 kB, every
    /// batch paid for its pages again, a twentieth of its time.
    const KEPT: c_int = 2 * 1024 * 1024;
    /// One for PostgreSQL's thread, one for that of the network.
    const ARENAS: c_int = 2;

    unsafe extern "C" {
        fn mallopt(parameter: c_int, value: c_int) -> c_int;
    }

    pub fn limit() {
        for (parameter, value) in [
            (M_MMAP_THRESHOLD, LARGE_BLOCK),
            (M_TRIM_THRESHOLD, KEPT),
            (M_ARENA_MAX, ARENAS),
        ] {
            // SAFETY: mallopt(3) takes two numbers, and refuses those that it does not know.
            unsafe { mallopt(parameter, value) };
        }
    }
}
