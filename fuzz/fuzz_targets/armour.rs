//! Bytes as the text form of an envelope, and as what it is the text form of.

#![no_main]

use libfuzzer_sys::fuzz_target;
use token_vault_fuzz::checks::armour::check;

fuzz_target!(|bytes: &[u8]| {
    check(bytes);
});
