//! What privileges, tenant binding, counters and the audit of reads cost `get_token`: with all of them, and without.

use token_vault_cluster::{Cluster, Options, Result};

use crate::arguments::Arguments;
use crate::dataset::{self, GET_TOKEN};
use crate::measure::{self, Kind, Pair};

const NAME: &str = "get_token_audited";
/// A superuser, whom nothing is asked.
const OFF: &str = "SET token_vault.audit = 'off'; SET token_vault.unusual_reads = 0";
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
    let pairs = (0..arguments.rounds)
        .map(|_| {
            admin.batch_execute("CHECKPOINT")?;
            Pair::measure(NAME, OFF, ON, |session| {
                measure::throughput(&cluster, arguments, Kind::Read, GET_TOKEN, session)
            })
        })
        .collect();
    cluster.assert_never_crashed();
    pairs
}
