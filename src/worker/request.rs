//! A session's side: asking for refreshes and waiting for their outcome.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use token_vault_core::refresh::Closed;

use crate::error::{Error, Result};
use crate::pg::time::UnixMicros;
use crate::pg::{background, fault, latch, server, settings, shmem, transaction};
use crate::store::installation::{self, Standing};
use crate::store::schedule::{self, Lane, TenantHash};
use crate::store::token::{self, State, Target};
use crate::worker::board::Wish;
use crate::worker::errand::Errand;
use crate::worker::{board, custody};

/// A waiting session looks around at least this often, should a wake-up be lost with the process that owed it.
const LOOK_AROUND: Duration = Duration::from_millis(500);

/// So many more workers a session starts where one was ended in the middle.
const MAX_SUCCESSORS: usize = 2;

/// Fails where no refresh can happen, saying why.
pub fn require_possible() -> Result<()> {
    let unavailable = |reason: &str| {
        Err(Error::RefreshUnavailable {
            reason: reason.to_owned(),
        })
    };
    if server::in_recovery() {
        return unavailable("this server is a standby");
    }
    if !settings::refresh_enabled() {
        return unavailable("token_vault.refresh_enabled is off");
    }
    match installation::standing() {
        Standing::Home => Ok(()),
        Standing::Copy => {
            let why = installation::problem().map(|why| format!("{}; {}", why.state, why.advice));
            unavailable(&why.unwrap_or_default())
        }
        Standing::New => Err(Error::NoDataKey),
    }
}

/// Has one token refreshed and returns it as it is then.
pub fn refresh(target: &Target) -> Result<Target> {
    refresh_each(&[target]).remove(0)
}

/// Has tokens refreshed, all at the same time, and returns each as it is then; waits for all of them as long as for one.
pub fn refresh_each(targets: &[&Target]) -> Vec<Result<Target>> {
    let theirs: Vec<&Target> = targets
        .iter()
        .copied()
        .filter(|target| !target.is_ours)
        .collect();
    let wait = settings::refresh_wait();
    let waited = if shmem::is_preloaded() || theirs.len() <= 1 {
        wait_for_tokens(&theirs, wait)
    } else {
        one_after_the_other(&theirs, wait)
    };
    let outcome = |target: &&Target| match target.is_ours {
        true => Err(Error::RowLockedHere),
        false => outcome(target, &waited, wait),
    };
    targets.iter().map(outcome).collect()
}

fn wait_for_tokens(targets: &[&Target], wait: Duration) -> Waited {
    let Some(first) = targets.first() else {
        return Waited::Answered(None);
    };
    let wishes: Vec<Wish> = targets.iter().map(|target| wish(target)).collect();
    let errand = Errand::Token {
        token: first.id,
        generation: first.generation,
    };
    wait_for(&wishes, &errand, wait)
}

/// A worker of the session's own takes one token along.
fn one_after_the_other(targets: &[&Target], wait: Duration) -> Waited {
    let deadline = Instant::now() + wait;
    for target in targets {
        let left = deadline.saturating_duration_since(Instant::now());
        if let Waited::TooLong = wait_for_tokens(&[target], left) {
            return Waited::TooLong;
        }
    }
    Waited::Answered(None)
}

/// What became of a token that was waited for.
fn outcome(target: &Target, waited: &Waited, wait: Duration) -> Result<Target> {
    let now = token::target(target.id).ok_or(Error::NoSuchToken)?;
    if now.generation > target.generation {
        return Ok(now);
    }
    match (now.state, waited) {
        (State::ReauthorizationRequired, _) => Err(Error::ReauthorizationRequired {
            error: now.last_error,
        }),
        (State::Active, Waited::Answered(reason)) => Err(Error::RefreshFailed {
            error: reason.map(explain).map(str::to_owned).or(now.last_error),
        }),
        (State::Active, Waited::TooLong) => Err(Error::RefreshTimeout {
            milliseconds: wait.as_millis(),
        }),
    }
}

/// Why no request was sent.
fn explain(closed: Closed) -> &'static str {
    match closed {
        Closed::Provider => {
            "the provider is in trouble and is not asked for a while; see vault.attention"
        }
        Closed::Client => {
            "the provider refuses the client or wants it to slow down; see vault.attention"
        }
    }
}

/// How a wait ended.
enum Waited {
    /// All that was asked for has an outcome; if a request was not sent, why not.
    Answered(Option<Closed>),
    TooLong,
}

