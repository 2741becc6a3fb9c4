//! Texts without what they hide, the last of which is remembered.

#[pgrx::pg_schema]
mod tests {
    use pgrx::prelude::*;

    use crate::pg::cleaned;

    #[pg_test]
    fn a_text_is_cleaned_as_it_is_not_as_the_one_before_was() {
        let masked = |text: &str| cleaned::with(text.as_bytes(), |cleaned| cleaned.masked.clone());
        let redacted =
            |text: &str| cleaned::with(text.as_bytes(), |cleaned| cleaned.redacted.clone());
        for _ in 0..2 {
            assert_eq!(masked("SELECT f('one')").unwrap(), b"SELECT f('***')\0");
            assert_eq!(masked("SELECT f('four')").unwrap(), b"SELECT f('****')\0");
            assert_eq!(masked("SELECT g('one')").unwrap(), b"SELECT g('***')\0");
            assert_eq!(redacted("SELECT g('four')"), b"SELECT g('***')\0");
            assert_eq!(masked("SELECT f($1)"), None);
        }
    }

    #[pg_test]
    fn a_long_text_is_cleaned_and_not_kept() {
        let text = format!("SELECT f('{}')", "x".repeat(100_000));
        let masked = cleaned::with(text.as_bytes(), |cleaned| cleaned.masked.clone()).unwrap();
        assert_eq!(masked.len(), text.len() + 1);
        assert!(!masked.contains(&b'x'));
    }
}
