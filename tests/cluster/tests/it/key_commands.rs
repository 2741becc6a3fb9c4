//! The examples of contrib/master-key: their own tests, and what a server does with those that work without a vendor.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use token_vault_cluster::{Cluster, Options, Result, StopMode};

use crate::keys::set;
use crate::master_key::{STORE, register_provider, session, write};
use crate::session::{get_token, sqlstate};

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../contrib/master-key");

/// A source of the master key. Its shell commands are run by the server's user in the cluster's directory.
struct Source {
    setup: &'static str,
    /// What the setting runs: the script and its arguments, without the folders.
    script: &'static str,
    arguments: &'static str,
    /// Takes away what unlocks the key.
    spoil: &'static str,
    /// SQLSTATE of a session that needs the key then.
    refused_with: &'static str,
}

const ARGON2ID: Source = Source {
    setup: "umask 077
        echo 'correct horse battery staple' >passphrase
        printf 'salt=%s\\ntime=3\\nmemory_kib=65536\\nlanes=4\\n' \"$(openssl rand -hex 16)\" >parameters",
    script: "passphrase-argon2id",
    arguments: "../passphrase ../parameters",
    spoil: "echo 'correct horse battery maple' >passphrase",
    refused_with: "TV003",
};

const PBKDF2: Source = Source {
    setup: "umask 077
        echo 'correct horse battery staple' >passphrase
        printf 'salt=%s\\niterations=600000\\n' \"$(openssl rand -hex 16)\" >parameters",
    script: "passphrase-pbkdf2",
    arguments: "../passphrase ../parameters",
    spoil: "echo 'correct horse battery maple' >passphrase",
    refused_with: "TV003",
};

const PKCS11: Source = Source {
    setup: "umask 077
        mkdir tokens
        echo \"directories.tokendir = $PWD/tokens\" >softhsm2.conf
        token() { pkcs11-tool --module /usr/lib/softhsm/libsofthsm2.so --token-label token_vault \"$@\"; }
        softhsm2-util --init-token --free --label token_vault --so-pin 33100133 --pin 57203302
        token --login --pin 57203302 --keypairgen --key-type rsa:2048 --label master-key --id 01 --usage-decrypt
        token --read-object --type pubkey --label master-key --output-file public.der
        openssl rand -out key 32
        openssl pkeyutl -encrypt -in key -pubin -keyform DER -inkey public.der -pkeyopt rsa_padding_mode:oaep \\
            -pkeyopt rsa_oaep_md:sha1 -pkeyopt rsa_mgf1_md:sha1 -out wrapped
        rm key
        echo 57203302 >pin",
    script: "pkcs11",
    arguments: "--module /usr/lib/softhsm/libsofthsm2.so --token token_vault --key master-key --pin-file ../pin \
        --ciphertext ../wrapped --oaep-hash sha1",
    spoil: "echo 20330257 >pin",
    refused_with: "TV002",
};

#[test]
fn a_passphrase_with_argon2id_opens_the_vault() -> Result<()> {
    opens_the_vault(&ARGON2ID)
}

#[test]
fn a_passphrase_with_pbkdf2_opens_the_vault() -> Result<()> {
    opens_the_vault(&PBKDF2)
}

#[test]
fn a_pkcs11_token_opens_the_vault() -> Result<()> {
    opens_the_vault(&PKCS11)
}

#[test]
fn every_example_passes_its_own_tests() -> Result<()> {
    let output = Command::new(Path::new(EXAMPLES).join("test.sh")).output()?;
    let told = text(&output);
    assert!(output.status.success(), "{told}");
    assert!(told.contains("ok      pkcs11 succeeds"), "{told}");
    Ok(())
}

fn opens_the_vault(source: &Source) -> Result<()> {
    let mut cluster = Cluster::start_new(&Options::new().without_fsync())?;
    let folder = copy_scripts(&cluster)?;
    run_as_server(&cluster, source.setup)?;
    let command = setting(&cluster, source, &folder);
    set(&cluster, "token_vault.master_key_command", &command)?;
    // The only source: a wrong key is told as one, and not as a file that is missing.
    set(&cluster, "token_vault.master_key_file", "")?;

    let mut client = cluster.create_vault("app")?;
    register_provider(&mut client)?;
    client.execute(STORE, &[])?;
    assert_eq!(get_token(&mut session(&cluster)?, "bob")?, "at-2");
    cluster.restart(StopMode::Fast)?;
    assert_eq!(get_token(&mut session(&cluster)?, "bob")?, "at-2");

    run_as_server(&cluster, source.spoil)?;
    cluster.restart(StopMode::Fast)?;
    let refused = get_token(&mut session(&cluster)?, "bob");
    assert_eq!(sqlstate(refused), source.refused_with);
    cluster.assert_never_crashed();
    Ok(())
}

/// Relative paths keep the setting readable. The server runs it in the data directory, beside the files of `setup`.
fn setting(cluster: &Cluster, source: &Source, folder: &Path) -> String {
    format!(
        "SOFTHSM2_CONF={} {} {}",
        softhsm_configuration(cluster).display(),
        folder.join(source.script).display(),
        source.arguments
    )
}

fn softhsm_configuration(cluster: &Cluster) -> PathBuf {
    cluster.directory().join("softhsm2.conf")
}

/// The repository may lie where the server's user cannot read it.
fn copy_scripts(cluster: &Cluster) -> Result<PathBuf> {
    let folder = cluster.directory().join("scripts");
    fs::create_dir(&folder)?;
    for entry in fs::read_dir(EXAMPLES)? {
        let entry = entry?;
        let copy = folder.join(entry.file_name());
        write(cluster, &copy, &fs::read_to_string(entry.path())?, 0o755)?;
    }
    Ok(folder)
}

fn run_as_server(cluster: &Cluster, commands: &str) -> Result<()> {
    let user = fs::metadata(cluster.directory())?;
    let output = Command::new("sh")
        .args(["-euc", commands])
        .current_dir(cluster.directory())
        .env("HOME", cluster.directory())
        .env("SOFTHSM2_CONF", softhsm_configuration(cluster))
        .uid(user.uid())
        .gid(user.gid())
        .output()?;
    match output.status.success() {
        true => Ok(()),
        false => Err(text(&output).into()),
    }
}

fn text(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    String::from_utf8_lossy(out).into_owned() + &String::from_utf8_lossy(err)
}
