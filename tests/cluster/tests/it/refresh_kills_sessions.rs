//! Sessions that are killed, or fail, while they wait for a refresh or store a token.

use token_vault_cluster::{Options, Result};

use crate::refresh_ledger::Stored;
use crate::refresh_load::{Load, POLICIES, STRICT};
use crate::session::{get_token, sqlstate};

/// The steps of a session's wait.
const STEPS: [&str; 3] = ["refresh_asked", "refresh_waits", "refresh_told"];

/// A vault in which nothing is due, and whose provider answers after a moment.
fn start() -> Result<Load> {
    let load = Load::start(&Options::new().with_fault_points(), 0, 0)?;
    load.let_tokens_live_long();
    load.answer_after(50);
    Ok(load)
}

/// A token that has expired, though its refresher believes it due much later: it is refreshed when a session asks.
fn grant_expired(load: &mut Load, client: &str, subject: &str) -> Result<()> {
    load.grant(client, subject)?;
    load.vault.expire(subject)
}

#[test]
fn a_session_that_is_killed_while_it_waits_costs_no_grant_that_can_be_kept() -> Result<()> {
    let mut load = start()?;
    for step in STEPS {
        for (client, _) in POLICIES {
            let subject = format!("{step}-{client}");
            grant_expired(&mut load, client, &subject)?;
            let crashes = load.crashes()?;
            load.vault.cluster.arm_fault(&format!("{step}:kill"))?;
            let told = get_token(&mut load.vault.db, &subject);
            assert!(told.is_err(), "{subject}");
            load.wait_for_crash(crashes)?;
            load.reconnect()?;
            load.note_interruption(load.vault.cluster.fault_struck_at()?)?;
            match get_token(&mut load.vault.db, &subject) {
                Ok(token) => assert_eq!(load.vault.who_is(&token)?, subject),
                // The answer was under way when the server ended.
                lost => assert_eq!((client, &*sqlstate(lost)), (STRICT, "TV031")),
            }
        }
    }
    load.settle()?;
    let report = load.ledger.check(&mut load.vault)?;
    println!("{report}");
    report.assert_clean();
    Ok(())
}

#[test]
fn a_session_that_fails_while_it_waits_leaves_its_refresh_to_be_done() -> Result<()> {
    let mut load = start()?;
    for step in STEPS {
        for action in ["error", "panic"] {
            let subject = fail_while_waiting(&mut load, step, action)?;
            load.vault.wait_for_token(&subject, "generation = 2")?;
        }
    }
    load.ledger.check(&mut load.vault)?.assert_clean();
    load.vault.cluster.assert_never_crashed();
    Ok(())
}

/// What a session that has ended asked for may be forgotten, if nobody has begun with it.
#[test]
fn a_session_that_ends_while_it_waits_does_no_harm_to_the_next_one() -> Result<()> {
    let mut load = start()?;
    for step in STEPS {
        let subject = fail_while_waiting(&mut load, step, "exit")?;
        let token = get_token(&mut load.vault.db, &subject)?;
        assert_eq!(load.vault.who_is(&token)?, subject);
    }
    let report = load.ledger.check(&mut load.vault)?;
    report.assert_clean();
    assert_eq!(report.requests, STEPS.len());
    load.vault.cluster.assert_never_crashed();
    Ok(())
}

/// Has a session fail at a step of its wait for a strict provider's token; returns the token's subject.
fn fail_while_waiting(load: &mut Load, step: &str, action: &str) -> Result<String> {
    let subject = format!("{step}-{action}");
    grant_expired(load, STRICT, &subject)?;
    let fault = format!("{step}:{action}");
    load.vault.cluster.arm_fault(&fault)?;
    let told = get_token(&mut load.vault.session()?, &subject);
    assert!(told.is_err(), "{subject}");
    assert!(load.vault.cluster.fault_has_struck(), "{subject}");
    Ok(subject)
}

/// It has found the token expired, and another session has it refreshed before it asks.
#[test]
fn a_session_that_asks_late_gets_what_others_have_had_refreshed() -> Result<()> {
    let mut load = start()?;
    grant_expired(&mut load, STRICT, "alice")?;
    load.vault.cluster.arm_fault("refresh_wanted:pause")?;
    let mut late = load.vault.session()?;
    let tokens = std::thread::scope(|scope| -> Result<_> {
        let asking = scope.spawn(move || get_token(&mut late, "alice"));
        load.vault.cluster.wait_for_fault()?;
        let first = get_token(&mut load.vault.db, "alice")?;
        load.vault.cluster.disarm_fault()?;
        let second = asking.join().expect("the session's thread")?;
        Ok([first, second])
    })?;
    assert!(
        tokens[0] == tokens[1],
        "the second session got another token"
    );
    let report = load.ledger.check(&mut load.vault)?;
    report.assert_clean();
    assert_eq!(report.requests, 1);
    Ok(())
}

#[test]
fn a_session_that_is_killed_before_it_commits_has_stored_nothing() -> Result<()> {
    let mut load = start()?;
    load.grant("leeway", "alice")?;
    let crashes = load.crashes()?;
    load.vault.cluster.arm_fault("token_stored:kill")?;
    let mut session = load.vault.session()?;
    let told = load.grant_in(&mut session, "leeway", "alice", Stored::No);
    assert!(told.is_err());
    load.wait_for_crash(crashes)?;
    load.reconnect()?;
    load.note_interruption(load.vault.cluster.fault_struck_at()?)?;
    load.ledger.check(&mut load.vault)?.assert_clean();
    let generation = "SELECT generation FROM vault.tokens WHERE subject = 'alice'";
    let row = load.vault.db.query_one(generation, &[])?;
    assert_eq!(row.get::<_, i64>(0), 1);
    Ok(())
}
