//! Bytes as an envelope: parse, open, seal again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use token_vault_fuzz::checks::envelope::check;

fuzz_target!(|bytes: &[u8]| {
    check(bytes);
});
