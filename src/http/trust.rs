//! Which certificates are trusted: Mozilla's roots, and the owner's own in addition.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::settings::SettingsError;

/// The TLS configuration of all connections: TLS 1.2 and 1.3, certificates always verified.
///
/// A private authority is *added*: a server that calls public providers and one internal one needs both.
pub(crate) fn client_config(ca_file: Option<&Path>) -> Result<Arc<ClientConfig>, SettingsError> {
    let mut roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    if let Some(path) = ca_file {
        add_file(&mut roots, path)?;
    }
    // Named, so that no other library in this process can install a different default.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring supports TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn add_file(roots: &mut RootCertStore, path: &Path) -> Result<(), SettingsError> {
    let invalid = || SettingsError::CaFileInvalid(path.to_owned());
    let pem = std::fs::read(path)
        .map_err(|e| SettingsError::CaFileUnreadable(path.to_owned(), e.kind()))?;
    let before = roots.len();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|_| invalid())?;
        roots.add(certificate).map_err(|_| invalid())?;
    }
    if roots.len() == before {
        return Err(invalid());
    }
    Ok(())
}
