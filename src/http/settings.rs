//! What the owner of the server decides about outbound calls.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

/// The settings of a [`Client`](crate::Client), fixed for its life.
#[derive(Clone)]
pub struct Settings {
    /// Limit for the TCP and TLS handshakes and the way through the proxy. To resolve the host's name is not counted.
    pub connect_timeout: Duration,
    /// Limit for a whole call; a call's own budget can only be shorter.
    pub total_timeout: Duration,
    /// PEM file with certificate authorities that are trusted in addition to Mozilla's.
    pub ca_file: Option<PathBuf>,
    /// `http://[user:password@]host:port` of a CONNECT proxy. The proxy resolves host names, so the outbound policy
    /// judges only literal addresses then, and the proxy itself may have any address. No environment variable is read.
    pub proxy: Option<String>,
    /// Networks that may be connected to although the outbound policy forbids them ([`policy`](crate::policy)).
    pub allowed_networks: Vec<IpNet>,
    /// How many idle connections are kept: as many as calls run at once.
    pub connections: usize,
    /// Value of the `User-Agent` header.
    pub user_agent: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            total_timeout: Duration::from_secs(30),
            ca_file: None,
            proxy: None,
            allowed_networks: Vec::new(),
            connections: 8,
            user_agent: concat!("token_vault/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

/// The proxy's URL can contain a password, so only its presence is shown.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("connect_timeout", &self.connect_timeout)
            .field("total_timeout", &self.total_timeout)
            .field("ca_file", &self.ca_file)
            .field("proxy", &self.proxy.as_ref().map(|_| "[redacted]"))
            .field("allowed_networks", &self.allowed_networks)
            .field("connections", &self.connections)
            .field("user_agent", &self.user_agent)
            .finish()
    }
}

/// A setting that cannot be used.
#[derive(Debug)]
pub enum SettingsError {
    /// The file of certificate authorities cannot be read.
    CaFileUnreadable(PathBuf, std::io::ErrorKind),
    /// The file of certificate authorities contains none, or one that is damaged.
    CaFileInvalid(PathBuf),
    /// The proxy is not of the form `http://[user:password@]host:port`.
    InvalidProxy,
    /// The user agent has characters that a header cannot carry.
    InvalidUserAgent,
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CaFileUnreadable(path, kind) => {
                write!(f, "could not read CA file \"{}\": {kind}", path.display())
            }
            Self::CaFileInvalid(path) => {
                write!(
                    f,
                    "CA file \"{}\" is not a list of PEM certificates",
                    path.display()
                )
            }
            Self::InvalidProxy => f.write_str("proxy must have the form http://host:port"),
            Self::InvalidUserAgent => f.write_str("user agent contains invalid characters"),
        }
    }
}

impl std::error::Error for SettingsError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_hides_the_proxy_password() {
        let settings = Settings {
            proxy: Some("http://user:hunter2@proxy:3128".into()),
            ..Settings::default()
        };
        let shown = format!("{settings:?}");
        assert!(
            !shown.contains("hunter2") && shown.contains("[redacted]"),
            "{shown}"
        );
    }
}
