//! What the command line can change.

use std::path::PathBuf;
use std::time::Duration;

use token_vault_cluster::Result;

/// The size of the run.
pub struct Arguments {
    /// Tokens in the vault, and rows in each table beside it.
    pub rows: u32,
    /// How often everything is measured; the median counts.
    pub rounds: u32,
    /// How long each side is measured at a stretch: long enough for the refresher to write what calls have noted.
    pub duration: Duration,
    /// Connections that run a statement at the same time.
    pub clients: u32,
    /// Rows that are written into, and read from, an encrypted column.
    pub column_rows: u32,
    /// Calls in one transaction, before and after which a session's memory is looked at.
    pub memory_calls: u32,
    /// Tokens in the large vault that is compared with one of `rows`.
    pub large: u32,
    /// Tokens that are encrypted again after a rotation.
    pub reencrypted: u32,
    /// Tokens that are refreshed in turn, at full speed, …
    pub refreshed: u32,
    /// … for this long.
    pub sustained: Duration,
    /// `token_vault.connections` meanwhile.
    pub connections: u32,
    /// Tokens in the vault from which some are claimed.
    pub claimed_from: u32,
    /// What is measured, if not everything.
    only: Option<String>,
    /// A sentence for the report: what somebody should know who reads it later.
    pub note: Option<String>,
    /// The folder for figures and plots, if they are kept.
    pub output: Option<PathBuf>,
}

impl Default for Arguments {
    fn default() -> Self {
        Self {
            rows: 100_000,
            rounds: 5,
            duration: Duration::from_secs(3),
            clients: 2,
            column_rows: 1_000_000,
            memory_calls: 1_000_000,
            large: 1_000_000,
            reencrypted: 1_000_000,
            refreshed: 50_000,
            sustained: Duration::from_secs(10),
            connections: 64,
            claimed_from: 1_000_000,
            only: None,
            note: None,
            output: None,
        }
    }
}

impl Arguments {
    /// Whether a part of the benchmark is wanted.
    pub fn wants(&self, part: &str) -> bool {
        let only = self.only.as_deref();
        only.is_none_or(|parts| parts.split(',').any(|wanted| wanted == part))
    }

    /// Reads `--name value` pairs; `parts` are those that `--only` may name.
    ///
    /// # Errors
    /// At an unknown name, or a value that is no positive number where one is needed.
    pub fn parse(arguments: impl Iterator<Item = String>, parts: &[&str]) -> Result<Self> {
        let mut parsed = Self::default();
        let mut arguments = arguments;
        while let Some(name) = arguments.next() {
            let value = arguments.next().unwrap_or_default();
            match name.as_str() {
                "--only" => parsed.only = Some(known(value, parts)?),
                "--note" => parsed.note = Some(value),
                "--output" => parsed.output = Some(value.into()),
                _ => parsed.set(&name, &value)?,
            }
        }
        Ok(parsed)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<()> {
        let number: u32 = value.parse().unwrap_or(0);
        if number == 0 {
            return Err(format!("{name} needs a positive number").into());
        }
        match name {
            "--rows" => self.rows = number,
            "--rounds" => self.rounds = number,
            "--seconds" => self.duration = Duration::from_secs(number.into()),
            "--clients" => self.clients = number,
            "--column-rows" => self.column_rows = number,
            "--memory-calls" => self.memory_calls = number,
            "--large" => self.large = number,
            "--reencrypted" => self.reencrypted = number,
            "--refreshed" => self.refreshed = number,
            "--sustained" => self.sustained = Duration::from_secs(number.into()),
            "--claimed-from" => self.claimed_from = number,
            "--connections" => self.connections = number,
            _ => return Err(format!("unknown argument {name}").into()),
        }
        Ok(())
    }
}

fn known(wanted: String, parts: &[&str]) -> Result<String> {
    match wanted.split(',').find(|part| !parts.contains(part)) {
        Some(part) => Err(format!("no part {part:?}; there are {}", parts.join(", ")).into()),
        None => Ok(wanted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARTS: [&str; 2] = ["reads", "writes"];

    fn parse(arguments: &str) -> Result<Arguments> {
        Arguments::parse(arguments.split(' ').map(str::to_owned), &PARTS)
    }

    #[test]
    fn only_what_is_named_is_measured() {
        let parsed = parse("--only writes --rows 7").unwrap();
        assert!(parsed.wants("writes") && !parsed.wants("reads"));
        assert_eq!(parsed.rows, 7);
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for wrong in ["--only read", "--rows 0", "--rows", "--rowz 5"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
