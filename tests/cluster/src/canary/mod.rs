//! The canary search: secrets that were handed to the extension are looked for in every file it could have
//! left them in.
//!
//! A secret is searched for in pieces ([`pieces`](mod@pieces)), because a file may hold it interrupted by
//! a page header or cut off, and each piece in every [`Encoding`] in which a leak has been imagined. What
//! is found is reported by place and kind, never by content.

mod encoding;
mod pieces;
mod search;

pub use encoding::Encoding;
pub use search::{Finding, Report, Search};
