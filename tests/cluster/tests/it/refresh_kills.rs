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
const KILLS: usize = 36;
const LONG: usize = 500;

/// How the server is brought down.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kill {
    /// SIGKILL; the server ends all other processes and recovers.
    Refresher,
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
    Kill::Postmaster,
    Kill::Reader,
    Kill::Refresher,
    Kill::ImmediateStop,
    Kill::FastStop,
    Kill::Refresher,
    Kill::Writer,
    Kill::Terminate,
];

#[test]
fn a_server_that_is_killed_again_and_again_loses_no_grant() -> Result<()> {
    kill_again_and_again(KILLS)
}

#[test]
#[ignore = "takes half an hour: make test-long"]
fn long_a_server_that_is_killed_hundreds_of_times_loses_no_grant() -> Result<()> {
    kill_again_and_again(LONG)
}

fn kill_again_and_again(kills: usize) -> Result<()> {
    let mut load = Load::start(&Options::new(), TOKENS, READERS)?;
    let mut gently = 0;
    for number in 0..kills {
        // At any moment of the work, which is counted in requests.
        let requests = load.vault.refreshes().len() + 1 + number * 37 % MOMENTS;
        load.answer_after(ANSWERS[number % ANSWERS.len()]);
        load.vault.wait_for_refreshes(requests)?;
        let how = HOW[number % HOW.len()];
        gently += usize::from(matches!(how, Kill::FastStop | Kill::Terminate));
        let died_at =
            kill(&mut load, how).map_err(|error| format!("kill {number}, {how:?}: {error}"))?;
        load.reconnect()?;
        if let Some(begin) = died_at {
            load.note_interruption(begin)?;
        }
        load.authorize_again()?;
    }
    load.settle()?;
    let report = load.ledger.check(&mut load.vault)?;
    println!("{report}; {gently} orderly ends beside them");
    report.assert_clean();
    assert!(
        report.in_the_middle() * 5 >= (kills - gently) * 4,
        "only {} of {} kills hit the middle",
        report.in_the_middle(),
        kills - gently
    );
    Ok(())
}

/// Brings the server down, and up again where it does not come by itself. Returns when the refresher still lived, if it
/// did not end in order.
fn kill(load: &mut Load, how: Kill) -> Result<Option<SystemTime>> {
    let refresher = load.vault.refresher()?;
    let victim = match how {
        Kill::Refresher => refresher,
        Kill::Reader => reader(load)?,
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
    let before = load.crashes()?;
    let begin = SystemTime::now();
    load.vault.cluster.kill_process(victim)?;
    wait_for_end(refresher)?;
    load.wait_for_crash(before)?;
    Ok(begin)
}
