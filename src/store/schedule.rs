//! Rows of `vault.refresh_schedule`: when a token is due, and the attempt under way.

use crate::pg::spi::BuiltinOid::{INT8OID, TIMESTAMPTZOID};
use crate::pg::spi::{self, Session, Statement, timestamp};
use crate::pg::time::UnixMicros;

/// Makes a token due at a time, forgetting earlier failures and any attempt: its credentials are new.
pub fn set(session: &Session, token: i64, due_at: UnixMicros) {
    static SET: Statement = Statement::new(
        "INSERT INTO vault.refresh_schedule (token, due_at) VALUES ($1, $2)
         ON CONFLICT (token) DO UPDATE SET
             due_at = EXCLUDED.due_at, failures = 0, attempt = NULL, attempt_generation = NULL, attempted_at = NULL",
        &[INT8OID, TIMESTAMPTZOID],
    );
    session.run(&SET, &[token.into(), timestamp(Some(due_at))]);
}

/// Takes a token off the schedule.
pub fn clear(session: &Session, token: i64) {
    static CLEAR: Statement = Statement::new(
        "DELETE FROM vault.refresh_schedule WHERE token = $1",
        &[INT8OID],
    );
    session.run(&CLEAR, &[token.into()]);
}

/// When the next token is due.
pub fn next_due() -> Option<UnixMicros> {
    static NEXT: Statement = Statement::new(
        "SELECT due_at FROM vault.refresh_schedule ORDER BY due_at LIMIT 1",
        &[],
    );
    spi::session(|session| session.query_one(&NEXT, &[], |row| row.time(1))).flatten()
}
