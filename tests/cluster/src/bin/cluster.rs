//! `make cluster` and `make stop`: a throwaway cluster that stays until it is told to go. `cluster run COMMAND…`: one
//! that lives as long as a command, which finds it in its environment, with a pooler beside it.
//!
//! Of `start`, standard output carries nothing but `export` lines, for `eval`; everything else goes to standard error.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use token_vault_cluster::{Cluster, Options, Result, explain};

/// The database that has the extension.
const DATABASE: &str = "app";

/// A role of `run`, whom its pooler connects as with so many connections.
const APPLICATION_ROLE: &str = "app_role";
const POOL_SIZE: u32 = 2;

fn main() -> ExitCode {
    let action = std::env::args().nth(1).unwrap_or_default();
    let result = match action.as_str() {
        "start" => start().map(|()| true),
        "stop" => stop().map(|()| true),
        "run" => run(),
        _ => Err("usage: cluster start | stop | run COMMAND…".into()),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("cluster: {}", explain(&error));
            ExitCode::FAILURE
        }
    }
}

fn start() -> Result<()> {
    let note = note()?;
    if let Some((directory, exports)) = read(&note) {
        if directory.join("data/postmaster.pid").exists() {
            eprintln!("already running; after `make stop` the next one loads a new build");
            print!("{exports}");
            return Ok(());
        }
        std::fs::remove_file(&note)?;
    }
    let cluster = Cluster::start_new(&Options::new())?;
    cluster.create_vault(DATABASE)?;
    eprintln!("log: {}", cluster.log_file().display());
    eprintln!(
        "password for 127.0.0.1, which needs one: {}",
        cluster.password()
    );
    let exports = exports(&cluster);
    let directory = cluster.leave_running();
    std::fs::write(&note, format!("{}\n{exports}", directory.display()))?;
    print!("{exports}");
    Ok(())
}

fn stop() -> Result<()> {
    let note = note()?;
    let Some((directory, _)) = read(&note) else {
        eprintln!("no cluster is running");
        return Ok(());
    };
    if directory.exists() {
        Cluster::end(&directory)?;
    }
    Ok(std::fs::remove_file(note)?)
}

/// Whether the command succeeded. The cluster goes with this process, however that ends.
fn run() -> Result<bool> {
    let mut arguments = std::env::args_os().skip(2);
    let program = arguments.next().ok_or("usage: cluster run COMMAND…")?;
    let cluster = Cluster::start_new(&Options::new())?;
    let role = format!(
        "CREATE ROLE {APPLICATION_ROLE} LOGIN PASSWORD '{}'",
        cluster.password()
    );
    cluster.create_vault(DATABASE)?.batch_execute(&role)?;
    let pooler = cluster.pooler_as(APPLICATION_ROLE, DATABASE, POOL_SIZE)?;
    let status = Command::new(program)
        .args(arguments)
        .env("PGHOST", cluster.directory())
        .env("PGPORT", cluster.port().to_string())
        .env("PGUSER", "postgres")
        .env("PGPASSWORD", cluster.password())
        .env("PGDATABASE", DATABASE)
        .env("POOLER_PORT", pooler.port().to_string())
        .status()?;
    Ok(status.success())
}

fn exports(cluster: &Cluster) -> String {
    format!(
        "export PGHOST={}\nexport PGPORT={}\nexport PGUSER=postgres\nexport PGDATABASE={DATABASE}\n",
        cluster.directory().display(),
        cluster.port(),
    )
}

/// Where the running cluster is noted: its directory, then the lines to print again. Beside the build
/// that it runs, hence one for each checkout.
fn note() -> Result<PathBuf> {
    let program = std::env::current_exe()?;
    let build = program
        .ancestors()
        .nth(2)
        .ok_or("the program lies in no build folder")?;
    Ok(build.join("cluster.running"))
}

fn read(note: &Path) -> Option<(PathBuf, String)> {
    let contents = std::fs::read_to_string(note).ok()?;
    let (directory, exports) = contents.split_once('\n')?;
    Some((directory.into(), exports.to_owned()))
}
