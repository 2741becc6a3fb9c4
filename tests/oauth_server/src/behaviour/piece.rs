//! What goes over the wire where an answer is written byte for byte.

use serde::{Deserialize, Serialize};

use super::delivery::Step;
use super::template::Template;

/// A piece of an answer. In JSON: `{"send": "HTTP/1.1 200 OK\r\n"}`, `"hold"`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Piece {
    /// This text. `{body}` stands for the body of the server's honest answer, `{length}` for the body's length,
    /// `{first_half}` and `{second_half}` for parts of it, `{chunked}` for the body in chunks, the last one included,
    /// `{access_token}`, `{refresh_token}` and `{expires_in}` for these members of it.
    Send(String),
    /// These bytes.
    Bytes(Vec<u8>),
    /// `byte`, so many times.
    Repeat { byte: u8, times: u64 },
    /// Nothing more, until the client hangs up.
    Hold,
}

impl Piece {
    pub(super) fn step(&self, template: &Template) -> Step {
        match self {
            Self::Send(text) => Step::Send(template.fill(text).into_bytes()),
            Self::Bytes(bytes) => Step::Send(bytes.clone()),
            Self::Repeat { byte, times } => Step::Fill {
                byte: *byte,
                count: *times,
            },
            Self::Hold => Step::Hold,
        }
    }
}
