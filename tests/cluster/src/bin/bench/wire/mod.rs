//! One blocking client for all sides: it writes a request, and reads until the answer is complete. What it costs, beside
//! the servers on the same processors, is the same whoever is asked, and little: no runtime, no task, no thread.

mod postgres;
mod redis;

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

use bytes::BytesMut;
use token_vault_cluster::Result;

pub use postgres::{Postgres, text_array};
pub use redis::Redis;

/// Something that can be called again and again, for one row or another.
pub trait Caller: Send {
    /// One call: a request, and all of its answer.
    fn call(&mut self, number: u32) -> Result<()>;

    /// The process that serves it.
    fn process(&self) -> i32;
}

/// The values of a statement's parameters for the row of a number, in their binary form.
pub type Parameters = Box<dyn FnMut(u32) -> Result<Vec<Vec<u8>>> + Send>;

/// A prepared statement in a session of its own.
pub struct Prepared {
    pub session: Postgres,
    pub parameters: Parameters,
    /// The bytes of values that an answer must have, if it has any.
    pub expected: Option<usize>,
}

impl Caller for Prepared {
    fn call(&mut self, number: u32) -> Result<()> {
        let bytes = self.session.execute(&(self.parameters)(number)?)?;
        match self.expected {
            Some(expected) if bytes != expected => {
                Err(format!("{bytes} bytes came back, not {expected}").into())
            }
            _ => Ok(()),
        }
    }

    fn process(&self) -> i32 {
        self.session.process()
    }
}

/// A connection, with what has been read of it but not been looked at.
struct Stream {
    socket: UnixStream,
    input: BytesMut,
}

impl Stream {
    fn connect(path: &Path) -> Result<Self> {
        Ok(Stream {
            socket: UnixStream::connect(path)?,
            input: BytesMut::with_capacity(ROOM),
        })
    }

    fn send(&mut self, request: &[u8]) -> Result<()> {
        Ok(self.socket.write_all(request)?)
    }

    /// Reads what has come; waits for it if nothing has.
    fn receive(&mut self) -> Result<()> {
        let filled = self.input.len();
        self.input.resize(filled + ROOM, 0);
        let count = self.socket.read(&mut self.input[filled..])?;
        self.input.truncate(filled + count);
        match count {
            0 => Err("the server has closed the connection".into()),
            _ => Ok(()),
        }
    }
}

/// As much as is read at once.
const ROOM: usize = 16 * 1024;
