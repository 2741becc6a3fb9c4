//! Bytes as a master key file.

#![no_main]

use libfuzzer_sys::fuzz_target;
use token_vault_fuzz::checks::key_file::check;

fuzz_target!(|bytes: &[u8]| {
    check(bytes);
});
