//! The master key file as only an administrator can have it: other forms, other owners, replaced under a running server.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};

use token_vault_cluster::Result;

use crate::keys::{key_rows, master_key};
use crate::master_key::{STORE, assert_refused, cluster_with_token, session, status, write};
use crate::session::{complaint, get_token, sqlstate};

/// Nobody's user id, on every system.
const NOBODY: u32 = 65534;

#[test]
fn hexadecimal_is_as_good_as_base64() -> Result<()> {
    let cluster = cluster_with_token()?;
    let file = cluster.master_key_file();
    let hex = hex::encode(master_key(&cluster)?);
    for form in [format!("{hex}\n"), hex.to_uppercase()] {
        write(&cluster, &file, &form, 0o400)?;
        assert_eq!(get_token(&mut session(&cluster)?, "alice")?, "at-1");
    }
    Ok(())
}

#[test]
fn a_file_of_another_user_is_refused() -> Result<()> {
    let cluster = cluster_with_token()?;
    if fs::metadata("/proc/self")?.uid() != 0 {
        eprintln!("skipped: only root can give files away");
        return Ok(());
    }
    let file = cluster.master_key_file();
    let owner = fs::metadata(&file)?;
    chown(&file, Some(NOBODY), None)?;
    assert_refused(
        &cluster,
        "TV002",
        "belongs to another operating system user",
    )?;
    // Root may own it, but must let the server read it.
    chown(&file, Some(0), None)?;
    assert_refused(&cluster, "TV002", "Permission denied")?;
    chown(&file, Some(owner.uid()), None)?;
    assert_eq!(get_token(&mut session(&cluster)?, "alice")?, "at-1");
    Ok(())
}

#[test]
fn a_file_that_is_replaced_stops_new_sessions_only() -> Result<()> {
    let cluster = cluster_with_token()?;
    let mut old_session = session(&cluster)?;
    assert_eq!(get_token(&mut old_session, "alice")?, "at-1");
    let before = key_rows(&mut old_session)?;
    let wanted = status(&cluster, "master key")?
        .0
        .replace("fingerprint ", "");

    let file = cluster.master_key_file();
    let away = cluster.directory().join("away");
    fs::rename(&file, &away)?;
    write(&cluster, &file, &"a7".repeat(32), 0o600)?;
    assert_refused(&cluster, "TV003", &wanted)?;
    let told = complaint(session(&cluster)?.execute(STORE, &[]));
    let fingerprints = told
        .split(|c: char| !c.is_ascii_hexdigit())
        .filter(|word| word.len() == 16);
    assert_eq!(fingerprints.count(), 2, "{told}");
    for statement in [
        "SELECT vault.rotate_key()",
        "SELECT vault.create_tenant_key('globex')",
        "SELECT vault.rotate_master_key()",
    ] {
        let refused = session(&cluster)?.execute(statement, &[]);
        assert_eq!(sqlstate(refused), "TV003", "{statement}");
    }

    assert_eq!(get_token(&mut old_session, "alice")?, "at-1");
    old_session.execute(STORE, &[])?;
    assert_eq!(key_rows(&mut old_session)?, before);
    fs::rename(&away, &file)?;
    assert_eq!(get_token(&mut session(&cluster)?, "bob")?, "at-2");
    cluster.assert_never_crashed();
    Ok(())
}
