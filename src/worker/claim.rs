//! Claiming tokens: the intent to refresh is committed before a byte is sent, so that after a crash "sent,
//! outcome unknown" is known and never guessed.

use pgrx::JsonB;
use token_vault_core::refresh::{RefreshPolicy, Share, Way};

use crate::pg::spi::BuiltinOid::{
    INT4ARRAYOID, INT8ARRAYOID, INT8OID, TIMESTAMPTZARRAYOID, TIMESTAMPTZOID,
};
use crate::pg::spi::{self, Row, Statement, timestamp};
use crate::pg::time::{self, UnixMicros};
use crate::store::schedule::{Lane, lane_of_t};
use crate::store::token::TokenKey;
use crate::worker::board::Wish;

/// A token that is being refreshed, as it was when the intent was committed.
pub struct Claim {
    pub token: i64,
    pub lane: Lane,
    pub attempt: i64,
    pub generation: i64,
    pub key: TokenKey,
    pub client: Option<i64>,
    pub access_token: Vec<u8>,
    pub refresh_token: Option<Vec<u8>>,
    /// An earlier answer that was not understood.
    pub unread_answer: Option<Vec<u8>>,
    pub scope: Option<String>,
    /// What fills placeholders: the provider's earlier answers and the connection's metadata.
    pub metadata: serde_json::Value,
    pub failures: i32,
    /// An earlier request with the same credentials whose answer was lost.
    pub lost_attempt: Option<i64>,
    /// The token's own; None: its client's.
    pub policy: Option<RefreshPolicy>,
    /// The provider has refused the grant for good: only an answer that was kept can help.
    pub is_dead: bool,
    /// When it was due before it was claimed.
    pub was_due_at: UnixMicros,
    /// When it is due on record while it is under way; if that changes, somebody has mended something meanwhile.
    pub due_at: UnixMicros,
    pub issued_at: UnixMicros,
    pub expires_at: Option<UnixMicros>,
    pub refresh_token_expires_at: Option<UnixMicros>,
    /// A session asks for it.
    pub is_asked_for: bool,
    /// Where it was admitted.
    pub way: Way,
}

impl Claim {
    /// What a session has asked for that waits for this claim's outcome.
    pub fn wish(&self) -> Wish {
        Wish {
            token: self.token,
            generation: self.generation,
        }
    }
}

/// What is on record of a claim.
pub struct Intent {
    pub wish: Wish,
    pub lane: Lane,
    pub way: Way,
    attempt: i64,
    lost_attempt: Option<i64>,
    due_at: UnixMicros,
}

impl Intent {
    pub fn of(claim: &Claim) -> Intent {
        Intent {
            wish: claim.wish(),
            lane: claim.lane,
            way: claim.way.clone(),
            attempt: claim.attempt,
            lost_attempt: claim.lost_attempt,
            due_at: claim.due_at,
        }
    }
}

/// The statement that claims the rows `s` of the schedule that `$rows` finds and `$join` names, at the time `$1`.
///
/// What is due stays due on record until there is an outcome, so that a claim writes no index entry; which tokens are under
/// way, the refresher knows. What is claimed before its time is due from now on: should the process die, its successor goes
/// on with it.
macro_rules! claim_those {
    ($rows:literal, $join:literal) => {
        concat!(
            "WITH due AS (",
            $rows,
            ")
             UPDATE vault.refresh_schedule AS s
             SET attempt = nextval('vault.refresh_attempt'), attempt_generation = t.generation,
                 attempted_at = clock_timestamp(), due_at = least(s.due_at, $1)
             FROM due JOIN vault.token AS t ON t.id = due.token
             WHERE ",
            $join,
            " RETURNING s.token, s.lane, s.attempt, t.generation, t.tenant, t.provider, t.subject, t.label, t.client,
                 t.access_token, t.refresh_token, t.unread_answer, t.scope, t.response || t.metadata, s.failures,
                 CASE WHEN due.attempt_generation = t.generation THEN due.attempt END,
                 t.refresh_policy, t.issued_at, t.refresh_token_expires_at, t.expires_at, t.state <> 'active', due.due_at, s.due_at"
        )
    };
}

