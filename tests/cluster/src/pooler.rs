//! `pgbouncer` in transaction mode before a cluster, with Debian's package of that name.

use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use postgres::{Config, NoTls};

use crate::wait::wait_for;
use crate::{Cluster, Result};

/// Debian's place, which is not on everybody's `PATH`.
const DEBIAN_PGBOUNCER: &str = "/usr/sbin/pgbouncer";

/// How long it may take to start.
const LIMIT: Duration = Duration::from_secs(30);

/// Ends the pooler when the standard input ends, and so with this process, however that ends.
const SCRIPT: &str = r#"
"$1" --quiet pooler.ini &
read -r _
kill $!
wait $!
"#;

/// A pooler that lends few connections to many clients, each for a transaction. Dropping it ends it.
pub struct Pooler {
    process: Child,
    port: u16,
    connection: Config,
}

impl Cluster {
    /// Starts a pooler for one database with so many connections to it, all as the superuser.
    ///
    /// # Errors
    /// With its log if it lets nobody in.
    pub fn pooler(&self, database: &str, connections: u32) -> Result<Pooler> {
        self.pooler_as("postgres", database, connections)
    }

    /// The same as another role.
    ///
    /// # Errors
    /// With its log if it lets nobody in.
    pub fn pooler_as(&self, role: &str, database: &str, connections: u32) -> Result<Pooler> {
        let ini = self.directory().join("pooler.ini");
        std::fs::write(&ini, self.pooler_settings(role, database, connections))?;
        self.user.own(&ini)?;
        let program = match Path::new(DEBIAN_PGBOUNCER).exists() {
            true => DEBIAN_PGBOUNCER,
            false => "pgbouncer",
        };
        let process = self
            .user
            .command("sh", self.directory())
            .args(["-c", SCRIPT, "pooler", program])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let mut connection = Config::new();
        connection
            .host_path(self.directory())
            .port(self.pooler_port())
            .dbname(database)
            .user(role);
        let mut pooler = Pooler {
            process,
            port: self.pooler_port(),
            connection,
        };
        pooler.wait_until_ready().map_err(|error| {
            let log = std::fs::read_to_string(self.directory().join("pooler.log"));
            format!("{error}\n{}", log.unwrap_or_default())
        })?;
        Ok(pooler)
    }

    /// Only the name of a socket in the cluster's own directory.
    fn pooler_port(&self) -> u16 {
        self.port() ^ 1
    }

    fn pooler_settings(&self, role: &str, database: &str, connections: u32) -> String {
        let directory = self.directory().display();
        let server = self.port();
        [
            "[databases]\n".to_owned(),
            format!("{database} = host={directory} port={server} user={role}\n[pgbouncer]\n"),
            format!("unix_socket_dir = {directory}\n"),
            format!("listen_port = {}\n", self.pooler_port()),
            format!("logfile = {directory}/pooler.log\n"),
            format!("default_pool_size = {connections}\n"),
            "pool_mode = transaction\nauth_type = any\nmax_client_conn = 5000\n".to_owned(),
        ]
        .concat()
    }
}

impl Pooler {
    /// How to connect through it.
    pub fn connection(&self) -> &Config {
        &self.connection
    }

    /// Its port, which is only the name of a socket in the cluster's directory.
    pub fn port(&self) -> u16 {
        self.port
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        wait_for("the pooler", LIMIT, || {
            if let Some(status) = self.process.try_wait()? {
                return Err(format!("pgbouncer ended: {status}").into());
            }
            let client = self.connection.connect(NoTls);
            // The first query opens the first connection to the server.
            Ok(client
                .and_then(|mut client| client.simple_query("SELECT 1"))
                .ok()
                .map(drop))
        })
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        // Its exit status is the signal's.
        let _ = self.process.wait();
    }
}
