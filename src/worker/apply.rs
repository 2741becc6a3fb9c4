//! Writing outcomes. An answer is applied only to the generation it was asked for: a token that was stored
//! again, deleted or moved meanwhile wins.

use pgrx::JsonB;
use token_vault_core::oauth::{Expiry, Provider, TokenResponse};
use token_vault_core::refresh::{self, Verdict};

use crate::error::Result;
use crate::pg::random;
use crate::pg::spi::BuiltinOid::{BYTEAOID, INT8OID, JSONBOID, TEXTOID, TIMESTAMPTZOID};
use crate::pg::spi::{Session, Statement, timestamp};
use crate::pg::time::{self, UnixMicros};
use crate::store::token::{self, Sealed};
use crate::worker::call::Outcome;
use crate::worker::claim::Claim;

/// Whether the request is repeated right after this outcome has been written: the first lost answer. The provider
/// accepts the same refresh token again only briefly, if at all.
pub fn repeats_at_once(claim: &Claim, outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Unknown { .. }) && claim.failures == 0
}

/// Writes one outcome. Called in the worker's transaction; an error rolls that back, and the outcome is
/// written again later: a received answer is never dropped.
pub fn apply(
    session: &Session,
    claim: &Claim,
    provider: Option<&Provider>,
    outcome: &Outcome,
) -> Result<()> {
    let now = time::now();
    match (outcome, provider) {
        (Outcome::Refreshed(response), Some(provider)) => {
            refreshed(session, claim, provider, response, now)
        }
        (Outcome::Extended(expiry), Some(provider)) => {
            extended(session, claim, provider, expiry, now);
            Ok(())
        }
        (Outcome::Refreshed(_) | Outcome::Extended(_), None) => {
            unreachable!("an answer has a provider")
        }
        (
            Outcome::Failed {
                verdict: Verdict::GrantDead,
                error,
                ..
            },
            _,
        ) => {
            let error = if claim.answer_lost {
                format!("{error} after a lost answer")
            } else {
                error.clone()
            };
            grant_died(session, claim, &error, now);
            Ok(())
        }
        (
            Outcome::Failed {
                error, retry_after, ..
            },
            _,
        ) => {
            let again = refresh::retry_at(now, failures(claim), *retry_after, random::number());
            let is_transient = matches!(
                outcome,
                Outcome::Failed {
                    verdict: Verdict::Transient,
                    ..
                }
            );
            if claim.answer_lost && is_transient {
                // Nothing has been learned of the lost answer.
                outcome_unknown(session, claim, error, again, now);
            } else {
                failed(session, claim, error, again, now);
            }
            Ok(())
        }
        (Outcome::Unknown { error }, _) => {
            let again = match repeats_at_once(claim, outcome) {
                true => now,
                false => refresh::retry_at(now, failures(claim), None, random::number()),
            };
            outcome_unknown(session, claim, error, again, now);
            Ok(())
        }
    }
}

fn failures(claim: &Claim) -> u32 {
    claim
        .failures
        .saturating_add(1)
        .try_into()
        .unwrap_or(u32::MAX)
}

fn refreshed(
    session: &Session,
    claim: &Claim,
    provider: &Provider,
    response: &TokenResponse,
    now: UnixMicros,
) -> Result<()> {
    static WRITE: Statement = Statement::new(
        "UPDATE vault.token SET
             access_token = $3, refresh_token = coalesce($4, refresh_token), id_token = coalesce($5, id_token),
             token_type = coalesce($6, token_type), scope = coalesce($7, scope),
             issued_at = $8, refreshed_at = $8, updated_at = $8, expires_at = $9, refresh_after = $10,
             refresh_token_expires_at = coalesce($11, CASE WHEN $4 IS NULL THEN refresh_token_expires_at END),
             response = response || $12, state = 'active', last_error = NULL, last_error_at = NULL,
             generation = generation + 1
         WHERE id = $1 AND generation = $2",
        &[
            INT8OID,
            INT8OID,
            BYTEAOID,
            BYTEAOID,
            BYTEAOID,
            TEXTOID,
            TEXTOID,
            TIMESTAMPTZOID,
            TIMESTAMPTZOID,
            TIMESTAMPTZOID,
            TIMESTAMPTZOID,
            JSONBOID,
        ],
    );
    let sealed: Sealed = token::seal(&claim.key, provider, response, now)?;
    let due_at = sealed.refresh_after;
    session.run(
        &WRITE,
        &[
            claim.token.into(),
            claim.generation.into(),
            sealed.access_token.into(),
            sealed.refresh_token.into(),
            sealed.id_token.into(),
            response.token_type.as_deref().into(),
            response.scope.as_deref().into(),
            timestamp(Some(now)),
            timestamp(sealed.expires_at),
            timestamp(due_at),
            timestamp(sealed.refresh_token_expires_at),
            JsonB(response.extra.clone().into()).into(),
        ],
    );
    succeeded(session, claim, due_at);
    Ok(())
}

