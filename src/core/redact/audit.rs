//! A line of the extension pgaudit: `AUDIT: ` and fields as in a CSV file.

use super::literals::redact;
use super::{Exhausted, HIDDEN, Text};

/// What such a message's format string begins with.
pub(super) const FORMAT: &[u8] = b"AUDIT: %s,";

const PREFIX: &[u8] = b"AUDIT: ";
/// The place of the statement among the fields; before it are numbers, commands and names, after it values.
const STATEMENT: usize = 7;

/// The line with a cleaned statement and without the values of parameters.
pub(super) fn clean(message: &[u8]) -> Result<Text, Exhausted> {
    let mut text = Text::default();
    let Some(mut rest) = message.strip_prefix(PREFIX) else {
        return Text::copy(HIDDEN);
    };
    text.push(PREFIX)?;
    for place in 0.. {
        let (field, more) = split(rest);
        push(&mut text, place, field)?;
        match more {
            Some(more) => rest = more,
            None => break,
        }
        text.push(b",")?;
    }
    Ok(text)
}

fn push(text: &mut Text, place: usize, field: &[u8]) -> Result<(), Exhausted> {
    // `<none>`, `<not logged>`
    let is_remark = field.starts_with(b"<") && field.ends_with(b">") && field.len() < 32;
    match place {
        _ if is_remark => text.push(field),
        0..STATEMENT => text.push(field),
        STATEMENT => push_statement(text, field),
        _ => text.push(HIDDEN),
    }
}

/// Written as a CSV field again, quotes doubled.
fn push_statement(text: &mut Text, field: &[u8]) -> Result<(), Exhausted> {
    let Some(quoted) = field
        .strip_prefix(b"\"")
        .and_then(|field| field.strip_suffix(b"\""))
    else {
        return text.push(redact(field)?.bytes());
    };
    let mut statement = Text::default();
    for (place, piece) in pieces(quoted).enumerate() {
        if place > 0 {
            statement.push(b"\"")?;
        }
        statement.push(piece)?;
    }
    text.push(b"\"")?;
    for (place, piece) in redact(statement.bytes())?
        .bytes()
        .split(|byte| *byte == b'"')
        .enumerate()
    {
        if place > 0 {
            text.push(b"\"\"")?;
        }
        text.push(piece)?;
    }
    text.push(b"\"")
}

/// What stands between doubled quotes.
fn pieces(mut quoted: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut is_done = false;
    std::iter::from_fn(move || {
        if is_done {
            return None;
        }
        match super::buffer::find(quoted, b"\"\"") {
            Some(at) => {
                let piece = &quoted[..at];
                quoted = &quoted[at + 2..];
                Some(piece)
            }
            None => {
                is_done = true;
                Some(quoted)
            }
        }
    })
}

/// The first field, and what comes after the comma behind it.
fn split(text: &[u8]) -> (&[u8], Option<&[u8]>) {
    let mut is_quoted = false;
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b'"' => is_quoted = !is_quoted,
            b',' if !is_quoted => return (&text[..at], Some(&text[at + 1..])),
            _ => (),
        }
    }
    (text, None)
}
