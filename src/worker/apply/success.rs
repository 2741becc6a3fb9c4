//! Tokens that were refreshed.

use token_vault_core::oauth::{Expiry, Provider, TokenResponse};
use token_vault_core::refresh::{self, Times};

use super::news::News;
use crate::error::Result;
use crate::pg::spi::BuiltinOid::{
    BYTEAARRAYOID, INT8ARRAYOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID, TIMESTAMPTZOID,
};
use crate::pg::spi::{Session, Statement, timestamp};
use crate::pg::time::{self, UnixMicros};
use crate::pg::{fault, random};
use crate::store::token::{self, Sealed};
use crate::worker::arrival::{Arrival, Written};
use crate::worker::call::Outcome;
use crate::worker::claim::Claim;

/// What is written for one token; None: it stays as it is.
#[derive(Default)]
struct Change {
    access_token: Option<Vec<u8>>,
    refresh_token: Option<Vec<u8>>,
    id_token: Option<Vec<u8>>,
    token_type: Option<String>,
    scope: Option<String>,
    /// JSON.
    response: Option<String>,
    expires_at: Option<UnixMicros>,
    refresh_after: Option<UnixMicros>,
    refresh_token_expires_at: Option<UnixMicros>,
    due_at: Option<UnixMicros>,
}

pub(super) fn is_one(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Refreshed(_) | Outcome::Extended(_))
}

pub(super) fn apply(
    session: &Session,
    arrivals: &[&Arrival],
    now: UnixMicros,
    news: &mut News,
) -> Result<Vec<Written>> {
    if arrivals.is_empty() {
        return Ok(Vec::new());
    }
    let changes: Vec<Change> = arrivals
        .iter()
        .map(|arrival| change(arrival, now))
        .collect::<Result<_>>()?;
    fault::point("outcome_sealed");
    let due: Vec<Option<UnixMicros>> = changes.iter().map(|change| change.due_at).collect();
    let expiries: Vec<Option<UnixMicros>> =
        changes.iter().map(|change| change.expires_at).collect();
    let refreshed = write_tokens(session, arrivals, changes, now);
    schedule(session, arrivals, &due);
    for (arrival, expires_at) in arrivals.iter().zip(expiries) {
        if refreshed.contains(&arrival.claim.token) {
            news.refreshed(&arrival.claim, expires_at);
        }
    }
    Ok(arrivals
        .iter()
        .zip(due)
        .map(|(arrival, due_at)| Written {
            wish: arrival.claim.wish(),
            lane: arrival.claim.lane,
            due_at,
            is_repeated: false,
        })
        .collect())
}

fn change(arrival: &Arrival, now: UnixMicros) -> Result<Change> {
    let provider = arrival
        .provider
        .as_deref()
        .expect("an answer has a provider");
    match &arrival.outcome {
        Outcome::Refreshed(response) => refreshed(&arrival.claim, provider, response, now),
        Outcome::Extended(expiry) => Ok(extended(provider, *expiry, now)),
        _ => unreachable!("not a success"),
    }
}

fn refreshed(
    claim: &Claim,
    provider: &Provider,
    response: &TokenResponse,
    now: UnixMicros,
) -> Result<Change> {
    let sealed: Sealed = token::seal(&claim.key, provider, response, now, true)?;
    let extra = &response.extra;
    Ok(Change {
        access_token: Some(sealed.access_token),
        refresh_token: sealed.refresh_token,
        id_token: sealed.id_token,
        token_type: response.token_type.clone(),
        scope: response.scope.clone(),
        response: (!extra.is_empty()).then(|| serde_json::Value::Object(extra.clone()).to_string()),
        expires_at: sealed.expires_at,
        refresh_after: sealed.due.refresh_after,
        refresh_token_expires_at: sealed.refresh_token_expires_at,
        due_at: sealed.due.at(),
    })
}

fn extended(provider: &Provider, expiry: Expiry, now: UnixMicros) -> Change {
    let times = Times {
        issued_at: now,
        expires_at: expiry.expires_at(now),
        refresh_token_expires_at: token::disuse_ends_at(provider, now),
    };
    let due = refresh::due(provider, times, true, random::number());
    Change {
        expires_at: times.expires_at,
        refresh_after: due.refresh_after,
        refresh_token_expires_at: times.refresh_token_expires_at,
        due_at: due.at(),
        ..Change::default()
    }
}

