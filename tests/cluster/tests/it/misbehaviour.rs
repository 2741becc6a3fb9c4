//! A provider that does everything wrong that providers and the gateways before them do: each case ends in the state
//! that the architecture document gives for it, no grant is lost, and the refresher goes on as if nothing had been.
//!
//! The cases are data, in `tests/misbehaviour/*.json`. They run side by side, each with a provider, a client and a token
//! of its own.

mod case;

use std::collections::HashMap;
use std::time::Duration;

use token_vault_cluster::wait::wait_for;
use token_vault_cluster::{Options, Result};
use token_vault_oauth_server::{Behaviour, Entry};

use crate::provider::Vault;
use case::{Case, End, cases};

/// How long the whole table may take to come to its end, and to recover.
const STORM: Duration = Duration::from_secs(120);

/// A request that follows sooner than this after a failure was not one of the schedule's, whose shortest pause is 1 s.
const AT_ONCE: Duration = Duration::from_millis(990);

/// What may stay behind in the refresher's memory, in kB.
const MEMORY_KB: u64 = 8 * 1024;

#[test]
fn every_misbehaviour_ends_as_documented_and_the_worker_goes_on() -> Result<()> {
    let mut cases = cases()?;
    assert!(cases.len() >= 100);
    let options = Options::new()
        .without_fsync()
        .set("token_vault.request_timeout", "2s")
        .set("token_vault.connections", "12");
    let mut vault = Vault::start_with(&options)?;
    warm_up(&mut vault)?;
    let refresher = vault.refresher()?;
    for case in &mut cases {
        case.set_up(&mut vault)?;
    }

    refresh_all(&mut vault)?;
    expect(&mut vault, &cases, ends_as_documented)?;

    behave(&mut vault, &cases)?;
    expect(&mut vault, &cases, comes_back_unless_dead)?;
    refresh_all(&mut vault)?;
    let dead = cases.iter().filter(|case| case.end == End::Dead);
    expect(&mut vault, dead, ends_as_documented)?;

    // What the refresher knows of so many providers and clients is there now; a second storm adds nothing to it.
    let memory = memory_kb(refresher)?;
    cases.iter().for_each(|case| case.misbehave(&vault));
    refresh_all(&mut vault)?;
    behave(&mut vault, &cases)?;
    refresh_all(&mut vault)?;
    let grown = memory_kb(refresher)?.saturating_sub(memory);
    assert!(grown <= MEMORY_KB, "{grown} kB more than {memory} kB");

    assert_eq!(vault.refresher()?, refresher, "the refresher was restarted");
    vault.cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn answers_of_a_megabyte_leave_no_memory_behind() -> Result<()> {
    let mut vault = Vault::start_with(&Options::new().without_fsync())?;
    warm_up(&mut vault)?;
    let refresher = vault.refresher()?;
    for number in 0..48 {
        vault.grant(&format!("subject-{number}"))?;
    }
    let memory = memory_kb(refresher)?;
    let answer = Behaviour::HugeBody { bytes: 1_000_000 };
    vault.server.misbehave(answer, None);
    for _ in 0..6 {
        refresh_all(&mut vault)?;
    }
    let refreshed = "SELECT count(*) FROM vault.tokens WHERE generation = 7";
    assert_eq!(vault.db.query_one(refreshed, &[])?.get::<_, i64>(0), 48);
    let grown = memory_kb(refresher)?.saturating_sub(memory);
    assert!(grown <= MEMORY_KB, "{grown} kB more than {memory} kB");
    Ok(())
}

/// Refreshes so many tokens at once that all threads and connections are there before memory is measured.
fn warm_up(vault: &mut Vault) -> Result<()> {
    for number in 0..64 {
        vault.grant(&format!("warm-{number}"))?;
    }
    refresh_all(vault)?;
    vault
        .db
        .execute("SELECT vault.delete_tenant('default')", &[])?;
    Ok(())
}

/// The provider behaves, and a person mends the clients that it has refused.
fn behave(vault: &mut Vault, cases: &[Case]) -> Result<()> {
    vault.server.behave();
    for case in cases.iter().filter(|case| case.end == End::ClientBroken) {
        case.register_client(vault)?;
    }
    // What looks as if it had been served is asked again in its turn only, when the access token has expired.
    vault.db.execute(
        "UPDATE vault.token SET expires_at = clock_timestamp() WHERE unread_answer IS NOT NULL",
        &[],
    )?;
    vault.db.execute(
        "UPDATE vault.refresh_schedule AS s SET due_at = clock_timestamp()
         FROM vault.token AS t WHERE t.id = s.token AND t.unread_answer IS NOT NULL",
        &[],
    )?;
    // Anything that an administrator does has the refresher look at the whole schedule.
    vault.db.execute("SELECT vault.adopt_installation()", &[])?;
    Ok(())
}

/// Refreshes every token, due or not, as a person with a cron job would.
fn refresh_all(vault: &mut Vault) -> Result<()> {
    vault.db.execute(
        "SELECT * FROM vault.refresh_due(within => '1000 years', max_tokens => 1000)",
        &[],
    )?;
    Ok(())
}

/// What is wrong with a case as it stands; the requests are those that its client has sent so far.
type Judge = fn(&mut Vault, &Case, &[Entry]) -> Result<Option<String>>;

/// Waits until no case has anything wrong with it. The error names those that had to the end.
fn expect<'a>(
    vault: &mut Vault,
    cases: impl IntoIterator<Item = &'a Case>,
    judge: Judge,
) -> Result<()> {
    let mut wrong: Vec<(&Case, String)> = cases
        .into_iter()
        .map(|case| (case, String::new()))
        .collect();
    let all_right = wait_for("all cases", STORM, || {
        let requests = requests_by_client(vault);
        let mut still_wrong = Vec::new();
        for (case, _) in wrong.drain(..) {
            let none = Vec::new();
            let requests = requests.get(&case.name).unwrap_or(&none);
            if let Some(problem) = judge(vault, case, requests)? {
                still_wrong.push((case, problem));
            }
        }
        wrong = still_wrong;
        Ok(wrong.is_empty().then_some(()))
    });
    all_right.map_err(|error| {
        let list: String = wrong
            .iter()
            .map(|(case, problem)| format!("\n{}: {problem}", case.name))
            .collect();
        format!("{error}; {} are not right:{list}", wrong.len()).into()
    })
}

