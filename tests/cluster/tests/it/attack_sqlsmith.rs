//! SQLsmith: thousands of random statements over everything that a role can name, the vault's functions and views among it.
//! No secret comes out, in results, errors or the log, and no process ends. Left out where `sqlsmith` is not installed.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use postgres::{Client, NoTls, SimpleQueryMessage};
use token_vault_cluster::canary::Search;
use token_vault_cluster::{Cluster, Options, Result};

use crate::master_key::register_provider;
use crate::provider::DATABASE;

/// Statements in each run of [`a_few_thousand_random_statements_get_no_secret`], for both roles together.
const FEW: usize = 10_000;
const MANY: usize = 100_000;

/// Has no privilege on the vault, but may call every function and read every view, as far as PostgreSQL is asked.
const OUTSIDER: &str = "outsider";
/// The same, and may read what is tenant blue's.
const READER: &str = "reader";

/// In the plaintext of everything that is secret. Blue's access token and column value are all that anybody here may see.
const SECRETS: [&str; 8] = [
    "blue-at-canary-5d0c7b21",
    "blue-column-canary-01f2e3",
    "blue-rt-canary-9be41f60",
    "blue-it-canary-77ab03c4",
    "blue-cs-canary-12dd90e5",
    "red-at-canary-a1b2c3d4e5",
    "red-rt-canary-f00dfeed11",
    "red-cs-canary-0badcafe22",
];

/// How many of [`SECRETS`] the reader may see.
const READABLE: usize = 2;

fn start() -> Result<Cluster> {
    let options = Options::new()
        .without_fsync()
        .set("token_vault.refresh_enabled", "off");
    let cluster = Cluster::start_new(&options)?;
    let mut db = cluster.create_vault(DATABASE)?;
    register_provider(&mut db)?;
    db.batch_execute(&format!(
        "CREATE ROLE {OUTSIDER} LOGIN; CREATE ROLE {READER} LOGIN;
         SELECT vault.grant_access('{READER}', '{{read}}', tenant => 'blue');
         ALTER ROLE {READER} SET token_vault.tenant = 'blue';
         GRANT USAGE ON SCHEMA vault TO {OUTSIDER}, {READER}; GRANT USAGE ON TYPE vault.secret TO {OUTSIDER}, {READER};
         GRANT EXECUTE ON ALL ROUTINES IN SCHEMA vault TO {OUTSIDER}, {READER};
         CREATE TABLE webhook (id int PRIMARY KEY, key vault.secret); GRANT ALL ON webhook TO PUBLIC"
    ))?;
    // Functions that wait, and plans that would take the afternoon.
    for role in [OUTSIDER, READER] {
        db.batch_execute(&format!(
            "ALTER ROLE {role} SET statement_timeout = '1s'; ALTER ROLE {role} SET lock_timeout = '200ms'"
        ))?;
    }
    let views: Vec<String> = db
        .query("SELECT oid::regclass::text FROM pg_class WHERE relnamespace = 'vault'::regnamespace AND relkind = 'v'", &[])?
        .iter()
        .map(|row| row.get(0))
        .collect();
    let views = views.join(", ");
    let [
        blue_at,
        blue_column,
        blue_rt,
        blue_it,
        blue_cs,
        red_at,
        red_rt,
        red_cs,
    ] = SECRETS;
    db.batch_execute(&format!(
        "GRANT SELECT ON {views} TO {OUTSIDER}, {READER};
         SELECT vault.register_client('app', 'acme', 'id', '{blue_cs}', tenant => 'blue');
         SELECT vault.register_client('app', 'acme', 'id', '{red_cs}', tenant => 'red');
         SELECT vault.store_token('acme', 'ann', '{blue_at}', '{blue_rt}', id_token => '{blue_it}', tenant => 'blue');
         SELECT vault.store_token('acme', 'bob', '{red_at}', '{red_rt}', tenant => 'red');
         INSERT INTO webhook VALUES (1, '{blue_column}'::text)"
    ))?;
    Ok(cluster)
}

/// Is there a program of this name?
fn is_installed(program: &str) -> bool {
    Command::new(program)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok()
}

/// Has SQLsmith make and run so many statements as a role, and keeps them in a file.
fn smith(
    cluster: &Cluster,
    role: &str,
    count: usize,
    seed: usize,
    statements: &Path,
) -> Result<()> {
    let target = format!(
        "host={} port={} dbname={DATABASE} user={role}",
        cluster.directory().display(),
        cluster.port()
    );
    let errors = statements.with_extension("errors");
    let status = Command::new("sqlsmith")
        .args([
            &format!("--target={target}"),
            &format!("--max-queries={count}"),
            &format!("--seed={seed}"),
            "--dump-all-queries",
        ])
        .stdout(File::create(statements)?)
        .stderr(File::create(&errors)?)
        .status()?;
    if !status.success() {
        return Err(format!("sqlsmith: {}", std::fs::read_to_string(errors)?).into());
    }
    Ok(())
}

