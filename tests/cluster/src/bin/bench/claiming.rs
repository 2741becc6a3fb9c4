//! What it costs the worker to claim tokens that are due: among few and among many that are not, and after many
//! refreshes while an old snapshot keeps every dead row and index entry.

use std::fmt;

use postgres::Client;
use token_vault_cluster::wait::wait_for;
use token_vault_cluster::{Options, Result};

use crate::arguments::Arguments;
use crate::beside::{self, Beside, LIMIT};
use crate::dataset;
use crate::report::{Report, Wanted, median};

/// Tokens in the small vault.
const FEW: u32 = 10_000;
/// Tokens that become due at once, in either vault: each time the next ones of those that can be refreshed.
const DUE: u32 = 2000;
const REFRESHABLE: u32 = 40_000;
/// Costs are told for so many claims.
const CLAIMS: f64 = 500.0;
const REFRESHES_BEFORE_AN_OLD_SNAPSHOT_ENDS: u32 = 30_000;

/// The worker's statements that claim, as pg_stat_statements tells them.
const CLAIM_COSTS: &str = "
    SELECT sum(total_exec_time), sum(shared_blks_hit + shared_blks_read)::float8,
           sum(rows) FILTER (WHERE query LIKE '%attempt = nextval(%')::bigint
    FROM pg_stat_statements AS s JOIN pg_database AS d ON d.oid = s.dbid
    WHERE d.datname = current_database() AND (query LIKE '%attempt = nextval(%' OR query LIKE '%l.due_from%')";

/// Rounds are short beside loading, and a few milliseconds vary.
const LEAST_ROUNDS: u32 = 31;

/// Medians of the rounds.
#[derive(Clone, Copy)]
struct Cost {
    /// Milliseconds in the executor.
    time: f64,
    /// Pages looked at.
    pages: f64,
}

struct Claiming {
    many: u32,
    among_few: Cost,
    among_many: Cost,
    /// In turns with `with_old_snapshot`.
    among_few_then: Cost,
    with_old_snapshot: Cost,
}

/// Runs it once, in a server of its own.
pub fn measure(options: &Options, arguments: &Arguments) -> Result<Report> {
    let options = options
        .clone()
        // Both vaults in memory: what is compared is the work, not the disk.
        .set("shared_buffers", "4GB")
        .set(
            "shared_preload_libraries",
            "token_vault, pg_stat_statements",
        )
        .set(
            "token_vault.connections",
            &arguments.connections.to_string(),
        );
    // What is refreshed is due again only when a round says so.
    let beside = Beside::start(&options, std::time::Duration::from_secs(864_000))?;
    let mut few = Vault::load(&beside, "few", FEW)?;
    let mut many = Vault::load(&beside, "many", arguments.claimed_from)?;
    beside.refresh(&mut few.db, true)?;
    // Every page once: right after a checkpoint, the first change of each is written to the WAL as a whole.
    eprintln!("a first round with every token");
    few.rounds(few.slices())?;
    many.rounds(many.slices())?;
    let (mut costs_few, mut costs_many) = (Vec::new(), Vec::new());
    let rounds = arguments.rounds.max(LEAST_ROUNDS);
    for _ in 0..rounds {
        costs_few.push(few.round()?);
        costs_many.push(many.round()?);
    }
    eprintln!("refreshing {REFRESHES_BEFORE_AN_OLD_SNAPSHOT_ENDS} tokens while a snapshot is held");
    let mut holder = beside.cluster.connect("many", "postgres")?;
    holder.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM live LIMIT 1")?;
    many.rounds(REFRESHES_BEFORE_AN_OLD_SNAPSHOT_ENDS / DUE)?;
    let (mut costs_few_then, mut costs_old) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        costs_few_then.push(few.round()?);
        costs_old.push(many.round()?);
    }
    beside.cluster.assert_never_crashed();
    let measured = Claiming {
        many: arguments.claimed_from,
        among_few: Cost::median(&costs_few),
        among_many: Cost::median(&costs_many),
        among_few_then: Cost::median(&costs_few_then),
        with_old_snapshot: Cost::median(&costs_old),
    };
    Ok(measured.report())
}

/// A database with many tokens, of which some are due in each round.
struct Vault {
    db: Client,
    refreshable: u32,
    rounds: u32,
    /// Replacements before the first round: tokens that were stored twice.
    before: i64,
}

