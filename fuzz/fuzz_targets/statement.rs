//! Bytes as a statement, and as what the server logs of one.

#![no_main]

use libfuzzer_sys::fuzz_target;
use token_vault_fuzz::checks::statement::check;

fuzz_target!(|bytes: &[u8]| {
    check(bytes);
});
