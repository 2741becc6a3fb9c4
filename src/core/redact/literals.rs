//! Where the literals of a statement are, by the rules of PostgreSQL's scanner (scan.l).
//!
//! Hidden are strings of every kind, dollar-quoted ones (and so the bodies of functions), comments, and names between
//! double quotes that look like none: who writes `"secret"` where `'secret'` was meant must not read it in the log.
//! Numbers, plain words and `$1` stay.

use std::ops::Range;

use super::{Exhausted, HIDDEN, Text};

/// The longest name PostgreSQL keeps.
const LONGEST_NAME: usize = 63;
/// A name has few digits, a token many.
const MOST_DIGITS: usize = 4;

/// The text with everything that may be a secret replaced by `***`.
///
/// # Errors
/// If there is no memory for it.
pub fn redact(text: &[u8]) -> Result<Text, Exhausted> {
    replace(text, |_, result| result.push(HIDDEN))
}

/// The text with everything that [`redact`] replaces overwritten with `*`, byte by byte: every other byte keeps its
/// place, so positions in the text stay true.
///
/// # Errors
/// If there is no memory for it.
pub fn mask(text: &[u8]) -> Result<Text, Exhausted> {
    replace(text, |length, result| result.fill(b'*', length))
}

fn replace(
    text: &[u8],
    write: impl Fn(usize, &mut Text) -> Result<(), Exhausted>,
) -> Result<Text, Exhausted> {
    let mut result = Text::default();
    let mut done = 0;
    for hidden in hidden(text) {
        result.push(&text[done..hidden.start])?;
        write(hidden.len(), &mut result)?;
        done = hidden.end;
    }
    result.push(&text[done..])?;
    Ok(result)
}

/// The ranges to hide, in order. Whether a backslash before a quote escapes it depends on a setting that may have been
/// another one when the text was read (`standard_conforming_strings`), so a text in which that matters is read both ways,
/// and what is a literal in either is one.
pub fn hidden(text: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let standard = Scanner::new(text, false);
    let escaping = super::buffer::find(text, b"\\'").map(|_| Scanner::new(text, true));
    Union {
        one: standard.peekable(),
        other: escaping.into_iter().flatten().peekable(),
    }
}

/// The length of the SQL that `text` begins with, where a double quote at a line's end comes after it and other lines may
/// follow. None where it is not clear which quote that is.
pub(super) fn quoted_length(text: &[u8]) -> Option<usize> {
    let end = |escaping| {
        let mut scanner = Scanner::new(text, escaping);
        scanner.is_quoted = true;
        scanner.by_ref().for_each(drop);
        scanner.at
    };
    let standard = end(false);
    (standard == end(true)).then_some(standard)
}

/// Two ordered sequences of ranges, as one.
struct Union<A: Iterator<Item = Range<usize>>, B: Iterator<Item = Range<usize>>> {
    one: std::iter::Peekable<A>,
    other: std::iter::Peekable<B>,
}

impl<A, B> Iterator for Union<A, B>
where
    A: Iterator<Item = Range<usize>>,
    B: Iterator<Item = Range<usize>>,
{
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        let start = |range: Option<&Range<usize>>| range.map_or(usize::MAX, |range| range.start);
        let mut range = if start(self.one.peek()) <= start(self.other.peek()) {
            self.one.next()?
        } else {
            self.other.next()?
        };
        loop {
            let more = match (self.one.peek(), self.other.peek()) {
                (Some(next), _) if next.start <= range.end => self.one.next(),
                (_, Some(next)) if next.start <= range.end => self.other.next(),
                _ => return Some(range),
            };
            range.end = more.map_or(range.end, |more| range.end.max(more.end));
        }
    }
}

/// Reads a text once, from the left to the right.
struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
    /// Whether a backslash escapes in plain strings, too.
    escaping: bool,
    /// Whether the text ends at a double quote at the end of a line.
    is_quoted: bool,
}

impl Iterator for Scanner<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        while let Some(byte) = self.byte(0) {
            let range = match byte {
                b'\'' => self.string(self.escaping),
                b'"' if self.is_quoted && matches!(self.byte(1), None | Some(b'\n')) => {
                    return None;
                }
                b'"' => self.name(),
                b'$' => self.dollar(),
                b'-' if self.byte(1) == Some(b'-') => self.line_comment(),
                b'/' if self.byte(1) == Some(b'*') => self.block_comment(),
                _ if is_word_start(byte) => self.word(),
                _ => self.step(1),
            };
            if let Some(range) = range.filter(|range| !range.is_empty()) {
                return Some(range);
            }
        }
        None
    }
}

impl<'a> Scanner<'a> {
    fn new(text: &'a [u8], escaping: bool) -> Self {
        Self {
            text,
            at: 0,
            escaping,
            is_quoted: false,
        }
    }

    fn byte(&self, ahead: usize) -> Option<u8> {
        self.text.get(self.at + ahead).copied()
    }

