//! What the reader sees: numbered headings, SQL as one would type it, results as psql shows them, shortened.

use postgres::{Client, SimpleQueryMessage, SimpleQueryRow};
use token_vault_cluster::Result;

/// Longer values are cut in the transcript; that is most of a ciphertext and all but a hint of a token.
const MAX_WIDTH: usize = 40;

/// How much of a longer value is shown.
const SHOWN: usize = 16;

/// The transcript on standard output.
#[derive(Default)]
pub struct Transcript {
    steps: usize,
}

impl Transcript {
    /// Begins a step.
    pub fn step(&mut self, heading: &str) {
        self.steps += 1;
        println!("\n{}. {heading}", self.steps);
    }

    /// The number of steps begun.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// A remark.
    pub fn note(&self, text: &str) {
        println!("   -- {text}");
    }

    /// Types a statement in, shows its result, and returns it.
    pub fn sql(&self, client: &mut Client, statement: &str) -> Result<Vec<SimpleQueryRow>> {
        self.typed(statement);
        let messages = client.simple_query(statement)?;
        let rows: Vec<_> = messages
            .into_iter()
            .filter_map(|message| match message {
                SimpleQueryMessage::Row(row) => Some(row),
                _ => None,
            })
            .collect();
        show(&rows);
        Ok(rows)
    }

    /// The same for a statement that returns one value.
    pub fn value(&self, client: &mut Client, statement: &str) -> Result<String> {
        let rows = self.sql(client, statement)?;
        let value = rows.first().and_then(|row| row.get(0));
        Ok(value.ok_or("no value came back")?.to_owned())
    }

    /// Shows a statement that is executed elsewhere.
    pub fn typed(&self, statement: &str) {
        for (number, line) in statement.lines().enumerate() {
            println!("   {} {line}", if number == 0 { "=>" } else { "->" });
        }
    }
}

/// The beginning of a long value and how long it is.
pub fn shortened(value: &str) -> String {
    let length = value.chars().count();
    if length <= MAX_WIDTH {
        return value.to_owned();
    }
    let shown: String = value.chars().take(SHOWN).collect();
    format!("{shown}… ({length} characters)")
}

fn show(rows: &[SimpleQueryRow]) {
    // What a function without a result returns is not worth a table.
    if rows
        .iter()
        .all(|row| row.len() == 1 && row.get(0) == Some(""))
    {
        return;
    }
    let names = rows[0]
        .columns()
        .iter()
        .map(|column| column.name().to_owned());
    let mut table = vec![names.collect()];
    table.extend(rows.iter().map(cells));
    print_table(&table);
}

fn cells(row: &SimpleQueryRow) -> Vec<String> {
    (0..row.len())
        .map(|i| shortened(row.get(i).unwrap_or("")))
        .collect()
}

/// Prints a heading and rows, all of the same number of cells, as psql does.
fn print_table(table: &[Vec<String>]) {
    let width = |i: usize| {
        table
            .iter()
            .map(|row| row[i].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..table[0].len()).map(width).collect();
    for (number, row) in table.iter().enumerate() {
        let padded = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"));
        println!(
            "      {}",
            padded.collect::<Vec<_>>().join(" | ").trim_end()
        );
        if number == 0 {
            let line = widths
                .iter()
                .map(|width| "-".repeat(width + 2))
                .collect::<Vec<_>>();
            println!("     {}", line.join("+"));
        }
    }
}
