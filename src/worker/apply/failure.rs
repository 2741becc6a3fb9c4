//! Tokens that were not refreshed, one by one: these are few, or in no hurry.

use token_vault_core::envelope::TokenField;
use token_vault_core::oauth::KeptAnswer;
use token_vault_core::refresh::{self, RefreshPolicy, Verdict};

use super::news::News;
use super::repeats_at_once;
use crate::error::Result;
use crate::pg::random;
use crate::pg::spi::BuiltinOid::{BYTEAOID, INT8OID, TEXTOID, TIMESTAMPTZOID};
use crate::pg::spi::{Session, Statement, timestamp};
use crate::pg::time::UnixMicros;
use crate::store::keyring;
use crate::worker::arrival::{Arrival, Written};
use crate::worker::call::Outcome;
use crate::worker::claim::Claim;

/// So many failures in a row are told as an event, once.
const FAILURES_TOLD: i32 = 5;

pub(super) fn apply(
    session: &Session,
    arrival: &Arrival,
    now: UnixMicros,
    news: &mut News,
) -> Result<Written> {
    let claim = &arrival.claim;
    let is_repeated = repeats_at_once(claim, &arrival.outcome);
    let due_at = match &arrival.outcome {
        Outcome::Failed {
            verdict: Verdict::GrantDead,
            error,
            ..
        } => {
            let error = blame(claim, error);
            if grant_died(session, claim, &error, now) {
                news.reauthorization_required(claim, &error);
            }
            None
        }
        Outcome::Failed {
            error, retry_after, ..
        } => {
            let again = refresh::retry_at(now, failures(claim), *retry_after, random::number());
            note_error(session, claim, error, now);
            // Whatever it was, it says nothing of a lost answer: its attempt stays on record.
            postpone(session, claim, again, claim.lost_attempt.is_some());
            tell(claim, error, news);
            Some(again)
        }
        Outcome::Unknown {
            error,
            answer,
            is_likely_served,
        } => {
            let again = match is_repeated {
                true => now,
                false => refresh::retry_at(now, failures(claim), None, random::number()),
            };
            let again = match is_likely_served {
                true => again.max(lives_until(claim, now)),
                false => again,
            };
            match answer {
                Some(answer) => keep(session, claim, error, answer, now)?,
                None => note_error(session, claim, error, now),
            }
            postpone(session, claim, again, true);
            tell(claim, error, news);
            Some(again)
        }
        Outcome::Unwanted(until) => {
            let until = match is_wanted_by_now(session, claim) {
                true => Some(now),
                false => *until,
            };
            rest(session, claim, until)
        }
        Outcome::Rested(until) => rest(session, claim, *until),
        Outcome::Refreshed(_) | Outcome::Extended(_) => unreachable!("a success"),
    };
    Ok(Written {
        wish: claim.wish(),
        lane: claim.lane,
        due_at,
        is_repeated,
    })
}

/// How long nothing is lost by not asking again: as long as the access token lives.
pub fn lives_until(claim: &Claim, now: UnixMicros) -> UnixMicros {
    const DAY: UnixMicros = 86_400_000_000;
    claim.expires_at.unwrap_or(now + DAY)
}

fn tell(claim: &Claim, error: &str, news: &mut News) {
    if claim.failures + 1 == FAILURES_TOLD {
        news.refresh_fails(claim, error);
    }
}

/// After a lost answer the refusal is no fault of the user's: it names the attempt that brought none, for the log.
fn blame(claim: &Claim, error: &str) -> String {
    match claim.lost_attempt {
        Some(attempt) => format!("{error} after a lost answer (attempt {attempt})"),
        None => error.to_owned(),
    }
}

fn failures(claim: &Claim) -> u32 {
    claim
        .failures
        .saturating_add(1)
        .try_into()
        .unwrap_or(u32::MAX)
}

/// The provider refuses the grant for good: it is never sent again. False: the token is another one by now.
fn grant_died(session: &Session, claim: &Claim, error: &str, now: UnixMicros) -> bool {
    static WRITE: Statement = Statement::new(
        "UPDATE vault.token SET state = 'reauthorization_required', last_error = $3, last_error_at = $4, updated_at = $4
         WHERE id = $1 AND generation = $2",
        &[INT8OID, INT8OID, TEXTOID, TIMESTAMPTZOID],
    );
    let arguments = [
        claim.token.into(),
        claim.generation.into(),
        error.into(),
        timestamp(Some(now)),
    ];
    let died = session.run(&WRITE, &arguments) > 0;
    unschedule(session, claim);
    died
}

fn unschedule(session: &Session, claim: &Claim) {
    static REMOVE: Statement = Statement::new(
        "DELETE FROM vault.refresh_schedule WHERE token = $1 AND attempt = $2",
        &[INT8OID, INT8OID],
    );
    session.run(&REMOVE, &[claim.token.into(), claim.attempt.into()]);
}

