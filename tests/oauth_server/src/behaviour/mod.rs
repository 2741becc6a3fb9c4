//! Misbehaviour on purpose: what real token endpoints, and the gateways before them, do to a client.
//!
//! A new one is a variant of [`Behaviour`] and its arm in `act`; nothing else knows the list. An arm says one of two
//! things: answer *instead* of the server, which then has not seen the request, or do something to the server's answer
//! *after* it has processed the request, which with rotation means that the old refresh token is spent.

mod delivery;
mod piece;
mod queue;
mod template;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::message::Reply;
use delivery::wire_bytes;
pub(crate) use delivery::{Delivery, Step};
pub use piece::Piece;
pub(crate) use queue::Queue;
use template::Template;

/// A misbehaviour of the token endpoint. In JSON: `{"kind": "html", "status": 502}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Behaviour {
    /// Process the request, then answer as `then` does. For those below that answer instead of the server.
    Processed { then: Box<Behaviour> },
    /// Close the connection without an answer; the request is not processed.
    DropBeforeProcessing,
    /// Process the request, then close the connection without an answer: what was rotated is lost.
    DropBeforeAnswer,
    /// Process the request, then close the connection in the middle of the answer's headers.
    CutInHeaders,
    /// Process the request, then close the connection in the middle of the answer's body.
    CutInBody,
    /// Process the request; the answer comes at this speed, and the connection is closed after it.
    Slow { bytes_per_second: u32 },
    /// Process the request at once; the answer comes after this time.
    Delay { ms: u64 },
    /// Any answer instead of the server's.
    Status {
        code: u16,
        #[serde(default)]
        body: String,
        #[serde(default = "text_plain")]
        content_type: String,
        #[serde(default)]
        headers: Vec<(String, String)>,
    },
    /// Refused for now: `status` (429 or 503, say) with `Retry-After` as given, seconds or an HTTP date.
    RetryAfter { status: u16, value: String },
    /// An error answer of RFC 6749 §5.2.
    Error { status: u16, error: String },
    /// Status 200 with this body, which says that it is an error.
    ErrorIn200 { body: Value },
    /// A gateway's or a login page in HTML.
    Html { status: u16 },
    /// No body at all.
    Empty { status: u16 },
    /// A redirect, 307 say, to somewhere else.
    Redirect { status: u16, location: String },
    /// Process the request; the answer's JSON ends before its closing brace.
    InvalidJson,
    /// Process the request; the answer has a member whose value is not UTF-8.
    InvalidUtf8,
    /// Process the request; the answer is padded to this size by a member of its own.
    HugeBody { bytes: u64 },
    /// Process the request; the answer lacks `refresh_token`, even where it was rotated.
    OmitRefreshToken,
    /// Process the request; the answer lacks `expires_in`.
    OmitExpiresIn,
    /// Process the request; `expires_in` is this instead.
    ExpiresInAs { value: Value },
    /// Process the request; the answer has these members too, or instead of its own.
    ExtraFields { fields: Map<String, Value> },
    /// Process the request; the answer is this instead. In `body`, the placeholders of [`Piece::Send`] stand for what
    /// the server would have said.
    Answer {
        #[serde(default = "ok")]
        status: u16,
        body: String,
        #[serde(default = "application_json")]
        content_type: String,
        #[serde(default)]
        headers: Vec<(String, String)>,
    },
    /// Process the request; then these pieces go over the wire as they are, and the connection is closed.
    Wire { pieces: Vec<Piece> },
}

/// What a misbehaviour amounts to.
pub(crate) enum Act {
    /// This goes out; the server has not seen the request.
    Instead(Delivery),
    /// The server processes the request, and this is done to its answer.
    After(Box<dyn FnOnce(Reply) -> Delivery + Send>),
}

