//! Starting, stopping and killing the server of a cluster.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::server_user::run;
use crate::wait::wait_for;
use crate::{Cluster, Result};

/// How long a server may take to start or to stop, recovery included.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// How often a start is tried again on another port.
const MAX_PORTS: usize = 5;

/// The three ways in which `pg_ctl stop` ends a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopMode {
    /// Waits for all clients to leave.
    Smart,
    /// Ends all sessions, then shuts down in order.
    Fast,
    /// Like a crash: recovery at the next start.
    Immediate,
}

impl Cluster {
    /// Starts the server and returns once it accepts connections.
    ///
    /// # Errors
    /// With the end of the server's log.
    pub fn start(&mut self) -> Result<()> {
        for _ in 0..MAX_PORTS {
            if self.port == 0 {
                self.choose_port()?;
            }
            let log_before = self.log()?.len();
            let Err(error) = self.pg_ctl("start", &["--log=log"]) else {
                return Ok(());
            };
            let complaint = self.log()?.split_off(log_before);
            if !complaint.contains("Address already in use") {
                return Err(format!("{error}\n{complaint}").into());
            }
            self.port = 0;
        }
        Err("no free port".into())
    }

    /// Stops the server and returns once it has gone.
    ///
    /// # Errors
    /// If it does not go.
    pub fn stop(&self, mode: StopMode) -> Result<()> {
        let mode = match mode {
            StopMode::Smart => "--mode=smart",
            StopMode::Fast => "--mode=fast",
            StopMode::Immediate => "--mode=immediate",
        };
        self.pg_ctl("stop", &[mode])
    }

    /// Stops the server and starts it again.
    ///
    /// # Errors
    /// Those of [`Cluster::stop`] and [`Cluster::start`].
    pub fn restart(&mut self, mode: StopMode) -> Result<()> {
        self.stop(mode)?;
        self.start()
    }

    /// Kills the postmaster with SIGKILL, as the kernel does when memory runs out, and returns once every
    /// process of the server has noticed and gone.
    ///
    /// # Errors
    /// If it does not run, or a process stays.
    pub fn kill9(&self) -> Result<()> {
        let postmaster = self.postmaster_pid().ok_or("the server does not run")?;
        let mut processes = children(postmaster)?;
        processes.push(postmaster);
        let pid = postmaster.to_string();
        run(self.command("pg_ctl").args(["kill", "KILL", &pid]))?;
        wait_for("all server processes to end", LIMIT, || {
            processes.retain(|pid| is_alive(*pid));
            Ok(processes.is_empty().then_some(()))
        })?;
        // Until init has reaped the postmaster, its pid counts as taken and its lock files as valid.
        let socket_lock = format!(".s.PGSQL.{}.lock", self.port);
        std::fs::remove_file(self.directory().join(socket_lock))?;
        Ok(std::fs::remove_file(self.pid_file())?)
    }

    /// Kills one process of the server with SIGKILL, and returns when the server has ended all others, as it does then,
    /// and has said so in its log file.
    ///
    /// # Errors
    /// If there is no such process, or others stay.
    pub fn crash(&self, pid: i32) -> Result<()> {
        let before = self.crashes()?;
        self.kill_process(pid)?;
        self.wait_for_crash(before)
    }

    /// Kills one process of the server with SIGKILL. The server may let sessions in until it has noticed.
    ///
    /// # Errors
    /// If there is no such process.
    pub fn kill_process(&self, pid: i32) -> Result<()> {
        run(self
            .command("pg_ctl")
            .args(["kill", "KILL", &pid.to_string()]))
        .map(drop)
    }

    /// Makes the server read its configuration again.
    ///
    /// # Errors
    /// If it does not run.
    pub fn reload(&self) -> Result<()> {
        self.pg_ctl("reload", &[])
    }

    /// Promotes a standby, and returns once it accepts writes.
    ///
    /// # Errors
    /// If it is no standby, or recovery does not end.
    pub fn promote(&self) -> Result<()> {
        self.pg_ctl("promote", &[])
    }

    /// Is the postmaster there?
    pub fn is_running(&self) -> bool {
        self.postmaster_pid().is_some_and(is_alive)
    }

    /// The postmaster's process id, from its pid file.
    pub fn postmaster_pid(&self) -> Option<u32> {
        let contents = std::fs::read_to_string(self.pid_file()).ok()?;
        contents.lines().next()?.trim().parse().ok()
    }

    /// One of the installation's programs, run by the server's user in the cluster's directory.
    pub(crate) fn command(&self, program: &str) -> Command {
        self.user
            .command(self.installation.program(program), self.directory())
    }

    fn pid_file(&self) -> PathBuf {
        self.data_directory().join("postmaster.pid")
    }

    fn pg_ctl(&self, action: &str, arguments: &[&str]) -> Result<()> {
        let limit = format!("--timeout={}", LIMIT.as_secs());
        let mut command = self.command("pg_ctl");
        command
            .args([action, "--silent", "--pgdata=data"])
            .args(arguments);
        if action != "reload" {
            command.args(["--wait", &limit]);
        }
        run(&mut command).map(|_| ())
    }
}

/// Waits until a process has gone, or waits to be reaped.
///
/// # Errors
/// If it stays.
pub fn wait_for_end(pid: i32) -> Result<()> {
    wait_for("the process to end", LIMIT, || {
        Ok((!is_alive(pid.try_into()?)).then_some(()))
    })
}

/// The process ids of a process's children.
fn children(pid: u32) -> Result<Vec<u32>> {
    let list = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))?;
    list.split_whitespace()
        .map(|pid| Ok(pid.parse()?))
        .collect()
}

/// Is there a process of this id that still has memory? One that waits to be reaped has none.
fn is_alive(pid: u32) -> bool {
    std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|command| !command.is_empty())
}
