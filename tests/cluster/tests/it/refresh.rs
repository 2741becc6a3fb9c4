//! Tokens are refreshed ahead of time, each by itself, and the newest one is the one that counts.

use serde_json::json;
use token_vault_cluster::Result;
use token_vault_oauth_server::{Behaviour, Outcome, RefreshPolicy};

use crate::many::Crowd;
use crate::provider::{CLIENT, LIMIT, Vault};
use crate::session::{access_token, complaint, get_token, refresh_token, sqlstate};

#[test]
fn the_worker_refreshes_ahead_of_time_and_rotation_is_followed() -> Result<()> {
    let mut vault = Vault::start()?;
    let first = vault.grant_for("alice", json!({ "expires_in": 4 }))?;
    let refreshes = vault.wait_for_refreshes(1)?;
    assert_eq!(refreshes[0].outcome, Outcome::Rotated);
    vault.wait_for_token("alice", "generation = 2")?;
    let was_early: bool = vault
        .db
        .query_one(
            "SELECT refreshed_at < created_at + interval '4 s' AND expires_at > refreshed_at + interval '59 min'
             FROM vault.tokens",
            &[],
        )?
        .get(0);
    assert!(was_early);

    let second = get_token(&mut vault.db, "alice")?;
    assert_ne!(first, second);
    assert_eq!(vault.who_is(&second)?, "alice");

    refresh_token(&mut vault.db, "alice")?;
    let refreshes = vault.refreshes();
    assert_eq!(refreshes.len(), 2);
    // C2: the new refresh token is used, not the spent one.
    assert_eq!(
        refreshes[1].refresh_token_id,
        refreshes[0].new_refresh_token_id
    );
    assert_eq!(refreshes[1].outcome, Outcome::Rotated);
    let third = get_token(&mut vault.db, "alice")?;
    assert_ne!(second, third);
    assert_eq!(vault.who_is(&third)?, "alice");
    assert_eq!(vault.token("alice")?.generation, 3);
    vault.cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn c1_an_answer_without_refresh_token_keeps_the_old_one() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.register_at_provider(CLIENT, RefreshPolicy::Static);
    let first = vault.grant("alice")?;
    for generation in [2, 3] {
        refresh_token(&mut vault.db, "alice")?;
        assert_eq!(vault.token("alice")?.generation, generation);
    }
    let refreshes = vault.refreshes();
    assert!(
        refreshes
            .iter()
            .all(|entry| entry.outcome == Outcome::Refreshed)
    );
    assert_eq!(refreshes[0].refresh_token_id, refreshes[1].refresh_token_id);
    let now = get_token(&mut vault.db, "alice")?;
    assert_ne!(first, now);
    assert_eq!(vault.who_is(&now)?, "alice");
    Ok(())
}

#[test]
fn a_due_token_wakes_the_worker_at_commit() -> Result<()> {
    let mut vault = Vault::start()?;
    // The worker has seen that there is nothing to do, and sleeps for a minute.
    token_vault_cluster::wait::wait_for_sql(
        &mut vault.db,
        "SELECT count(*) > 0 FROM pg_stat_activity
         WHERE backend_type = 'token_vault refresher' AND query = 'no token to refresh'",
        LIMIT,
    )?;
    vault.grant_that_is_due("alice")?;
    vault.wait_for_token("alice", "generation = 2")?;
    let delay: f64 = vault
        .db
        .query_one(
            "SELECT extract(epoch FROM refreshed_at - created_at)::float8 FROM vault.tokens",
            &[],
        )?
        .get(0);
    assert!(delay < 20.0, "{delay} s are more than a wake-up");
    Ok(())
}

#[test]
fn a12_each_label_and_tenant_has_a_refresh_of_its_own() -> Result<()> {
    let mut vault = Vault::start()?;
    let keys = [("default", ""), ("default", "bot"), ("globex", "")];
    let mut tokens = Vec::new();
    for (tenant, label) in keys {
        let answer = vault.server.issue(CLIENT, "alice", "profile");
        vault.db.execute(
            "SELECT vault.store_token_response('acme', 'alice', $1::jsonb, tenant => $2, label => $3)",
            &[&postgres::types::Json(&answer), &tenant, &label],
        )?;
        tokens.push(access_token(&answer));
    }
    for (changed, (tenant, label)) in keys.into_iter().enumerate() {
        vault.db.execute(
            "SELECT vault.refresh_token('acme', 'alice', tenant => $1, label => $2)",
            &[&tenant, &label],
        )?;
        let before = tokens.clone();
        for (token, (tenant, label)) in tokens.iter_mut().zip(keys) {
            *token = vault
                .db
                .query_one(
                    "SELECT vault.get_token('acme', 'alice', tenant => $1, label => $2)",
                    &[&tenant, &label],
                )?
                .get(0);
        }
        for place in 0..keys.len() {
            assert_eq!(
                tokens[place] != before[place],
                place == changed,
                "{tenant}/{label}"
            );
        }
    }
    let families: Vec<_> = vault.refreshes().iter().map(|entry| entry.family).collect();
    assert_eq!(families, [Some(0), Some(1), Some(2)]);
    Ok(())
}

