//! Tests that run inside a server: what SQL can't see from outside. `cargo pgrx test pg15` builds them into the
//! library, starts a server, and calls each in a transaction of its own that is rolled back.

mod board;
mod clean_logs;
mod cleaned;
#[cfg(test)]
mod errand;
mod errors;
mod identity;
mod keyring;
mod reencryption;
mod settings;
mod time;
mod usage;

/// Called by `#[pg_test]` before the server starts.
pub fn setup(_options: Vec<&str>) {}

/// The test server's settings. The key lies in the data directory, which goes with the server; nothing is ever sent.
pub fn postgresql_conf_options() -> Vec<&'static str> {
    vec![
        "shared_preload_libraries = 'token_vault'",
        "token_vault.master_key_file = 'master.key'",
        "token_vault.refresh_enabled = off",
    ]
}
