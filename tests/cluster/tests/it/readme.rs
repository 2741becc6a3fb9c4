//! What the README says is so: its SQL runs, its tables and signatures are those of the server.
//!
//! Every block marked `sql` runs, in order, as a superuser in one fresh database. `-- → VALUE` behind a statement is a
//! line of its result, as `psql` prints it unaligned. Blocks marked `text` only show a shape.

use std::collections::{BTreeMap, BTreeSet};

use postgres::Client;
use token_vault_cluster::{Cluster, Options, Result};

const README: &str = include_str!("../../../../README.md");
const ERRORS: &str = include_str!("../../../../src/error/text.rs");

/// What stands before each line of a result.
const RESULT_MARK: &str = "-- → ";

/// One block of SQL.
struct Block {
    line: usize,
    sql: String,
}

fn sql_blocks() -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (index, line) in README.lines().enumerate() {
        match &mut open {
            None if line == "```sql" => {
                open = Some(Block {
                    line: index + 2,
                    sql: String::new(),
                });
            }
            Some(_) if line == "```" => blocks.extend(open.take()),
            Some(block) => block.sql.extend([line, "\n"]),
            None => {}
        }
    }
    blocks
}

impl Block {
    /// The results that the block's comments announce.
    fn results(&self) -> impl Iterator<Item = &str> {
        let announced = |line: &'static str| line.split(RESULT_MARK).skip(1).map(str::trim);
        let lines = README.lines().skip(self.line - 1);
        lines.take(self.sql.lines().count()).flat_map(announced)
    }
}

#[test]
fn every_sql_block_runs_and_returns_what_it_says() -> Result<()> {
    let cluster = Cluster::start_new(&Options::new().without_fsync())?;
    cluster.createdb("app")?;
    let blocks = sql_blocks();
    assert!(blocks.len() > 5, "{} blocks were found", blocks.len());
    assert!(blocks.iter().any(|block| block.results().count() > 0));
    for block in &blocks {
        let output = cluster
            .psql("app", &block.sql)
            .map_err(|error| format!("README.md, block at line {}: {error}", block.line))?;
        let mut lines = output.lines();
        for result in block.results() {
            assert!(
                lines.any(|line| line == result),
                "README.md, block at line {}: no {result:?} in\n{output}",
                block.line
            );
        }
    }
    cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn the_table_of_errors_has_the_codes_of_the_source() {
    let of_table: Vec<&str> = table_rows("## Errors").map(|cells| cells[0]).collect();
    let unique: BTreeSet<&str> = of_table.iter().copied().collect();
    assert_eq!(unique.len(), of_table.len(), "a code has two rows");
    let of_source: BTreeSet<&str> = ERRORS.split('"').filter(|text| is_sqlstate(text)).collect();
    assert!(of_source.contains("TV001"));
    assert_eq!(unique, of_source);
}

#[test]
fn settings_and_signatures_are_those_of_the_server() -> Result<()> {
    let cluster = Cluster::start_new(&Options::new().without_fsync())?;
    let mut client = cluster.create_vault("app")?;
    compare_settings(&mut client)?;
    compare_signatures(&mut client)?;
    every_function_has_a_comment(&mut client)
}

fn compare_settings(client: &mut Client) -> Result<()> {
    let of_server: BTreeMap<String, String> = client
        .query(
            "SELECT '`' || name || '`', coalesce(boot_val, '') FROM pg_settings WHERE name LIKE 'token\\_vault.%'",
            &[],
        )?
        .iter()
        .map(|row| (row.get(0), row.get(1)))
        .collect();
    let of_table = table_rows("## Settings")
        .map(|cells| (cells[0].to_owned(), cells[1].to_owned()))
        .collect();
    assert_eq!(of_server, of_table);
    Ok(())
}

/// Functions that are called by the server or by a view only are not in the reference.
fn compare_signatures(client: &mut Client) -> Result<()> {
    let signatures = client.query(
        "SELECT CASE prokind WHEN 'p' THEN 'CALL ' ELSE '' END || proname || '('
                || regexp_replace(pg_get_function_arguments(oid), '^IN |::[a-z ]+(\\[\\])?', '', 'g') || ')'
                || coalesce(' → ' || pg_get_function_result(oid), '')
         FROM pg_proc
         WHERE pronamespace = 'vault'::regnamespace
           AND proname !~ '^((secret|can)_|(key_usage|envelope_key|is_current|role_can)$)'",
        &[],
    )?;
    assert!(signatures.len() > 20);
    let readme = README.split_whitespace().collect::<Vec<_>>().join(" ");
    let missing: Vec<String> = signatures
        .iter()
        .map(|row| row.get(0))
        .filter(|signature: &String| !readme.contains(signature.as_str()))
        .collect();
    assert!(missing.is_empty(), "not in README.md: {missing:#?}");
    Ok(())
}

fn every_function_has_a_comment(client: &mut Client) -> Result<()> {
    let without: Vec<String> = client
        .query(
            "SELECT oid::regprocedure::text FROM pg_proc
             WHERE pronamespace = 'vault'::regnamespace AND obj_description(oid, 'pg_proc') IS NULL",
            &[],
        )?
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert!(without.is_empty(), "no COMMENT ON FUNCTION for {without:?}");
    Ok(())
}

/// The cells of the rows of the first table under a heading.
fn table_rows(heading: &str) -> impl Iterator<Item = Vec<&'static str>> {
    README
        .lines()
        .skip_while(move |line| *line != heading)
        .skip_while(|line| !line.starts_with("| ---"))
        .skip(1)
        .take_while(|line| line.starts_with("| "))
        .map(|row| row.trim_matches('|').split('|').map(str::trim).collect())
}

fn is_sqlstate(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    text.len() == 5 && text.bytes().all(is_part) && text.bytes().any(|byte| byte.is_ascii_digit())
}
