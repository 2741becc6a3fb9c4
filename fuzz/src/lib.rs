//! Coverage-guided fuzzing. What every input must satisfy is in `checks`, which the tests of `token_vault_core` own and
//! call too, with the seeds of this folder among other inputs; a target here does no more than call its check.
//!
//! * `scripts/fuzz.sh [SECONDS]` runs every target.
//! * `seeds/TARGET/` — where a target begins. A file's name begins with its verdict; `cargo test -p token_vault_core`
//!   replays them all. A finding that has been fixed becomes a seed.
//! * `dictionaries/TARGET.dict` — words that mean something to the parser.
//!
//! What a run finds and learns stays in the target folder.

#[path = "../../src/core/tests/parsers/checks/mod.rs"]
pub mod checks;
