//! The last step: is any secret in any file that the server left behind?

use token_vault_cluster::canary::{Encoding, Search};
use token_vault_cluster::{Cluster, Result};

/// Stands in an ordinary table, to show that the search would find what is there.
pub const PLANTED: &str = "planted-in-plain-text-7c2e51f09b";

/// Searches the data directory, the WAL in it and the log of a stopped cluster, and says what it has done.
///
/// # Errors
/// If a secret is found, or the planted one is not.
pub fn search(cluster: &Cluster, secrets: &[String]) -> Result<String> {
    let search = Search::new(secrets)?;
    let mut report = search.run(&cluster.data_directory())?;
    let log = search.run(&cluster.log_file())?;
    report.findings.extend(log.findings);
    if let Some(finding) = report.findings.first() {
        return Err(format!("plaintext on disk: {finding}").into());
    }
    let planted = Search::new([PLANTED])?
        .run(&cluster.data_directory())?
        .findings;
    for place in ["base", "pg_wal"] {
        let place = cluster.data_directory().join(place);
        if !planted
            .iter()
            .any(|finding| finding.file.starts_with(&place))
        {
            return Err(format!(
                "the search missed the planted secret in {}",
                place.display()
            )
            .into());
        }
    }
    Ok(format!(
        "searched {} files, {} MB, for {} secrets in {} encodings: none found; the planted one was found",
        report.files + log.files,
        (report.bytes + log.bytes) >> 20,
        search.secrets(),
        Encoding::ALL.len(),
    ))
}
