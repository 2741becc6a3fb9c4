//! Rows of `vault.refresh_schedule`: when a token is due, in which lane it waits, and the attempt under way.

use crate::pg::role::Role;
use crate::pg::spi::BuiltinOid::{
    BOOLOID, INT4OID, INT8ARRAYOID, INT8OID, OIDOID, TEXTOID, TIMESTAMPTZOID,
};
use crate::pg::spi::{self, Session, Statement, timestamp};
use crate::pg::time::UnixMicros;
use crate::store::token::{self, Target};

/// The number of a lane.
pub type Lane = i64;

/// In a statement: the lane of a row of `vault.token` that is called `t`. Tokens of one provider, client and tenant
/// share a lane. The bits above the lowest 16 say provider and client ([`way_of`]); a tenant is one of 65,536, so that
/// the number of lanes stays small however many tenants there are. Two large tenants may share one.
macro_rules! lane_of_t {
    () => {
        "((hashtextextended(t.provider, coalesce(t.client, 0)) & 140737488355327) << 16 | (hashtext(t.tenant) & 65535))"
    };
}

pub(crate) use lane_of_t;

/// What all lanes of one provider and client have in common.
pub fn way_of(lane: Lane) -> i64 {
    lane >> 16
}

/// The lanes of one [`way_of`].
pub fn lanes_of(way: i64) -> std::ops::Range<Lane> {
    way << 16..(way + 1) << 16
}

/// Makes a token due at a time, forgetting earlier failures and any attempt: its credentials are new. `is_known`: it is
/// probably on the schedule.
pub fn set(session: &Session, token: i64, lane: Lane, due_at: UnixMicros, is_known: bool) {
    static CHANGE: Statement = Statement::new(
        "UPDATE vault.refresh_schedule SET lane = $2, due_at = $3, failures = 0, attempt = NULL, attempt_generation = NULL,
             attempted_at = NULL WHERE token = $1",
        &[INT8OID, INT8OID, TIMESTAMPTZOID],
    );
    static SET: Statement = Statement::new(
        "INSERT INTO vault.refresh_schedule (token, lane, due_at) VALUES ($1, $2, $3)
         ON CONFLICT (token) DO UPDATE SET lane = EXCLUDED.lane,
             due_at = EXCLUDED.due_at, failures = 0, attempt = NULL, attempt_generation = NULL, attempted_at = NULL",
        &[INT8OID, INT8OID, TIMESTAMPTZOID],
    );
    let arguments = [token.into(), lane.into(), timestamp(Some(due_at))];
    if !is_known || session.run(&CHANGE, &arguments) == 0 {
        session.run(&SET, &arguments);
    }
}

/// Takes a token off the schedule.
pub fn clear(session: &Session, token: i64) {
    static CLEAR: Statement = Statement::new(
        "DELETE FROM vault.refresh_schedule WHERE token = $1",
        &[INT8OID],
    );
    session.run(&CLEAR, &[token.into()]);
}

/// Puts on the schedule, or takes off it, what a changed policy wants there or not: one token, or those of a client.
pub fn follow_policy(token: Option<i64>, client: Option<i64>) {
    static REMOVE: Statement = Statement::new(
        "DELETE FROM vault.refresh_schedule AS s USING vault.token AS t LEFT JOIN vault.client AS c ON c.id = t.client
         WHERE s.token = t.id AND (t.id = $1 OR t.client = $2) AND s.attempt IS NULL
           AND coalesce(t.refresh_policy, c.refresh_policy) = 'never'",
        &[INT8OID, INT8OID],
    );
    static RESTORE: Statement = Statement::new(
        concat!(
            "INSERT INTO vault.refresh_schedule AS s (token, lane, due_at) SELECT t.id, ",
            lane_of_t!(),
            ", least(t.refresh_after, t.refresh_token_expires_at - (t.refresh_token_expires_at - t.issued_at) / 5)
             FROM vault.token AS t LEFT JOIN vault.client AS c ON c.id = t.client
             WHERE (t.id = $1 OR t.client = $2) AND t.state = 'active'
               AND (t.refresh_after IS NOT NULL OR t.refresh_token_expires_at IS NOT NULL)
               AND coalesce(t.refresh_policy, c.refresh_policy, 'always') <> 'never'
             ON CONFLICT (token) DO UPDATE SET due_at = EXCLUDED.due_at
                 WHERE s.due_at > EXCLUDED.due_at AND s.attempt IS NULL AND s.failures = 0"
        ),
        &[INT8OID, INT8OID],
    );
    spi::session(|session| {
        session.run(&REMOVE, &[token.into(), client.into()]);
        session.run(&RESTORE, &[token.into(), client.into()]);
    });
}

