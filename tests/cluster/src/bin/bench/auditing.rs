//! What privileges, tenant binding, counters and the audit of reads cost `get_token`: with all of them, and without.

use postgres::Client;
use token_vault_cluster::{Cluster, Options, Result};

use crate::arguments::Arguments;
use crate::beside::refresher;
use crate::dataset::{self, GET_TOKEN, TOKEN_BYTES};
use crate::measure::{self, Side, Target};
use crate::report::{Report, Wanted};

const SIDES: [(&str, &str); 3] = [
    // A superuser, whom nothing is asked.
    ("superuser", "SET token_vault.audit = 'off'; SET token_vault.unusual_reads = 0"),
    // A role of which everything is asked, …
    (
        "role with limits and tenant",
        "SET token_vault.audit = 'writes'; SET token_vault.read_limit = 2000000000;
         SET token_vault.tenant_read_limit = 2000000000; SET token_vault.tenant = 'default'; SET ROLE reader",
    ),
    // … and each of whose reads is noted, too.
    (
        "the same, reads audited",
        "SET token_vault.audit = 'all'; SET token_vault.read_limit = 2000000000;
         SET token_vault.tenant_read_limit = 2000000000; SET token_vault.tenant = 'default';
         SET token_vault.audit_reason = 'bench'; SET ROLE reader",
    ),
];

/// Runs it in a server of its own.
pub fn measure(options: &Options, arguments: &Arguments) -> Result<Report> {
    let cluster = Cluster::start_new(options)?;
    let mut admin = dataset::create(&cluster, "bench", arguments.rows)?;
    admin.batch_execute(
        "CREATE ROLE reader; SELECT vault.grant_access('reader', '{read}', tenant => 'def*', provider => 'bench')",
    )?;
    let mut sides = sides(&cluster, &mut admin, arguments)?;
    let mut report = Report::default();
    for side in &mut sides {
        side.warm_up(arguments.rows)?;
    }
    for round in 1..=arguments.rounds {
        eprintln!("auditing: round {round} of {}", arguments.rounds);
        admin.batch_execute("CHECKPOINT")?;
        let speeds = measure::through_clients(&mut sides, arguments)?;
        let names = SIDES.iter().map(|(name, _)| *name);
        measure::record(&mut report, "get_token by", names, &speeds);
        for (place, name) in [(1, "get_token_guarded"), (2, "get_token_audited")] {
            report.ratio(name, Wanted::Nothing, speeds[place].rate / speeds[0].rate);
        }
    }
    cluster.assert_never_crashed();
    Ok(report)
}

fn sides(cluster: &Cluster, admin: &mut Client, arguments: &Arguments) -> Result<Vec<Side>> {
    let writer = refresher(admin)?;
    let sides = SIDES.iter().map(|(name, settings)| {
        let target = Target {
            cluster,
            database: "bench",
            settings,
        };
        let side = Side::prepared(
            name,
            target,
            arguments.clients,
            GET_TOKEN,
            dataset::by_subject,
            Some(TOKEN_BYTES),
        );
        Ok(side?.with_refresher(writer))
    });
    sides.collect()
}
