//! Randomness: the operating system's generator and nothing else, so that no state is shared after a
//! fork or repeated after a restore.

/// Fills an array with random bytes.
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system provides random bytes");
    bytes
}

/// A random number, for jitter.
pub fn number() -> u64 {
    u64::from_ne_bytes(bytes())
}