/// Makes due what waits after failures, of one provider or of all: something has been mended.
pub fn end_pauses(provider: Option<&str>) {
    static END: Statement = Statement::new(
        "UPDATE vault.refresh_schedule AS s SET due_at = clock_timestamp()
         FROM vault.token AS t WHERE t.id = s.token AND s.failures > 0 AND s.due_at > clock_timestamp()
           AND (s.attempted_at IS NULL OR s.attempted_at < t.last_error_at)
           AND t.unread_answer IS NULL AND ($1 IS NULL OR t.provider = $1)",
        &[TEXTOID],
    );
    spi::session(|session| session.run(&END, &[provider.into()]));
}

/// Puts the tokens of a client into its lanes: they have had another client, or none.
pub fn change_lanes(session: &Session, client: i64) {
    static CHANGE: Statement = Statement::new(
        concat!(
            "UPDATE vault.refresh_schedule AS s SET lane = ",
            lane_of_t!(),
            ", due_at = least(s.due_at, t.refresh_after) FROM vault.token AS t WHERE t.id = s.token AND t.client = $1
               AND s.attempt IS NULL AND s.lane <> ",
            lane_of_t!()
        ),
        &[INT8OID],
    );
    session.run(&CHANGE, &[client.into()]);
}

/// Makes due what has an answer of this provider that was not understood: its row may have been mended.
pub fn read_answers_again(provider: &str) {
    static AGAIN: Statement = Statement::new(
        concat!(
            "INSERT INTO vault.refresh_schedule AS s (token, lane, due_at) SELECT t.id, ",
            lane_of_t!(),
            ", clock_timestamp() FROM vault.token AS t WHERE t.provider = $1 AND t.unread_answer IS NOT NULL
             ON CONFLICT (token) DO UPDATE SET due_at = EXCLUDED.due_at"
        ),
        &[TEXTOID],
    );
    spi::session(|session| session.run(&AGAIN, &[provider.into()]));
}

/// Makes tokens due that have been used while they were left alone: those of policy "on_use" whose window is open.
/// Returns their lanes.
pub fn wake_used(session: &Session, tokens: &[i64]) -> Vec<(Lane, UnixMicros)> {
    static WAKE: Statement = Statement::new(
        concat!(
            "INSERT INTO vault.refresh_schedule AS s (token, lane, due_at) SELECT t.id, ",
            lane_of_t!(),
            ", t.refresh_after FROM vault.token AS t LEFT JOIN vault.client AS c ON c.id = t.client
             WHERE t.id = ANY ($1) AND t.refresh_after <= clock_timestamp() AND t.state = 'active'
               AND coalesce(t.refresh_policy, c.refresh_policy) = 'on_use'
             ON CONFLICT (token) DO UPDATE SET due_at = EXCLUDED.due_at
                 WHERE s.due_at > clock_timestamp() AND s.attempt IS NULL AND s.failures = 0
             RETURNING lane, due_at"
        ),
        &[INT8ARRAYOID],
    );
    session.write(&WAKE, &[tokens.to_vec().into()], |row| {
        (row.required(1), row.time(2).expect("due_at is never null"))
    })
}

/// At the beginning of a statement: the lanes in which a token waits, and when the first one in each is due. One step of
/// the index for each lane, however many tokens there are.
macro_rules! with_first_of_lanes {
    () => {
        "WITH RECURSIVE first AS (
             (SELECT lane, due_at FROM vault.refresh_schedule ORDER BY lane, due_at LIMIT 1)
             UNION ALL
             SELECT n.lane, n.due_at FROM first AS f CROSS JOIN LATERAL
                 (SELECT s.lane, s.due_at FROM vault.refresh_schedule AS s WHERE s.lane > f.lane
                  ORDER BY s.lane, s.due_at LIMIT 1) AS n)"
    };
}

