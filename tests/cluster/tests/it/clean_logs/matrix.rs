//! Every way to log × every way to hand a secret over.

use token_vault_cluster::Result;

use super::case::{AFTERWARDS, CASES, FUNCTIONS};
use super::settings::{OF_PGAUDIT, SETTINGS};
use super::{Logged, Secret};

#[test]
fn no_secret_is_logged() -> Result<()> {
    let mut logged = Logged::start("pg_stat_statements", "auto_explain")?;
    logged.db.batch_execute(FUNCTIONS)?;
    let (mut number, mut others) = (0, Vec::new());
    for (setting, statements) in SETTINGS {
        if *setting == OF_PGAUDIT && !logged.cluster.has_library("pgaudit") {
            continue;
        }
        let mut secrets = Vec::new();
        let mut db = logged.session(statements)?;
        for case in CASES {
            number += 1;
            let secret = Secret::new(number, &format!("{setting}: {}", case.name));
            let outcome = case.run(&mut db, &secret.text)?;
            if outcome != case.outcome {
                others.push(format!("{setting}: {}: {outcome}", case.name));
            }
            db.batch_execute(AFTERWARDS)?;
            secrets.push(secret);
        }
        logged.assert_clean(&secrets)?;
    }
    assert!(others.is_empty(), "other outcomes:\n{}", others.join("\n"));
    logged.cluster.assert_never_crashed();
    Ok(())
}

/// The search finds what is there: under the same settings, with cleaning off.
#[test]
fn without_cleaning_they_are_logged_in_every_format() -> Result<()> {
    let mut logged = Logged::start("pg_stat_statements", "auto_explain")?;
    let mut number = 0;
    for (setting, statements) in SETTINGS {
        let logs_statements =
            !["nothing but the defaults", "errors", "debugging"].contains(setting);
        if !logs_statements || *setting == OF_PGAUDIT && !logged.cluster.has_library("pgaudit") {
            continue;
        }
        number += 1;
        let secret = Secret::new(number, setting);
        let mut db = logged.session(&format!("SET token_vault.clean_logs = off; {statements}"))?;
        let statement = format!(
            "SELECT vault.seal('{}') FROM generate_series(1, 2)",
            secret.text
        );
        db.batch_execute(&statement)?;
        for (name, log) in logged.logs()? {
            assert!(
                secret.leak(name, &log).is_some(),
                "{setting}: not in {name}"
            );
        }
    }
    Ok(())
}

/// Others' statements, and what is no secret of ours, stay as they are.
#[test]
fn what_has_nothing_to_do_with_the_vault_is_logged_as_it_is() -> Result<()> {
    let mut logged = Logged::start("pg_stat_statements", "auto_explain")?;
    let mut db =
        logged.session("SET log_statement = 'all'; SET log_parameter_max_length_on_error = -1")?;
    db.batch_execute(
        "CREATE TABLE invoice (note text); INSERT INTO invoice VALUES ('plain literal')",
    )?;
    assert!(db.batch_execute("SELECT 'plain error'::integer").is_err());
    db.execute("SELECT $1::text", &[&"plain parameter"])?;
    db.batch_execute("SET token_vault.tenant = 'plain tenant'; RESET token_vault.tenant")?;
    for (name, log) in logged.logs()? {
        for text in [
            "plain literal",
            "plain error",
            "plain parameter",
            "plain tenant",
        ] {
            assert!(log.contains(text), "{text} is not in {name}");
        }
    }
    Ok(())
}

/// Of a cleaned statement everything else is still there: level, SQLSTATE, names, where it came from.
#[test]
fn a_cleaned_entry_says_what_happened() -> Result<()> {
    let mut logged = Logged::start("pg_stat_statements", "auto_explain")?;
    logged.db.batch_execute(FUNCTIONS)?;
    let mut db =
        logged.session("SET log_statement = 'all'; SET log_error_verbosity = 'verbose'")?;
    assert!(db.batch_execute("SELECT app_fail('a secret'), 7").is_err());
    assert!(
        db.batch_execute("SELECT vault.store_token('nobody', 'u', 'a secret')")
            .is_err()
    );
    let logs = logged.logs()?;
    let expected = [
        "statement: SELECT app_fail('***'), 7",
        "22P02: invalid input syntax for type integer: \"***\"",
        "PL/pgSQL function app_fail(text) line 1 at RETURN",
        "STATEMENT:  SELECT app_fail('***'), 7",
        "TV020: unknown provider \"nobody\"",
        "STATEMENT:  SELECT vault.store_token('***', '***', '***')",
    ];
    for text in expected {
        assert!(logs[0].1.contains(text), "{text}");
    }
    let entry = logs[2]
        .1
        .lines()
        .find(|line| line.contains("TV020"))
        .expect("an entry");
    let entry: serde_json::Value = serde_json::from_str(entry)?;
    assert_eq!(entry["error_severity"], "ERROR");
    assert_eq!(
        entry["statement"],
        "SELECT vault.store_token('***', '***', '***')"
    );
    Ok(())
}

/// What the client is told is not cleaned: it knows the secret.
#[test]
fn the_client_gets_its_error_as_ever() -> Result<()> {
    let mut logged = Logged::start("pg_stat_statements", "auto_explain")?;
    let error = logged
        .db
        .batch_execute("SELECT vault.reveal(vault.seal('open sesame'))::integer")
        .expect_err("no number");
    let error = error.as_db_error().expect("the server's");
    assert_eq!(
        error.message(),
        "invalid input syntax for type integer: \"open sesame\""
    );
    let secret = Secret {
        text: "open sesame".into(),
        what: "the client's error".into(),
    };
    logged.assert_clean([&secret])
}
