//! Text that may be an envelope.

use super::{URL_SAFE, Verdict, envelope, unpadded_base64};
use token_vault_core::envelope::{OpenError, PREFIX, from_text, is_envelope_text, to_text};

/// Everything that holds for any bytes: read as a text, read as what follows the prefix, and written as a text.
/// The verdict is on the first reading.
pub fn check(bytes: &[u8]) -> Verdict {
    check_written(bytes);
    // A text in PostgreSQL is valid in its encoding; what is not UTF-8 becomes characters that no envelope has.
    let text = String::from_utf8_lossy(bytes);
    check_text(&format!("{PREFIX}{text}"));
    check_text(&text)
}

/// The parser reads exactly the texts that the writer makes.
fn check_text(text: &str) -> Verdict {
    let expected = text
        .strip_prefix(PREFIX)
        .and_then(|digits| unpadded_base64(digits.as_bytes(), URL_SAFE))
        .filter(|envelope| envelope::is_envelope(envelope));
    let read = from_text(text);
    assert_eq!(read, expected.ok_or(OpenError));
    assert_eq!(is_envelope_text(text), text.get(..4) == Some("tv1."));
    match read {
        Ok(envelope) => {
            assert_eq!(to_text(&envelope), text);
            Verdict::Accepted
        }
        Err(OpenError) => Verdict::Refused,
    }
}

/// What is written is read back if it is an envelope, and is not read otherwise.
fn check_written(bytes: &[u8]) {
    let text = to_text(bytes);
    let digits = text.strip_prefix(PREFIX).expect("the prefix");
    let read_back = unpadded_base64(digits.as_bytes(), URL_SAFE);
    assert_eq!(read_back.as_deref(), Some(bytes));
    let read = from_text(&text);
    if envelope::is_envelope(bytes) {
        assert_eq!(read.as_deref(), Ok(bytes));
    } else {
        assert_eq!(read, Err(OpenError));
    }
}
