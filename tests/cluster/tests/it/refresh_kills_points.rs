//! One token, and a process that fails at a certain step of its refresh: what the provider is asked, and what becomes of
//! the grant, for each of the three ways in which providers treat refresh tokens.

use std::time::SystemTime;

use token_vault_cluster::wait::wait_for;
use token_vault_cluster::{Options, Result, wait_for_end};

use crate::provider::LIMIT;
use crate::refresh_ledger::lost_attempt;
use crate::refresh_load::{Load, POLICIES, STRICT};
use crate::refresh_report::Report;

/// How long the provider takes for its answers, in ms.
const ANSWER: u64 = 20;

/// What becomes of a refresh whose process fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fate {
    /// The provider is asked once; nothing is lost.
    AskedOnce,
    /// It is asked again: a strict one ends the grant.
    AskedAgain,
    /// Either, because the process fails beside the threads that ask.
    Either,
}
use Fate::{AskedAgain, AskedOnce, Either};

/// What makes the refresher come to the point.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// A token is due.
    Due,
    /// The refresher is told to end while an answer is under way.
    Shutdown,
}

/// The steps of a refresh in their order, and what becomes of it when the refresher is killed there.
const STEPS: [(&str, Way, Fate); 14] = [
    ("claim_begins", Way::Due, AskedOnce),
    ("claim_made", Way::Due, AskedOnce),
    ("claim_committed", Way::Due, AskedOnce),
    ("call_prepared", Way::Due, AskedOnce),
    ("request_submitted", Way::Due, Either),
    ("answer_received", Way::Due, AskedAgain),
    ("answer_judged", Way::Due, AskedAgain),
    ("outcome_sealed", Way::Due, AskedAgain),
    ("outcome_written", Way::Due, AskedAgain),
    ("outcome_committed", Way::Due, AskedOnce),
    ("waiters_told", Way::Due, AskedOnce),
    ("drain_begins", Way::Shutdown, AskedAgain),
    ("drain_waits", Way::Shutdown, AskedAgain),
    ("drain_written", Way::Shutdown, AskedOnce),
];

/// The steps inside a transaction: an error there rolls it back, the refresher goes on, and what it has in memory is kept.
const IN_TRANSACTION: [&str; 5] = [
    "claim_begins",
    "claim_made",
    "call_opened",
    "outcome_sealed",
    "outcome_written",
];

/// How the refresher takes it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Death {
    /// It goes on.
    None,
    /// It ends, and another one is started.
    Alone,
    /// The whole server ends, and recovers.
    WithTheServer,
}

struct Scene {
    load: Load,
    subjects: usize,
}

impl Scene {
    fn start() -> Result<Self> {
        let load = Load::start(&Options::new().with_fault_points(), 0, 0)?;
        load.let_tokens_live_long();
        load.answer_after(ANSWER);
        Ok(Self { load, subjects: 0 })
    }

    /// Has a token of `client` refreshed, with this fault on the way; returns its subject when the fault has struck.
    fn strike(&mut self, client: &str, fault: &str, way: Way) -> Result<String> {
        self.subjects += 1;
        let subject = format!("{client}-{}", self.subjects);
        let refresher = self.load.vault.refresher()?;
        match way {
            Way::Due => {
                self.load.vault.cluster.arm_fault(fault)?;
                // The server may end before it has told this session that the token is stored.
                let _ = self.load.grant_that_is_due(client, &subject);
            }
            Way::Shutdown => {
                let requests = self.load.vault.refreshes().len();
                self.load.answer_after(10 * ANSWER);
                self.load.vault.cluster.arm_fault(fault)?;
                self.load.grant_that_is_due(client, &subject)?;
                self.load.vault.wait_for_refreshes(requests + 1)?;
                let end = "SELECT pg_terminate_backend($1)";
                let _ = self.load.vault.db.execute(end, &[&refresher]);
                self.load.answer_after(ANSWER);
            }
        }
        self.load
            .vault
            .cluster
            .wait_for_fault()
            .map_err(|error| format!("{fault}: {error}"))?;
        Ok(subject)
    }

    /// Waits until another refresher runs, and notes that the first one has died of the fault.
    fn note_death(&mut self, refresher: i32, death: Death, crashes: usize) -> Result<()> {
        wait_for_end(refresher)?;
        let struck_at = self.load.vault.cluster.fault_struck_at()?;
        if death == Death::WithTheServer {
            self.load.wait_for_crash(crashes)?;
        }
        self.load.reconnect()?;
        self.load.note_interruption(struck_at)
    }

    /// Waits until the token has been refreshed, or is lost.
    fn outcome(&mut self, subject: &str) -> Result<String> {
        let query = "SELECT CASE WHEN status = 'reauthorization_required' THEN 'lost'
                            WHEN generation > 1 AND refresh_attempt IS NULL THEN 'refreshed' END
                     FROM vault.tokens WHERE subject = $1";
        let db = &mut self.load.vault.db;
        wait_for("the outcome of the refresh", LIMIT, || {
            Ok(db.query_one(query, &[&subject])?.get(0))
        })
    }

