//! How a cluster is set up.

use std::path::{Path, PathBuf};

/// The setup of a throwaway cluster. The default: library preloaded, real `fsync`, loopback allowed as a
/// provider's address, everything else as PostgreSQL comes.
#[derive(Clone, Debug)]
pub struct Options {
    pub(crate) preload: bool,
    pub(crate) fault_points: bool,
    pub(crate) data_checksums: bool,
    pub(crate) pg_config: Option<PathBuf>,
    pub(crate) scripts: Vec<PathBuf>,
    pub(crate) settings: Vec<(String, String)>,
}

impl Default for Options {
    fn default() -> Self {
        Self::new()
    }
}

impl Options {
    /// The default setup.
    pub fn new() -> Self {
        Self {
            preload: true,
            fault_points: false,
            data_checksums: false,
            pg_config: None,
            scripts: Vec::new(),
            settings: Vec::new(),
        }
        // The providers of the tests are on this machine.
        .set("token_vault.allowed_networks", "127.0.0.0/8, ::1/128")
    }

    /// Without `shared_preload_libraries`: each session loads the library when it first needs it.
    pub fn not_preloaded(mut self) -> Self {
        self.preload = false;
        self
    }

    /// With the library that has fault points; see [`crate::Cluster::arm_fault`].
    pub fn with_fault_points(mut self) -> Self {
        self.fault_points = true;
        self
    }

    /// With data checksums also where they are not the server's default.
    pub fn with_data_checksums(mut self) -> Self {
        self.data_checksums = true;
        self
    }

    /// With another server than that of the environment's `PG_CONFIG`.
    pub fn of_server(mut self, pg_config: &Path) -> Self {
        self.pg_config = Some(pg_config.to_owned());
        self
    }

    /// With one more script in the server's folder of extensions, such as the install script of an earlier version.
    pub fn with_script(mut self, script: impl Into<PathBuf>) -> Self {
        self.scripts.push(script.into());
        self
    }

    /// Without `fsync`, for tests in which nothing is ever killed.
    pub fn without_fsync(self) -> Self {
        self.set("fsync", "off")
    }

    /// Any setting of `postgresql.conf`; the value is quoted. A later one wins.
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The lines of `postgresql.conf` for these options.
    pub(crate) fn lines(&self) -> String {
        let preload = if self.preload { "token_vault" } else { "" };
        let mut lines = line("shared_preload_libraries", preload);
        for (name, value) in &self.settings {
            lines.push_str(&line(name, value));
        }
        lines
    }
}

/// One line of `postgresql.conf`, the value quoted.
pub(crate) fn line(name: &str, value: &str) -> String {
    format!("{name} = '{}'\n", value.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_quoted() {
        assert_eq!(
            line("application_name", "it's"),
            "application_name = 'it''s'\n"
        );
    }

    #[test]
    fn a_later_setting_follows_the_earlier_one() {
        let lines = Options::new().without_fsync().set("fsync", "on").lines();
        assert!(lines.find("fsync = 'off'").unwrap() < lines.find("fsync = 'on'").unwrap());
    }

    #[test]
    fn preloading_is_the_default() {
        assert!(
            Options::new()
                .lines()
                .contains("shared_preload_libraries = 'token_vault'\n")
        );
        assert!(
            Options::new()
                .not_preloaded()
                .lines()
                .contains("shared_preload_libraries = ''\n")
        );
    }
}
