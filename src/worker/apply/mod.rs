//! Writing outcomes. An answer is applied only to the generation it was asked for: a token that was stored
//! again, deleted or moved meanwhile wins.
//!
//! Successes are written together, by statements over arrays; everything else is rare and goes one by one. Rows of
//! `vault.token` are written before those of `vault.refresh_schedule`, as everybody does it: the order of locks.

mod client_state;
mod failure;
mod news;
mod success;

pub use failure::lives_until;

use crate::error::Result;
use crate::pg::spi::Session;
use crate::pg::time::UnixMicros;
use crate::worker::arrival::{Arrival, Written};
use crate::worker::call::Outcome;
use crate::worker::claim::Claim;
use news::News;

/// Writes outcomes. Called in the worker's transaction; an error rolls that back, and the outcomes are
/// written again later: a received answer is never dropped.
pub fn apply(
    session: &Session,
    arrivals: &[&Arrival],
    now: UnixMicros,
    with_events: bool,
) -> Result<Vec<Written>> {
    let mut news = News::default();
    let (successes, others): (Vec<&Arrival>, Vec<&Arrival>) = arrivals
        .iter()
        .copied()
        .partition(|arrival| success::is_one(&arrival.outcome));
    let mut written = success::apply(session, &successes, now, &mut news)?;
    for arrival in others {
        written.push(failure::apply(session, arrival, now, &mut news)?);
    }
    client_state::apply(session, arrivals, now, &mut news);
    news.write_down(now);
    if with_events {
        news.send(session);
    }
    Ok(written)
}

/// Whether the request is repeated right after this outcome has been written: the first lost answer. The provider
/// accepts the same refresh token again only briefly, if at all.
fn repeats_at_once(claim: &Claim, outcome: &Outcome) -> bool {
    let is_lost = matches!(
        outcome,
        Outcome::Unknown {
            is_likely_served: false,
            ..
        }
    );
    is_lost && claim.failures == 0
}
