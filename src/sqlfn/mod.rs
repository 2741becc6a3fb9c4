//! The SQL functions: check the arguments and the caller's rights, call, report. `COMMENT ON` in
//! `sql/comments.sql` documents each for its users.

mod access;
mod arguments;
pub(crate) mod audit;
mod client;
mod export;
mod installation;
mod key;
mod provider;
pub mod reencryption;
mod refresh;
mod serving;
mod tenant;
mod token_batch;
mod token_delete;
mod token_read;
mod token_store;
mod verification;
mod visibility;

/// The functions that take or return a secret. Statements that name one are logged without their literals, also where the
/// schema is not named (`clean_log`).
pub const WITH_SECRETS: [&str; 14] = [
    "add_client_secret",
    "authorization_header",
    "enter_tenant",
    "export_client_secrets",
    "export_token_set",
    "get_token",
    "get_token_set",
    "get_tokens",
    "register_client",
    "reveal",
    "seal",
    "secret_from_text",
    "store_token",
    "store_token_response",
];
