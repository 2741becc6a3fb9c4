//! `make cluster` and `make stop`: a throwaway cluster that stays until it is told to go.
//!
//! Standard output carries nothing but `export` lines, for `eval`; everything else goes to standard error.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use token_vault_cluster::{Cluster, Options, Result, explain};

/// The database that has the extension.
const DATABASE: &str = "app";

fn main() -> ExitCode {
    let action = std::env::args().nth(1).unwrap_or_default();
    let result = match action.as_str() {
        "start" => start(),
        "stop" => stop(),
        _ => Err("usage: cluster start | stop".into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
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
