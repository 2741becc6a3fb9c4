//! A master key that a command prints: a KMS, an HSM, a passphrase.
//!
//! The command runs as `archive_command` does: by the shell, as the server's operating system user, in the data
//! directory. Its standard error is discarded, because a script in trace mode prints there what it handles.

use std::cell::Cell;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, kill_process_group, pidfd_open, waitid,
};
use token_vault_core::keys::{self, MasterKey};
use token_vault_core::secret::SecretBytes;

use crate::pg::{exit, latch, server};

/// Runs the command and reads the key it prints. `Err`: what was wrong, without anything it printed.
pub fn run(command: &str, limit: Duration) -> Result<MasterKey, String> {
    let deadline = Instant::now() + limit;
    let output = start(command)?.finish(deadline, limit)?;
    keys::parse_key_file(output.expose()).map_err(|error| error.to_string())
}

/// A command under way. Dropped, it is killed with all that it has started.
struct Running {
    child: Child,
    output: File,
    exit: OwnedFd,
    is_reaped: bool,
}

fn start(command: &str) -> Result<Running, String> {
    let system = |error: std::io::Error| error.to_string();
    exit::at_exit(end_running);
    let mut child = Command::new("/bin/sh")
        .args(["-c", command])
        .current_dir(server::data_directory())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        // A group of its own, to end it with all that it has started.
        .process_group(0)
        .spawn()
        .map_err(system)?;
    let output = File::from(OwnedFd::from(child.stdout.take().expect("it is piped")));
    let exit = rustix::io::ioctl_fionbio(&output, true)
        .and_then(|()| pidfd_open(Pid::from_child(&child), PidfdFlags::empty()));
    RUNNING.set(Some(Pid::from_child(&child)));
    match exit {
        Ok(exit) => Ok(Running {
            child,
            output,
            exit,
            is_reaped: false,
        }),
        Err(error) => {
            let _ = end(&mut child);
            Err(system(error.into()))
        }
    }
}

impl Running {
    fn finish(mut self, deadline: Instant, limit: Duration) -> Result<SecretBytes, String> {
        let late = || format!("it did not end within {} ms", limit.as_millis());
        let output = self.read(deadline)?.ok_or_else(late)?;
        if !self.wait(deadline)? {
            return Err(late());
        }
        self.is_reaped = true;
        let status = end(&mut self.child).map_err(|error| error.to_string())?;
        match (status.code(), status.success()) {
            (_, true) => Ok(output),
            (Some(code), _) => Err(format!("it ended with exit status {code}")),
            (None, _) => Err("it was ended by a signal".into()),
        }
    }

    /// All that it prints; None: the time is up.
    fn read(&mut self, deadline: Instant) -> Result<Option<SecretBytes>, String> {
        let mut buffer = zeroize::Zeroizing::new(vec![0; keys::MAX_KEY_FILE + 1]);
        let mut length = 0;
        loop {
            match self.output.read(&mut buffer[length..]) {
                Ok(0) => return Ok(Some(SecretBytes::from_vec(buffer[..length].to_vec()))),
                Ok(more) => length += more,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    if !sleep(&self.output, deadline) {
                        return Ok(None);
                    }
                }
                Err(error) => return Err(error.to_string()),
            }
            if length > keys::MAX_KEY_FILE {
                return Err(format!("it printed more than {} bytes", keys::MAX_KEY_FILE));
            }
        }
    }

    /// Waits until it has ended; false: the time is up.
    fn wait(&self, deadline: Instant) -> Result<bool, String> {
        // It is left a zombie: until it is reaped, the number of its process group is nobody else's.
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        loop {
            match waitid(WaitId::PidFd(self.exit.as_fd()), look) {
                Ok(Some(_)) => return Ok(true),
                Ok(None) => {
                    if !sleep(&self.exit, deadline) {
                        return Ok(false);
                    }
                }
                Err(error) => return Err(std::io::Error::from(error).to_string()),
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.is_reaped {
            let _ = end(&mut self.child);
        }
        latch::remind_self();
    }
}

/// Kills a command that was not reaped yet, with what is left of its process group, and reaps it.
fn end(child: &mut Child) -> std::io::Result<ExitStatus> {
    end_running();
    child.wait()
}

thread_local! {
    /// The process group of the command under way.
    static RUNNING: Cell<Option<Pid>> = const { Cell::new(None) };
}

fn end_running() {
    if let Some(group) = RUNNING.take() {
        let _ = kill_process_group(group, Signal::KILL);
    }
}

/// Sleeps until `descriptor` has something to read, or something else happens; false when the time is up. The
/// session can be cancelled meanwhile.
fn sleep(descriptor: &impl AsFd, deadline: Instant) -> bool {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return false;
    }
    latch::wait(
        Some(left.max(Duration::from_millis(1))),
        Some(descriptor.as_fd()),
    );
    true
}
