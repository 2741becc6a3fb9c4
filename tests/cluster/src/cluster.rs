//! One throwaway cluster: made, described, connected to, thrown away.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use postgres::{Client, Config, NoTls};
use tempfile::TempDir;

use crate::Result;
use crate::control::StopMode;
use crate::fault;
use crate::installation::Installation;
use crate::options::{Options, line};
use crate::relocated::{self, Changes};
use crate::server_user::{ServerUser, run};
use crate::watchdog::Watchdog;

/// Short, because sockets lie below it and their paths are limited to 107 bytes.
const DIRECTORY_PREFIX: &str = "tv-";

/// Set to keep the directory of a cluster whose test panicked.
const KEEP_VARIABLE: &str = "TOKEN_VAULT_KEEP";

/// How long a connection may take on a machine that is busy with other tests.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// A PostgreSQL cluster in a fresh directory, run by the caller or, if that is root, by `postgres`.
///
/// Reached through a Unix socket, without a password for every role, or through a port on the loopback
/// with one ([`Cluster::password`]). Each cluster is made by `initdb` itself, never copied from a
/// template: a system identifier that two clusters share would hide what the extension does about
/// restored copies. Dropping it stops the server and removes the directory; the environment variable
/// `TOKEN_VAULT_KEEP` keeps the directory of a test that panicked.
#[derive(Debug)]
pub struct Cluster {
    pub(crate) installation: Installation,
    pub(crate) user: ServerUser,
    directory: TempDir,
    watchdog: Watchdog,
    password: String,
    pub(crate) port: u16,
}

impl Cluster {
    /// Makes a cluster and starts it.
    ///
    /// # Errors
    /// With the server's log if it does not start, for one because the extension is not installed.
    pub fn start_new(options: &Options) -> Result<Self> {
        let mut cluster = Self::make_new(options)?;
        cluster.start()?;
        Ok(cluster)
    }

    /// Makes a cluster and leaves it stopped.
    pub(crate) fn make_new(options: &Options) -> Result<Self> {
        let cluster = Self::prepare(random_password()?, options)?;
        cluster.initdb(options)?;
        cluster.configure(&initial_settings(&cluster))?;
        cluster.configure(&options.lines())?;
        Ok(cluster)
    }

    /// Everything but the data directory.
    pub(crate) fn prepare(password: String, options: &Options) -> Result<Self> {
        let mut installation = match &options.pg_config {
            Some(pg_config) => Installation::of(pg_config)?,
            None => Installation::find()?,
        };
        let user = ServerUser::detect()?;
        let directory = tempfile::Builder::new()
            .prefix(DIRECTORY_PREFIX)
            .tempdir()?;
        user.own(directory.path())?;
        let changes = Changes {
            library: options
                .fault_points
                .then(|| fault::library(&installation))
                .transpose()?,
            scripts: options.scripts.clone(),
        };
        if changes.library.is_some() || !changes.scripts.is_empty() {
            let place = directory.path().join("server");
            installation = relocated::copy(&installation, &place, &changes)?;
        }
        let watchdog = Watchdog::start(&installation, &user, directory.path())?;
        Ok(Self {
            installation,
            user,
            directory,
            watchdog,
            password,
            port: 0,
        })
    }

    /// The cluster's own directory: data directory, log, socket, master key, and room for a test's files.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The data directory.
    pub fn data_directory(&self) -> PathBuf {
        self.directory().join("data")
    }

