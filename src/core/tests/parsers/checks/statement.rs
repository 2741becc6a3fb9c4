//! Text of a statement, or of a log entry that quotes one.

use super::Verdict;
use token_vault_core::redact::entry::Entry;
use token_vault_core::redact::literals::{hidden, mask, redact};
use token_vault_core::redact::words::any_word;

/// Everything that holds for any bytes: what is hidden is what a plain reader takes for literals, and whole entries made
/// of these bytes are cleaned. Nothing is refused.
pub fn check(bytes: &[u8]) -> Verdict {
    check_literals(bytes);
    check_entry(bytes);
    any_word(bytes, |_| false);
    Verdict::Accepted
}

fn check_literals(text: &[u8]) {
    let mut is_hidden = vec![false; text.len()];
    let mut end = 0;
    for range in hidden(text) {
        assert!(end <= range.start && range.start < range.end);
        end = range.end;
        is_hidden[range].fill(true);
    }
    // A backslash before a quote is read both ways.
    let is_ambiguous = text.windows(2).any(|pair| pair == b"\\'");
    for (at, kind) in read(text).into_iter().enumerate() {
        match kind {
            Kind::Code => assert!(!is_hidden[at] || is_ambiguous, "code at {at}"),
            Kind::Literal => assert!(is_hidden[at], "a literal at {at}"),
            Kind::Name => (),
        }
    }
    assert_eq!(mask(text).expect("memory").bytes().len(), text.len());
    redact(text).expect("memory");
}

fn check_entry(bytes: &[u8]) {
    let (first, rest) = bytes.split_at(bytes.len() / 2);
    for format in [
        first,
        b"%s",
        b"AUDIT: %s,%ld",
        b"duration: %.3f ms  plan:\n%s",
    ] {
        for reports_statement in [false, true] {
            let entry = Entry {
                is_own: false,
                reports_statement,
                sqlstate: *b"00000",
                format,
                message: rest,
                detail: Some(rest),
                hint: Some(first),
                context: Some(bytes),
                names: [None; 5],
                internal_query: Some(rest),
                statement: Some(first),
            };
            entry.clean().expect("memory");
        }
    }
    for prefix in [
        "SQL statement \"",
        "unnamed portal with parameters: ",
        "COPY t, line 1: ",
    ] {
        let context = [prefix.as_bytes(), bytes].concat();
        let entry = Entry {
            is_own: true,
            reports_statement: false,
            sqlstate: *b"00000",
            format: b"",
            message: b"",
            detail: None,
            hint: None,
            context: Some(&context),
            names: [None; 5],
            internal_query: None,
            statement: None,
        };
        entry.clean().expect("memory");
    }
}

/// What a byte belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Code,
    Literal,
    /// Between double quotes; hidden or not.
    Name,
}

/// The kinds of a text's bytes where backslashes escape nothing in plain strings, by plain look-ahead. What continues a
/// string on the next line, the quotes and space between included, is a literal.
fn read(text: &[u8]) -> Vec<Kind> {
    let mut kinds = vec![Kind::Code; text.len()];
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let word = rest.iter().take_while(|byte| is_letter(**byte)).count();
        if word > 0 {
            let length = rest.iter().take_while(|byte| is_in_word(**byte)).count();
            at += length;
            if length == 1 && matches!(rest[0], b'e' | b'E') && text.get(at) == Some(&b'\'') {
                at = string(text, at, true, &mut kinds);
            }
        } else if rest[0] == b'\'' {
            at = string(text, at, false, &mut kinds);
        } else if rest[0] == b'"' {
            let end = close(text, at + 1, b'"', false);
            kinds[at + 1..end].fill(Kind::Name);
            at = end + 1;
        } else if let Some(tag) = tag(rest) {
            let body = at + tag;
            let length = text[body..]
                .windows(tag)
                .position(|part| part == &rest[..tag]);
            let end = length.map_or(text.len(), |length| body + length);
            kinds[body..end].fill(Kind::Literal);
            at = end + tag;
        } else if rest.starts_with(b"--") {
            let end = line_end(text, at);
            kinds[at + 2..end].fill(Kind::Literal);
            at = end;
        } else if rest.starts_with(b"/*") {
            let end = comment_end(text, at);
            kinds[at + 2..end].fill(Kind::Literal);
            at = end + 2;
        } else {
            at += 1;
        }
    }
    kinds
}

/// Marks the string that begins at `at` and returns where code goes on.
fn string(text: &[u8], at: usize, escapes: bool, kinds: &mut [Kind]) -> usize {
    let end = close(text, at + 1, b'\'', escapes);
    kinds[at + 1..end].fill(Kind::Literal);
    match continuation(text, end + 1) {
        Some(next) => {
            kinds[end..=next].fill(Kind::Literal);
            string(text, next, escapes, kinds)
        }
        None => end + 1,
    }
}

/// Where the quote stands that ends what begins at `at`.
fn close(text: &[u8], mut at: usize, quote: u8, escapes: bool) -> usize {
    while at < text.len() {
        let is_pair = text[at] == quote && text.get(at + 1) == Some(&quote);
        match text[at] {
            b'\\' if escapes => at += 2,
            _ if is_pair => at += 2,
            byte if byte == quote => return at,
            _ => at += 1,
        }
    }
    text.len()
}

/// Where the next quote stands, if only space and comments with a line's end are before it.
fn continuation(text: &[u8], mut at: usize) -> Option<usize> {
    let mut has_line_end = false;
    loop {
        match text.get(at)? {
            b'\n' | b'\r' => has_line_end = true,
            b' ' | b'\t' | 0x0b | 0x0c => (),
            b'-' if text[at..].starts_with(b"--") => {
                at = line_end(text, at);
                continue;
            }
            b'\'' => return has_line_end.then_some(at),
            _ => return None,
        }
        at += 1;
    }
}

/// The length of `$tag$`.
fn tag(text: &[u8]) -> Option<usize> {
    let name = text.strip_prefix(b"$")?;
    let length = name.iter().position(|byte| *byte == b'$')?;
    let is_name = name[..length].iter().all(|byte| is_in_word(*byte));
    let begins_well = length == 0 || is_letter(name[0]);
    (is_name && begins_well).then_some(length + 2)
}

fn line_end(text: &[u8], at: usize) -> usize {
    let length = text[at..]
        .iter()
        .position(|byte| matches!(byte, b'\n' | b'\r'));
    length.map_or(text.len(), |length| at + length)
}

/// Where the `*/` stands that ends the comment.
fn comment_end(text: &[u8], mut at: usize) -> usize {
    let mut depth = 0;
    while at < text.len() {
        if text[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with(b"*/") {
            depth -= 1;
            if depth == 0 {
                return at;
            }
            at += 2;
        } else {
            at += 1;
        }
    }
    text.len()
}

fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte > 0x7f
}

fn is_in_word(byte: u8) -> bool {
    is_letter(byte) || byte.is_ascii_digit() || byte == b'$'
}