fn extended(
    session: &Session,
    claim: &Claim,
    provider: &Provider,
    expiry: &Expiry,
    now: UnixMicros,
) {
    static WRITE: Statement = Statement::new(
        "UPDATE vault.token SET refreshed_at = $3, updated_at = $3, expires_at = $4, refresh_after = $5,
             state = 'active', last_error = NULL, last_error_at = NULL, generation = generation + 1
         WHERE id = $1 AND generation = $2",
        &[INT8OID, INT8OID, TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID],
    );
    let expires_at = expiry.expires_at(now);
    let due_at = refresh::refresh_at(provider, now, expires_at, true, random::number());
    session.run(
        &WRITE,
        &[
            claim.token.into(),
            claim.generation.into(),
            timestamp(Some(now)),
            timestamp(expires_at),
            timestamp(due_at),
        ],
    );
    succeeded(session, claim, due_at);
}

/// Clears the attempt and says when the next refresh is due; None: never.
fn succeeded(session: &Session, claim: &Claim, due_at: Option<UnixMicros>) {
    static NEXT: Statement = Statement::new(
        "UPDATE vault.refresh_schedule
         SET due_at = $3, failures = 0, attempt = NULL, attempt_generation = NULL, attempted_at = NULL
         WHERE token = $1 AND attempt = $2",
        &[INT8OID, INT8OID, TIMESTAMPTZOID],
    );
    match due_at {
        Some(due_at) => {
            session.run(
                &NEXT,
                &[
                    claim.token.into(),
                    claim.attempt.into(),
                    timestamp(Some(due_at)),
                ],
            );
        }
        None => unschedule(session, claim),
    }
}

fn unschedule(session: &Session, claim: &Claim) {
    static REMOVE: Statement = Statement::new(
        "DELETE FROM vault.refresh_schedule WHERE token = $1 AND attempt = $2",
        &[INT8OID, INT8OID],
    );
    session.run(&REMOVE, &[claim.token.into(), claim.attempt.into()]);
}

/// The provider refuses the grant for good: it is never sent again.
fn grant_died(session: &Session, claim: &Claim, error: &str, now: UnixMicros) {
    static WRITE: Statement = Statement::new(
        "UPDATE vault.token SET state = 'reauthorization_required', last_error = $3, last_error_at = $4, updated_at = $4
         WHERE id = $1 AND generation = $2",
        &[INT8OID, INT8OID, TEXTOID, TIMESTAMPTZOID],
    );
    session.run(
        &WRITE,
        &[
            claim.token.into(),
            claim.generation.into(),
            error.into(),
            timestamp(Some(now)),
        ],
    );
    unschedule(session, claim);
}

fn failed(session: &Session, claim: &Claim, error: &str, again: UnixMicros, now: UnixMicros) {
    static NEXT: Statement = Statement::new(
        "UPDATE vault.refresh_schedule
         SET due_at = $3, failures = failures + 1, attempt = NULL, attempt_generation = NULL, attempted_at = NULL
         WHERE token = $1 AND attempt = $2",
        &[INT8OID, INT8OID, TIMESTAMPTZOID],
    );
    // The token before its schedule, as everybody does it: the order of locks.
    note_error(session, claim, error, now);
    session.run(
        &NEXT,
        &[
            claim.token.into(),
            claim.attempt.into(),
            timestamp(Some(again)),
        ],
    );
}

/// The attempt stays on record: what the next request finds depends on it.
fn outcome_unknown(
    session: &Session,
    claim: &Claim,
    error: &str,
    again: UnixMicros,
    now: UnixMicros,
) {
    static NEXT: Statement = Statement::new(
        "UPDATE vault.refresh_schedule SET due_at = $3, failures = failures + 1 WHERE token = $1 AND attempt = $2",
        &[INT8OID, INT8OID, TIMESTAMPTZOID],
    );
    // The token before its schedule, as everybody does it: the order of locks.
    note_error(session, claim, error, now);
    session.run(
        &NEXT,
        &[
            claim.token.into(),
            claim.attempt.into(),
            timestamp(Some(again)),
        ],
    );
}

fn note_error(session: &Session, claim: &Claim, error: &str, now: UnixMicros) {
    static WRITE: Statement = Statement::new(
        "UPDATE vault.token SET last_error = $3, last_error_at = $4 WHERE id = $1 AND generation = $2",
        &[INT8OID, INT8OID, TEXTOID, TIMESTAMPTZOID],
    );
    session.run(
        &WRITE,
        &[
            claim.token.into(),
            claim.generation.into(),
            error.into(),
            timestamp(Some(now)),
        ],
    );
}