#[test]
fn refresh_token_says_when_the_new_token_expires_and_what_it_cannot_refresh() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.grant("alice")?;
    let lives_an_hour: bool = vault
        .db
        .query_one(
            "SELECT expires_at BETWEEN now() + interval '59 min' AND now() + interval '61 min'
             FROM vault.refresh_token('acme', 'alice') AS expires_at",
            &[],
        )?
        .get(0);
    assert!(lives_an_hour);

    assert_eq!(sqlstate(refresh_token(&mut vault.db, "nobody")), "TV035");
    vault.db.execute(
        "SELECT vault.store_token('acme', 'without', access_token => 'at-1', expires_in => 3600)",
        &[],
    )?;
    assert_eq!(sqlstate(refresh_token(&mut vault.db, "without")), "TV037");
    assert_eq!(vault.refreshes().len(), 1);
    Ok(())
}

#[test]
fn refresh_due_tells_what_became_of_each_token() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.add_client("broken")?;
    vault.grant("alice")?;
    vault.grant("bob")?;
    vault.grant_of("broken", "carol", json!({}))?;
    vault.grant_for("dave", json!({ "expires_in": 864_000 }))?;
    assert!(vault.server.revoke_family(1), "bob's grant");
    vault
        .server
        .misbehave_to("broken", Behaviour::Html { status: 503 }, Some(1));
    let outcomes: Vec<(String, String, Option<String>, bool)> = vault
        .db
        .query(
            "SELECT subject, outcome, error, expires_at > now() + interval '59 min'
             FROM vault.refresh_due(within => interval '1 hour') ORDER BY subject",
            &[],
        )?
        .iter()
        .map(|row| (row.get(0), row.get(1), row.get(2), row.get(3)))
        .collect();
    let subjects: Vec<&str> = outcomes.iter().map(|row| &*row.0).collect();
    assert_eq!(subjects, ["alice", "bob", "carol"], "dave's is not due");
    assert_eq!(
        (&*outcomes[0].1, &outcomes[0].2, outcomes[0].3),
        ("refreshed", &None, true)
    );
    assert_eq!(outcomes[1].1, "reauthorization_required");
    assert_eq!(outcomes[1].2.as_deref(), Some("invalid_grant"));
    assert_eq!(outcomes[2].1, "failed");
    assert_eq!(outcomes[2].2.as_deref(), Some("status 503"));

    let nothing_due = vault.db.query(
        "SELECT * FROM vault.refresh_due() WHERE subject <> 'carol'",
        &[],
    )?;
    assert!(nothing_due.is_empty());
    let limited = vault.db.query(
        "SELECT * FROM vault.refresh_due(within => interval '20 days', max_tokens => 1)",
        &[],
    )?;
    assert_eq!(limited.len(), 1);
    Ok(())
}

#[test]
fn min_validity_refreshes_a_token_that_does_not_live_long_enough() -> Result<()> {
    let mut vault = Vault::start()?;
    let first = vault.grant("alice")?;
    // An hour's token in its last minute.
    vault.db.execute(
        "UPDATE vault.token SET issued_at = now() - interval '59 min', expires_at = now() + interval '1 min'",
        &[],
    )?;
    assert_eq!(get_token(&mut vault.db, "alice")?, first);
    let longer = "SELECT vault.get_token('acme', 'alice', min_validity => interval '10 min')";
    let second: String = vault.db.query_one(longer, &[])?.get(0);
    assert_ne!(first, second);
    assert_eq!(vault.db.query_one(longer, &[])?.get::<_, String>(0), second);
    assert_eq!(vault.refreshes().len(), 1);

    // D2: longer than any token of this provider lives; asking for it must not rotate with each call.
    let too_long = "SELECT vault.get_token('acme', 'alice', min_validity => interval '2 hours')";
    assert_eq!(sqlstate(vault.db.query_one(too_long, &[])), "TV038");
    assert!(complaint(vault.db.query_one(too_long, &[])).contains("min_validity"));
    assert_eq!(vault.refreshes().len(), 1);
    Ok(())
}

#[test]
fn none_of_many_that_become_due_one_after_the_other_is_overlooked() -> Result<()> {
    const TOKENS: usize = 2000;
    let mut vault = Vault::start()?;
    vault.pause()?;
    vault.grant_crowd(Crowd {
        tenant: "default",
        provider: "acme",
        client: CLIENT,
        prefix: "user",
        count: TOKENS,
    })?;
    // One in each millisecond: while the worker looks at one, the next becomes due.
    vault.db.batch_execute(
        "CREATE TABLE due AS
         SELECT token, clock_timestamp() + interval '1 s' + row_number() OVER () * interval '1 ms' AS at FROM vault.refresh_schedule;
         UPDATE vault.refresh_schedule AS s SET due_at = d.at FROM due AS d WHERE d.token = s.token",
    )?;
    vault.resume()?;
    vault.wait_for_refreshes(TOKENS)?;
    let late: i64 = (vault.db)
        .query_one(
            "SELECT count(*) FROM vault.token AS t JOIN due AS d ON d.token = t.id
             WHERE t.refreshed_at > d.at + interval '20 s'",
            &[],
        )?
        .get(0);
    // One that is overlooked is found with the next look at everything, a minute later.
    assert_eq!(late, 0);
    Ok(())
}