/// Has tokens refreshed that `schedule::list_due` has found, until this time and of this tenant. Their outcomes are in
/// the table then, if there was time for all of them.
pub fn refresh_all(
    targets: &[&Target],
    until: UnixMicros,
    tenant: Option<TenantHash>,
    wait: Duration,
) {
    let errand = Errand::Due {
        until,
        limit: targets.len(),
        tenant,
    };
    let wishes: Vec<Wish> = targets.iter().map(|target| wish(target)).collect();
    if !wishes.is_empty() {
        wait_for(&wishes, &errand, wait);
    }
}

fn wish(target: &Target) -> Wish {
    Wish {
        token: target.id,
        generation: target.generation,
    }
}

fn wait_for(wishes: &[Wish], errand: &Errand, wait: Duration) -> Waited {
    fault::point("refresh_wanted");
    let deadline = Instant::now() + wait;
    if shmem::is_preloaded() {
        wait_for_standing_refresher(wishes, deadline)
    } else {
        wait_for_own_refresher(wishes, errand, deadline)
    }
}

/// Takes the session's requests down, also when the wait is cancelled.
struct Withdraw;

impl Drop for Withdraw {
    fn drop(&mut self) {
        board::withdraw(server::process_id());
    }
}

fn wait_for_standing_refresher(wishes: &[Wish], deadline: Instant) -> Waited {
    let (database, me) = (server::database(), server::process_id());
    let _withdraw = Withdraw;
    let mut not_asked = wishes;
    loop {
        let asked = board::ask(database, me, not_asked);
        not_asked = &not_asked[asked..];
        board::nudge(database);
        fault::point("refresh_asked");
        if not_asked.is_empty() && board::open_requests(me) == 0 {
            fault::point("refresh_told");
            return Waited::Answered(board::reason(me));
        }
        fault::point("refresh_waits");
        if !sleep(deadline) {
            return Waited::TooLong;
        }
    }
}

/// A worker that was told to end in the middle leaves attempts that are due at once: the next one goes on with them.
fn wait_for_own_refresher(wishes: &[Wish], errand: &Errand, deadline: Instant) -> Waited {
    let tokens: Vec<i64> = wishes.iter().map(|wish| wish.token).collect();
    let mut successors = 0;
    loop {
        let worker = background::start(
            "token_vault refresher",
            "token_vault_errand",
            server::database(),
            &errand.to_text(),
        );
        if let Some(worker) = worker {
            while !worker.has_ended() {
                if !sleep(deadline) {
                    return Waited::TooLong;
                }
            }
            successors += 1;
            if successors > MAX_SUCCESSORS || !schedule::is_interrupted(&tokens) {
                return Waited::Answered(None);
            }
            continue;
        }
        // Every worker slot of the server is taken: one becomes free when another errand ends.
        if !sleep(deadline) {
            return Waited::TooLong;
        }
    }
}

/// Sleeps until something happens; false when the time is up.
fn sleep(deadline: Instant) -> bool {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return false;
    }
    latch::wait(
        Some(left.min(LOOK_AROUND).max(Duration::from_millis(1))),
        None,
    );
    true
}

/// Has a refresher started or woken up, once this transaction has committed, and look at the whole schedule.
pub fn refresher_wanted() {
    if shmem::is_preloaded() {
        transaction::at_commit(ANY_LANE, UnixMicros::MIN, tell_refresher);
    }
}

/// Tells the refresher, once this transaction has committed, that a token in this lane is due at this time.
pub fn schedule_changed(lane: Lane, due_at: UnixMicros) {
    if shmem::is_preloaded() {
        transaction::at_commit(lane, due_at, tell_refresher);
    }
}

/// No lane has this number: theirs are not negative.
const ANY_LANE: Lane = -1;

fn tell_refresher(mut lanes: HashMap<Lane, UnixMicros>) {
    let database = server::database();
    if lanes.remove(&ANY_LANE).is_some() {
        board::ask_to_look(database);
    } else {
        board::schedule_changed(database, &lanes);
    }
}

/// Has a custodian started, once this transaction has committed: by the refresher, where there is one; else from here.
pub fn custodian_wanted() {
    transaction::once_at_commit(|| {
        if shmem::is_preloaded() {
            board::ask_for_custodian(server::database());
        } else {
            custody::start_here();
        }
    });
}
