//! Reading one token: from the vault, from a plain table, through pgcrypto, from Redis.

use postgres::Client;
use token_vault_cluster::{Cluster, Result};

use crate::arguments::Arguments;
use crate::beside::refresher;
use crate::dataset::{self, GET_TOKEN, SELECT, TOKEN_BYTES};
use crate::measure::{self, Side, Speed, Target};
use crate::peers::{self, DECRYPT_IV, FUNCTION, PGP_SYM_DECRYPT};
use crate::redis_server::RedisServer;
use crate::report::{Report, Wanted};
use crate::wire::{Caller, Parameters};

/// What is measured.
pub const THROUGH_CLIENTS: &str = "read through clients";
const IN_ONE_STATEMENT: &str = "read in one statement";

/// Its sides.
pub const GET_TOKEN_SIDE: &str = "vault.get_token";
const PLAIN: &str = "plain SELECT";
const RAW: &str = "pgcrypto decrypt_iv";
const PGP: &str = "pgcrypto pgp_sym_decrypt";
const PLPGSQL: &str = "plpgsql over decrypt_iv";
const REDIS: &str = "Redis GET";

/// The ratios of `get_token` to the others, and what is wanted of them.
const RATIOS: [(&str, &str, Wanted); 5] = [
    (PLAIN, "get_token", Wanted::AtLeast(0.95)),
    (REDIS, "get_token_to_redis", Wanted::AtLeast(0.75)),
    (RAW, "get_token_to_pgcrypto_raw", Wanted::AtLeast(1.2)),
    (PGP, "get_token_to_pgp_sym_decrypt", Wanted::AtLeast(8.0)),
    (PLPGSQL, "get_token_to_plpgsql", Wanted::Nothing),
];

/// Calls, at most, within one statement.
const MAX_CALLS: u32 = 20_000;
/// It derives its key from the passphrase at each call: a tenth of the calls takes long enough.
const PGP_SHARE: u32 = 10;

/// Measures in a database of [`dataset::create`].
pub fn measure(cluster: &Cluster, admin: &mut Client, arguments: &Arguments) -> Result<Report> {
    let mut report = Report::default();
    peers::load(admin)?;
    let redis = RedisServer::start()?;
    let mut sides = sides(cluster, admin, arguments)?;
    match &redis {
        Some(redis) => sides.push(redis_side(redis, arguments)?),
        None => report.note("redis-server is not installed: nothing is compared with Redis"),
    }
    for side in &mut sides {
        eprintln!("warming up: {}", side.name);
        side.warm_up(arguments.rows)?;
    }
    for round in 1..=arguments.rounds {
        eprintln!("reads: round {round} of {}", arguments.rounds);
        let names: Vec<&str> = sides.iter().map(|side| side.name).collect();
        let speeds = measure::through_clients(&mut sides, arguments)?;
        measure::record(&mut report, THROUGH_CLIENTS, names.iter().copied(), &speeds);
        let place = |side| names.iter().position(|name| *name == side);
        for (other, name, wanted) in RATIOS {
            if let (Some(ours), Some(other)) = (place(GET_TOKEN_SIDE), place(other)) {
                ratios(&mut report, name, wanted, (speeds[ours], speeds[other]));
            }
        }
        // What speaks PostgreSQL's protocol can't be faster than that, whatever it does.
        if let (Some(plain), Some(redis)) = (place(PLAIN), place(REDIS)) {
            let ratio = speeds[plain].rate / speeds[redis].rate;
            report.ratio("plain_select_to_redis", Wanted::Nothing, ratio);
        }
        in_one_statement(admin, arguments, &mut report)?;
    }
    Ok(report)
}

fn ratios(report: &mut Report, name: &str, wanted: Wanted, (ours, other): (Speed, Speed)) {
    report.ratio(name, wanted, ours.rate / other.rate);
    report.ratio(
        &format!("{name}_cpu"),
        Wanted::Nothing,
        other.cpu / ours.cpu,
    );
}

fn sides(cluster: &Cluster, admin: &mut Client, arguments: &Arguments) -> Result<Vec<Side>> {
    let target = Target {
        cluster,
        database: "bench",
        settings: "",
    };
    let side = |name, statement, parameters: fn() -> Parameters| {
        Side::prepared(
            name,
            target,
            arguments.clients,
            statement,
            parameters,
            Some(TOKEN_BYTES),
        )
    };
    Ok(vec![
        side(PLAIN, SELECT, dataset::by_subject)?,
        side(GET_TOKEN_SIDE, GET_TOKEN, dataset::by_subject)?.with_refresher(refresher(admin)?),
        side(RAW, DECRYPT_IV, || with(peers::KEY.to_vec()))?,
        side(PGP, PGP_SYM_DECRYPT, || with(peers::passphrase()))?,
        side(PLPGSQL, FUNCTION, dataset::by_subject)?,
    ])
}

/// A row's subject and what its value is decrypted with.
fn with(secret: Vec<u8>) -> Parameters {
    Box::new(move |number| Ok(vec![dataset::subject(number).into_bytes(), secret.clone()]))
}

fn redis_side(server: &RedisServer, arguments: &Arguments) -> Result<Side> {
    server
        .connect()?
        .load(arguments.rows, dataset::access_token)?;
    let callers =
        (0..arguments.clients).map(|_| Ok(Box::new(server.connect()?) as Box<dyn Caller>));
    Ok(Side::new(REDIS, callers.collect::<Result<_>>()?))
}

/// Without client, network and transaction: many calls in one statement, which leaves the work itself.
fn in_one_statement(admin: &mut Client, arguments: &Arguments, report: &mut Report) -> Result<()> {
    let number = MAX_CALLS.min(arguments.rows);
    let sides = [
        (PLAIN, SELECT, String::new(), number),
        (GET_TOKEN_SIDE, GET_TOKEN, String::new(), number),
        (RAW, DECRYPT_IV, peers::key_literal(), number),
        (
            PGP,
            PGP_SYM_DECRYPT,
            peers::passphrase_literal(),
            number.div_ceil(PGP_SHARE),
        ),
        (PLPGSQL, FUNCTION, String::new(), number),
    ];
    let speeds = measure::in_turns(sides.len(), |side| {
        let (_, call, secret, number) = &sides[side];
        let call = call
            .replace(
                "$1",
                &format!("'user-' || n * 7919::bigint % {}", arguments.rows),
            )
            .replace("$2", secret);
        let statement =
            format!("SELECT count(octet_length(({call}))) FROM generate_series(1, {number}) AS n");
        measure::in_one_statement(admin, *number, &statement)
    })?;
    let names = sides.iter().map(|(name, ..)| *name);
    measure::record(report, IN_ONE_STATEMENT, names, &speeds);
    for (place, name) in [
        (0, "get_token_in_server"),
        (2, "get_token_in_server_to_pgcrypto_raw"),
        (3, "get_token_in_server_to_pgp_sym_decrypt"),
        (4, "get_token_in_server_to_plpgsql"),
    ] {
        report.ratio(name, Wanted::Nothing, speeds[1].rate / speeds[place].rate);
    }
    Ok(())
}
