//! The context of a message: where it came from, one line for each function and statement, and values that did harm.

use super::literals::{hidden, quoted_length, redact};
use super::{Exhausted, HIDDEN, Text, buffer};

/// Lines that hold names and numbers only.
const HARMLESS: [&[u8]; 2] = [b"PL/pgSQL function ", b"SQL function "];

/// Lines of which the rest is a piece of SQL between double quotes, which may have several lines.
const QUOTING: [&[u8]; 4] = [
    b"SQL statement \"",
    b"SQL expression \"",
    b"PL/pgSQL expression \"",
    b"PL/pgSQL assignment \"",
];

/// What comes after a portal's name in lines with the values of parameters, as literals.
const PARAMETERS: [&[u8]; 2] = [b"with parameters: ", b"parameter $"];

/// The context without literals, and without the lines of which it is not known what they hold.
pub fn clean(context: &[u8]) -> Result<Text, Exhausted> {
    let mut text = Text::default();
    let mut rest = context;
    let mut is_hiding = false;
    while !rest.is_empty() {
        let end = line_end(rest);
        let length = shown_length(rest, end);
        match length {
            Some(length) => {
                separate(&mut text)?;
                show(&mut text, &rest[..length], end)?;
            }
            // One mark for any number of such lines.
            None if is_hiding => (),
            None => {
                separate(&mut text)?;
                text.push(HIDDEN)?;
            }
        }
        is_hiding = length.is_none();
        rest = &rest[length.unwrap_or(end)..];
        rest = rest.strip_prefix(b"\n").unwrap_or(rest);
    }
    Ok(text)
}

fn separate(text: &mut Text) -> Result<(), Exhausted> {
    if text.bytes().is_empty() {
        return Ok(());
    }
    text.push(b"\n")
}

fn line_end(text: &[u8]) -> usize {
    buffer::find(text, b"\n").unwrap_or(text.len())
}

/// How much of the text, which begins with a line that ends at `end`, is understood.
fn shown_length(text: &[u8], end: usize) -> Option<usize> {
    if let Some(prefix) = prefix(text, &QUOTING) {
        let quote = quoted_length(&text[prefix..]).map(|length| prefix + length);
        return Some(quote.map_or(text.len(), |quote| text.len().min(quote + 1)));
    }
    if let Some(prefix) = portal(text) {
        return Some(prefix + parameters_length(&text[prefix..]));
    }
    let is_known = prefix(text, &HARMLESS).is_some() || copied(&text[..end]).is_some();
    is_known.then_some(end)
}

fn show(text: &mut Text, lines: &[u8], end: usize) -> Result<(), Exhausted> {
    let quoting = prefix(lines, &QUOTING);
    if let Some(prefix) = quoting.or_else(|| portal(lines)) {
        text.push(&lines[..prefix])?;
        if quoting.is_some() && quoted_length(&lines[prefix..]).is_none() {
            return text.push(HIDDEN);
        }
        return text.push(redact(&lines[prefix..])?.bytes());
    }
    match copied(&lines[..end]) {
        Some(place) => {
            text.push(&lines[..place])?;
            text.push(HIDDEN)
        }
        None => text.push(lines),
    }
}

fn prefix(text: &[u8], prefixes: &[&[u8]]) -> Option<usize> {
    prefixes
        .iter()
        .find(|prefix| text.starts_with(prefix))
        .map(|prefix| prefix.len())
}

/// Where the parameters begin in a line about a portal.
fn portal(text: &[u8]) -> Option<usize> {
    let name = if text.starts_with(b"unnamed portal ") {
        b"unnamed portal ".len()
    } else if let Some(named) = text.strip_prefix(b"portal \"") {
        text.len() - named.len() + buffer::find(named, b"\" ")? + 2
    } else {
        return None;
    };
    prefix(&text[name..], &PARAMETERS).map(|length| name + length)
}

/// The length of a list of parameters: literals may have several lines.
fn parameters_length(text: &[u8]) -> usize {
    let mut done = 0;
    for literal in hidden(text) {
        let end = done + line_end(&text[done..]);
        if end < literal.start {
            return end;
        }
        done = literal.end;
    }
    done + line_end(&text[done..])
}

/// Where the values begin in a line of COPY: `COPY t, line 1, column c: "…"`.
fn copied(line: &[u8]) -> Option<usize> {
    if !line.starts_with(b"COPY ") {
        return None;
    }
    let end = buffer::find(line, b": ")? + 2;
    Some(end)
}
