//! A message beside the format string it was made with (`message_id` of PostgreSQL's `ErrorData`): which of its parts are
//! the program's own words, and which are values.

/// A part of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part<'a> {
    /// Of the format string.
    Fixed(&'a [u8]),
    /// A number, or an operating system's error text.
    Number(&'a [u8]),
    /// Any text: a name, a value, a statement.
    Value(&'a [u8]),
}

/// A conversion of a format string.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Conversion {
    Number,
    Value,
}

/// Splits `message` by its format string, in the order of the text; None where the two do not fit, for one because the
/// message was translated. A value that contains fixed words may end early: its rest is then a value, too.
pub fn split<'a>(format: &'a [u8], message: &'a [u8]) -> Option<Vec<Part<'a>>> {
    let mut parts = Vec::new();
    let (mut format, mut message) = (format, message);
    let mut pending = None;
    while !format.is_empty() {
        if let Some((conversion, length)) = conversion(format) {
            format = &format[length..];
            pending = Some(join(pending, conversion));
            continue;
        }
        let (fixed, rest) = fixed(format);
        format = rest;
        let at = match pending {
            None => message.starts_with(fixed).then_some(0)?,
            Some(_) if format.is_empty() => message.len().checked_sub(fixed.len())?,
            Some(_) => super::buffer::find(message, fixed)?,
        };
        if !message[at..].starts_with(fixed) {
            return None;
        }
        if let Some(conversion) = pending.take() {
            parts.push(value(conversion, &message[..at]));
        }
        parts.push(Part::Fixed(fixed));
        message = &message[at + fixed.len()..];
    }
    match pending {
        Some(conversion) => parts.push(value(conversion, message)),
        None if !message.is_empty() => return None,
        None => (),
    }
    Some(parts)
}

fn value(conversion: Conversion, text: &[u8]) -> Part<'_> {
    match conversion {
        Conversion::Number => Part::Number(text),
        Conversion::Value => Part::Value(text),
    }
}

/// Two conversions without anything between them can't be told apart.
fn join(first: Option<Conversion>, second: Conversion) -> Conversion {
    match first {
        Some(Conversion::Value) => Conversion::Value,
        _ => second,
    }
}

/// Up to the next conversion. `%%` is one byte of text, so it is a piece of its own.
fn fixed(format: &[u8]) -> (&[u8], &[u8]) {
    if format.starts_with(b"%%") {
        return (&format[..1], &format[2..]);
    }
    let end = format[1..]
        .iter()
        .position(|byte| *byte == b'%')
        .map_or(format.len(), |at| at + 1);
    format.split_at(end)
}

/// The conversion that the format string begins with, and its length.
fn conversion(format: &[u8]) -> Option<(Conversion, usize)> {
    if format.first() != Some(&b'%') || format.get(1) == Some(&b'%') {
        return None;
    }
    let is_modifier = |byte: &u8| byte.is_ascii_digit() || b"$-+ #'.*hlLqjzt".contains(byte);
    let modifiers = format[1..]
        .iter()
        .take_while(|byte| is_modifier(byte))
        .count();
    let conversion = match format.get(1 + modifiers)? {
        b'd' | b'i' | b'u' | b'x' | b'X' | b'o' | b'f' | b'g' | b'e' | b'm' => Conversion::Number,
        _ => Conversion::Value,
    };
    Some((conversion, modifiers + 2))
}