    /// A new directory of the cluster's that the server may write to, for a tablespace or an archive.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn directory_for_server(&self, name: &str) -> Result<PathBuf> {
        let path = self.directory().join(name);
        std::fs::create_dir(&path)?;
        self.user.own(&path)?;
        Ok(path)
    }

    /// Where the extension is told to keep its master key: outside the data directory.
    pub fn master_key_file(&self) -> PathBuf {
        self.directory().join("master.key")
    }

    /// The port of the server's socket and, on the loopback, of its TCP listener. It can change when a
    /// stopped cluster is started, if another program has taken it meanwhile.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The password of the superuser `postgres`, which connections through TCP need.
    pub fn password(&self) -> &str {
        &self.password
    }

    /// Whether the installation has the library of another extension.
    pub fn has_library(&self, name: &str) -> bool {
        let file = format!("{name}.so");
        self.installation.pkglibdir.join(file).exists()
    }

    /// A connection to a database as a role, without a password.
    ///
    /// # Errors
    /// If the server does not let it in, within half a minute.
    pub fn connect(&self, database: &str, role: &str) -> Result<Client> {
        Ok(self.connection(database, role).connect(NoTls)?)
    }

    /// The parameters of [`Cluster::connect`], for tests that add their own.
    pub fn connection(&self, database: &str, role: &str) -> Config {
        let mut config = Config::new();
        config
            .host_path(self.directory())
            .port(self.port)
            .dbname(database)
            .user(role)
            .connect_timeout(CONNECT_TIMEOUT);
        config
    }

    /// Adds lines to `postgresql.conf`, where the last line of a name counts; see [`Cluster::reload`].
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn configure(&self, lines: &str) -> Result<()> {
        use std::io::Write;
        let path = self.data_directory().join("postgresql.conf");
        let mut file = std::fs::OpenOptions::new().append(true).open(path)?;
        Ok(file.write_all(lines.as_bytes())?)
    }

    /// Sets another port for the next start.
    pub(crate) fn choose_port(&mut self) -> Result<()> {
        // Asking the kernel and letting go leaves a gap in which another program can take it: `start`
        // tries again then.
        self.port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        self.configure(&line("port", &self.port.to_string()))
    }

    /// Leaves the server running when this process ends, and returns its directory for [`Cluster::end`].
    pub fn leave_running(self) -> PathBuf {
        let mut this = std::mem::ManuallyDrop::new(self);
        this.watchdog.dismiss();
        this.directory().to_owned()
    }

    /// Ends a cluster that was left running and removes its directory.
    ///
    /// # Errors
    /// If `directory` is not one of a cluster of this package, or the server does not stop.
    pub fn end(directory: &Path) -> Result<()> {
        let name = directory.file_name().unwrap_or_default().to_string_lossy();
        if !name.starts_with(DIRECTORY_PREFIX) || !directory.join("data/PG_VERSION").exists() {
            return Err(format!("{} is no throwaway cluster", directory.display()).into());
        }
        if directory.join("data/postmaster.pid").exists() {
            let (installation, user) = (Installation::find()?, ServerUser::detect()?);
            run(user
                .command(installation.program("pg_ctl"), directory)
                .args(["stop", "--silent", "--mode=fast", "--pgdata=data"]))?;
        }
        Ok(std::fs::remove_dir_all(directory)?)
    }

    fn initdb(&self, options: &Options) -> Result<()> {
        let password_file = self.directory().join("password");
        std::fs::write(&password_file, &self.password)?;
        self.user.own(&password_file)?;
        let mut initdb = self.command("initdb");
        if options.data_checksums {
            initdb.arg("--data-checksums");
        }
        run(initdb.args([
            "--pgdata=data",
            "--username=postgres",
            "--pwfile=password",
            "--auth-local=trust",
            "--auth-host=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            // Only what happens after the start shall survive a crash.
            "--no-sync",
        ]))?;
        Ok(())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.is_running()
            && let Err(error) = self.stop(StopMode::Immediate)
        {
            eprintln!("{}: {error}", self.directory().display());
        }
        if std::thread::panicking() && std::env::var_os(KEEP_VARIABLE).is_some() {
            self.directory.disable_cleanup(true);
            eprintln!("kept: {}", self.directory().display());
        }
        self.watchdog.dismiss();
    }
}

fn initial_settings(cluster: &Cluster) -> String {
    [
        line("listen_addresses", "127.0.0.1"),
        line(
            "unix_socket_directories",
            &cluster.directory().to_string_lossy(),
        ),
        line("log_line_prefix", "%m [%p] %q%u@%d "),
        line(
            "token_vault.master_key_file",
            &cluster.master_key_file().to_string_lossy(),
        ),
    ]
    .concat()
}

/// Random enough for a server that lives a few seconds on the loopback.
fn random_password() -> Result<String> {
    use std::io::Read;
    let mut bytes = [0; 16];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(hex::encode(bytes))
}
