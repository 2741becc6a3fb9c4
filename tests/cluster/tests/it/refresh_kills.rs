//! The server is killed again and again while it refreshes: no grant is lost that could have been kept, none is asked for
//! twice without need, and the refreshes go on by themselves.

use std::time::SystemTime;

use token_vault_cluster::{Options, Result, StopMode, wait_for_end};

use crate::refresh_ledger::Stored;
use crate::refresh_load::{Load, STRICT};

/// Tokens at each of the three clients.
const TOKENS: usize = 50;
/// Sessions that read them.
const READERS: usize = 2;

/// How many requests go by before a kill, at most.
const MOMENTS: usize = 60;
/// How long the provider takes for its answers, in ms.
const ANSWERS: [u64; 4] = [50, 20, 5, 50];

/// How many kills a run has, and how many `make test-long` has.
const KILLS: usize = 40;
const LONG: usize = 500;

/// How the server is brought down.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kill {
    /// SIGKILL; the server ends all other processes and recovers.
    Refresher,
    /// The same at a certain step of its work.
    AtStep,
    /// SIGKILL of a session that reads tokens.
    Reader,
    /// SIGKILL of a session that has stored a token and not committed.
    Writer,
    Postmaster,
    ImmediateStop,
    /// No kill: the refresher waits for the answers under way.
    FastStop,
    /// No kill: the refresher ends, as it does in a fast stop, and another one begins.
    Terminate,
}

const HOW: [Kill; 9] = [
    Kill::Refresher,
    Kill::AtStep,
    Kill::Postmaster,
    Kill::Reader,
    Kill::AtStep,
    Kill::ImmediateStop,
    Kill::FastStop,
    Kill::Writer,
    Kill::Terminate,
];

/// The steps of a refresh (src/worker/refresher).
const STEPS: [&str; 11] = [
    "claim_begins",
    "claim_made",
    "claim_committed",
    "call_prepared",
    "request_submitted",
    "answer_received",
    "answer_judged",
    "outcome_sealed",
    "outcome_written",
    "outcome_committed",
    "waiters_told",
];

#[test]
fn a_server_that_is_killed_again_and_again_loses_no_grant() -> Result<()> {
    kill_again_and_again(KILLS)
}

#[test]
#[ignore = "takes minutes: make test-long"]
fn a_server_that_is_killed_hundreds_of_times_loses_no_grant() -> Result<()> {
    let kills = std::env::var("TOKEN_VAULT_KILLS").map_or(Ok(LONG), |kills| kills.parse())?;
    kill_again_and_again(kills)
}

fn kill_again_and_again(kills: usize) -> Result<()> {
    let options = Options::new().with_fault_points();
    let mut load = Load::start(&options, TOKENS, READERS)?;
    let (mut number, mut killed) = (0, 0);
    while killed < kills {
        // At any moment of the work, which is counted in requests.
        let requests = load.vault.refreshes().len() + 1 + number * 37 % MOMENTS;
        load.answer_after(ANSWERS[number % ANSWERS.len()]);
        load.vault.wait_for_refreshes(requests)?;
        let how = HOW[number % HOW.len()];
        let died_at = kill(&mut load, how, number)
            .map_err(|error| format!("number {number}, {how:?}: {error}"))?;
        load.reconnect()?;
        if let Some(begin) = died_at {
            load.note_interruption(begin)?;
            killed += 1;
        }
        load.authorize_again()?;
        number += 1;
    }
    load.settle()?;
    let report = load.ledger.check(&mut load.vault)?;
    println!("{report}; {} orderly ends beside them", number - killed);
    report.assert_clean();
    assert!(
        report.in_the_middle * 5 >= kills * 4,
        "only {} of {kills} kills hit the middle",
        report.in_the_middle
    );
    Ok(())
}

/// Brings the server down, and up again where it does not come by itself. Returns when the refresher still lived, if it
/// did not end in order.
fn kill(load: &mut Load, how: Kill, number: usize) -> Result<Option<SystemTime>> {
    let refresher = load.vault.refresher()?;
    let victim = match how {
        Kill::Refresher => refresher,
        Kill::Reader => reader(load)?,
        Kill::AtStep => return kill_at_step(load, number).map(Some),
        Kill::Writer => return kill_writer(load, refresher).map(Some),
        Kill::Postmaster | Kill::ImmediateStop => {
            let begin = SystemTime::now();
            match how {
                Kill::Postmaster => load.vault.cluster.kill9()?,
                _ => load.vault.cluster.stop(StopMode::Immediate)?,
            }
            load.vault.cluster.start()?;
            return Ok(Some(begin));
        }
        Kill::FastStop => {
            load.vault.cluster.restart(StopMode::Fast)?;
            return Ok(None);
        }
        Kill::Terminate => {
            let end = "SELECT pg_terminate_backend($1)";
            load.vault.db.execute(end, &[&refresher])?;
            wait_for_end(refresher)?;
            return Ok(None);
        }
    };
    crash(load, victim, refresher).map(Some)
}

/// Has the refresher killed when it comes to one of its steps for the n-th time.
fn kill_at_step(load: &mut Load, number: usize) -> Result<SystemTime> {
    let (step, times) = (STEPS[number % STEPS.len()], 1 + number % 10);
    let crashes = load.crashes()?;
    load.vault
        .cluster
        .arm_fault(&format!("{step}:kill:{times}"))?;
    load.vault.cluster.wait_for_fault()?;
    load.wait_for_crash(crashes)?;
    load.vault.cluster.fault_struck_at()
}

/// A session that reads tokens.
fn reader(load: &mut Load) -> Result<i32> {
    let row = load.vault.db.query_one(
        "SELECT pid FROM pg_stat_activity
         WHERE query LIKE '%vault.get_token%' AND pid <> pg_backend_pid() LIMIT 1",
        &[],
    )?;
    Ok(row.get(0))
}

/// Kills a session that has stored a token and not committed.
fn kill_writer(load: &mut Load, refresher: i32) -> Result<SystemTime> {
    let mut writer = load.vault.session()?;
    writer.batch_execute("BEGIN")?;
    load.grant_in(&mut writer, STRICT, "strict-0", Stored::No)?;
    let pid = writer.query_one("SELECT pg_backend_pid()", &[])?.get(0);
    crash(load, pid, refresher)
}

/// Kills a process and waits until the server has begun to recover.
fn crash(load: &mut Load, victim: i32, refresher: i32) -> Result<SystemTime> {
    let begin = SystemTime::now();
    load.vault.cluster.crash(victim)?;
    wait_for_end(refresher)?;
    Ok(begin)
}
