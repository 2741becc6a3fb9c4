//! The memory of one server process as a debugger sees it: what a core dump would hold.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::process::Command;

use crate::server_user::run;
use crate::{Cluster, Result};

/// Which memory a core dump takes along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// All that the kernel may write: private and shared, but nothing that the process has excluded.
    Dumpable,
    /// That, too. No crash writes it; tests see there what they look for in the other.
    Everything,
}

impl Cluster {
    /// A core dump of a process that goes on running, with Debian's package gdb.
    ///
    /// # Errors
    /// If gdb is missing, or the caller may not look into that process.
    pub fn core_dump(&self, pid: i32, memory: Memory) -> Result<PathBuf> {
        let file = self.directory().join(format!("core.{pid}"));
        let excluded = match memory {
            Memory::Dumpable => "off",
            Memory::Everything => "on",
        };
        run(Command::new("gdb")
            .args(["--nx", "--batch"])
            // Symbols are of no use here and take long to read.
            .args(["-iex", "set auto-solib-add off"])
            .args(["-iex", "set debuginfod enabled off"])
            .args(["-ex", "set use-coredump-filter off", "-ex"])
            .arg(format!("set dump-excluded-mappings {excluded}"))
            .arg("-ex")
            .arg(format!("generate-core-file {}", file.display()))
            .arg("-p")
            .arg(pid.to_string()))?;
        // gdb ends well even if it could not attach.
        if !file.exists() {
            return Err(
                format!("gdb wrote no core dump of process {pid}: may it trace it?").into(),
            );
        }
        Ok(file)
    }

    /// What a process keeps out of core dumps itself, and has locked into memory or inherited so.
    ///
    /// # Errors
    /// If the caller may not look into that process.
    pub fn protected_memory(&self, pid: i32) -> Result<Vec<u8>> {
        let mappings = std::fs::read_to_string(format!("/proc/{pid}/smaps"))?;
        let memory = File::open(format!("/proc/{pid}/mem"))?;
        let mut protected = Vec::new();
        let mut range = None;
        for line in mappings.lines() {
            range = range_of(line).or(range);
            // The kernel's own mappings for its clock are excluded, too, but can't be written.
            let is_protected =
                line.starts_with("VmFlags:") && line.contains(" wr ") && line.contains(" dd");
            if let (true, Some((from, to))) = (is_protected, range) {
                let mut bytes = vec![0; to - from];
                memory.read_exact_at(&mut bytes, from as u64)?;
                protected.extend_from_slice(&bytes);
            }
        }
        Ok(protected)
    }
}

/// The addresses in the first line of a mapping.
fn range_of(line: &str) -> Option<(usize, usize)> {
    let (from, to) = line.split_once(' ')?.0.split_once('-')?;
    let address = |text| usize::from_str_radix(text, 16).ok();
    Some((address(from)?, address(to)?))
}
