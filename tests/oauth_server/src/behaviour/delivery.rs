//! How an answer reaches the client: as HTTP, late, or as bytes on the wire that stop where they like.

use std::time::Duration;

use crate::message::Reply;

/// What the connection has to do.
#[derive(Debug)]
pub(crate) enum Delivery {
    /// Answer as HTTP has it; the connection stays open.
    Reply(Reply),
    /// The same after a pause.
    Delayed(Duration, Reply),
    /// Play the steps, then close the connection without a word: no `close_notify`, no last chunk.
    Script(Vec<Step>),
}

/// One step of a script.
#[derive(Debug)]
pub(crate) enum Step {
    Send(Vec<u8>),
    /// `count` times the same byte, without holding them in memory.
    Fill {
        byte: u8,
        count: u64,
    },
    /// The bytes, paced.
    Trickle {
        bytes: Vec<u8>,
        bytes_per_second: u32,
    },
    /// Nothing more, until the client hangs up.
    Hold,
}

impl Delivery {
    /// Close the connection and say nothing.
    pub(crate) fn hang_up() -> Self {
        Self::Script(Vec::new())
    }
}

/// The whole answer as it would go over the wire.
pub(crate) fn wire_bytes(reply: &Reply) -> Vec<u8> {
    let mut bytes = reply.head_bytes(reply.body.len() as u64);
    bytes.extend_from_slice(&reply.body);
    bytes
}
