//! The row that says how far re-encryption is.

use std::time::Duration;

use super::Batch;
use crate::pg::Oid;
use crate::pg::spi::BuiltinOid::{INT8OID, OIDOID, TEXTOID};
use crate::pg::spi::{self, Row, Statement};
use crate::pg::tid::Tid;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    Running,
    Paused,
    Done,
}

/// Where the next batch begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// Before the first pass, and between passes.
    Counting,
    /// After the token with this number.
    Tokens { after: i64 },
    /// After the client with this number.
    ClientSecrets { after: i64 },
    /// In the user's table with this number.
    Columns { table: Oid, from: Tid },
}

impl Place {
    fn read(stage: &str, relation: Option<Oid>, position: i64) -> Place {
        match stage {
            "tokens" => Place::Tokens { after: position },
            "client secrets" => Place::ClientSecrets { after: position },
            "columns" => Place::Columns {
                table: relation.unwrap_or(Oid::INVALID),
                from: Tid::from_number(position),
            },
            _ => Place::Counting,
        }
    }

    fn write(self) -> (&'static str, Option<Oid>, i64) {
        match self {
            Place::Counting => ("counting", None, 0),
            Place::Tokens { after } => ("tokens", None, after),
            Place::ClientSecrets { after } => ("client secrets", None, after),
            Place::Columns { table, from } => ("columns", Some(table), from.to_number()),
        }
    }
}

pub struct Job {
    pub state: State,
    pub place: Place,
    /// Passes begun.
    pub pass: i32,
    /// Values sealed again in this pass.
    pub resealed: i64,
    /// Values that this pass could do nothing about.
    pub problems: i64,
    pub total: Option<i64>,
    pub done: i64,
    pub problem: Option<String>,
    /// Values a second in the present run.
    pub rate: Option<f64>,
}

macro_rules! select_job {
    ($end:literal) => {
        concat!(
            "SELECT state, stage, relation, position, pass, resealed, problems, total, done, problem,
                    ((done - run_done) / nullif(extract(epoch FROM updated_at - run_started_at), 0))::float8
             FROM vault.reencryption_job ",
            $end
        )
    };
}

/// The job, unless there is none, as others see it.
pub fn known() -> Option<Job> {
    static KNOWN: Statement = Statement::new(select_job!(""), &[]);
    spi::session(|session| session.query_one(&KNOWN, &[], read))
}

/// The job, for this transaction alone. None: there is none, or somebody is changing it.
pub(super) fn lock() -> Option<Job> {
    static LOCK: Statement = Statement::new(select_job!("FOR NO KEY UPDATE SKIP LOCKED"), &[]);
    spi::session(|session| session.write(&LOCK, &[], read).pop())
}

fn read(row: &Row) -> Job {
    Job {
        state: match row.required(1) {
            "running" => State::Running,
            "paused" => State::Paused,
            _ => State::Done,
        },
        place: Place::read(row.required(2), row.get(3), row.required(4)),
        pass: row.required(5),
        resealed: row.required(6),
        problems: row.required(7),
        total: row.get(8),
        done: row.required(9),
        problem: row.get(10),
        rate: row.get(11),
    }
}

/// Has everything looked through from the beginning, after this transaction. A job that is paused stays so.
pub fn begin() {
    static BEGIN: Statement = Statement::new(
        "INSERT INTO vault.reencryption_job AS j DEFAULT VALUES ON CONFLICT (singleton) DO UPDATE SET
             state = CASE WHEN j.state = 'paused' THEN 'paused' ELSE 'running' END,
             started_at = statement_timestamp(), updated_at = statement_timestamp(), finished_at = NULL,
             total = NULL, done = 0, pass = 0, stage = 'counting', relation = NULL, position = 0,
             resealed = 0, problems = 0, problem = NULL, run_started_at = statement_timestamp(), run_done = 0,
             searched_at = NULL",
        &[],
    );
    spi::session(|session| session.run(&BEGIN, &[]));
}

/// A process takes the job up: its rate is counted from here.
pub fn run_begins() {
    static RUN: Statement = Statement::new(
        "UPDATE vault.reencryption_job SET run_started_at = clock_timestamp(), run_done = done WHERE state = 'running'",
        &[],
    );
    spi::session(|session| session.run(&RUN, &[]));
}

