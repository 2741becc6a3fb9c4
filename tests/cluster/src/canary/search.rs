//! One pass over files for all secrets in all encodings.

use std::collections::HashSet;
use std::fmt;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use aho_corasick::AhoCorasick;

use super::Encoding;
use super::pieces::{MIN_SECRET, pieces};
use crate::Result;

/// Enough to see where a leak is; a leak can repeat in every row.
const MAX_FINDINGS_PER_FILE: usize = 16;

/// A prepared search for a set of secrets.
pub struct Search {
    automaton: AhoCorasick,
    /// For each pattern of the automaton: the secret's number and the encoding.
    patterns: Vec<(usize, Encoding)>,
    secrets: usize,
}

/// A place where a secret was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The file.
    pub file: PathBuf,
    /// Where in the file, in bytes.
    pub offset: u64,
    /// Which of the secrets, counted from 0 in the order they were given.
    pub secret: usize,
    /// In what form.
    pub encoding: Encoding,
}

/// What a search has gone through and found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Files read.
    pub files: usize,
    /// Bytes read.
    pub bytes: u64,
    /// The findings, at most 16 a file.
    pub findings: Vec<Finding>,
}

impl Search {
    /// Prepares a search for secrets of at least 12 bytes; equal ones count once.
    ///
    /// # Errors
    /// If a secret is so short that chance could find it, or there are none.
    pub fn new<S: AsRef<[u8]>>(secrets: impl IntoIterator<Item = S>) -> Result<Self> {
        let mut patterns = Vec::new();
        let mut sequences = Vec::new();
        let mut seen = HashSet::new();
        for secret in secrets {
            let secret = secret.as_ref();
            if secret.len() < MIN_SECRET {
                return Err(
                    format!("a secret of {} bytes is too short to find", secret.len()).into(),
                );
            }
            if !seen.insert(secret.to_vec()) {
                continue;
            }
            for encoding in Encoding::ALL {
                for pattern in pieces(secret)
                    .into_iter()
                    .flat_map(|p| encoding.patterns(p))
                {
                    patterns.push((seen.len() - 1, encoding));
                    sequences.push(pattern);
                }
            }
        }
        if seen.is_empty() {
            return Err("no secrets to search for".into());
        }
        let automaton = AhoCorasick::new(&sequences)?;
        Ok(Self {
            automaton,
            patterns,
            secrets: seen.len(),
        })
    }

    /// How many different secrets are searched for.
    pub fn secrets(&self) -> usize {
        self.secrets
    }

    /// Searches a file, or every file below a directory; a file that vanishes meanwhile is left out.
    ///
    /// # Errors
    /// If something cannot be read.
    pub fn run(&self, path: &Path) -> Result<Report> {
        let mut report = Report::default();
        self.descend(path, &mut report)?;
        Ok(report)
    }

    fn descend(&self, path: &Path, report: &mut Report) -> Result<()> {
        match std::fs::symlink_metadata(path) {
            Ok(metadata) if metadata.is_dir() => {
                for entry in std::fs::read_dir(path)? {
                    self.descend(&entry?.path(), report)?;
                }
                Ok(())
            }
            Ok(metadata) if metadata.is_file() => self.search_file(path, report),
            // A socket, a pipe, a link to something that is searched where it lies.
            Ok(_) => Ok(()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(format!("{}: {error}", path.display()).into()),
        }
    }

    fn search_file(&self, path: &Path, report: &mut Report) -> Result<()> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(format!("{}: {error}", path.display()).into()),
        };
        let mut reader = Counting { file, bytes: 0 };
        for found in self
            .automaton
            .stream_find_iter(&mut reader)
            .take(MAX_FINDINGS_PER_FILE)
        {
            let found = found?;
            let (secret, encoding) = self.patterns[found.pattern().as_usize()];
            let offset = found.start() as u64;
            report.findings.push(Finding {
                file: path.to_owned(),
                offset,
                secret,
                encoding,
            });
        }
        report.files += 1;
        report.bytes += reader.bytes;
        Ok(())
    }
}

impl fmt::Debug for Search {
    /// The patterns are secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Search")
            .field("secrets", &self.secrets)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            offset,
            secret,
            encoding,
        } = self;
        write!(
            f,
            "secret {secret} as {encoding:?} in {} at {offset}",
            file.display()
        )
    }
}

impl Report {
    /// Panics if anything was found, saying where.
    pub fn assert_clean(&self) {
        let places: Vec<String> = self.findings.iter().map(Finding::to_string).collect();
        assert!(
            places.is_empty(),
            "secrets in files:\n{}",
            places.join("\n")
        );
    }
}

struct Counting {
    file: File,
    bytes: u64,
}

impl Read for Counting {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.bytes += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests;
