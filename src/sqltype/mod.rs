//! Types of the extension.

pub mod secret;
