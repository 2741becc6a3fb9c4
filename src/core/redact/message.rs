//! The message of a log entry that belongs to a statement with secrets.

use super::template::{self, Part};
use super::{Exhausted, HIDDEN, Text, buffer};

/// The longest value that is looked for in the statement.
const LONGEST_NAME: usize = 128;
/// How much of the statement is looked through for it.
const LOOKED_THROUGH: usize = 64 * 1024;

/// Words that the server puts into its messages and that tell nothing.
const HARMLESS: [&[u8]; 16] = [
    b"bigint",
    b"boolean",
    b"bytea",
    b"end of input",
    b"integer",
    b"interval",
    b"json",
    b"jsonb",
    b"numeric",
    b"smallint",
    b"text",
    b"timestamp with time zone",
    b"timestamp without time zone",
    b"uuid",
    b"vault.secret",
    b"xml",
];

/// The message with every value left out that is no name of what the error is about, and does not stand in the cleaned
/// statement either. What is shown is therefore either
/// the program's own words or shown anyway.
pub fn clean(
    format: &[u8],
    message: &[u8],
    statement: &[u8],
    is_name: impl Fn(&[u8]) -> bool,
) -> Result<Text, Exhausted> {
    let Some(parts) = template::split(format, message) else {
        return Text::copy(format);
    };
    let mut text = Text::default();
    for part in parts {
        match part {
            Part::Fixed(words) | Part::Number(words) => text.push(words)?,
            Part::Value(value) if is_name(value) || is_known(value, statement) => {
                text.push(value)?;
            }
            Part::Value(_) => text.push(HIDDEN)?,
        }
    }
    Ok(text)
}

/// Whether a value is no news to who reads the cleaned statement.
fn is_known(value: &[u8], statement: &[u8]) -> bool {
    let statement = &statement[..statement.len().min(LOOKED_THROUGH)];
    value.is_empty()
        || HARMLESS.contains(&value)
        || value.len() <= LONGEST_NAME && buffer::find(statement, value).is_some()
}
