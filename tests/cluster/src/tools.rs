//! The programs that a DBA uses on a cluster: `psql`, `pg_dump`, `pg_restore`, `pg_basebackup`, …

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::options::{Options, line};
use crate::server_user::run;
use crate::{Cluster, Result};

impl Cluster {
    /// Runs statements in `psql` as the superuser, stopping at the first error, and returns what it prints,
    /// unaligned and without headings.
    ///
    /// # Errors
    /// With what `psql` wrote to standard error.
    pub fn psql(&self, database: &str, statements: &str) -> Result<String> {
        let mut psql = self
            .client("psql")
            .args(["--no-psqlrc", "--quiet", "--no-align", "--tuples-only"])
            .args(["--set=ON_ERROR_STOP=1", "--dbname", database, "--file=-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        // Written from a thread of its own: `psql` may have filled its output before it has read all.
        let mut input = psql.stdin.take().ok_or("psql has no input")?;
        let statements = statements.to_owned();
        let writer = std::thread::spawn(move || input.write_all(statements.as_bytes()));
        let output = psql.wait_with_output()?;
        // It leaves early after an error; its own words about that are better than a broken pipe.
        let _ = writer.join();
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
        }
        Ok(String::from_utf8(output.stdout)?.trim_end().to_owned())
    }

    /// Creates a database.
    ///
    /// # Errors
    /// With what `createdb` wrote to standard error.
    pub fn createdb(&self, name: &str) -> Result<()> {
        self.createdb_with(name, &[])
    }

    /// The same with options of `createdb`.
    ///
    /// # Errors
    /// With what `createdb` wrote to standard error.
    pub fn createdb_with(&self, name: &str, options: &[&str]) -> Result<()> {
        run(self.client("createdb").args(options).arg(name)).map(|_| ())
    }

    /// Drops a database with options of `dropdb`.
    ///
    /// # Errors
    /// With what `dropdb` wrote to standard error.
    pub fn dropdb(&self, name: &str, options: &[&str]) -> Result<()> {
        run(self.client("dropdb").args(options).arg(name)).map(|_| ())
    }

    /// Dumps a database in `pg_dump`'s custom format, uncompressed for the canary search, and returns the
    /// file.
    ///
    /// # Errors
    /// With what `pg_dump` wrote to standard error: a warning is an error, too.
    pub fn pg_dump(&self, database: &str) -> Result<PathBuf> {
        let file = self.directory().join(format!("{database}.dump"));
        let options = ["--format=custom", "--compress=0", "--file"];
        let output = run(self
            .client("pg_dump")
            .args(options)
            .arg(&file)
            .arg(database))?;
        match String::from_utf8_lossy(&output.stderr).trim() {
            "" => Ok(file),
            warnings => Err(format!("pg_dump: {warnings}").into()),
        }
    }

    /// Restores a dump of [`Cluster::pg_dump`], of this cluster or another, into an existing database.
    ///
    /// # Errors
    /// With what `pg_restore` wrote to standard error; it stops at the first error.
    pub fn pg_restore(&self, database: &str, dump: &Path) -> Result<()> {
        run(self
            .client("pg_restore")
            .args(["--exit-on-error", "--dbname", database])
            .arg(dump))
        .map(|_| ())
    }

    /// Runs `pgbench` on a database with these arguments, and returns what it prints.
    ///
    /// # Errors
    /// With what `pgbench` wrote to standard error.
    pub fn pgbench(&self, database: &str, arguments: &[&str]) -> Result<String> {
        let output = run(self.client("pgbench").args(arguments).arg(database))?;
        Ok(String::from_utf8(output.stdout)?)
    }

    /// A base backup of this cluster as a cluster of its own: started, with this one's settings and then
    /// `options`, and its master key file at the same place as this one's.
    ///
    /// # Errors
    /// With what `pg_basebackup` or the server said.
    pub fn base_backup(&self, options: &Options) -> Result<Cluster> {
        self.copy_by_base_backup(options, &[])
    }

    /// The same as a standby that follows this cluster.
    ///
    /// # Errors
    /// With what `pg_basebackup` or the server said.
    pub fn standby(&self, options: &Options) -> Result<Cluster> {
        self.copy_by_base_backup(options, &["--write-recovery-conf"])
    }

    /// A base backup that recovers when it is started for the first time; `options` say from where and how far.
    ///
    /// # Errors
    /// With what `pg_basebackup` said.
    pub fn recoverable_backup(&self, options: &Options) -> Result<Cluster> {
        let copy = self.take_base_backup(options, &[])?;
        let signal = copy.data_directory().join("recovery.signal");
        std::fs::write(&signal, "")?;
        self.user.own(&signal)?;
        Ok(copy)
    }

    fn copy_by_base_backup(&self, options: &Options, arguments: &[&str]) -> Result<Cluster> {
        let mut copy = self.take_base_backup(options, arguments)?;
        copy.start()?;
        Ok(copy)
    }

    fn take_base_backup(&self, options: &Options, arguments: &[&str]) -> Result<Cluster> {
        let copy = Cluster::prepare(self.password().to_owned(), options)?;
        let data = copy.data_directory();
        run(self
            .client("pg_basebackup")
            .args([
                "--checkpoint=fast",
                "--wal-method=stream",
                "--no-sync",
                "--pgdata",
            ])
            .arg(&data)
            .args(arguments))?;
        copy.configure(&line(
            "unix_socket_directories",
            &copy.directory().to_string_lossy(),
        ))?;
        copy.configure(&options.lines())?;
        Ok(copy)
    }

    /// A client program, told how to reach this cluster as the superuser.
    pub(crate) fn client(&self, program: &str) -> Command {
        let mut command = self.command(program);
        command
            .env("PGHOST", self.directory())
            .env("PGPORT", self.port().to_string())
            .env("PGUSER", "postgres");
        command
    }
}
