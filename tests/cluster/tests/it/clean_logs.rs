//! No secret reaches the log, pg_stat_activity or pg_stat_statements. What the modules share: a server that logs
//! everything in every format, and the search for secrets in what it has written.

mod activity;
mod case;
mod definitions;
mod extremes;
mod late;
mod matrix;
mod settings;
mod statistics;

use std::path::PathBuf;

use postgres::Client;
use token_vault_cluster::wait::wait_for;
use token_vault_cluster::{Cluster, Options, Result, StopMode};

use crate::provider::{DATABASE, LIMIT};

/// The formats of the log, by their files.
const FILES: [&str; 3] = ["server.log", "server.csv", "server.json"];

/// A server that logs, and a vault.
pub struct Logged {
    pub cluster: Cluster,
    /// A superuser's session that changes no setting.
    pub db: Client,
    directory: PathBuf,
    marks: usize,
}

impl Logged {
    /// With the libraries of `before`, token_vault, those of `after` in this order, and pgaudit last where it is
    /// installed.
    pub fn start(before: &str, after: &str) -> Result<Self> {
        Self::start_with(&[before, "token_vault", after])
    }

    /// Without token_vault among the preloaded libraries.
    pub fn start_late() -> Result<Self> {
        Self::start_with(&["pg_stat_statements", "auto_explain"])
    }

    fn start_with(libraries: &[&str]) -> Result<Self> {
        let mut cluster = Cluster::start_new(&Options::new().without_fsync())?;
        let directory = cluster.directory_for_server("logs")?;
        let mut libraries: Vec<&str> = libraries
            .iter()
            .filter(|name| !name.is_empty())
            .copied()
            .collect();
        if cluster.has_library("pgaudit") {
            libraries.push("pgaudit");
        }
        cluster.configure(&format!(
            "shared_preload_libraries = '{}'
             logging_collector = on
             log_destination = 'stderr, csvlog, jsonlog'
             log_directory = '{}'
             log_filename = 'server.log'
             log_rotation_size = 0
             track_activity_query_size = 10000\n",
            libraries.join(","),
            directory.display(),
        ))?;
        cluster.restart(StopMode::Fast)?;
        let mut db = cluster.create_vault(DATABASE)?;
        db.batch_execute(
            "CREATE EXTENSION pg_stat_statements;
             SELECT vault.register_provider('acme', token_endpoint => 'https://auth.acme.example/token');
             CREATE TABLE webhook (id integer, signing_key vault.secret)",
        )?;
        Ok(Self {
            cluster,
            db,
            directory,
            marks: 0,
        })
    }

    /// One more session of the superuser, with these settings.
    pub fn session(&self, settings: &str) -> Result<Client> {
        let mut session = self.cluster.connect(DATABASE, "postgres")?;
        session.batch_execute(settings)?;
        Ok(session)
    }

    /// Whether the first of the logs has this text; needs no session.
    pub fn has_logged(&self, text: &str) -> Result<bool> {
        let log = std::fs::read(self.directory.join(FILES[0]))?;
        Ok(String::from_utf8_lossy(&log).contains(text))
    }

    /// Everything that was logged until now, by file.
    pub fn logs(&mut self) -> Result<Vec<(&'static str, String)>> {
        self.marks += 1;
        let mark = format!("mark number {} of the test", self.marks);
        let raise = format!("DO $$BEGIN RAISE LOG '{mark}'; END$$");
        self.db.batch_execute(&raise)?;
        FILES
            .into_iter()
            .map(|name| {
                let path = self.directory.join(name);
                let log = wait_for(name, LIMIT, || {
                    // Entries may be cut where a program looks while they are written.
                    let log = std::fs::read(&path).unwrap_or_default();
                    let log = String::from_utf8_lossy(&log).into_owned();
                    Ok(log.contains(&mark).then_some(log))
                })?;
                Ok((name, log))
            })
            .collect()
    }

    /// Panics if one of the secrets was logged, and says which and where.
    pub fn assert_clean<'a>(
        &mut self,
        secrets: impl IntoIterator<Item = &'a Secret>,
    ) -> Result<()> {
        let logs = self.logs()?;
        let leaks: Vec<String> = secrets
            .into_iter()
            .flat_map(|secret| logs.iter().filter_map(|(name, log)| secret.leak(name, log)))
            .collect();
        assert!(
            leaks.is_empty(),
            "{} leaks:\n{}",
            leaks.len(),
            leaks.join("\n")
        );
        Ok(())
    }
}

/// A secret, and what was done with it.
#[derive(Clone, Debug)]
pub struct Secret {
    pub text: String,
    what: String,
}

impl Secret {
    /// The `number`th one.
    pub fn new(number: usize, what: &str) -> Self {
        Self {
            text: format!("canary{number:06}yranac"),
            what: what.to_owned(),
        }
    }

    /// The forms in which a log could hold it: as it is, as `bytea`, and as bytes in a printed tree.
    fn forms(&self) -> [String; 3] {
        let bytes = self.text.bytes();
        let decimal: Vec<String> = bytes.map(|byte| byte.to_string()).collect();
        let hexadecimal = self
            .text
            .bytes()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        [self.text.clone(), hexadecimal, decimal.join(" ")]
    }

    /// The line of a text that holds it, cut short.
    pub fn leak(&self, place: &str, text: &str) -> Option<String> {
        let at = self
            .forms()
            .iter()
            .find_map(|form| text.find(form.as_str()))?;
        let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
        let line: String = text[start..].chars().take(200).collect();
        Some(format!("{} in {place}: {line}", self.what))
    }
}