/// A session whose notices go to a list.
fn session(cluster: &Cluster, role: &str) -> Result<(Client, Arc<Mutex<Vec<String>>>)> {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&heard);
    let mut connection = cluster.connection(DATABASE, role);
    connection
        .notice_callback(move |notice| sink.lock().expect("the list").push(format!("{notice:?}")));
    Ok((connection.connect(NoTls)?, heard))
}

/// SQLsmith throws away what its statements give: they are run once more, and every row, notice and error is kept. Returns how
/// many succeeded.
fn run_again(cluster: &Cluster, role: &str, statements: &Path, results: &Path) -> Result<usize> {
    let mut output = BufWriter::new(File::create(results)?);
    let (mut db, mut heard) = session(cluster, role)?;
    let mut succeeded = 0;
    let mut statement = String::new();
    for line in BufReader::new(File::open(statements)?).lines() {
        let line = line?;
        statement.push_str(&line);
        statement.push('\n');
        if !line.ends_with(';') {
            continue;
        }
        if db.is_closed() {
            (db, heard) = session(cluster, role)?;
        }
        match db.simple_query(&format!("BEGIN; {statement} ROLLBACK")) {
            Ok(messages) => {
                let rows = messages.iter().filter_map(|message| match message {
                    SimpleQueryMessage::Row(row) => Some(row),
                    _ => None,
                });
                for row in rows {
                    for column in 0..row.len() {
                        writeln!(output, "{}", row.get(column).unwrap_or_default())?;
                    }
                }
                succeeded += 1;
            }
            Err(error) => {
                writeln!(output, "{error:?}")?;
                if !db.is_closed() {
                    db.batch_execute("ROLLBACK")?;
                }
            }
        }
        for notice in heard.lock().expect("the list").drain(..) {
            writeln!(output, "{notice}")?;
        }
        statement.clear();
    }
    output.flush()?;
    Ok(succeeded)
}

/// So many statements as one role; none of the secrets comes out.
fn attack_as(
    cluster: &Cluster,
    role: &str,
    seed: usize,
    count: usize,
    secrets: &Search,
) -> Result<()> {
    let statements = cluster.directory().join(format!("{role}.sql"));
    let results = cluster.directory().join(format!("{role}.results"));
    smith(cluster, role, count, seed, &statements)?;
    let succeeded = run_again(cluster, role, &statements, &results)?;
    println!("{role}: {count} statements, {succeeded} succeeded");
    assert!(succeeded > count / 10, "{role}: only {succeeded}");
    for file in [&results, &statements, &statements.with_extension("errors")] {
        secrets.run(file)?.assert_clean();
    }
    Ok(())
}

fn attack(count: usize) -> Result<()> {
    if !is_installed("sqlsmith") {
        eprintln!("skipped: sqlsmith is not installed");
        return Ok(());
    }
    let cluster = start()?;
    let postmaster = cluster.postmaster_pid();
    let all = Search::new(SECRETS)?;
    let forbidden = Search::new(&SECRETS[READABLE..])?;
    // At once: SQLsmith thinks longer than the server does.
    std::thread::scope(|scope| {
        let outsider = scope.spawn(|| attack_as(&cluster, OUTSIDER, 1, count / 2, &all));
        attack_as(&cluster, READER, 2, count / 2, &forbidden)?;
        outsider.join().expect("the outsider's thread")
    })?;
    // The statement that created the canaries is the superuser's, and is not logged.
    all.run(&cluster.log_file())?.assert_clean();
    cluster.assert_never_crashed();
    assert_eq!(cluster.postmaster_pid(), postmaster);
    // Where a secret is given, the search sees it.
    let (seen, found) = (
        cluster.directory().join("seen.sql"),
        cluster.directory().join("seen"),
    );
    std::fs::write(&seen, "SELECT vault.get_token('acme', 'ann');\n")?;
    run_again(&cluster, READER, &seen, &found)?;
    assert_eq!(all.run(&found)?.findings.len(), 1);
    Ok(())
}

#[test]
fn a_few_thousand_random_statements_get_no_secret() -> Result<()> {
    attack(FEW)
}

#[test]
#[ignore = "takes minutes; make test-long"]
fn a_hundred_thousand_random_statements_get_no_secret() -> Result<()> {
    attack(MANY)
}
