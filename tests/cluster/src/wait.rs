//! Waiting for what another process does, bounded in time.

use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::Result;

/// How often the outside world is asked; nothing in it could wake us.
const INTERVAL: Duration = Duration::from_millis(10);

/// Calls `attempt` until it has a result, and returns that.
///
/// # Errors
/// After `limit`, with `what` in the message; at once if `attempt` fails.
pub fn wait_for<T>(
    what: &str,
    limit: Duration,
    mut attempt: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(result) = attempt()? {
            return Ok(result);
        }
        if Instant::now() >= deadline {
            return Err(format!("waited {limit:?} in vain: {what}").into());
        }
        sleep(INTERVAL);
    }
}

/// Waits until a query, which returns one boolean, returns true.
///
/// # Errors
/// After `limit`, or if the query fails.
pub fn wait_for_sql(client: &mut postgres::Client, query: &str, limit: Duration) -> Result<()> {
    wait_for(query, limit, || {
        Ok(client
            .query_one(query, &[])?
            .get::<_, bool>(0)
            .then_some(()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn returns_the_first_result() {
        let mut calls = 0;
        let result = wait_for("three", Duration::from_secs(5), || {
            calls += 1;
            Ok((calls == 3).then_some(calls))
        });
        assert_eq!(result.unwrap(), 3);
    }

    #[test]
    fn gives_up_in_time_and_says_what_it_waited_for() {
        let result = wait_for("godot", Duration::from_millis(30), || Ok(None::<()>));
        assert!(result.unwrap_err().to_string().contains("godot"));
    }
}
