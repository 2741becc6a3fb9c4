//! One error for everything a test cannot do anything about but report.

/// A message that says what was tried and what came of it.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// What every fallible function of this package returns.
pub type Result<T> = std::result::Result<T, Error>;