/// Claims from each lane up to as many tokens as it has places, the longest due first. Called in a transaction of its own,
/// which commits the intents.
///
/// Each lane is read from the time before which none of its tokens is due: behind the rows that earlier claims have
/// moved, which a long-lived snapshot elsewhere keeps in the index. The rows found are then reached by their place: an
/// index on the token leads through every version that such a snapshot keeps. (A row that was changed in the middle of the
/// statement has another place and is left for the next round.)
///
/// * `under_way` — tokens whose answer is awaited, or waits to be written.
pub fn claim_due(shares: &[Share], now: UnixMicros, under_way: &[i64]) -> Vec<Claim> {
    static CLAIM: Statement = Statement::new(
        claim_those!(
            "SELECT d.place, d.token, d.attempt, d.attempt_generation, d.due_at
             FROM unnest($2, $3, $4) AS l (lane, due_from, places) CROSS JOIN LATERAL
                 (SELECT ctid AS place, token, attempt, attempt_generation, due_at FROM vault.refresh_schedule AS r
                  WHERE r.lane = l.lane AND r.due_at >= l.due_from AND r.due_at <= $1 AND r.token <> ALL ($5)
                  ORDER BY r.due_at LIMIT l.places FOR UPDATE SKIP LOCKED) AS d",
            "s.ctid = due.place"
        ),
        &[
            TIMESTAMPTZOID,
            INT8ARRAYOID,
            TIMESTAMPTZARRAYOID,
            INT4ARRAYOID,
            INT8ARRAYOID,
        ],
    );
    let lanes: Vec<i64> = shares.iter().map(|share| share.lane).collect();
    let from: Vec<_> = shares
        .iter()
        .map(|share| time::to_sql(share.from))
        .collect();
    let places: Vec<i32> = shares
        .iter()
        .map(|share| i32::try_from(share.places).unwrap_or(i32::MAX))
        .collect();
    let arguments = [
        timestamp(Some(now)),
        lanes.into(),
        from.into(),
        places.into(),
        under_way.to_vec().into(),
    ];
    spi::session(|session| session.write(&CLAIM, &arguments, |row| read(row, false)))
}

/// Claims these tokens, due or not, except those that somebody has locked, or that are another generation by now.
pub fn claim_wishes(wishes: &[Wish], now: UnixMicros) -> Vec<Claim> {
    static CLAIM: Statement = Statement::new(
        claim_those!(
            "SELECT r.token, r.attempt, r.attempt_generation, r.due_at
             FROM unnest($2, $3) AS w (token, generation)
                  JOIN vault.token AS g ON g.id = w.token AND g.generation = w.generation
                  JOIN vault.refresh_schedule AS r ON r.token = w.token
             FOR UPDATE OF r SKIP LOCKED",
            "s.token = due.token"
        ),
        &[TIMESTAMPTZOID, INT8ARRAYOID, INT8ARRAYOID],
    );
    let tokens: Vec<i64> = wishes.iter().map(|wish| wish.token).collect();
    let generations: Vec<i64> = wishes.iter().map(|wish| wish.generation).collect();
    let arguments = [timestamp(Some(now)), tokens.into(), generations.into()];
    spi::session(|session| session.write(&CLAIM, &arguments, |row| read(row, true)))
}

/// For each of these lanes, when the first token in it is due that is not under way.
pub fn next_due(shares: &[Share], under_way: &[i64]) -> Vec<(Lane, Option<UnixMicros>)> {
    static NEXT: Statement = Statement::new(
        "SELECT l.lane, (SELECT due_at FROM vault.refresh_schedule AS r
                         WHERE r.lane = l.lane AND r.due_at >= l.due_from AND r.token <> ALL ($3) ORDER BY r.due_at LIMIT 1)
         FROM unnest($1, $2) AS l (lane, due_from)",
        &[INT8ARRAYOID, TIMESTAMPTZARRAYOID, INT8ARRAYOID],
    );
    let lanes: Vec<i64> = shares.iter().map(|share| share.lane).collect();
    let from: Vec<_> = shares
        .iter()
        .map(|share| time::to_sql(share.from))
        .collect();
    spi::session(|session| {
        let arguments = [lanes.into(), from.into(), under_way.to_vec().into()];
        session.query(&NEXT, &arguments, |row| (row.required(1), row.time(2)))
    })
}

/// Whether a token was handed out since it was issued.
pub fn is_used(token: i64) -> bool {
    static USED: Statement = Statement::new(
        "SELECT u.last_used_at >= t.issued_at FROM vault.token_usage AS u JOIN vault.token AS t ON t.id = u.token
         WHERE u.token = $1",
        &[INT8OID],
    );
    let used =
        spi::session(|session| session.query_one(&USED, &[token.into()], |row| row.required(1)));
    used.unwrap_or(false)
}

