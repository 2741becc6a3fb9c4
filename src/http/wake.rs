//! A socket pair with which threads wake an event loop that sleeps on file descriptors.
//!
//! The loop puts [`Sleeper`]'s descriptor into its wait set and calls [`Sleeper::clear`] when it is readable.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

/// The end that becomes readable.
#[derive(Debug)]
pub struct Sleeper(UnixStream);

/// The end that wakes; usable from any thread through a shared reference.
#[derive(Debug)]
pub struct Waker(UnixStream);

/// Makes a connected pair; neither end ever blocks, and neither survives an `exec`.
///
/// # Errors
///
/// When the process has no file descriptor left.
pub fn pair() -> io::Result<(Sleeper, Waker)> {
    let (reader, writer) = UnixStream::pair()?;
    reader.set_nonblocking(true)?;
    writer.set_nonblocking(true)?;
    Ok((Sleeper(reader), Waker(writer)))
}

impl Sleeper {
    /// Takes all wake-ups that have come in; call it *before* looking at what they announce.
    pub fn clear(&self) {
        let mut sink = [0_u8; 256];
        while matches!((&self.0).read(&mut sink), Ok(n) if n > 0) {}
    }
}

impl AsFd for Sleeper {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Waker {
    /// Makes the other end readable.
    pub fn wake(&self) {
        // A full buffer means that the sleeper is readable already; a closed one, that nobody listens any more.
        let _ = (&self.0).write(&[1]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn readable(sleeper: &Sleeper) -> bool {
        let mut byte = [0_u8; 1];
        matches!((&sleeper.0).read(&mut byte), Ok(1))
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
