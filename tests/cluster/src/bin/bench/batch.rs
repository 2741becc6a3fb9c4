//! Reading a hundred tokens with one call of `get_tokens`, beside a plain SELECT of a hundred rows.

use postgres::Client;
use token_vault_cluster::{Cluster, Result};

use crate::arguments::Arguments;
use crate::beside::refresher;
use crate::dataset::{self, TOKEN_BYTES};
use crate::measure::{self, Side, Target};
use crate::report::{Report, Wanted};
use crate::wire::{Parameters, text_array};

const SIZE: u32 = 100;
/// Sets of subjects that one statement reads, one after the other.
const SETS: u32 = 200;
/// µs of processor time for one token in the server.
const WANTED: f64 = 3.0;

const SIDES: [&str; 2] = ["plain SELECT … = ANY", "vault.get_tokens"];
const STATEMENTS: [&str; 2] = [
    "SELECT value FROM plain
     WHERE tenant = 'default' AND provider = 'bench' AND subject = ANY ($1) AND label = ''",
    "SELECT access_token FROM vault.get_tokens('bench', $1)",
];
const IN_ONE_STATEMENT: [&str; 2] = [
    "SELECT count(octet_length(value)) FROM sets, LATERAL (SELECT value FROM plain
     WHERE tenant = 'default' AND provider = 'bench' AND subject = ANY (sets.subjects) AND label = '' OFFSET 0) AS t",
    "SELECT count(octet_length(access_token)) FROM sets, vault.get_tokens('bench', sets.subjects)",
];

/// Measures in a database of [`dataset::create`].
pub fn measure(cluster: &Cluster, admin: &mut Client, arguments: &Arguments) -> Result<Report> {
    let mut report = Report::default();
    let mut sides = sides(cluster, admin, arguments)?;
    admin.batch_execute(&format!(
        "CREATE TABLE sets AS
             SELECT array_agg('user-' || (s * 104729::bigint + n * 7919) % {}) AS subjects
             FROM generate_series(1, {SETS}) AS s, generate_series(1, {SIZE}) AS n GROUP BY s",
        arguments.rows
    ))?;
    for side in &mut sides {
        side.warm_up(arguments.rows.div_ceil(SIZE))?;
    }
    for round in 1..=arguments.rounds {
        eprintln!("batches: round {round} of {}", arguments.rounds);
        let speeds = measure::through_clients(&mut sides, arguments)?;
        measure::record(&mut report, "read 100 through clients", SIDES, &speeds);
        report.ratio(
            "get_tokens",
            Wanted::Nothing,
            speeds[1].rate / speeds[0].rate,
        );
        report.ratio(
            "get_tokens_cpu",
            Wanted::Nothing,
            speeds[0].cpu / speeds[1].cpu,
        );

        let tokens = SETS * SIZE;
        let speeds = measure::in_turns(SIDES.len(), |side| {
            measure::in_one_statement(admin, tokens, IN_ONE_STATEMENT[side])
        })?;
        for (side, speed) in SIDES.iter().zip(&speeds) {
            let measurement = "read 100 in one statement";
            report.figure(measurement, side, "µs/token", 1e6 / speed.rate);
            report.figure(measurement, side, "µs of processor/token", speed.cpu);
        }
        report.ratio(
            "get_tokens_in_server",
            Wanted::Nothing,
            speeds[1].rate / speeds[0].rate,
        );
        // Nobody else works for this session: what takes longer was somebody else's turn on the processor.
        let micros = speeds[1].cpu;
        report.ratio("get_tokens_us_per_token", Wanted::AtMost(WANTED), micros);
    }
    Ok(report)
}

fn sides(cluster: &Cluster, admin: &mut Client, arguments: &Arguments) -> Result<Vec<Side>> {
    let target = Target {
        cluster,
        database: "bench",
        settings: "",
    };
    let side = |place: usize| {
        let expected = Some(SIZE as usize * TOKEN_BYTES);
        let parameters = || subjects(arguments.rows);
        let (name, statement) = (SIDES[place], STATEMENTS[place]);
        Side::prepared(
            name,
            target,
            arguments.clients,
            statement,
            parameters,
            expected,
        )
    };
    Ok(vec![side(0)?, side(1)?.with_refresher(refresher(admin)?)])
}

/// A hundred rows, all different, beginning with a random one.
fn subjects(rows: u32) -> Parameters {
    Box::new(move |first| {
        let numbers = (0..SIZE).map(|n| (u64::from(first) + u64::from(n) * 7919) % u64::from(rows));
        let subjects: Vec<String> = numbers.map(|n| dataset::subject(n as u32)).collect();
        Ok(vec![text_array(&subjects)?])
    })
}