/// Puts tokens on the schedule that are asked for but are not on it, because they are not known to expire.
pub fn admit(tokens: &[i64]) {
    static ADMIT: Statement = Statement::new(
        concat!(
            "INSERT INTO vault.refresh_schedule (token, lane, due_at) SELECT t.id, ",
            lane_of_t!(),
            ", clock_timestamp() FROM vault.token AS t WHERE t.id = ANY ($1) AND t.state = 'active'
             ON CONFLICT (token) DO NOTHING"
        ),
        &[INT8ARRAYOID],
    );
    spi::session(|session| session.run(&ADMIT, &[tokens.to_vec().into()]));
}

/// Provider and client of these tokens: whom they would be sent to.
pub fn ways(tokens: &[i64]) -> Vec<(i64, Way)> {
    static WAYS: Statement = Statement::new(
        "SELECT id, provider, client FROM vault.token WHERE id = ANY ($1)",
        &[INT8ARRAYOID],
    );
    spi::session(|session| {
        session.query(&WAYS, &[tokens.to_vec().into()], |row| {
            let way = Way {
                provider: row.required(2),
                client: row.get(3),
            };
            (row.required(1), way)
        })
    })
}

/// Takes intents back of which nothing was sent; what was lost before them stays on record. Their tokens are due again
/// then, unless somebody has changed that meanwhile.
pub fn give_back(intents: &[Intent], due_at: UnixMicros) {
    static GIVE_BACK: Statement = Statement::new(
        "UPDATE vault.refresh_schedule AS s SET due_at = CASE WHEN s.due_at = a.due_at THEN $5 ELSE s.due_at END,
             attempt = a.lost,
             attempt_generation = CASE WHEN a.lost IS NOT NULL THEN s.attempt_generation END,
             attempted_at = CASE WHEN a.lost IS NOT NULL THEN s.attempted_at END
         FROM unnest($1, $2, $3, $4) AS a (token, attempt, lost, due_at)
         WHERE s.token = a.token AND s.attempt = a.attempt",
        &[
            INT8ARRAYOID,
            INT8ARRAYOID,
            INT8ARRAYOID,
            TIMESTAMPTZARRAYOID,
            TIMESTAMPTZOID,
        ],
    );
    let due: Vec<_> = (intents.iter())
        .map(|intent| time::to_sql(intent.due_at))
        .collect();
    let column = |value: fn(&Intent) -> Option<i64>| intents.iter().map(value).collect::<Vec<_>>();
    let arguments = [
        column(|intent| Some(intent.wish.token)).into(),
        column(|intent| Some(intent.attempt)).into(),
        column(|intent| intent.lost_attempt).into(),
        due.into(),
        timestamp(Some(due_at)),
    ];
    spi::session(|session| session.run(&GIVE_BACK, &arguments));
}

/// Makes the attempts of a refresher that died due at once, before everything else: the sooner such a request is
/// repeated, the likelier the provider still accepts it.
pub fn recover() -> u64 {
    static RECOVER: Statement = Statement::new(
        "UPDATE vault.refresh_schedule SET due_at = clock_timestamp() - interval '1 day' WHERE attempt IS NOT NULL",
        &[],
    );
    spi::session(|session| session.run(&RECOVER, &[]))
}

/// The way is that of the token; the caller has admitted it.
fn read(row: &Row, is_asked_for: bool) -> Claim {
    let client: Option<i64> = row.get(9);
    let key = TokenKey::read(row, 5);
    Claim {
        token: row.required(1),
        lane: row.required(2),
        attempt: row.required(3),
        generation: row.required(4),
        way: Way {
            provider: key.provider.clone(),
            client,
        },
        key,
        client,
        access_token: row.required(10),
        refresh_token: row.get(11),
        unread_answer: row.get(12),
        scope: row.get(13),
        metadata: row.required::<JsonB>(14).0,
        failures: row.required(15),
        lost_attempt: row.get(16),
        policy: row.get(17).and_then(RefreshPolicy::parse),
        issued_at: row.time(18).expect("issued_at is never null"),
        refresh_token_expires_at: row.time(19),
        expires_at: row.time(20),
        is_dead: row.required(21),
        was_due_at: row.time(22).expect("due_at is never null"),
        due_at: row.time(23).expect("due_at is never null"),
        is_asked_for,
    }
}
