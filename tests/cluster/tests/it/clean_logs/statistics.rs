//! What pg_stat_statements keeps.

use token_vault_cluster::Result;

use super::case::{AFTERWARDS, CASES, FUNCTIONS};
use super::{Logged, Secret};

/// The texts it has kept.
fn kept(logged: &mut Logged) -> Result<String> {
    let row = logged.db.query_one(
        "SELECT string_agg(query, E'\\n') FROM pg_stat_statements",
        &[],
    )?;
    Ok(row.get(0))
}

fn assert_clean(before: &str, after: &str) -> Result<()> {
    let mut logged = Logged::start(before, after)?;
    logged.db.batch_execute(FUNCTIONS)?;
    let mut db = logged.session(
        "SET pg_stat_statements.track = 'all'; SET pg_stat_statements.track_planning = on",
    )?;
    let mut secrets = Vec::new();
    for (number, case) in CASES.iter().enumerate() {
        let secret = Secret::new(number, case.name);
        case.run(&mut db, &secret.text)?;
        db.batch_execute(AFTERWARDS)?;
        secrets.push(secret);
    }
    let kept = kept(&mut logged)?;
    assert!(kept.contains("SELECT vault.seal($1)"), "{kept}");
    assert!(kept.contains("DO $$****"), "{kept}");
    let leaks: Vec<String> = secrets
        .iter()
        .filter_map(|secret| secret.leak("pg_stat_statements", &kept))
        .collect();
    assert!(leaks.is_empty(), "{}", leaks.join("\n"));
    Ok(())
}

#[test]
fn no_secret_is_kept() -> Result<()> {
    assert_clean("pg_stat_statements", "")
}

#[test]
fn nor_where_it_is_loaded_later() -> Result<()> {
    assert_clean("", "pg_stat_statements")
}

/// A statement that has lost its normalized text while it ran is kept as it was given.
#[test]
fn nor_where_the_statistics_are_reset_meanwhile() -> Result<()> {
    let mut logged = Logged::start("pg_stat_statements", "")?;
    for (number, cleans, is_kept) in [(1, "off", true), (2, "on", false)] {
        let secret = Secret::new(number, "a reset");
        let mut db = logged.session(&format!("SET token_vault.clean_logs = {cleans}"))?;
        db.batch_execute(&format!(
            "SELECT vault.seal('{}'), pg_stat_statements_reset()",
            secret.text
        ))?;
        let kept = kept(&mut logged)?;
        assert_eq!(
            secret.leak("pg_stat_statements", &kept).is_some(),
            is_kept,
            "{kept}"
        );
    }
    Ok(())
}

/// Positions in a masked text are those of the original: what is normalized is the statement that was given.
#[test]
fn statements_are_normalized_as_ever() -> Result<()> {
    let mut logged = Logged::start("pg_stat_statements", "")?;
    logged.db.batch_execute(
        "SELECT 1; SELECT vault.seal('äöü €', 'x'), E'\\'', $$y$$, 5 AS \"five\"; SELECT 2",
    )?;
    let kept = kept(&mut logged)?;
    assert!(
        kept.contains("SELECT vault.seal($1, $2), $3, $4, $5 AS \"five\""),
        "{kept}"
    );
    Ok(())
}
