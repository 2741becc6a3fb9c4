//! Secrets are handed out where nobody on a network can listen.

use std::net::{IpAddr, UdpSocket};
use std::process::Command;

use postgres::{Client, NoTls};
use token_vault_cluster::wait::wait_for;
use token_vault_cluster::{Cluster, Result};

use crate::audit_harness::{options, read, start, wait_for_entries};
use crate::master_key::write;
use crate::provider::LIMIT;
use crate::session::sqlstate;

/// What hands a secret out.
const WAYS: [&str; 7] = [
    "SELECT vault.get_token('acme', 'ann')",
    "SELECT vault.authorization_header('acme', 'ann')",
    "SELECT vault.get_token_set('acme', 'ann')",
    "SELECT vault.get_tokens('acme', ARRAY['ann'])",
    "SELECT vault.export_token_set('acme', 'ann')",
    "SELECT vault.export_client_secrets('shop')",
    "SELECT vault.reveal(secret) FROM note",
];

/// An address of this machine that is not the loopback; None: it has none. (No packet is sent.)
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("198.51.100.1:9").ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback() && !address.is_unspecified()).then_some(address)
}

/// A cluster that listens everywhere, with a certificate of its own.
fn listening() -> Result<(Cluster, Client)> {
    let options = options().set("listen_addresses", "*");
    let (cluster, mut db) = start(&options)?;
    let folder = cluster.directory_for_server("tls")?;
    let (key, certificate) = (folder.join("key.pem"), folder.join("cert.pem"));
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "1",
            "-subj",
            "/CN=localhost",
        ])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output()?;
    assert!(made.status.success(), "{made:?}");
    for file in [&key, &certificate] {
        let text = std::fs::read_to_string(file)?;
        write(&cluster, file, &text, 0o600)?;
    }
    let hba = cluster.data_directory().join("pg_hba.conf");
    let rules = std::fs::read_to_string(&hba)?;
    std::fs::write(&hba, format!("host all all all trust\n{rules}"))?;
    cluster.configure(&format!(
        "ssl = on\nssl_key_file = '{}'\nssl_cert_file = '{}'\n",
        key.display(),
        certificate.display()
    ))?;
    cluster.reload()?;
    db.batch_execute(
        "SELECT vault.grant_access('web', '{export}');
         SELECT vault.register_client('shop', provider => 'acme', client_id => 'id', client_secret => 'cs-81c7');
         CREATE TABLE note (secret vault.secret); INSERT INTO note VALUES ('whsec-77aa'); GRANT SELECT ON note TO web",
    )?;
    Ok((cluster, db))
}

fn plain(cluster: &Cluster, address: IpAddr) -> Result<Client> {
    wait_for("the new rules", LIMIT, || {
        let mut config = postgres::Config::new();
        config
            .host(&address.to_string())
            .port(cluster.port())
            .dbname("app")
            .user("web")
            .ssl_mode(postgres::config::SslMode::Disable);
        Ok(config.connect(NoTls).ok())
    })
}

#[test]
fn an_unencrypted_connection_from_elsewhere_gets_no_secret() -> Result<()> {
    let Some(address) = own_address() else {
        eprintln!("left out: this machine has no address but the loopback");
        return Ok(());
    };
    let (cluster, mut db) = listening()?;
    let mut far = plain(&cluster, address)?;
    for way in WAYS {
        assert_eq!(sqlstate(far.query(way, &[])), "TV050", "{way}");
    }
    // What hands nothing out goes on, storing included.
    far.batch_execute(
        "SELECT vault.has_token('acme', 'ann'), vault.is_valid('acme', 'ann'), vault.token_status('acme', 'ann');
         SELECT vault.store_token('acme', 'ann', access_token => 'at-2', expires_in => 3600)",
    )?;
    // With TLS, over the loopback, and over the Unix socket it is handed out.
    let with_tls = format!("host={address} user=web dbname=app sslmode=require");
    assert_eq!(cluster.psql(&with_tls, WAYS[0])?, "at-2");
    read(&mut plain(&cluster, "127.0.0.1".parse()?)?, "ann")?;
    read(&mut cluster.connect("app", "web")?, "ann")?;
    let address = address.to_string();
    wait_for_entries(
        &mut db,
        &format!("event = 'read' AND client_address = '{address}'"),
        1,
    )?;
    wait_for_entries(
        &mut db,
        "event = 'read' AND client_address = '127.0.0.1'",
        1,
    )?;
    wait_for_entries(&mut db, "event = 'read' AND client_address IS NULL", 1)?;

    // The owner may do without.
    db.batch_execute("ALTER SYSTEM SET token_vault.require_secure_transport = off")?;
    cluster.reload()?;
    wait_for("the setting", LIMIT, || {
        Ok(read(&mut plain(&cluster, address.parse()?)?, "ann").ok())
    })?;
    cluster.assert_never_crashed();
    Ok(())
}
