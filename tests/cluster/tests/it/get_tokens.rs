//! Many tokens in one call: each in its place, refreshed together, and one that can't be had spoils no other.

use postgres::Client;
use token_vault_cluster::wait::wait_for_sql;
use token_vault_cluster::{Options, Result};
use token_vault_oauth_server::Behaviour;

use crate::provider::{LIMIT, Vault};
use crate::session::{complaint, sqlstate};

/// A row: subject, access token, SQLSTATE.
type Row = (String, Option<String>, Option<String>);

fn get_tokens(
    db: &mut Client,
    subjects: &[&str],
) -> std::result::Result<Vec<Row>, postgres::Error> {
    let rows = db.query(
        "SELECT subject, access_token, error_code FROM vault.get_tokens('acme', $1)",
        &[&subjects],
    )?;
    Ok(rows
        .iter()
        .map(|row| (row.get(0), row.get(1), row.get(2)))
        .collect())
}

/// A token that has expired, which the worker does not know.
fn grant_expired(vault: &mut Vault, subject: &str) -> Result<()> {
    vault.grant(subject)?;
    vault.expire(subject)
}

fn preloaded() -> Options {
    Options::new().without_fsync()
}

#[test]
fn each_subject_has_its_row_in_its_place() -> Result<()> {
    let mut vault = Vault::start()?;
    for subject in ["alice", "bob"] {
        vault.grant(subject)?;
    }
    let rows = get_tokens(&mut vault.db, &["bob", "nobody", "alice", "bob"])?;
    let subjects: Vec<&str> = rows.iter().map(|row| &*row.0).collect();
    assert_eq!(subjects, ["bob", "nobody", "alice", "bob"]);
    assert_eq!((&rows[1].1, &rows[1].2), (&None, &None));
    for place in [0, 2, 3] {
        let token = rows[place].1.as_deref().expect("a token");
        assert_eq!(vault.who_is(token)?, rows[place].0);
    }
    assert!(get_tokens(&mut vault.db, &[])?.is_empty());
    // Each is noted like a token that is asked for alone.
    wait_for_sql(
        &mut vault.db,
        "SELECT sum(reads) FILTER (WHERE subject = 'bob') = 2 AND sum(reads) = 3 FROM vault.tokens",
        LIMIT,
    )
}

#[test]
fn the_expiry_is_the_one_of_the_token() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.grant("alice")?;
    let same: bool = vault
        .db
        .query_one(
            "SELECT b.expires_at = s.expires_at AND b.access_token = s.access_token
             FROM vault.get_tokens('acme', '{alice}') AS b, vault.get_token_set('acme', 'alice') AS s",
            &[],
        )?
        .get(0);
    assert!(same);
    Ok(())
}

#[test]
fn what_has_expired_is_refreshed_and_one_failure_is_one_row() -> Result<()> {
    for options in [preloaded(), preloaded().not_preloaded()] {
        let mut vault = Vault::start_with(&options)?;
        vault.grant("valid")?;
        let expired: Vec<String> = (0..5).map(|number| format!("user-{number}")).collect();
        for subject in &expired {
            grant_expired(&mut vault, subject)?;
        }
        grant_expired(&mut vault, "revoked")?;
        assert!(vault.server.revoke_family(6));
        let mut subjects: Vec<&str> = expired.iter().map(String::as_str).collect();
        subjects.extend(["revoked", "valid"]);
        let rows = get_tokens(&mut vault.db, &subjects)?;
        for (subject, token, error) in &rows {
            match &**subject {
                "revoked" => {
                    assert_eq!((token, error.as_deref()), (&None, Some("TV031")));
                }
                _ => {
                    assert_eq!(error, &None);
                    assert_eq!(&vault.who_is(token.as_deref().expect("a token"))?, subject);
                }
            }
        }
        assert_eq!(vault.refreshes().len(), 6);
        vault.cluster.assert_never_crashed();
    }
    Ok(())
}

/// The provider answers none of them before all have been asked: one after the other they would wait for ever.
#[test]
fn expired_tokens_are_refreshed_at_the_same_time() -> Result<()> {
    let mut vault = Vault::start_with(&preloaded())?;
    let subjects: Vec<String> = (0..4).map(|number| format!("user-{number}")).collect();
    for subject in &subjects {
        grant_expired(&mut vault, subject)?;
    }
    vault
        .server
        .misbehave(Behaviour::Delay { ms: 1500 }, Some(4));
    let connection = vault.session()?;
    let reader = std::thread::spawn(move || {
        let mut connection = connection;
        let subjects: Vec<String> = (0..4).map(|number| format!("user-{number}")).collect();
        let subjects: Vec<&str> = subjects.iter().map(String::as_str).collect();
        get_tokens(&mut connection, &subjects)
    });
    // All attempts are open together.
    wait_for_sql(
        &mut vault.db,
        "SELECT count(attempt) = 4 FROM vault.refresh_schedule",
        LIMIT,
    )?;
    let rows = reader.join().expect("the reader's thread")?;
    assert!(rows.iter().all(|row| row.1.is_some()));
    Ok(())
}

#[test]
fn without_auto_refresh_nothing_is_asked_for() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.grant("valid")?;
    grant_expired(&mut vault, "expired")?;
    let rows = vault.db.query(
        "SELECT access_token IS NULL, error_code, error
         FROM vault.get_tokens('acme', '{expired,valid}', auto_refresh => false)",
        &[],
    )?;
    assert_eq!(rows[0].get::<_, Option<&str>>(1), Some("TV030"));
    assert!(rows[0].get::<_, &str>(2).contains("expired"));
    assert_eq!(rows[1].get::<_, Option<&str>>(1), None);
    assert_eq!(vault.refreshes().len(), 0);
    Ok(())
}

#[test]
fn a_damaged_token_spoils_no_other() -> Result<()> {
    let mut vault = Vault::start()?;
    for subject in ["alice", "bob"] {
        vault.grant(subject)?;
    }
    vault.db.batch_execute(
        "UPDATE vault.token SET access_token = set_byte(access_token, 100, get_byte(access_token, 100) # 1)
         WHERE subject = 'alice'",
    )?;
    let rows = get_tokens(&mut vault.db, &["alice", "bob"])?;
    assert_eq!((&rows[0].1, rows[0].2.as_deref()), (&None, Some("TV010")));
    assert!(rows[1].1.is_some());
    Ok(())
}

#[test]
fn what_the_caller_may_not_read_fails_for_all() -> Result<()> {
    let mut vault = Vault::start()?;
    for subject in ["alice", "bob"] {
        vault.grant(subject)?;
    }
    vault.db.batch_execute(
        "CREATE ROLE web; SELECT vault.grant_access('web', '{read}', subject => 'alice'); SET ROLE web",
    )?;
    assert_eq!(get_tokens(&mut vault.db, &["alice"])?.len(), 1);
    assert_eq!(
        sqlstate(get_tokens(&mut vault.db, &["alice", "bob"])),
        "42501"
    );
    let unknown = vault
        .db
        .query("SELECT vault.get_tokens('none', '{alice}')", &[]);
    assert!(complaint(unknown).contains("none"));
    Ok(())
}
