//! Whether a text names something.

use token_vault_core::redact::words::{any_word, fingerprint, hash};

const VAULT: u64 = hash(b"vault");

fn names_vault(text: &str) -> bool {
    any_word(text.as_bytes(), |word| word == VAULT)
}

#[test]
fn words_are_found_wherever_they_stand() {
    for text in [
        "vault",
        "SELECT VAULT.get_token()",
        "SELECT \"vault\".seal('x')",
        "DO $$BEGIN PERFORM vault.seal('x'); END$$",
        "EXECUTE 'SELECT vault.seal(1)'",
        "SELECT 1 /*vault*/",
        "SELECT U&\"v\\0061ult\".seal('x')",
        "select u&\"v!0061ult\" uescape '!'",
        "(vault)",
        "1vault",
    ] {
        assert!(names_vault(text), "{text}");
    }
}

#[test]
fn other_words_are_not_taken_for_it() {
    for text in [
        "",
        "SET token_vault.tenant = 'acme'",
        "SELECT vaults, vault_1, myvault, vault$, vaulté, U & x",
        "va ult",
    ] {
        assert!(!names_vault(text), "{text}");
    }
}

#[test]
fn the_case_of_letters_counts_in_whole_texts_only() {
    assert_eq!(hash(b"Store_Token"), hash(b"store_token"));
    assert_ne!(fingerprint(b"SELECT 1"), fingerprint(b"select 1"));
}
