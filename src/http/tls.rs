//! TLS over a connected socket.

use std::io;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{CertificateError, ClientConfig};
use tokio_rustls::TlsConnector;

use crate::error::NotSent;
use crate::network::{ReadWrite, Stream};

/// Shakes hands with `host`, and verifies its certificate.
pub(crate) async fn handshake(
    config: &Arc<ClientConfig>,
    host: &str,
    stream: impl ReadWrite + 'static,
) -> Result<Stream, NotSent> {
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| NotSent::Tls("the host name is invalid"))?;
    let connected = TlsConnector::from(config.clone()).connect(name, stream);
    match connected.await {
        Ok(stream) => Ok(Box::new(stream)),
        Err(error) => Err(NotSent::Tls(problem(&error))),
    }
}

fn problem(error: &io::Error) -> &'static str {
    let Some(tls) = error
        .get_ref()
        .and_then(|e| e.downcast_ref::<rustls::Error>())
    else {
        return "the connection was lost during the TLS handshake";
    };
    use rustls::Error::{AlertReceived, InvalidCertificate};
    match tls {
        InvalidCertificate(CertificateError::UnknownIssuer) => "the certificate is not trusted",
        InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => "the certificate is for another host name",
        InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => {
            "the certificate has expired"
        }
        InvalidCertificate(
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. },
        ) => "the certificate is not valid yet",
        InvalidCertificate(_) => "the certificate is invalid",
        AlertReceived(_) => "the server refused the TLS handshake",
        _ => "the TLS handshake failed",
    }
}
