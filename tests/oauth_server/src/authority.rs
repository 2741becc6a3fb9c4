//! A certificate authority that exists for one test run, and the certificates it signs: a good one, and flawed ones.

use std::io;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
    SanType, date_time_ymd,
};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::danger::ClientCertVerifier;
use tokio_rustls::rustls::server::{WantsServerCert, WebPkiClientVerifier};
use tokio_rustls::rustls::{ConfigBuilder, RootCertStore, ServerConfig};

/// A fresh CA, and a server certificate for `localhost`, `127.0.0.1` and `::1`, all as PEM.
#[derive(Clone)]
pub struct LocalAuthority {
    /// What a client has to trust.
    pub ca_pem: String,
    /// The server's certificate, signed by the CA.
    pub certificate_pem: String,
    /// The server's private key (PKCS #8).
    pub key_pem: String,
    issuer: Arc<CertifiedIssuer<'static, KeyPair>>,
}

/// What can be wrong with a server's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    SelfSigned,
    Expired,
    NotYetValid,
    OtherHost,
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
            issuer: Arc::new(issuer),
        })
    }

    /// The server side of TLS, offering HTTP/1.1 only.
    pub(crate) fn acceptor(&self) -> io::Result<TlsAcceptor> {
        let config = config(WebPkiClientVerifier::no_client_auth())?;
        acceptor(config, &self.certificate_pem, &self.key_pem)
    }

    /// The same with a certificate that no client should accept.
    pub(crate) fn flawed_acceptor(&self, flaw: Flaw) -> io::Result<TlsAcceptor> {
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let mut params = server_params()?;
        match flaw {
            Flaw::SelfSigned => {}
            Flaw::Expired => {
                params.not_before = date_time_ymd(2019, 1, 1);
                params.not_after = date_time_ymd(2020, 1, 1);
            }
            Flaw::NotYetValid => params.not_before = date_time_ymd(4000, 1, 1),
            Flaw::OtherHost => params.subject_alt_names = vec![other_host()?],
        }
        let certificate = match flaw {
            Flaw::SelfSigned => params.self_signed(&key),
            _ => params.signed_by(&key, &self.issuer),
        }
        .map_err(io::Error::other)?;
        let config = config(WebPkiClientVerifier::no_client_auth())?;
        acceptor(config, &certificate.pem(), &key.serialize_pem())
    }

    /// The same where clients must show a certificate of this authority.
    pub(crate) fn mutual_acceptor(&self) -> io::Result<TlsAcceptor> {
        let mut roots = RootCertStore::empty();
        let authority =
            CertificateDer::from_pem_slice(self.ca_pem.as_bytes()).map_err(io::Error::other)?;
        roots.add(authority).map_err(io::Error::other)?;
        let provider = Arc::new(ring::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .map_err(io::Error::other)?;
        acceptor(config(verifier)?, &self.certificate_pem, &self.key_pem)
    }
}

type Clients = Arc<dyn ClientCertVerifier>;

fn config(clients: Clients) -> io::Result<ConfigBuilder<ServerConfig, WantsServerCert>> {
    // The provider is named, because a process that links several has no default.
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?;
    Ok(builder.with_client_cert_verifier(clients))
}

fn acceptor(
    config: ConfigBuilder<ServerConfig, WantsServerCert>,
    certificate_pem: &str,
    key_pem: &str,
) -> io::Result<TlsAcceptor> {
    let certificate =
        CertificateDer::from_pem_slice(certificate_pem.as_bytes()).map_err(io::Error::other)?;
    let key = PrivateKeyDer::from_pem_slice(key_pem.as_bytes()).map_err(io::Error::other)?;
    let mut config = config
        .with_single_cert(vec![certificate], key)
        .map_err(io::Error::other)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn other_host() -> io::Result<SanType> {
    let name = "other.example".try_into().map_err(io::Error::other)?;
    Ok(SanType::DnsName(name))
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
