//! Under which conditions a run was made: they are the same for all sides.

use std::fs;

use postgres::Client;
use token_vault_cluster::Result;

use crate::arguments::Arguments;

const SETTINGS: [&str; 4] = [
    "server_version",
    "fsync",
    "synchronous_commit",
    "shared_buffers",
];

/// One line of them.
pub fn describe(admin: &mut Client, arguments: &Arguments) -> Result<String> {
    let mut line = format!(
        "{} tokens, {} clients on Unix sockets, {} rounds of twice {} s for each side, library preloaded",
        arguments.rows,
        arguments.clients,
        arguments.rounds,
        arguments.duration.as_secs()
    );
    for name in SETTINGS {
        let value: String = admin.query_one(&format!("SHOW {name}"), &[])?.get(0);
        line.push_str(&format!(", {name} {value}"));
    }
    line.push_str(&format!("; {}", processors()?));
    Ok(line)
}

/// How many there are, and of which model.
fn processors() -> Result<String> {
    let text = fs::read_to_string("/proc/cpuinfo")?;
    let model = text
        .lines()
        .find_map(|line| line.strip_prefix("model name"));
    let model = model.and_then(|rest| rest.split_once(':'));
    let count = std::thread::available_parallelism()?;
    Ok(match model {
        Some((_, model)) => format!("{count} processors, {}", model.trim()),
        None => format!("{count} processors"),
    })
}
