//! What the command line can change.

use std::time::Duration;

use token_vault_cluster::Result;

/// The size of the run.
pub struct Arguments {
    /// Rows in each of the two tables.
    pub rows: u32,
    /// How often everything is measured; the median counts.
    pub rounds: u32,
    /// How long each statement runs in each round.
    pub duration: Duration,
    /// Connections that run a statement at the same time.
    pub clients: u32,
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
}

impl Arguments {
    /// Whether a part of the benchmark is wanted.
    pub fn wants(&self, part: &str) -> bool {
        let only = self.only.as_deref();
        only.is_none_or(|parts| parts.split(',').any(|wanted| wanted == part))
    }

    /// Reads `--name value` pairs.
    ///
    /// # Errors
    /// At an unknown name, or a value that is no positive number where one is needed.
    pub fn parse(arguments: impl Iterator<Item = String>) -> Result<Self> {
        let mut parsed = Self {
            rows: 100_000,
            rounds: 5,
            duration: Duration::from_secs(3),
            clients: 2,
            reencrypted: 1_000_000,
            refreshed: 50_000,
            sustained: Duration::from_secs(10),
            connections: 64,
            claimed_from: 1_000_000,
            only: None,
        };
        let mut arguments = arguments;
        while let Some(name) = arguments.next() {
            let value = arguments.next().unwrap_or_default();
            if name == "--only" {
                parsed.only = Some(value);
                continue;
            }
            let value: u32 = value.parse().unwrap_or(0);
            if value == 0 {
                return Err(format!("{name} needs a positive number").into());
            }
            match name.as_str() {
                "--rows" => parsed.rows = value,
                "--rounds" => parsed.rounds = value,
                "--seconds" => parsed.duration = Duration::from_secs(value.into()),
                "--clients" => parsed.clients = value,
                "--reencrypted" => parsed.reencrypted = value,
                "--refreshed" => parsed.refreshed = value,
                "--sustained" => parsed.sustained = Duration::from_secs(value.into()),
                "--claimed-from" => parsed.claimed_from = value,
                "--connections" => parsed.connections = value,
                _ => return Err(format!("unknown argument {name}").into()),
            }
        }
        Ok(parsed)
    }
}
