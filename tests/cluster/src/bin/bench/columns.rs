//! An encrypted column (`vault.secret`) beside a plain one: many rows written by one statement, and read.

use postgres::Client;
use token_vault_cluster::{Cluster, Options, Result};

use crate::arguments::Arguments;
use crate::measure::{self, Speed, Target};
use crate::process;
use crate::report::{Report, Wanted};
use crate::wire::Postgres;

const DATABASE: &str = "columns";
/// An API key and a token.
const SIZES: [u32; 2] = [40, 1200];
const SIDES: [&str; 2] = ["plain text", "vault.secret"];
const UNIT: &str = "rows/s";
const CPU: &str = "µs of processor/row";

/// A table as an application has it, with its primary key.
const TABLES: &str = "
    CREATE UNLOGGED TABLE source (id bigint, value text);
    CREATE TABLE plain_column (id bigint PRIMARY KEY, value text NOT NULL);
    CREATE TABLE secret_column (id bigint PRIMARY KEY, value vault.secret NOT NULL)";
const NAMES: [&str; 2] = ["plain_column", "secret_column"];
/// The rows as a client reads them, and what is read of each where it stays in the server.
const VALUES: [&str; 2] = ["value", "vault.reveal(value)"];

/// Measures in a server of its own.
pub fn measure(options: &Options, arguments: &Arguments) -> Result<Report> {
    let cluster = Cluster::start_new(&options.clone().set("autovacuum", "off"))?;
    let mut admin = cluster.create_vault(DATABASE)?;
    admin.batch_execute(TABLES)?;
    let file = cluster.directory_for_server("copied")?.join("source");
    let file = file.display().to_string();
    let mut reader = Reader::new(&cluster)?;
    let mut report = Report::default();
    for size in SIZES {
        fill_source(&mut admin, arguments.column_rows, size, &file)?;
        for round in 1..=arguments.rounds {
            eprintln!(
                "columns of {size} bytes: round {round} of {}",
                arguments.rounds
            );
            let mut part = Part {
                admin: &mut admin,
                rows: arguments.column_rows,
                size,
                report: &mut report,
            };
            part.write("insert", |table| {
                format!("INSERT INTO {table} SELECT id, value FROM source")
            })?;
            part.write("copy", |table| format!("COPY {table} FROM '{file}'"))?;
            part.read(&mut reader)?;
        }
    }
    cluster.assert_never_crashed();
    report.note(format!(
        "columns: {} rows in a table with a primary key; they are read by a client, and by count(octet_length()) in the server",
        arguments.column_rows
    ));
    Ok(report)
}

fn fill_source(admin: &mut Client, rows: u32, size: u32, file: &str) -> Result<()> {
    eprintln!("making {rows} values of {size} bytes");
    Ok(admin.batch_execute(&format!(
        "TRUNCATE source;
         INSERT INTO source SELECT n, left(repeat(md5(n::text), 38), {size}) FROM generate_series(1, {rows}) AS n;
         COPY source TO '{file}'"
    ))?)
}

/// One round with values of one size.
struct Part<'a> {
    admin: &'a mut Client,
    rows: u32,
    size: u32,
    report: &'a mut Report,
}

impl Part<'_> {
    /// Fills both tables with one statement each.
    fn write(&mut self, how: &str, statement: impl Fn(&str) -> String) -> Result<()> {
        let speeds = measure::in_turns(NAMES.len(), |side| {
            let table = NAMES[side];
            self.admin.batch_execute(&format!("TRUNCATE {table}"))?;
            self.admin.batch_execute("CHECKPOINT")?;
            measure::in_one_statement(self.admin, self.rows, &statement(table))
        })?;
        self.record(how, Wanted::AtLeast(0.7), &speeds);
        Ok(())
    }

    /// Reads both tables, through a client and without.
    fn read(&mut self, reader: &mut Reader) -> Result<()> {
        for table in NAMES {
            self.admin
                .batch_execute(&format!("VACUUM ANALYZE {table}"))?;
        }
        let speeds = measure::in_turns(NAMES.len(), |side| {
            let select = format!("SELECT id, {} FROM {}", VALUES[side], NAMES[side]);
            reader.read_all(&select, self.rows)
        })?;
        self.record("reveal", Wanted::AtLeast(0.5), &speeds);
        let speeds = measure::in_turns(NAMES.len(), |side| {
            let count = format!(
                "SELECT count(octet_length({})) FROM {}",
                VALUES[side], NAMES[side]
            );
            measure::in_one_statement(self.admin, self.rows, &count)
        })?;
        self.record("reveal_in_server", Wanted::Nothing, &speeds);
        Ok(())
    }

    fn record(&mut self, what: &str, wanted: Wanted, speeds: &[Speed]) {
        let name = format!("column_{what}_{}_bytes", self.size);
        for (side, speed) in SIDES.iter().zip(speeds) {
            self.report.figure(&name, side, UNIT, speed.rate);
            self.report.figure(&name, side, CPU, speed.cpu);
        }
        self.report
            .ratio(&name, wanted, speeds[1].rate / speeds[0].rate);
    }
}

/// A client that reads all rows and keeps none.
struct Reader(Postgres);

impl Reader {
    fn new(cluster: &Cluster) -> Result<Self> {
        let target = Target {
            cluster,
            database: DATABASE,
            settings: "",
        };
        Ok(Reader(Postgres::connect(target)?))
    }

    fn read_all(&mut self, select: &str, rows: u32) -> Result<Speed> {
        self.0.prepare(select)?;
        let before = process::precise_cpu_time(self.0.process())?;
        let started = std::time::Instant::now();
        self.0.execute(&[])?;
        let elapsed = started.elapsed();
        let cpu = process::precise_cpu_time(self.0.process())? - before;
        self.0.deallocate()?;
        Ok(Speed::new(rows, elapsed, cpu))
    }
}
