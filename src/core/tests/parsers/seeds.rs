//! Every committed seed keeps its verdict, which its file name begins with.

use super::checks::{Verdict, armour, envelope, key_file, statement};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Replays one target's seeds; among them must be one of each of these verdicts.
fn replay(target: &str, check: fn(&[u8]) -> Verdict, verdicts: &[Verdict]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/seeds")
        .join(target);
    let mut seen = BTreeSet::new();
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let verdict = check(&fs::read(&path).unwrap());
        let expected = format!("{verdict:?}-").to_lowercase();
        assert!(
            name.starts_with(&expected),
            "{target}: {name} is {verdict:?}"
        );
        seen.insert(verdict);
    }
    assert_eq!(seen, verdicts.iter().copied().collect(), "{target}");
}

#[test]
fn envelopes() {
    replay(
        "envelope",
        envelope::check,
        &[Verdict::Refused, Verdict::Accepted, Verdict::Opened],
    );
}

#[test]
fn armoured_envelopes() {
    replay(
        "armour",
        armour::check,
        &[Verdict::Refused, Verdict::Accepted],
    );
}

#[test]
fn key_files() {
    replay(
        "key_file",
        key_file::check,
        &[Verdict::Refused, Verdict::Accepted],
    );
}

#[test]
fn statements() {
    replay("statement", statement::check, &[Verdict::Accepted]);
}