/// Returns the tokens that were still the ones that were asked for.
fn write_tokens(
    session: &Session,
    arrivals: &[&Arrival],
    changes: Vec<Change>,
    now: UnixMicros,
) -> std::collections::HashSet<i64> {
    static WRITE: Statement = Statement::new(
        "UPDATE vault.token AS t SET
             access_token = coalesce(a.access_token, t.access_token),
             refresh_token = coalesce(a.refresh_token, t.refresh_token),
             id_token = coalesce(a.id_token, t.id_token),
             token_type = coalesce(a.token_type, t.token_type), scope = coalesce(a.scope, t.scope),
             issued_at = CASE WHEN a.access_token IS NULL THEN t.issued_at ELSE $1 END,
             refreshed_at = $1, updated_at = $1, expires_at = a.expires_at, refresh_after = a.refresh_after,
             refresh_token_expires_at = coalesce(a.refresh_token_expires_at,
                 CASE WHEN a.refresh_token IS NULL THEN t.refresh_token_expires_at END),
             response = CASE WHEN a.response IS NULL THEN t.response ELSE t.response || a.response::jsonb END,
             unread_answer = NULL, state = 'active', last_error = NULL, last_error_at = NULL,
             generation = t.generation + 1
         FROM unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
              AS a (id, generation, access_token, refresh_token, id_token, token_type, scope, response,
                    expires_at, refresh_after, refresh_token_expires_at)
         WHERE t.id = a.id AND t.generation = a.generation
         RETURNING t.id",
        &[
            TIMESTAMPTZOID,
            INT8ARRAYOID,
            INT8ARRAYOID,
            BYTEAARRAYOID,
            BYTEAARRAYOID,
            BYTEAARRAYOID,
            TEXTARRAYOID,
            TEXTARRAYOID,
            TEXTARRAYOID,
            TIMESTAMPTZARRAYOID,
            TIMESTAMPTZARRAYOID,
            TIMESTAMPTZARRAYOID,
        ],
    );
    let mut columns = Columns::default();
    for (arrival, change) in arrivals.iter().zip(changes) {
        columns.push(&arrival.claim, change);
    }
    let arguments = [
        timestamp(Some(now)),
        columns.ids.into(),
        columns.generations.into(),
        columns.access_tokens.into(),
        columns.refresh_tokens.into(),
        columns.id_tokens.into(),
        columns.token_types.into(),
        columns.scopes.into(),
        columns.responses.into(),
        times(&columns.expires_at).into(),
        times(&columns.refresh_after).into(),
        times(&columns.refresh_token_expires_at).into(),
    ];
    session
        .write(&WRITE, &arguments, |row| row.required(1))
        .into_iter()
        .collect()
}

#[derive(Default)]
struct Columns {
    ids: Vec<i64>,
    generations: Vec<i64>,
    access_tokens: Vec<Option<Vec<u8>>>,
    refresh_tokens: Vec<Option<Vec<u8>>>,
    id_tokens: Vec<Option<Vec<u8>>>,
    token_types: Vec<Option<String>>,
    scopes: Vec<Option<String>>,
    responses: Vec<Option<String>>,
    expires_at: Vec<Option<UnixMicros>>,
    refresh_after: Vec<Option<UnixMicros>>,
    refresh_token_expires_at: Vec<Option<UnixMicros>>,
}

impl Columns {
    fn push(&mut self, claim: &Claim, change: Change) {
        self.ids.push(claim.token);
        self.generations.push(claim.generation);
        self.access_tokens.push(change.access_token);
        self.refresh_tokens.push(change.refresh_token);
        self.id_tokens.push(change.id_token);
        self.token_types.push(change.token_type);
        self.scopes.push(change.scope);
        self.responses.push(change.response);
        self.expires_at.push(change.expires_at);
        self.refresh_after.push(change.refresh_after);
        self.refresh_token_expires_at
            .push(change.refresh_token_expires_at);
    }
}

fn times(times: &[Option<UnixMicros>]) -> Vec<Option<pgrx::datum::TimestampWithTimeZone>> {
    times.iter().map(|at| at.map(time::to_sql)).collect()
}

/// Clears the attempts and says when each token is due next; those that never are leave the schedule.
fn schedule(session: &Session, arrivals: &[&Arrival], due: &[Option<UnixMicros>]) {
    static NEXT: Statement = Statement::new(
        "UPDATE vault.refresh_schedule AS s
         SET due_at = a.due_at, failures = 0, attempt = NULL, attempt_generation = NULL, attempted_at = NULL
         FROM unnest($1, $2, $3) AS a (token, attempt, due_at)
         WHERE s.token = a.token AND s.attempt = a.attempt",
        &[INT8ARRAYOID, INT8ARRAYOID, TIMESTAMPTZARRAYOID],
    );
    static REMOVE: Statement = Statement::new(
        "DELETE FROM vault.refresh_schedule AS s USING unnest($1, $2) AS a (token, attempt)
         WHERE s.token = a.token AND s.attempt = a.attempt",
        &[INT8ARRAYOID, INT8ARRAYOID],
    );
    let (mut next, mut done) = (
        (Vec::new(), Vec::new(), Vec::new()),
        (Vec::new(), Vec::new()),
    );
    for (arrival, due_at) in arrivals.iter().zip(due) {
        let (token, attempt) = (arrival.claim.token, arrival.claim.attempt);
        match due_at {
            Some(due_at) => {
                next.0.push(token);
                next.1.push(attempt);
                next.2.push(time::to_sql(*due_at));
            }
            None => {
                done.0.push(token);
                done.1.push(attempt);
            }
        }
    }
    if !next.0.is_empty() {
        session.run(&NEXT, &[next.0.into(), next.1.into(), next.2.into()]);
    }
    if !done.0.is_empty() {
        session.run(&REMOVE, &[done.0.into(), done.1.into()]);
    }
}
