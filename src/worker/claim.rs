//! Claiming tokens: the intent to refresh is committed before a byte is sent, so that after a crash "sent,
//! outcome unknown" is known and never guessed.

use pgrx::JsonB;

use crate::pg::spi::BuiltinOid::{INT8ARRAYOID, INT8OID, TIMESTAMPTZOID};
use crate::pg::spi::{self, Row, Statement, timestamp};
use crate::pg::time::UnixMicros;
use crate::store::token::TokenKey;

/// A token that is being refreshed, as it was when the intent was committed.
pub struct Claim {
    pub token: i64,
    pub attempt: i64,
    pub generation: i64,
    pub key: TokenKey,
    pub client: Option<i64>,
    pub access_token: Vec<u8>,
    pub refresh_token: Option<Vec<u8>>,
    pub scope: Option<String>,
    /// What fills placeholders: the provider's earlier answers and the connection's metadata.
    pub metadata: serde_json::Value,
    pub failures: i32,
    /// The answer to an earlier request with the same credentials was lost.
    pub answer_lost: bool,
}

/// Which tokens.
pub enum Which<'a> {
    /// Those that are due by this time, the longest due first.
    DueBy(UnixMicros),
    /// These, due or not.
    Tokens(&'a [i64]),
}

/// The statement that claims those rows of the schedule, at most `$3` of them, until `$2`.
macro_rules! claim_those {
    ($condition:literal) => {
        concat!(
            "UPDATE vault.refresh_schedule AS s
             SET attempt = nextval('vault.refresh_attempt'), attempt_generation = t.generation,
                 attempted_at = clock_timestamp(), due_at = $2
             FROM (SELECT token, attempt, attempt_generation FROM vault.refresh_schedule ",
            $condition,
            " LIMIT $3 FOR UPDATE SKIP LOCKED) AS due
                  JOIN vault.token AS t ON t.id = due.token
             WHERE s.token = due.token
             RETURNING s.token, s.attempt, t.generation, t.tenant, t.provider, t.subject, t.label, t.client,
                 t.access_token, t.refresh_token, t.scope, t.response || t.metadata, s.failures,
                 due.attempt IS NOT NULL AND due.attempt_generation = t.generation"
        )
    };
}

/// Claims up to `limit` tokens. An attempt that has no outcome by `lease_until` (its process died) is due
/// again then. Called in a transaction of its own, which commits the intents.
pub fn claim(which: Which, limit: usize, lease_until: UnixMicros) -> Vec<Claim> {
    static CLAIM_DUE: Statement = Statement::new(
        claim_those!("WHERE due_at <= $1 ORDER BY due_at"),
        &[TIMESTAMPTZOID, TIMESTAMPTZOID, INT8OID],
    );
    static CLAIM_TOKENS: Statement = Statement::new(
        claim_those!("WHERE token = ANY ($1)"),
        &[INT8ARRAYOID, TIMESTAMPTZOID, INT8OID],
    );
    let limit = limit as i64;
    spi::session(|session| match which {
        Which::DueBy(until) => session.write(
            &CLAIM_DUE,
            &[
                timestamp(Some(until)),
                timestamp(Some(lease_until)),
                limit.into(),
            ],
            read,
        ),
        Which::Tokens(tokens) => session.write(
            &CLAIM_TOKENS,
            &[
                tokens.to_vec().into(),
                timestamp(Some(lease_until)),
                limit.into(),
            ],
            read,
        ),
    })
}

/// Puts tokens on the schedule that are asked for but are not on it, because they are not known to expire.
pub fn admit(tokens: &[i64]) {
    static ADMIT: Statement = Statement::new(
        "INSERT INTO vault.refresh_schedule (token, due_at)
         SELECT id, clock_timestamp() FROM vault.token WHERE id = ANY ($1) AND state = 'active'
         ON CONFLICT (token) DO NOTHING",
        &[INT8ARRAYOID],
    );
    spi::session(|session| session.run(&ADMIT, &[tokens.to_vec().into()]));
}

/// Makes the attempts of a refresher that died due at once: the sooner such a request is repeated, the
/// likelier the provider still accepts it.
pub fn recover() -> u64 {
    static RECOVER: Statement = Statement::new(
        "UPDATE vault.refresh_schedule SET due_at = clock_timestamp() - interval '1 day' WHERE attempt IS NOT NULL",
        &[],
    );
    spi::session(|session| session.run(&RECOVER, &[]))
}

fn read(row: &Row) -> Claim {
    Claim {
        token: row.required(1),
        attempt: row.required(2),
        generation: row.required(3),
        key: TokenKey {
            tenant: row.required(4),
            provider: row.required(5),
            subject: row.required(6),
            label: row.required(7),
        },
        client: row.get(8),
        access_token: row.required(9),
        refresh_token: row.get(10),
        scope: row.get(11),
        metadata: row.required::<JsonB>(12).0,
        failures: row.required(13),
        answer_lost: row.required(14),
    }
}