/// For each lane in which a token waits, the time of the first one.
pub fn lanes(session: &Session) -> Vec<(Lane, UnixMicros)> {
    static LANES: Statement = Statement::new(
        concat!(with_first_of_lanes!(), " SELECT lane, due_at FROM first"),
        &[],
    );
    session.query(&LANES, &[], |row| {
        (row.required(1), row.time(2).expect("due_at is never null"))
    })
}

/// Provider and client of the tokens that wait in the lanes of one way.
pub fn provider_and_client(session: &Session, way: i64) -> Option<(String, Option<i64>)> {
    static ONE: Statement = Statement::new(
        "SELECT t.provider, t.client FROM vault.refresh_schedule AS s JOIN vault.token AS t ON t.id = s.token
         WHERE s.lane >= $1 AND s.lane < $2 LIMIT 1",
        &[INT8OID, INT8OID],
    );
    let lanes = lanes_of(way);
    session.query_one(&ONE, &[lanes.start.into(), lanes.end.into()], |row| {
        (row.required(1), row.get(2))
    })
}

/// Tokens that are due by a time, at most `limit`: lane by lane in turns, so that no tenant fills the list; of one tenant,
/// told by the hash of its name, or of all.
pub fn list_due(tenant: Option<TenantHash>, until: UnixMicros, limit: i64) -> Vec<Target> {
    list_due_for(None, tenant, until, limit)
}

/// The same, but only those that `role` may refresh.
pub fn list_due_for(
    role: Option<Role>,
    tenant: Option<TenantHash>,
    until: UnixMicros,
    limit: i64,
) -> Vec<Target> {
    static DUE: Statement = Statement::new(
        concat!(
            with_first_of_lanes!(),
            ", due_lane AS (SELECT lane FROM first WHERE due_at <= $1 AND ($2 OR lane & 65535 = $3 & 65535)
                            ORDER BY due_at LIMIT CASE WHEN $5 IS NULL THEN $4 END),
         due AS (SELECT s.token, s.due_at, row_number() OVER (PARTITION BY l.lane ORDER BY s.due_at) AS turn
                 FROM due_lane AS l CROSS JOIN LATERAL
                     (SELECT token, due_at FROM vault.refresh_schedule AS s WHERE s.lane = l.lane AND s.due_at <= $1
                        AND ($5 IS NULL OR EXISTS (SELECT FROM vault.token AS t WHERE t.id = s.token
                                                   AND vault.role_can($5, 'refresh', t.tenant, t.provider, t.subject)))
                      ORDER BY s.due_at LIMIT $4) AS s)
         SELECT d.token FROM due AS d JOIN vault.token AS t ON t.id = d.token
         WHERE $2 OR hashtext(t.tenant) = $3 ORDER BY d.turn, d.due_at LIMIT $4"
        ),
        &[TIMESTAMPTZOID, BOOLOID, INT4OID, INT8OID, OIDOID],
    );
    let arguments = [
        timestamp(Some(until)),
        tenant.is_none().into(),
        tenant.unwrap_or_default().into(),
        limit.into(),
        role.map(Role::oid).into(),
    ];
    let due: Vec<i64> =
        spi::session(|session| session.query(&DUE, &arguments, |row| row.required(1)));
    token::targets(&due)
}

/// Whether one of these tokens has an attempt without outcome that is due at once: whoever made it has ended.
pub fn is_interrupted(tokens: &[i64]) -> bool {
    static INTERRUPTED: Statement = Statement::new(
        "SELECT true FROM vault.refresh_schedule
         WHERE token = ANY ($1) AND attempt IS NOT NULL AND due_at <= clock_timestamp() LIMIT 1",
        &[INT8ARRAYOID],
    );
    let found = spi::session(|session| {
        session.query_one(&INTERRUPTED, &[tokens.to_vec().into()], |row| {
            row.required(1)
        })
    });
    found.unwrap_or(false)
}

/// A number for a tenant that is short enough to be handed to a worker.
pub type TenantHash = i32;

/// The number of a tenant.
pub fn tenant_hash(tenant: &str) -> TenantHash {
    static HASH: Statement = Statement::new("SELECT hashtext($1)", &[TEXTOID]);
    spi::session(|session| session.query_one(&HASH, &[tenant.into()], |row| row.required(1)))
        .expect("one row")
}
