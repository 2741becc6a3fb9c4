//! Releases are frozen, and there is a way from each of them to the version in the tree. See docs/releasing.md.

use std::path::{Path, PathBuf};

use hmac::digest::Digest;
use postgres::Client;
use token_vault_cluster::{Cluster, Options, Result};

use crate::catalog::{differences, snapshot};

/// The version in the tree: that of all packages.
pub const CURRENT: &str = env!("CARGO_PKG_VERSION");

/// A version whose schema is frozen.
pub struct Release {
    pub version: String,
    /// Its install script.
    pub script: PathBuf,
}

fn sql_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sql")
}

/// The parts of `token_vault--A.sql` or `token_vault--A--B.sql`.
fn versions(script: &Path) -> Vec<String> {
    let name = script
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let versions = name
        .strip_prefix("token_vault--")
        .and_then(|name| name.strip_suffix(".sql"));
    versions.map_or(Vec::new(), |versions| {
        versions.split("--").map(str::to_owned).collect()
    })
}

fn scripts(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut scripts = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        scripts.push(entry?.path());
    }
    scripts.retain(|path| !versions(path).is_empty());
    scripts.sort();
    Ok(scripts)
}

/// Everything in `sql/releases`.
pub fn releases() -> Result<Vec<Release>> {
    let scripts = scripts(&sql_folder().join("releases"))?;
    Ok(scripts
        .into_iter()
        .map(|script| Release {
            version: versions(&script).concat(),
            script,
        })
        .collect())
}

/// Those that somebody can come from.
pub fn earlier() -> Result<Vec<Release>> {
    let mut earlier = releases()?;
    earlier.retain(|release| release.version != CURRENT);
    assert!(!earlier.is_empty(), "no earlier release in sql/releases");
    Ok(earlier)
}

impl Release {
    /// Options of a cluster that can still install it.
    pub fn options(&self) -> Options {
        Options::new().without_fsync().with_script(&self.script)
    }

    /// The extension as it was, in a new database with default privileges that would open everything to somebody.
    pub fn install(&self, cluster: &Cluster, database: &str) -> Result<Client> {
        create(cluster, database, &format!("VERSION '{}'", self.version))
    }
}

/// The extension as it is, in such a database.
pub fn install_current(cluster: &Cluster, database: &str) -> Result<Client> {
    create(cluster, database, "")
}

fn create(cluster: &Cluster, database: &str, version: &str) -> Result<Client> {
    cluster.createdb(database)?;
    let mut db = cluster.connect(database, "postgres")?;
    db.batch_execute(&format!(
        "DO $$ BEGIN IF to_regrole('mallory') IS NULL THEN CREATE ROLE mallory; END IF; END $$;
         ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO mallory;
         ALTER DEFAULT PRIVILEGES GRANT ALL ON ROUTINES TO mallory;
         ALTER DEFAULT PRIVILEGES GRANT ALL ON SEQUENCES TO mallory;
         ALTER DEFAULT PRIVILEGES GRANT ALL ON TYPES TO mallory;
         CREATE EXTENSION token_vault {version};
         SELECT vault.create_master_key()"
    ))?;
    Ok(db)
}

#[test]
fn what_was_released_is_as_it_was() -> Result<()> {
    let folder = sql_folder();
    let sums = std::fs::read_to_string(folder.join("releases/SHA256SUMS"))?;
    let listed: Vec<(&str, &str)> = sums
        .lines()
        .filter_map(|line| line.split_once("  "))
        .collect();
    for (sum, file) in &listed {
        let digest = sha2::Sha256::digest(std::fs::read(folder.join(file))?);
        assert_eq!(
            &hex::encode(digest),
            sum,
            "{file} was changed after its release"
        );
    }
    let frozen = releases()?;
    let is_released = |version: &str| frozen.iter().any(|release| release.version == version);
    let installs = scripts(&folder.join("releases"))?;
    let upgrades = scripts(&folder)?;
    let to_a_release = |script: &&PathBuf| is_released(&versions(script)[1]);
    for script in installs.iter().chain(upgrades.iter().filter(to_a_release)) {
        let name = script.strip_prefix(&folder)?.to_string_lossy();
        let is_listed = listed.iter().any(|(_, file)| *file == name);
        assert!(is_listed, "{name} is not in sql/releases/SHA256SUMS");
    }
    Ok(())
}

/// If the version in the tree is a released one, so is its schema: what changes it needs a new version.
#[test]
fn a_released_version_keeps_its_schema() -> Result<()> {
    for release in releases()? {
        if release.version != CURRENT {
            continue;
        }
        let now = Cluster::start_new(&Options::new().without_fsync().not_preloaded())?;
        let then = Cluster::start_new(&release.options().not_preloaded())?;
        let found = differences(
            &snapshot(&mut install_current(&then, "app")?)?,
            &snapshot(&mut install_current(&now, "app")?)?,
        );
        assert!(
            found.is_empty(),
            "{CURRENT} is released, and the schema has changed since: it needs a new version\n{}",
            found.join("\n")
        );
    }
    Ok(())
}

#[test]
fn there_is_a_way_from_every_release() -> Result<()> {
    let cluster = Cluster::start_new(&Options::new().without_fsync().not_preloaded())?;
    let mut db = cluster.connect("postgres", "postgres")?;
    for release in earlier()? {
        let path = "SELECT path FROM pg_extension_update_paths('token_vault') WHERE source = $1 AND target = $2";
        let path: Option<String> = db
            .query_opt(path, &[&release.version, &CURRENT])?
            .and_then(|row| row.get(0));
        assert!(
            path.is_some(),
            "no upgrade scripts from {} to {CURRENT}",
            release.version
        );
    }
    Ok(())
}
