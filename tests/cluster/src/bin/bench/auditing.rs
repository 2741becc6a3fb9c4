//! What privileges, tenant binding, counters and the audit of reads cost `get_token`: with all of them, and without.

use postgres::Client;
use token_vault_cluster::{Cluster, Options, Result};

use crate::arguments::Arguments;
use crate::beside::refresher;
use crate::dataset::{self, GET_TOKEN};
use crate::measure::{self, Kind, Pair};
use crate::process;

const NAME: &str = "get_token_audited";
/// A superuser, whom nothing is asked.
const OFF: &str = "SET token_vault.audit = 'off'; SET token_vault.unusual_reads = 0";
/// The same role without the audit of reads.
const UNAUDITED: &str = "SET token_vault.audit = 'writes'; SET token_vault.read_limit = 2000000000;
    SET token_vault.tenant_read_limit = 2000000000; SET token_vault.tenant = 'default'; SET ROLE reader";
const ON: &str = "SET token_vault.audit = 'all'; SET token_vault.read_limit = 2000000000;
    SET token_vault.tenant_read_limit = 2000000000; SET token_vault.tenant = 'default';
    SET token_vault.audit_reason = 'bench'; SET ROLE reader";

/// Runs it in a server of its own; one pair for each round.
pub fn measure(options: &Options, arguments: &Arguments) -> Result<Vec<Pair>> {
    let cluster = Cluster::start_new(options)?;
    let mut admin = cluster.create_vault("bench")?;
    eprintln!("loading {} rows", arguments.rows);
    dataset::load(&mut admin, arguments.rows)?;
    admin.batch_execute(
        "CREATE ROLE reader; SELECT vault.grant_access('reader', '{read}', tenant => 'def*', provider => 'bench')",
    )?;
    let writer = refresher(&mut admin)?;
    let mut pairs = Vec::new();
    for _ in 0..arguments.rounds {
        for (name, on) in [("get_token_guarded", UNAUDITED), (NAME, ON)] {
            admin.batch_execute("CHECKPOINT")?;
            let (before, written) = (process::cpu_time(writer)?, entries(&mut admin)?);
            pairs.push(Pair::measure(name, OFF, on, |session| {
                measure::throughput(&cluster, arguments, Kind::Read, GET_TOKEN, session)
            })?);
            let spent = process::cpu_time(writer)? - before;
            let written = entries(&mut admin)? - written;
            if written > 0 {
                let micros = spent.as_secs_f64() * 1e6 / written as f64;
                eprintln!("{written} entries written, each in {micros:.1} µs of the writer's time");
            }
        }
    }
    cluster.assert_never_crashed();
    Ok(pairs)
}

fn entries(admin: &mut Client) -> Result<i64> {
    Ok(admin
        .query_one("SELECT count(*) FROM vault.audit_log", &[])?
        .get(0))
}