    /// How often the provider was asked for this token.
    fn requests(&self, before: usize) -> usize {
        self.load.vault.refreshes().len() - before
    }

    fn report(&mut self) -> Result<Report> {
        self.load.ledger.check(&mut self.load.vault)
    }
}

/// Fails at a step, and checks what becomes of the token.
fn check(
    scene: &mut Scene,
    client: &str,
    fault: &str,
    way: Way,
    fate: Fate,
    death: Death,
) -> Result<()> {
    let when = format!("{client}, {fault}");
    let refresher = scene.load.vault.refresher()?;
    let (before, crashes) = (scene.load.vault.refreshes().len(), scene.load.crashes()?);
    let subject = scene.strike(client, fault, way)?;
    if death != Death::None {
        scene.note_death(refresher, death, crashes)?;
    }
    let outcome = scene
        .outcome(&subject)
        .map_err(|error| format!("{when}: {error}"))?;
    let requests = scene.requests(before);
    let expected = match fate {
        AskedOnce => 1,
        AskedAgain => 2,
        Either => requests.clamp(1, 2),
    };
    assert_eq!(requests, expected, "{when}");
    let is_lost = client == STRICT && expected == 2;
    assert_eq!(
        outcome,
        if is_lost { "lost" } else { "refreshed" },
        "{when}"
    );
    if death == Death::None {
        assert_eq!(
            scene.load.vault.refresher()?,
            refresher,
            "{when}: another refresher"
        );
    }
    Ok(())
}

#[test]
fn a_refresher_killed_at_any_step_loses_what_could_not_be_kept_and_no_more() -> Result<()> {
    let mut scene = Scene::start()?;
    for (step, way, fate) in STEPS {
        for (client, _) in POLICIES {
            check(
                &mut scene,
                client,
                &format!("{step}:kill"),
                way,
                fate,
                Death::WithTheServer,
            )?;
        }
    }
    let report = scene.report()?;
    println!("{report}");
    report.assert_clean();
    Ok(())
}

#[test]
fn a_refresher_that_exits_or_panics_between_transactions_is_followed_by_another() -> Result<()> {
    let mut scene = Scene::start()?;
    for fault in [
        "claim_committed:exit",
        "answer_judged:exit",
        "outcome_written:exit",
    ] {
        let step = fault.split(':').next().unwrap_or_default();
        let (_, way, fate) = STEPS
            .into_iter()
            .find(|(name, ..)| *name == step)
            .expect("a step");
        check(&mut scene, "leeway", fault, way, fate, Death::Alone)?;
        check(&mut scene, STRICT, fault, way, fate, Death::Alone)?;
    }
    scene.report()?.assert_clean();
    scene.load.vault.cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn an_error_inside_a_transaction_costs_neither_the_answer_nor_the_refresher() -> Result<()> {
    let mut scene = Scene::start()?;
    for step in IN_TRANSACTION {
        for action in ["error", "panic"] {
            check(
                &mut scene,
                STRICT,
                &format!("{step}:{action}"),
                Way::Due,
                AskedOnce,
                Death::None,
            )?;
        }
    }
    scene.report()?.assert_clean();
    scene.load.vault.cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn a_refresher_killed_while_it_looks_for_interrupted_attempts_finds_them_the_next_time()
-> Result<()> {
    let mut scene = Scene::start()?;
    for (client, _) in POLICIES {
        let before = scene.load.vault.refreshes().len();
        let subject = scene.strike(client, "answer_received:pause", Way::Due)?;
        let attempt = "SELECT refresh_attempt FROM vault.tokens WHERE subject = $1";
        let row = scene.load.vault.db.query_one(attempt, &[&subject])?;
        let (attempt, crashes): (Option<i64>, _) = (row.get(0), scene.load.crashes()?);
        let begin = SystemTime::now();
        scene.load.vault.cluster.kill9()?;
        scene.load.vault.cluster.arm_fault("recovery_begins:kill")?;
        scene.load.vault.cluster.start()?;
        scene.load.wait_for_crash(crashes)?;
        scene.load.reconnect()?;
        scene.load.note_interruption(begin)?;
        let outcome = scene.outcome(&subject)?;
        assert_eq!(scene.requests(before), 2, "{client}");
        if client == STRICT {
            assert_eq!(outcome, "lost");
            let error = scene.load.vault.token(&subject)?.last_error;
            assert_eq!(error.and_then(|error| lost_attempt(&error)), attempt);
        } else {
            assert_eq!(outcome, "refreshed", "{client}");
        }
    }
    scene.report()?.assert_clean();
    Ok(())
}
