//! Writing one token: `store_token` beside an UPSERT of the same unencrypted value. Each call writes another value, as
//! each answer of a provider has: PostgreSQL's log has less to say about a row that stays as it was.

use std::sync::Arc;

use postgres::Client;
use token_vault_cluster::{Cluster, Result};

use crate::arguments::Arguments;
use crate::beside::refresher;
use crate::dataset::{self, STORE_TOKEN, TOKEN_BYTES, UPSERT};
use crate::measure::{self, Side, Target};
use crate::report::{Report, Wanted};
use crate::wire::Parameters;

/// Its sides.
pub const PLAIN: &str = "plain UPSERT";
pub const STORE_TOKEN_SIDE: &str = "vault.store_token";

/// Calls, at most, within one statement.
const MAX_CALLS: u32 = 20_000;
/// Calls of each session before it is measured.
const WARM_UP: u32 = 500;
/// Digits of which each value is a part, from another place on.
const POOL: usize = 1 << 22;

/// Whether a commit waits for the disk, and what the ratio is called then.
const COMMITS: [(&str, &str, &str); 2] = [
    ("on", "write through clients", "store_token"),
    (
        "off",
        "write without waiting for the disk",
        "store_token_asynchronous_commit",
    ),
];

/// Measures in a database of [`dataset::create`].
pub fn measure(cluster: &Cluster, admin: &mut Client, arguments: &Arguments) -> Result<Report> {
    let mut report = Report::default();
    admin.batch_execute("CREATE UNLOGGED TABLE fresh (subject text, value text)")?;
    let mut by_commit = Vec::new();
    for (commit, ..) in COMMITS {
        let settings = format!("SET synchronous_commit = {commit}");
        let mut sides = sides(cluster, admin, arguments.clients, &settings)?;
        for side in &mut sides {
            side.warm_up(WARM_UP.min(arguments.rows))?;
        }
        by_commit.push(sides);
    }
    for round in 1..=arguments.rounds {
        eprintln!("writes: round {round} of {}", arguments.rounds);
        for ((_, measurement, name), sides) in COMMITS.into_iter().zip(&mut by_commit) {
            let speeds = measure::through_clients(sides, arguments)?;
            measure::record(&mut report, measurement, [PLAIN, STORE_TOKEN_SIDE], &speeds);
            let [plain, ours] = [speeds[0], speeds[1]];
            report.ratio(name, Wanted::AtLeast(0.8), ours.rate / plain.rate);
            report.ratio(
                &format!("{name}_cpu"),
                Wanted::Nothing,
                plain.cpu / ours.cpu,
            );
        }
        in_one_statement(admin, arguments, &mut report)?;
    }
    Ok(report)
}

/// Sessions that write, in a database of [`dataset::create`].
pub fn sides(
    cluster: &Cluster,
    admin: &mut Client,
    clients: u32,
    settings: &str,
) -> Result<Vec<Side>> {
    let target = Target {
        cluster,
        database: "bench",
        settings,
    };
    let pool: Arc<str> = dataset::hexadecimal(POOL as u64, POOL).into();
    let side = |name, statement| {
        let parameters = || with_fresh_value(Arc::clone(&pool));
        Side::prepared(name, target, clients, statement, parameters, None)
    };
    Ok(vec![
        side(PLAIN, UPSERT)?,
        side(STORE_TOKEN_SIDE, STORE_TOKEN)?.with_refresher(refresher(admin)?),
    ])
}

/// A row's subject and a value that it has not had before.
fn with_fresh_value(pool: Arc<str>) -> Parameters {
    let mut state = dataset::seed();
    Box::new(move |number| {
        let place = dataset::next_random(&mut state) as usize % (POOL - TOKEN_BYTES);
        let value = pool.as_bytes()[place..place + TOKEN_BYTES].to_vec();
        Ok(vec![dataset::subject(number).into_bytes(), value])
    })
}

/// Without client, network and commit.
fn in_one_statement(admin: &mut Client, arguments: &Arguments, report: &mut Report) -> Result<()> {
    // No row twice: one INSERT must not meet a row again that it has just written.
    let number = MAX_CALLS.min(arguments.rows);
    let call = |statement: &str| statement.replace("$1", "subject").replace("$2", "value");
    let plain = call(UPSERT)
        .replace("VALUES (", "SELECT ")
        .replace(", now())", ", now() FROM fresh WHERE true");
    let statements = [
        plain,
        format!("SELECT count(({})) FROM fresh", call(STORE_TOKEN)),
    ];
    let speeds = measure::in_turns(statements.len(), |side| {
        refill(admin, arguments.rows, number)?;
        measure::in_one_statement(admin, number, &statements[side])
    })?;
    let names = [PLAIN, STORE_TOKEN_SIDE];
    measure::record(report, "write in one statement", names, &speeds);
    report.ratio(
        "store_token_in_server",
        Wanted::Nothing,
        speeds[1].rate / speeds[0].rate,
    );
    Ok(())
}

/// New values for so many rows, the first of them another one each time.
fn refill(admin: &mut Client, rows: u32, number: u32) -> Result<()> {
    Ok(admin.batch_execute(&format!(
        "TRUNCATE fresh;
         INSERT INTO fresh
             SELECT 'user-' || (n * 7919::bigint + start) % {rows},
                    (SELECT left(string_agg(md5(random()::text || n || m), ''), {TOKEN_BYTES}) FROM generate_series(1, 38) AS m)
             FROM generate_series(1, {number}) AS n, (SELECT floor(random() * {rows})::bigint AS start) AS s"
    ))?)
}
