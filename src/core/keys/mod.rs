//! The two kinds of keys.
//!
//! The *master key* never enters the database; it wraps the *data keys*, which encrypt values. Neither is used
//! directly: every use has a subkey of its own, derived by label.

mod data;
mod derive;
mod key_file;
mod master;

pub use data::DataKey;
pub use key_file::{KeyFileError, MAX_KEY_FILE, format_key_file, parse_key_file};
pub use master::{FINGERPRINT_LEN, HIDDEN_LEN, MasterKey};