/// Tries again at this time. `keeps_attempt`: what the provider made of the request is not known, and what the next
/// one finds depends on it.
fn postpone(session: &Session, claim: &Claim, again: UnixMicros, keeps_attempt: bool) {
    static NEXT: Statement = Statement::new(
        "UPDATE vault.refresh_schedule
         SET due_at = CASE WHEN due_at = $4 THEN $3 ELSE least(due_at, $3) END, failures = failures + 1,
             attempt = NULL, attempt_generation = NULL, attempted_at = NULL
         WHERE token = $1 AND attempt = $2",
        &[INT8OID, INT8OID, TIMESTAMPTZOID, TIMESTAMPTZOID],
    );
    static KEEP: Statement = Statement::new(
        "UPDATE vault.refresh_schedule
         SET due_at = CASE WHEN due_at = $4 THEN $3 ELSE least(due_at, $3) END, failures = failures + 1, attempt = $5
         WHERE token = $1 AND attempt = $2",
        &[INT8OID, INT8OID, TIMESTAMPTZOID, TIMESTAMPTZOID, INT8OID],
    );
    let (token, attempt) = (claim.token.into(), claim.attempt.into());
    let (again, claimed) = (timestamp(Some(again)), timestamp(Some(claim.due_at)));
    if keeps_attempt {
        // Of several, the first one that brought no answer.
        let lost = claim.lost_attempt.unwrap_or(claim.attempt);
        session.run(&KEEP, &[token, attempt, again, claimed, lost.into()]);
    } else {
        session.run(&NEXT, &[token, attempt, again, claimed]);
    }
}

/// Nothing was sent, and nothing is until this time; None: the token leaves the schedule. Where somebody has mended
/// something meanwhile, it is due as they have it. What was lost before stays on record. Returns when it is due.
fn rest(session: &Session, claim: &Claim, until: Option<UnixMicros>) -> Option<UnixMicros> {
    static REST: Statement = Statement::new(
        "UPDATE vault.refresh_schedule SET due_at = CASE WHEN due_at = $5 THEN $3 ELSE due_at END, attempt = $4,
             attempt_generation = CASE WHEN $4 IS NOT NULL THEN attempt_generation END,
             attempted_at = CASE WHEN $4 IS NOT NULL THEN attempted_at END
         WHERE token = $1 AND attempt = $2 AND ($3 IS NOT NULL OR due_at <> $5) RETURNING due_at",
        &[INT8OID, INT8OID, TIMESTAMPTZOID, INT8OID, TIMESTAMPTZOID],
    );
    let arguments = [
        claim.token.into(),
        claim.attempt.into(),
        timestamp(until),
        claim.lost_attempt.into(),
        timestamp(Some(claim.due_at)),
    ];
    let due_at = session.write(&REST, &arguments, |row| row.time(1)).pop();
    if due_at.is_none() {
        unschedule(session, claim);
    }
    due_at.flatten()
}

/// Whether a policy that has been changed, or a use, since the token was looked at wants it refreshed now.
fn is_wanted_by_now(session: &Session, claim: &Claim) -> bool {
    static WANTED: Statement = Statement::new(
        "SELECT coalesce(t.refresh_policy, c.refresh_policy, 'always'), coalesce(u.last_used_at >= t.issued_at, false)
         FROM vault.token AS t LEFT JOIN vault.client AS c ON c.id = t.client
              LEFT JOIN vault.token_usage AS u ON u.token = t.id WHERE t.id = $1",
        &[INT8OID],
    );
    let wanted = session.query_one(
        &WANTED,
        &[claim.token.into()],
        |row| match RefreshPolicy::parse(row.required(1)).unwrap_or_default() {
            RefreshPolicy::Always => true,
            RefreshPolicy::OnUse => row.required(2),
            RefreshPolicy::Never => false,
        },
    );
    wanted.unwrap_or(false)
}

fn note_error(session: &Session, claim: &Claim, error: &str, now: UnixMicros) {
    static WRITE: Statement = Statement::new(
        "UPDATE vault.token SET last_error = $3, last_error_at = $4 WHERE id = $1 AND generation = $2",
        &[INT8OID, INT8OID, TEXTOID, TIMESTAMPTZOID],
    );
    let arguments = [
        claim.token.into(),
        claim.generation.into(),
        error.into(),
        timestamp(Some(now)),
    ];
    session.run(&WRITE, &arguments);
}

/// Keeps an answer that was not understood: the first one, because a repeated request may bring less.
fn keep(
    session: &Session,
    claim: &Claim,
    error: &str,
    answer: &KeptAnswer,
    now: UnixMicros,
) -> Result<()> {
    static WRITE: Statement = Statement::new(
        "UPDATE vault.token SET last_error = $3, last_error_at = $4, unread_answer = coalesce(unread_answer, $5)
         WHERE id = $1 AND generation = $2",
        &[INT8OID, INT8OID, TEXTOID, TIMESTAMPTZOID, BYTEAOID],
    );
    let context = claim.key.context(TokenField::UnreadAnswer);
    let envelope = keyring::seal(&claim.key.tenant, &context, answer.to_bytes().expose())?;
    let arguments = [
        claim.token.into(),
        claim.generation.into(),
        error.into(),
        timestamp(Some(now)),
        envelope.into(),
    ];
    session.run(&WRITE, &arguments);
    Ok(())
}