    fn step(&mut self, bytes: usize) -> Option<Range<usize>> {
        self.at = (self.at + bytes).min(self.text.len());
        None
    }

    fn rest(&self) -> &'a [u8] {
        &self.text[self.at..]
    }

    /// A word; a string with escapes, if it is that one's prefix.
    fn word(&mut self) -> Option<Range<usize>> {
        let length = self
            .rest()
            .iter()
            .position(|byte| !is_word_part(*byte))
            .unwrap_or(self.rest().len());
        let is_prefix =
            self.rest()[..length].eq_ignore_ascii_case(b"e") && self.byte(length) == Some(b'\'');
        self.step(length);
        if is_prefix { self.string(true) } else { None }
    }

    /// A string and those that continue it on the next lines.
    fn string(&mut self, escaping: bool) -> Option<Range<usize>> {
        let start = self.at + 1;
        loop {
            self.step(1);
            let end = self.quoted(b'\'', escaping);
            if !self.skip_to_continuation() {
                return Some(start..end);
            }
        }
    }

    /// Goes behind the quote that ends a string; returns where that quote is, or the text's end.
    fn quoted(&mut self, quote: u8, escaping: bool) -> usize {
        while let Some(byte) = self.byte(0) {
            if byte == quote && self.byte(1) == Some(quote) || byte == b'\\' && escaping {
                self.step(2);
            } else if byte == quote {
                self.step(1);
                return self.at - 1;
            } else {
                self.step(1);
            }
        }
        self.text.len()
    }

    /// If there is nothing but space and comments, with a line's end among it, before the next quote: goes there.
    fn skip_to_continuation(&mut self) -> bool {
        let (back, mut lines) = (self.at, 0);
        while let Some(byte) = self.byte(0) {
            match byte {
                b'\n' | b'\r' => lines += 1,
                b' ' | b'\t' | 0x0c | 0x0b => (),
                b'-' if self.byte(1) == Some(b'-') => {
                    self.line_comment();
                    continue;
                }
                b'\'' if lines > 0 => return true,
                _ => break,
            }
            self.step(1);
        }
        self.at = back;
        false
    }

    fn name(&mut self) -> Option<Range<usize>> {
        let start = self.at + 1;
        self.step(1);
        let end = self.quoted(b'"', false);
        let is_closed = self.at > end;
        let looks_harmless = is_closed && looks_like_name(&self.text[start..end]);
        (!looks_harmless).then_some(start..end)
    }

    /// A dollar-quoted string; or a lone `$`.
    fn dollar(&mut self) -> Option<Range<usize>> {
        let Some(length) = self.opening() else {
            return self.step(1);
        };
        let delimiter = &self.rest()[..length];
        self.step(length);
        let start = self.at;
        let body = super::buffer::find(self.rest(), delimiter).unwrap_or(self.rest().len());
        self.step(body + length);
        Some(start..start + body)
    }

    /// The length of `$tag$`.
    fn opening(&self) -> Option<usize> {
        let tag = &self.rest()[1..];
        let length = tag
            .iter()
            .position(|byte| *byte == b'$' || !is_word_part(*byte))?;
        let is_tag = tag[length] == b'$' && (length == 0 || is_word_start(tag[0]));
        is_tag.then_some(length + 2)
    }

    fn line_comment(&mut self) -> Option<Range<usize>> {
        self.step(2);
        let start = self.at;
        let length = self
            .rest()
            .iter()
            .position(|byte| matches!(byte, b'\n' | b'\r'));
        self.step(length.unwrap_or(self.rest().len()));
        Some(start..self.at)
    }

    /// These nest.
    fn block_comment(&mut self) -> Option<Range<usize>> {
        self.step(2);
        let (start, mut depth) = (self.at, 1_usize);
        while let Some(byte) = self.byte(0) {
            match (byte, self.byte(1)) {
                (b'/', Some(b'*')) => {
                    depth += 1;
                    self.step(2);
                }
                (b'*', Some(b'/')) => {
                    depth -= 1;
                    self.step(2);
                    if depth == 0 {
                        return Some(start..self.at - 2);
                    }
                }
                _ => {
                    self.step(1);
                }
            }
        }
        Some(start..self.text.len())
    }
}

/// Whether what stands between double quotes may be shown: short, of letters, and few digits.
fn looks_like_name(name: &[u8]) -> bool {
    name.len() <= LONGEST_NAME
        && name
            .iter()
            .all(|byte| is_word_part(*byte) || matches!(byte, b' ' | b'.' | b'-' | b':'))
        && name.iter().filter(|byte| byte.is_ascii_digit()).count() <= MOST_DIGITS
}

/// Whether a name or keyword begins with this byte. Bytes of other characters than ASCII's count as letters.
pub(super) fn is_word_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

pub(super) fn is_word_part(byte: u8) -> bool {
    is_word_start(byte) || byte.is_ascii_digit() || byte == b'$'
}
