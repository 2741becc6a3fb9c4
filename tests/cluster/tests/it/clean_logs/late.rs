//! Where the library is not preloaded: a session loads it when it first uses the vault.

use token_vault_cluster::Result;

use super::case::{AFTERWARDS, CASES, FUNCTIONS};
use super::{Logged, Secret};

const LOG_ALL: &str = "SET log_statement = 'all'; SET log_min_duration_statement = 0;
    SET log_min_error_statement = 'debug5'; SET log_parameter_max_length_on_error = -1;
    SET auto_explain.log_min_duration = 0; SET auto_explain.log_nested_statements = on;
    SET auto_explain.log_verbose = on";

#[test]
fn from_a_sessions_second_statement_on_nothing_is_logged() -> Result<()> {
    let mut logged = Logged::start_late()?;
    logged.db.batch_execute(FUNCTIONS)?;
    let mut db = logged.session(LOG_ALL)?;
    db.batch_execute("SELECT vault.has_token('acme', 'u')")?;
    let mut secrets = Vec::new();
    for (number, case) in CASES.iter().enumerate() {
        let secret = Secret::new(number, case.name);
        let outcome = case.run(&mut db, &secret.text)?;
        assert_eq!(outcome, case.outcome, "{}", case.name);
        db.batch_execute(AFTERWARDS)?;
        secrets.push(secret);
    }
    logged.assert_clean(&secrets)
}

/// Its first statement is logged before anybody knows: of what comes later in it, nothing is.
#[test]
fn the_first_statement_is_logged_as_it_is_if_statements_are() -> Result<()> {
    let mut logged = Logged::start_late()?;
    for (number, settings, is_logged) in [
        (1, "SET log_statement = 'all'", true),
        (2, "SET log_min_duration_statement = 0", false),
    ] {
        let secret = Secret::new(number, settings);
        let mut db = logged.session(settings)?;
        db.batch_execute(&format!("SELECT vault.seal('{}')", secret.text))?;
        for (name, log) in logged.logs()? {
            assert_eq!(
                secret.leak(name, &log).is_some(),
                is_logged,
                "{settings}, {name}"
            );
        }
    }
    Ok(())
}
