//! Taking secrets out of what a server is about to log: the texts of statements, values of parameters, and messages that
//! quote one of them.
//!
//! * [`literals`] — where a statement's literals are; [`Text`] with them replaced
//! * [`words`] — whether a text names something
//! * [`entry`] — a whole log entry: message, detail, hint, context, query
//!
//! The rule of all of it: what is not known to be harmless is left out. A text of any length and any bytes is read once,
//! without backtracking; memory grows with the text, and where there is none the caller is told ([`Exhausted`]).

mod audit;
mod buffer;
mod context;
pub mod entry;
pub mod literals;
mod message;
mod plan;
mod template;
pub mod words;

pub use buffer::{Exhausted, Text};

/// Stands for what was left out.
pub const HIDDEN: &[u8] = b"***";
