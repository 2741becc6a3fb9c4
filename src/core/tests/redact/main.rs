//! What is logged of statements with secrets.

mod contexts;
mod entries;
mod hostile;
mod literals;
mod words;
