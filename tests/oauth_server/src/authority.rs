//! A certificate authority that exists for one test run, and the one certificate it signs.

use std::io;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A fresh CA, and a server certificate for `localhost`, `127.0.0.1` and `::1`, all as PEM.
#[derive(Clone)]
pub struct LocalAuthority {
    /// What a client has to trust.
    pub ca_pem: String,
    /// The server's certificate, signed by the CA.
    pub certificate_pem: String,
    /// The server's private key (PKCS #8).
    pub key_pem: String,
}

impl LocalAuthority {
    /// Makes the keys and certificates.
    ///
    /// # Errors
    /// Only where the cryptography library fails, such as without a source of randomness.
    pub fn generate() -> io::Result<Self> {
        let issuer = CertifiedIssuer::self_signed(
            ca_params()?,
            KeyPair::generate().map_err(io::Error::other)?,
        )
        .map_err(io::Error::other)?;
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let certificate = server_params()?
            .signed_by(&key, &issuer)
            .map_err(io::Error::other)?;
        Ok(Self {
            ca_pem: issuer.pem(),
            certificate_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
        })
    }

    /// The server side of TLS, offering HTTP/1.1 only.
    pub(crate) fn acceptor(&self) -> io::Result<TlsAcceptor> {
        let certificate = CertificateDer::from_pem_slice(self.certificate_pem.as_bytes())
            .map_err(io::Error::other)?;
        let key =
            PrivateKeyDer::from_pem_slice(self.key_pem.as_bytes()).map_err(io::Error::other)?;
        // The provider is named, because a process that links several has no default.
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .map_err(io::Error::other)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

fn ca_params() -> io::Result<CertificateParams> {
    let mut params = CertificateParams::new(Vec::new()).map_err(io::Error::other)?;
    params
        .distinguished_name
        .push(DnType::CommonName, "token_vault test CA");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    Ok(params)
}

fn server_params() -> io::Result<CertificateParams> {
    let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let mut params = CertificateParams::new(names).map_err(io::Error::other)?;
    params
        .distinguished_name
        .push(DnType::CommonName, "localhost");
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}
