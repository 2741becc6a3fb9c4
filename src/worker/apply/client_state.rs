//! Clients that providers refuse, and those they accept again. None of their tokens is condemned: they wait.

use std::collections::HashMap;

use token_vault_core::refresh::Verdict;

use super::news::News;
use crate::pg::inval::{self, Topic};
use crate::pg::spi::BuiltinOid::{INT8OID, TEXTOID, TIMESTAMPTZOID};
use crate::pg::spi::{Session, Statement, timestamp};
use crate::pg::time::UnixMicros;
use crate::worker::arrival::Arrival;
use crate::worker::call::Outcome;

/// What a provider thinks of a client.
enum Opinion<'a> {
    Refused(&'a str),
    Accepted,
}

pub(super) fn apply(session: &Session, arrivals: &[&Arrival], now: UnixMicros, news: &mut News) {
    let mut opinions = HashMap::new();
    for arrival in arrivals {
        let Some(credentials) = &arrival.credentials else {
            continue;
        };
        let client = &credentials.client;
        let opinion = match &arrival.outcome {
            Outcome::Failed {
                verdict: Verdict::ClientBroken,
                error,
                ..
            } if !client.is_refused => Opinion::Refused(error),
            Outcome::Refreshed(_) | Outcome::Extended(_) if client.is_refused => Opinion::Accepted,
            _ => continue,
        };
        opinions.insert(client.id, (opinion, &**credentials));
    }
    for (id, (opinion, credentials)) in opinions {
        let is_new = match opinion {
            Opinion::Refused(error) => refused(session, id, error, now),
            Opinion::Accepted => accepted(session, id),
        };
        if !is_new {
            continue;
        }
        inval::announce(Topic::Clients);
        match opinion {
            Opinion::Refused(error) => news.client_broken(&credentials.client, error),
            Opinion::Accepted => news.client_recovered(&credentials.client),
        }
    }
}

fn refused(session: &Session, client: i64, error: &str, now: UnixMicros) -> bool {
    static WRITE: Statement = Statement::new(
        "UPDATE vault.client SET broken_since = $2, broken_error = $3 WHERE id = $1 AND broken_since IS NULL",
        &[INT8OID, TIMESTAMPTZOID, TEXTOID],
    );
    session.run(&WRITE, &[client.into(), timestamp(Some(now)), error.into()]) > 0
}

fn accepted(session: &Session, client: i64) -> bool {
    static WRITE: Statement = Statement::new(
        "UPDATE vault.client SET broken_since = NULL, broken_error = NULL WHERE id = $1 AND broken_since IS NOT NULL",
        &[INT8OID],
    );
    session.run(&WRITE, &[client.into()]) > 0
}
