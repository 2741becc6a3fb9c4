//! Turns the HTTP library's errors into ours, once something was sent.

use std::error::Error;
use std::io;

use crate::error::{CallError, Cause, Unknown};

/// Judges an error after sending; `status` is that of a head that had arrived.
pub(crate) fn lost(error: &hyper::Error, status: Option<u16>) -> CallError {
    CallError::OutcomeUnknown(Unknown {
        cause: cause(error),
        status,
    })
}

/// What arrived is no answer.
pub(crate) fn unreadable(status: Option<u16>) -> CallError {
    CallError::OutcomeUnknown(Unknown {
        cause: Cause::Unreadable,
        status,
    })
}

fn cause(error: &hyper::Error) -> Cause {
    if error.is_parse() {
        return Cause::Unreadable;
    }
    let io = error.source().and_then(|e| e.downcast_ref::<io::Error>());
    match io {
        // The server breaks the connection off by the rules of TLS: it wants a certificate of ours, say.
        Some(e) if is_alert(e) => Cause::ConnectionLost,
        // What TLS cannot decrypt, and a body whose framing is wrong, is as unreadable as what HTTP cannot parse.
        Some(e)
            if matches!(
                e.kind(),
                io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput
            ) =>
        {
            Cause::Unreadable
        }
        _ => Cause::ConnectionLost,
    }
}

fn is_alert(error: &io::Error) -> bool {
    let tls = error
        .get_ref()
        .and_then(|e| e.downcast_ref::<rustls::Error>());
    matches!(tls, Some(rustls::Error::AlertReceived(_)))
}
