//! A plan as auto_explain logs it.

use super::literals::redact;
use super::{Exhausted, HIDDEN, Text, buffer};

/// The format string of such a message.
pub(super) const FORMAT: &[u8] = b"duration: %.3f ms  plan:\n%s";

const PREFIX: &[u8] = b"duration: ";
const MARK: &[u8] = b" plan:\n";
/// How a plan in the format `text` begins; in YAML a quote comes next.
const TEXT: &[u8] = b"Query Text: ";

/// The plan without literals, where it is a text. Plans in JSON, XML and YAML have quotes of their own and are left out.
pub(super) fn clean(message: &[u8]) -> Result<Text, Exhausted> {
    let mark = buffer::find(message, MARK).filter(|_| message.starts_with(PREFIX));
    let Some(start) = mark.map(|mark| mark + MARK.len()) else {
        return Text::copy(HIDDEN);
    };
    let (head, plan) = message.split_at(start);
    let mut text = Text::copy(head)?;
    if plan.starts_with(TEXT) && plan.get(TEXT.len()) != Some(&b'"') {
        text.push(redact(plan)?.bytes())?;
    } else {
        text.push(HIDDEN)?;
    }
    Ok(text)
}
