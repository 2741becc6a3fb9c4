//! The parsers of foreign input: envelope, its text form, master key file, statements. `checks` says what holds for every input.
//!
//! * `seeds` — replays the inputs in `fuzz/seeds/`, the fuzz targets' beginnings and past findings
//! * `properties` — inputs by proptest: arbitrary ones, valid ones, and valid ones with a fault
//!
//! `scripts/fuzz.sh` calls the same checks with inputs that libFuzzer looks for.

mod checks;
mod properties;
mod seeds;
