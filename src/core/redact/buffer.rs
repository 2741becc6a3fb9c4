//! Text that grows without ever ending the process for want of memory.

/// There is no memory for a cleaned text; what it was made from must not be shown instead.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Exhausted;

/// A cleaned text. It need not be UTF-8: statements are bytes in the server's encoding.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Text(Vec<u8>);

impl Text {
    /// Appends `bytes`.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(), Exhausted> {
        self.0.try_reserve(bytes.len()).map_err(|_| Exhausted)?;
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    /// Appends a byte so many times.
    pub(super) fn fill(&mut self, byte: u8, times: usize) -> Result<(), Exhausted> {
        self.0.try_reserve(times).map_err(|_| Exhausted)?;
        self.0.resize(self.0.len() + times, byte);
        Ok(())
    }

    /// A copy of `bytes`.
    pub(super) fn copy(bytes: &[u8]) -> Result<Self, Exhausted> {
        let mut text = Self::default();
        text.push(bytes)?;
        Ok(text)
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes with a NUL after them, as C wants it.
    ///
    /// # Errors
    /// If there is no memory for it.
    pub fn into_c_string(mut self) -> Result<Vec<u8>, Exhausted> {
        self.push(b"\0")?;
        Ok(self.0)
    }
}

/// Where `part` begins in `text`.
pub(super) fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    let Some((first, rest)) = part.split_first() else {
        return Some(0);
    };
    let mut from = 0;
    while let Some(offset) = text[from..].iter().position(|byte| byte == first) {
        let at = from + offset;
        if text[at + 1..].starts_with(rest) {
            return Some(at);
        }
        from = at + 1;
    }
    None
}
