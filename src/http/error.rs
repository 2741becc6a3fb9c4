//! Why a call brought no answer, and whether the provider can have seen it.
//!
//! All texts are fixed: none contains a URL, header, body, or the words of the other side.

use std::fmt;

/// A call without a complete answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallError {
    /// No byte of the request left this process: it is safe to send it again.
    NotSent(NotSent),
    /// The provider may have seen the request, and may have rotated the refresh token.
    OutcomeUnknown(Unknown),
    /// The provider answered with `status`, a success, and with a body larger than [`MAX_BODY_BYTES`](crate::MAX_BODY_BYTES).
    TooLarge { status: u16 },
}

/// Why nothing was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotSent {
    /// The URL or a header is malformed.
    InvalidRequest,
    /// The URL's scheme is not https.
    NotHttps,
    /// The outbound policy refuses the address; the text names its kind ("private network").
    Forbidden(&'static str),
    /// The host name was not found, or the name server did not answer.
    NameResolution,
    /// No address of the host accepted a connection.
    Connect,
    /// The TLS handshake failed; the text says how ("certificate is not trusted").
    Tls(&'static str),
    /// The proxy refused to open the tunnel.
    Proxy,
    /// Time was up before the connection stood.
    Timeout,
    /// The pool was shut down before the call began.
    Cancelled,
}

/// A request that was sent, wholly or in part, without a complete answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unknown {
    /// What ended the wait.
    pub cause: Cause,
    /// The status of the answer, where its head had arrived: a success, because what else it may be counts without its
    /// body.
    pub status: Option<u16>,
}

/// What ended the wait for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Time was up.
    Timeout,
    /// The connection was closed or broke.
    ConnectionLost,
    /// What arrived is not HTTP/1.1, or its head is too large.
    Unreadable,
    /// The thread that made the call panicked.
    Panic,
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSent(reason) => write!(f, "nothing was sent: {reason}"),
            Self::OutcomeUnknown(unknown) => write!(f, "outcome unknown: {unknown}"),
            Self::TooLarge { status } => write!(f, "the answer (status {status}) is too large"),
        }
    }
}

impl fmt::Display for NotSent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::InvalidRequest => "the URL or a header is malformed",
            Self::NotHttps => "the URL is not https",
            Self::Forbidden(kind) => {
                return write!(f, "the address is not allowed: {kind}");
            }
            Self::NameResolution => "the host name could not be resolved",
            Self::Connect => "the connection failed",
            Self::Tls(problem) => problem,
            Self::Proxy => "the proxy refused the connection",
            Self::Timeout => "timeout before the connection stood",
            Self::Cancelled => "shut down before the call began",
        };
        f.write_str(text)
    }
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.cause)?;
        match self.status {
            Some(status) => write!(f, " within the answer (status {status})"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Timeout => "timeout after sending",
            Self::ConnectionLost => "connection lost after sending",
            Self::Unreadable => "the answer is not HTTP/1.1",
            Self::Panic => "internal error during the call",
        })
    }
}

impl std::error::Error for CallError {}