impl Vault {
    fn load(beside: &Beside, name: &str, tokens: u32) -> Result<Self> {
        eprintln!("loading {tokens} tokens to claim from");
        let mut db = beside.vault(name)?;
        let idle = dataset::access_token(0);
        db.batch_execute(&format!(
            "SELECT count(vault.store_token('bench', 'user-' || n, '{idle}', refresh_token => 'rt-' || n, expires_in => 864000))
             FROM generate_series(0, {tokens} - 1) AS n;"
        ))?;
        let refreshable = REFRESHABLE.min(tokens);
        let apart = tokens / refreshable;
        beside.store(&mut db, (0..refreshable).map(|number| number * apart))?;
        db.batch_execute(&format!(
            "CREATE EXTENSION pg_stat_statements;
             CREATE TABLE live AS SELECT id, n / {DUE} AS slice
                 FROM generate_series(0, {refreshable} - 1) AS n JOIN vault.token ON subject = 'user-' || n * {apart};
             ALTER TABLE live ADD PRIMARY KEY (id)"
        ))?;
        for statement in [
            "VACUUM ANALYZE vault.token",
            "VACUUM ANALYZE vault.refresh_schedule",
            "VACUUM ANALYZE live",
            "CHECKPOINT",
        ] {
            db.batch_execute(statement)?;
        }
        let before = replacements(&mut db)?;
        Ok(Vault {
            db,
            refreshable,
            rounds: 0,
            before,
        })
    }

    /// How many rounds it takes until every token that can be refreshed was.
    fn slices(&self) -> u32 {
        self.refreshable / DUE
    }

    fn rounds(&mut self, count: u32) -> Result<()> {
        (0..count).try_for_each(|_| self.round().map(drop))
    }

    /// Makes the next tokens due and returns what it cost to claim them.
    fn round(&mut self) -> Result<Cost> {
        let slice = self.rounds % self.slices();
        self.rounds += 1;
        self.db.batch_execute(&format!(
            "UPDATE vault.refresh_schedule SET due_at = clock_timestamp() WHERE token IN (SELECT id FROM live WHERE slice = {slice})"
        ))?;
        self.db.batch_execute("SELECT pg_stat_statements_reset()")?;
        beside::look(&mut self.db)?;
        let expected = self.before + i64::from(self.rounds * DUE);
        wait_for("a new token for each that was due", LIMIT, || {
            Ok((replacements(&mut self.db)? >= expected).then_some(()))
        })?;
        let row = self.db.query_one(CLAIM_COSTS, &[])?;
        let claimed = row.get::<_, Option<i64>>(2).unwrap_or_default();
        if claimed != i64::from(DUE) {
            return Err(format!("{claimed} claims of {DUE} were seen").into());
        }
        let share = CLAIMS / claimed as f64;
        Ok(Cost {
            time: row.get::<_, f64>(0) * share,
            pages: row.get::<_, f64>(1) * share,
        })
    }
}

fn replacements(db: &mut Client) -> Result<i64> {
    let row = db.query_one(
        "SELECT sum(generation - 1)::bigint FROM live JOIN vault.token USING (id)",
        &[],
    )?;
    Ok(row.get(0))
}

impl Cost {
    fn median(costs: &[Cost]) -> Cost {
        Cost {
            time: median(costs.iter().map(|cost| cost.time)),
            pages: median(costs.iter().map(|cost| cost.pages)),
        }
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} ms and {:.0} pages", self.time, self.pages)
    }
}

impl Claiming {
    fn report(&self) -> Report {
        let mut report = Report::default();
        report.note(self.to_string());
        let (few, many) = (self.among_few, self.among_many);
        let (few_then, old) = (self.among_few_then, self.with_old_snapshot);
        for (name, ratio) in [
            ("claim_among_many", many.time / few.time),
            ("claim_among_many_pages", many.pages / few.pages),
            ("claim_with_old_snapshot", old.time / few_then.time),
            ("claim_with_old_snapshot_pages", old.pages / few_then.pages),
        ] {
            report.ratio(name, Wanted::Nothing, ratio);
        }
        report
    }
}

impl fmt::Display for Claiming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "claiming {CLAIMS} tokens: {} among {FEW}, {} among {}; {} against {} after \
             {REFRESHES_BEFORE_AN_OLD_SNAPSHOT_ENDS} refreshes with an old snapshot",
            self.among_few, self.among_many, self.many, self.among_few_then, self.with_old_snapshot,
        )
    }
}
