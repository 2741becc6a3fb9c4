//! One error for everything a test cannot do anything about but report.

/// A message that says what was tried and what came of it.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// What every fallible function of this package returns.
pub type Result<T> = std::result::Result<T, Error>;

/// The error and what caused it, for a person: the message of a database error alone is "db error".
pub fn explain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cause_is_explained() {
        let error: Error = std::io::Error::other(std::fmt::Error).into();
        assert!(explain(&error).contains("error occurred when formatting"));
        let error: Error = "plain".into();
        assert_eq!(explain(&error), "plain");
    }
}
