//! Turns the HTTP library's errors into ours: first of all into "not sent" or "outcome unknown".

use std::io;

use ureq::Error;

use crate::error::{CallError, Cause, NotSent, Unknown};
use crate::resolver::Refused;
use crate::sent;
use crate::tls::HandshakeFailed;

/// Judges an error of the call that has just ended on this thread; `status` is that of a head that had arrived.
pub(crate) fn call_error(error: &Error, status: Option<u16>) -> CallError {
    if sent::anything() {
        CallError::OutcomeUnknown(Unknown {
            cause: cause(error),
            status,
        })
    } else {
        CallError::NotSent(not_sent(error))
    }
}

fn not_sent(error: &Error) -> NotSent {
    match error {
        Error::RequireHttpsOnly(_) => NotSent::NotHttps,
        Error::HostNotFound => NotSent::NameResolution,
        Error::Timeout(_) => NotSent::Timeout,
        Error::ConnectProxyFailed(_) => NotSent::Proxy,
        Error::Io(_) | Error::ConnectionFailed => NotSent::Connect,
        Error::Other(inner) => {
            if let Some(Refused(kind)) = inner.downcast_ref() {
                NotSent::Forbidden(kind)
            } else if let Some(HandshakeFailed(problem)) = inner.downcast_ref() {
                NotSent::Tls(problem)
            } else {
                NotSent::Connect
            }
        }
        _ => NotSent::InvalidRequest,
    }
}

fn cause(error: &Error) -> Cause {
    match error {
        Error::Timeout(_) => Cause::Timeout,
        // The server breaks the connection off by the rules of TLS: it wants a certificate of ours, say.
        Error::Io(e) if is_alert(e) => Cause::ConnectionLost,
        // What TLS cannot decrypt is as unreadable as what HTTP cannot parse.
        Error::Io(e) if e.kind() == io::ErrorKind::InvalidData => Cause::Unreadable,
        Error::Io(_) => Cause::ConnectionLost,
        _ => Cause::Unreadable,
    }
}

fn is_alert(error: &io::Error) -> bool {
    let tls = error
        .get_ref()
        .and_then(|e| e.downcast_ref::<rustls::Error>());
    matches!(tls, Some(rustls::Error::AlertReceived(_)))
}
