//! A socket pair with which threads wake an event loop that sleeps on file descriptors.
//!
//! The loop puts [`Sleeper`]'s descriptor into its wait set and calls [`Sleeper::clear`] when it is readable.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The end that becomes readable.
#[derive(Debug)]
pub struct Sleeper {
    stream: UnixStream,
    is_woken: Arc<AtomicBool>,
}

/// The end that wakes; usable from any thread through a shared reference.
#[derive(Debug)]
pub struct Waker {
    stream: UnixStream,
    /// Spares a system call for each answer while the sleeper is busy with earlier ones.
    is_woken: Arc<AtomicBool>,
}

/// Makes a connected pair; neither end ever blocks, and neither survives an `exec`.
///
/// # Errors
///
/// When the process has no file descriptor left.
pub fn pair() -> io::Result<(Sleeper, Waker)> {
    let (reader, writer) = UnixStream::pair()?;
    reader.set_nonblocking(true)?;
    writer.set_nonblocking(true)?;
    let is_woken = Arc::new(AtomicBool::new(false));
    let sleeper = Sleeper {
        stream: reader,
        is_woken: is_woken.clone(),
    };
    let waker = Waker {
        stream: writer,
        is_woken,
    };
    Ok((sleeper, waker))
}

impl Sleeper {
    /// Takes all wake-ups that have come in; call it *before* looking at what they announce.
    pub fn clear(&self) {
        let mut sink = [0_u8; 256];
        while matches!((&self.stream).read(&mut sink), Ok(n) if n > 0) {}
        // Last: who announces something from now on wakes again, and what was announced before is looked at next.
        self.is_woken.store(false, Ordering::SeqCst);
    }
}

impl AsFd for Sleeper {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

impl Waker {
    /// Makes the other end readable.
    pub fn wake(&self) {
        if self.is_woken.swap(true, Ordering::SeqCst) {
            return;
        }
        // A full buffer means that the sleeper is readable already; a closed one, that nobody listens any more.
        let _ = (&self.stream).write(&[1]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn readable(sleeper: &Sleeper) -> bool {
        let mut byte = [0_u8; 1];
        matches!((&sleeper.stream).read(&mut byte), Ok(1))
    }

    #[test]
    fn wakes_until_cleared_and_never_blocks() {
        let (sleeper, waker) = pair().expect("socket pair");
        assert!(!readable(&sleeper));
        for _ in 0..100_000 {
            waker.wake();
        }
        assert!(readable(&sleeper));
        sleeper.clear();
        assert!(!readable(&sleeper));
        waker.wake();
        assert!(readable(&sleeper));
    }

    #[test]
    fn waking_nobody_is_harmless() {
        let (sleeper, waker) = pair().expect("socket pair");
        drop(sleeper);
        waker.wake();
    }
}
