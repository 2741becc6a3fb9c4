//! Whether `get_token` costs the same among many tokens as among few.
//!
//! To seal ten million tokens takes an hour, so most rows of the large vault are fillers: rows of `vault.token` whose
//! access token is short and would not open. Among them lie, evenly spread, as many tokens as the small vault has, and
//! only those are read. All of both vaults is in memory.

use postgres::Client;
use token_vault_cluster::{Cluster, Options, Result};

use crate::arguments::Arguments;
use crate::beside::refresher;
use crate::dataset::{self, GET_TOKEN, TOKEN_BYTES};
use crate::measure::{self, Side, Target};
use crate::report::{Report, Wanted};
use crate::wire::Parameters;

/// Rows of the large vault for each that can be opened, at least.
const FEWEST_FILLERS: u32 = 10;
/// Rows that one statement makes.
const CHUNK: u32 = 100_000;

/// Measures in a server of its own.
pub fn measure(options: &Options, arguments: &Arguments) -> Result<Report> {
    let cluster = Cluster::start_new(&options.clone().set("shared_buffers", "6GB"))?;
    let tokens = arguments.rows.min(arguments.large / FEWEST_FILLERS).max(1);
    let apart = arguments.large / tokens;
    let mut sides = [
        side(&cluster, arguments, "few", (tokens, 1))?,
        side(&cluster, arguments, "many", (tokens, apart))?,
    ];
    let mut report = Report::default();
    report.note(format!(
        "get_token among many: {tokens} tokens of {TOKEN_BYTES} bytes are read, alone or evenly spread among {} rows, \
         the others short",
        u64::from(tokens) * u64::from(apart)
    ));
    for side in &mut sides {
        side.warm_up(tokens)?;
    }
    for round in 1..=arguments.rounds {
        eprintln!("large: round {round} of {}", arguments.rounds);
        let speeds = measure::in_turns(sides.len(), |place| {
            sides[place].speed(arguments.duration, tokens)
        })?;
        let names = sides.iter().map(|side| side.name);
        measure::record(&mut report, "get_token among few and many", names, &speeds);
        let (few, many) = (speeds[0], speeds[1]);
        report.ratio(
            "get_token_among_many_cpu",
            Wanted::AtLeast(0.9),
            few.cpu / many.cpu,
        );
        report.ratio(
            "get_token_among_many",
            Wanted::Nothing,
            many.rate / few.rate,
        );
    }
    cluster.assert_never_crashed();
    Ok(report)
}

/// A vault of its own with so many tokens so far apart, and sessions that read them.
fn side(
    cluster: &Cluster,
    arguments: &Arguments,
    database: &'static str,
    (tokens, apart): (u32, u32),
) -> Result<Side> {
    let mut admin = cluster.create_vault(database)?;
    load(&mut admin, tokens, apart)?;
    let target = Target {
        cluster,
        database,
        settings: "",
    };
    let parameters = || -> Parameters {
        Box::new(move |number| Ok(vec![dataset::subject(number * apart).into_bytes()]))
    };
    let side = Side::prepared(
        database,
        target,
        arguments.clients,
        GET_TOKEN,
        parameters,
        Some(TOKEN_BYTES),
    )?;
    Ok(side.with_refresher(refresher(&mut admin)?))
}

fn load(admin: &mut Client, tokens: u32, apart: u32) -> Result<()> {
    let (rows, token) = (tokens * apart, dataset::access_token(0));
    eprintln!("loading {rows} rows, {tokens} of them tokens");
    admin.batch_execute(dataset::REGISTER)?;
    for first in (0..rows).step_by(CHUNK as usize) {
        let last = (first + CHUNK).min(rows) - 1;
        admin.batch_execute(&format!(
            "INSERT INTO vault.token (tenant, provider, subject, access_token, issued_at, created_at, updated_at,
                                      authorized_at, expires_at)
                 SELECT 'default', 'bench', 'user-' || n, sha512(n::text::bytea), now(), now(), now(), now(),
                        now() + interval '1 day'
                 FROM generate_series({first}, {last}) AS n WHERE n % {apart} <> 0;
             SELECT count(vault.store_token('bench', 'user-' || n, '{token}', expires_in => 86400))
                 FROM generate_series({first}, {last}) AS n WHERE n % {apart} = 0"
        ))?;
    }
    dataset::settle(admin, &["vault.token"])?;
    // Whatever is going to be read is in memory then.
    let get_token = GET_TOKEN.replace("$1", &format!("'user-' || n * {apart}"));
    admin.batch_execute(&format!(
        "SELECT count(octet_length(({get_token}))) FROM generate_series(0, {tokens} - 1) AS n"
    ))?;
    dataset::wait_until_sealed(admin)
}
