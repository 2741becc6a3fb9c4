//! The authorization server as a process of its own.
//!
//! ```text
//! oauth_server [--port N] [--expires-in SECONDS] [--access-token-bytes N] [--no-record]
//! ```
//!
//! When it accepts connections, it prints one line of JSON: `{"issuer": …, "control_url": …, "ca_pem": …, "pid": …}`.
//! Clients are registered at the control port. It ends when its standard input is closed, or on SIGTERM or SIGINT.

use std::error::Error;
use std::io::{self, Read, Write};
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

use serde_json::json;
use token_vault_oauth_server::{Config, OAuthServer};
use tokio::runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("oauth_server: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let server = OAuthServer::start(config(std::env::args().skip(1))?)?;
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        // Installed before anybody is told the process id.
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        announce(&server)?;
        let input_closed = input_closed();
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = input_closed => {}
        }
        Ok(())
    })
}

fn config(mut arguments: impl Iterator<Item = String>) -> Result<Config, String> {
    let mut config = Config::default();
    while let Some(name) = arguments.next() {
        match name.as_str() {
            "--port" => config.port = value(&name, arguments.next())?,
            "--expires-in" => {
                config.expires_in = Duration::from_secs(value(&name, arguments.next())?)
            }
            "--access-token-bytes" => config.access_token_bytes = value(&name, arguments.next())?,
            "--no-record" => config.record = false,
            _ => return Err(format!("unknown argument {name}")),
        }
    }
    Ok(config)
}

fn value<T: FromStr>(name: &str, text: Option<String>) -> Result<T, String> {
    text.and_then(|text| text.parse().ok())
        .ok_or_else(|| format!("{name} needs a number"))
}

fn announce(server: &OAuthServer) -> io::Result<()> {
    let line = json!({
        "issuer": server.issuer(),
        "control_url": server.control_url(),
        "ca_pem": server.ca_pem(),
        "pid": std::process::id(),
    });
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{line}")?;
    stdout.flush()
}

/// Resolves when standard input has ended. A thread reads it, because a blocking read cannot be cancelled: it ends with
/// the process.
fn input_closed() -> oneshot::Receiver<()> {
    let (closed, receiver) = oneshot::channel();
    std::thread::spawn(move || {
        let mut ignored = [0; 1024];
        while matches!(io::stdin().read(&mut ignored), Ok(read) if read > 0) {}
        let _ = closed.send(());
    });
    receiver
}