impl Behaviour {
    pub(crate) fn act(self) -> Act {
        match self {
            Self::Processed { then } => match then.act() {
                Act::Instead(delivery) => after(|_| delivery),
                changed => changed,
            },
            Self::DropBeforeProcessing => Act::Instead(Delivery::hang_up()),
            Self::DropBeforeAnswer => after(|_| Delivery::hang_up()),
            Self::CutInHeaders => after(|reply| {
                let head = reply.head_bytes(reply.body.len() as u64);
                Delivery::Script(vec![Step::Send(head[..head.len() / 2].to_vec())])
            }),
            Self::CutInBody => after(|reply| {
                let mut bytes = wire_bytes(&reply);
                bytes.truncate(bytes.len() - reply.body.len() / 2);
                Delivery::Script(vec![Step::Send(bytes)])
            }),
            Self::Slow { bytes_per_second } => after(move |reply| {
                let bytes = wire_bytes(&reply);
                Delivery::Script(vec![Step::Trickle {
                    bytes,
                    bytes_per_second,
                }])
            }),
            Self::Delay { ms } => {
                after(move |reply| Delivery::Delayed(Duration::from_millis(ms), reply))
            }
            Self::Status {
                code,
                body,
                content_type,
                headers,
            } => instead(with_headers(Reply::new(code, &content_type, body), headers)),
            Self::RetryAfter { status, value } => {
                let body = json!({ "error": "temporarily_unavailable" });
                instead(Reply::json(status, &body).with_header("retry-after", value))
            }
            Self::Error { status, error } => {
                instead(Reply::json(status, &json!({ "error": error })).no_store())
            }
            Self::ErrorIn200 { body } => instead(Reply::json(200, &body)),
            Self::Html { status } => instead(Reply::new(status, "text/html", HTML_PAGE)),
            Self::Empty { status } => instead(Reply::empty(status)),
            Self::Redirect { status, location } => {
                instead(Reply::empty(status).with_header("location", location))
            }
            Self::InvalidJson => change(|reply| {
                reply.body.pop();
            }),
            Self::InvalidUtf8 => change(|reply| {
                reply.body.pop();
                reply.body.extend_from_slice(b",\"note\":\"\xff\xfe\"}");
            }),
            Self::HugeBody { bytes } => after(move |reply| pad_body(reply, bytes)),
            Self::OmitRefreshToken => edit(|answer| {
                answer.remove("refresh_token");
            }),
            Self::OmitExpiresIn => edit(|answer| {
                answer.remove("expires_in");
            }),
            Self::ExpiresInAs { value } => edit(|answer| {
                answer.insert("expires_in".to_owned(), value);
            }),
            Self::ExtraFields { fields } => edit(|answer| answer.extend(fields)),
            Self::Answer {
                status,
                body,
                content_type,
                headers,
            } => after(move |reply| {
                let body = Template::of(&reply).fill(&body);
                let reply = Reply::new(status, &content_type, body);
                Delivery::Reply(with_headers(reply, headers))
            }),
            Self::Wire { pieces } => after(move |reply| {
                let template = Template::of(&reply);
                Delivery::Script(pieces.iter().map(|piece| piece.step(&template)).collect())
            }),
        }
    }
}

const HTML_PAGE: &str =
    "<!DOCTYPE html><html><head><title>Please wait</title></head><body>One moment.</body></html>\n";

fn text_plain() -> String {
    "text/plain".to_owned()
}

fn application_json() -> String {
    "application/json".to_owned()
}

fn ok() -> u16 {
    200
}

fn with_headers(reply: Reply, headers: Vec<(String, String)>) -> Reply {
    headers
        .into_iter()
        .fold(reply, |reply, (name, value)| reply.with_header(name, value))
}

fn instead(reply: Reply) -> Act {
    Act::Instead(Delivery::Reply(reply))
}

fn after(deliver: impl FnOnce(Reply) -> Delivery + Send + 'static) -> Act {
    Act::After(Box::new(deliver))
}

/// The server's answer with something done to it.
fn change(alter: impl FnOnce(&mut Reply) + Send + 'static) -> Act {
    after(|mut reply| {
        alter(&mut reply);
        Delivery::Reply(reply)
    })
}

/// The server's answer with something done to its JSON object.
fn edit(alter: impl FnOnce(&mut Map<String, Value>) + Send + 'static) -> Act {
    change(|reply| {
        let mut answer: Map<String, Value> = serde_json::from_slice(&reply.body)
            .expect("the token endpoint answers with JSON objects");
        alter(&mut answer);
        reply.body = Value::Object(answer).to_string().into_bytes();
    })
}

/// `{…}` becomes `{…,"padding":"xxx…"}`, at least `bytes` long. The connection ends after it, and says so (RFC 9112 §9.6):
/// else the next request would meet the end of a connection that seemed to go on.
fn pad_body(reply: Reply, bytes: u64) -> Delivery {
    let reply = reply.with_header("connection", "close");
    let mut start = reply.body.clone();
    start.pop();
    start.extend_from_slice(b",\"padding\":\"");
    let end = b"\"}";
    let count = bytes.saturating_sub((start.len() + end.len()) as u64);
    let head = reply.head_bytes(start.len() as u64 + count + end.len() as u64);
    Delivery::Script(vec![
        Step::Send([head, start].concat()),
        Step::Fill { byte: b'x', count },
        Step::Send(end.to_vec()),
    ])
}