pub fn pause() {
    static PAUSE: Statement = Statement::new(
        "INSERT INTO vault.reencryption_job (state) VALUES ('paused') ON CONFLICT (singleton) DO UPDATE SET
             state = 'paused', updated_at = clock_timestamp()",
        &[],
    );
    spi::session(|session| session.run(&PAUSE, &[]));
}

pub fn resume() {
    static RESUME: Statement = Statement::new(
        "UPDATE vault.reencryption_job SET state = 'running', updated_at = clock_timestamp(),
             run_started_at = clock_timestamp(), run_done = done WHERE state = 'paused'",
        &[],
    );
    spi::session(|session| session.run(&RESUME, &[]));
}

/// Notes what a batch has done, and where the next one begins.
pub(super) fn advance(batch: &Batch, next: Place) {
    static ADVANCE: Statement = Statement::new(
        "UPDATE vault.reencryption_job SET updated_at = clock_timestamp(), stage = $1, relation = $2, position = $3,
             done = done + $4, resealed = resealed + $4, problems = problems + $5, problem = coalesce($6, problem)",
        &[TEXTOID, OIDOID, INT8OID, INT8OID, INT8OID, TEXTOID],
    );
    let (stage, relation, position) = next.write();
    spi::session(|session| {
        session.run(
            &ADVANCE,
            &[
                stage.into(),
                relation.into(),
                position.into(),
                batch.resealed.into(),
                batch.problems.into(),
                batch.problem.as_deref().into(),
            ],
        )
    });
}

/// Begins another pass, in which so many values are to be sealed again.
pub(super) fn begin_pass(stale: i64, problem: Option<&String>) {
    static PASS: Statement = Statement::new(
        "UPDATE vault.reencryption_job SET updated_at = clock_timestamp(), total = done + $1, pass = pass + 1,
             stage = 'tokens', relation = NULL, position = 0, resealed = 0, problems = 0, problem = $2,
             run_started_at = CASE pass WHEN 0 THEN clock_timestamp() ELSE run_started_at END",
        &[INT8OID, TEXTOID],
    );
    spi::session(|session| session.run(&PASS, &[stale.into(), problem.map(String::as_str).into()]));
}

/// The job is done; so many values are left as they are.
pub(super) fn finish(stale: i64) {
    static FINISH: Statement = Statement::new(
        "UPDATE vault.reencryption_job SET state = 'done', updated_at = clock_timestamp(), finished_at = clock_timestamp(),
             total = done + $1, searched_at = NULL",
        &[INT8OID],
    );
    spi::session(|session| session.run(&FINISH, &[stale.into()]));
}

/// What is known of the search for values of retired keys.
pub struct Search {
    /// How long ago it was, by the server's clock; None: it was not yet, since the job is done.
    pub since: Option<Duration>,
    pub took: Duration,
    /// How many values the job had to leave.
    pub left: i64,
    /// How long ago the job was done.
    pub since_done: Duration,
}

/// The last search. None: there was no job, or it is not done.
pub fn search() -> Option<Search> {
    static SEARCH: Statement = Statement::new(
        "SELECT extract(epoch FROM clock_timestamp() - searched_at)::float8, extract(epoch FROM search_took)::float8,
                total - done, extract(epoch FROM clock_timestamp() - finished_at)::float8
         FROM vault.reencryption_job WHERE state = 'done'",
        &[],
    );
    let seconds = |seconds: f64| Duration::from_secs_f64(seconds.max(0.0));
    spi::session(|session| {
        session.query_one(&SEARCH, &[], |row| Search {
            since: row.get(1).map(seconds),
            took: seconds(row.required(2)),
            left: row.required(3),
            since_done: seconds(row.required(4)),
        })
    })
}

/// Notes a search that has just ended.
pub fn searched(took: Duration) {
    static SEARCHED: Statement = Statement::new(
        "UPDATE vault.reencryption_job SET searched_at = clock_timestamp(), search_took = $1 * interval '1 microsecond'",
        &[INT8OID],
    );
    spi::session(|session| session.run(&SEARCHED, &[(took.as_micros() as i64).into()]));
}