fn requests_by_client(vault: &Vault) -> HashMap<String, Vec<Entry>> {
    let mut requests: HashMap<String, Vec<Entry>> = HashMap::new();
    for entry in vault.refreshes() {
        let client = entry.client_id.clone().unwrap_or_default();
        requests.entry(client).or_default().push(entry);
    }
    requests
}

/// While the provider misbehaves.
fn ends_as_documented(
    vault: &mut Vault,
    case: &Case,
    requests: &[Entry],
) -> Result<Option<String>> {
    let row = vault.db.query_one(
        &format!(
            "SELECT generation, status, last_error, coalesce({}, false) FROM vault.tokens WHERE subject = $1",
            case.holds
        ),
        &[&case.name],
    )?;
    let (generation, status): (i64, String) = (row.get(0), row.get(1));
    let (error, holds): (Option<String>, bool) = (row.get(2), row.get(3));
    let (is_refreshed, is_dead) = (case.end == End::Refreshed, case.end == End::Dead);
    let is_right = generation == if is_refreshed { 2 } else { 1 }
        && status
            == if is_dead {
                "reauthorization_required"
            } else {
                "valid"
            }
        && is_expected(error.as_deref(), case.error.as_deref())
        && holds
        && requests_are_right(case, requests);
    Ok((!is_right).then(|| {
        format!(
            "{:?} expected, but generation {generation}, {status}, {error:?}, holds {holds}, {} requests",
            case.end,
            requests.len()
        )
    }))
}

fn is_expected(error: Option<&str>, expected: Option<&str>) -> bool {
    match (error, expected) {
        (None, None) => true,
        (Some(error), Some(part)) => error.contains(part),
        _ => false,
    }
}

fn requests_are_right(case: &Case, requests: &[Entry]) -> bool {
    let is_repeated = requests.len() > 1;
    let pause = |pair: &[Entry]| pair[1].at.duration_since(pair[0].at).unwrap_or_default();
    let is_at_once = is_repeated && pause(requests) < AT_ONCE;
    let is_one_token = requests
        .windows(2)
        .all(|pair| pair[0].refresh_token_id == pair[1].refresh_token_id);
    is_one_token
        && match case.end {
            End::Refreshed | End::Dead | End::Waits | End::Kept => requests.len() == 1,
            End::Unsent => requests.is_empty(),
            // Where the connection fails, the provider has read no request.
            End::Lost => is_repeated || case.fault.is_some(),
            End::Transient | End::ClientBroken | End::Misconfigured => {
                !requests.is_empty() && !is_at_once
            }
        }
}

/// When the provider behaves again.
fn comes_back_unless_dead(
    vault: &mut Vault,
    case: &Case,
    _requests: &[Entry],
) -> Result<Option<String>> {
    if case.end == End::Dead {
        return Ok(None);
    }
    let expected = if case.end == End::Refreshed { 3 } else { 2 };
    let refreshed = vault
        .db
        .execute("SELECT vault.refresh_token($1, $1)", &[&case.name]);
    let row = vault.db.query_one(
        "SELECT generation, status, last_error FROM vault.tokens WHERE subject = $1",
        &[&case.name],
    )?;
    let (generation, status): (i64, String) = (row.get(0), row.get(1));
    let error: Option<String> = row.get(2);
    let is_right = generation >= expected && status == "valid" && error.is_none();
    Ok((!is_right).then(|| {
        let told = refreshed.err().map(|error| error.to_string());
        format!("generation {generation}, {status}, {error:?}; refresh_token said {told:?}")
    }))
}

/// Memory of its own (`proc_pid_status(5)`): shared buffers that it has touched are not counted.
fn memory_kb(pid: i32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number.ok_or("no RssAnon")?.parse()?)
}
