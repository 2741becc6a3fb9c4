//! PostgreSQL's protocol over its Unix socket: one statement is prepared and executed, one request at a time.

use std::path::Path;

use bytes::BytesMut;
use postgres_protocol::message::{backend, frontend};
use postgres_protocol::{IsNull, types};
use token_vault_cluster::Result;

use super::Stream;
use crate::measure::Target;

const STATEMENT: &str = "bench";
/// The `oid` of `text`, which has not changed since there is one.
const TEXT: u32 = 25;
const BINARY: i16 = 1;

/// A session of the superuser's.
pub struct Postgres {
    stream: Stream,
    output: BytesMut,
    process: i32,
}

impl Postgres {
    pub fn connect(target: Target<'_>) -> Result<Self> {
        let socket = format!(".s.PGSQL.{}", target.cluster.port());
        let mut session = Postgres::at(&target.cluster.directory().join(socket))?;
        let parameters = [("user", "postgres"), ("database", target.database)];
        frontend::startup_message(parameters, &mut session.output)?;
        session.exchange()?;
        session.run(target.settings)?;
        Ok(session)
    }

    fn at(socket: &Path) -> Result<Self> {
        Ok(Postgres {
            stream: Stream::connect(socket)?,
            output: BytesMut::new(),
            process: 0,
        })
    }

    /// The server's process of this session.
    pub fn process(&self) -> i32 {
        self.process
    }

    /// Runs statements that are not prepared.
    pub fn run(&mut self, statements: &str) -> Result<()> {
        frontend::query(statements, &mut self.output)?;
        self.exchange().map(drop)
    }

    /// Prepares the statement that [`Postgres::execute`] executes.
    pub fn prepare(&mut self, statement: &str) -> Result<()> {
        frontend::parse(STATEMENT, statement, [], &mut self.output)?;
        frontend::sync(&mut self.output);
        self.exchange().map(drop)
    }

    /// Makes room for another one.
    pub fn deallocate(&mut self) -> Result<()> {
        frontend::close(b'S', STATEMENT, &mut self.output)?;
        frontend::sync(&mut self.output);
        self.exchange().map(drop)
    }

    /// Executes it with these parameters and returns how many bytes the values of all rows had.
    pub fn execute(&mut self, parameters: &[Vec<u8>]) -> Result<usize> {
        let value = |value: &Vec<u8>, output: &mut BytesMut| {
            output.extend_from_slice(value);
            Ok(IsNull::No)
        };
        frontend::bind(
            "",
            STATEMENT,
            [BINARY],
            parameters,
            value,
            [BINARY],
            &mut self.output,
        )
        .map_err(|_| "a parameter is too long")?;
        frontend::execute("", 0, &mut self.output)?;
        frontend::sync(&mut self.output);
        self.exchange()
    }

    /// Sends what is written and reads until the server is ready for more.
    fn exchange(&mut self) -> Result<usize> {
        self.stream.send(&self.output)?;
        self.output.clear();
        let mut bytes = 0;
        let mut error = None;
        loop {
            let input = &mut self.stream.input;
            let Some(message) = complete(input)? else {
                self.stream.receive()?;
                continue;
            };
            let message = input.split_to(message);
            match message[0] {
                backend::DATA_ROW_TAG => bytes += values(&message[5..]),
                backend::BACKEND_KEY_DATA_TAG => self.process = number(&message[5..9]),
                backend::ERROR_RESPONSE_TAG => error = Some(complaint(&message[5..])),
                backend::READY_FOR_QUERY_TAG => break,
                _ => {}
            }
        }
        error.map_or(Ok(bytes), |error| Err(error.into()))
    }
}

/// The length of the message at the front, if all of it has come.
fn complete(input: &[u8]) -> Result<Option<usize>> {
    let header = backend::Header::parse(input)?;
    let length = header.map(|header| 1 + header.len() as usize);
    Ok(length.filter(|length| input.len() >= *length))
}

/// The bytes of the values in a row: each has its length before it, and the row their number.
fn values(row: &[u8]) -> usize {
    let count = usize::from(u16::from_be_bytes([row[0], row[1]]));
    row.len() - 2 - 4 * count
}

fn number(bytes: &[u8]) -> i32 {
    bytes
        .iter()
        .fold(0, |number, byte| number << 8 | i32::from(*byte))
}

/// The message of an error, which is the field `M`.
fn complaint(fields: &[u8]) -> String {
    let mut fields = fields.split(|byte| *byte == 0);
    let message = fields.find_map(|field| field.strip_prefix(b"M"));
    String::from_utf8_lossy(message.unwrap_or(b"an error without message")).into_owned()
}

/// The binary form of a `text[]`.
pub fn text_array(values: &[String]) -> Result<Vec<u8>> {
    let dimension = types::ArrayDimension {
        len: values.len().try_into()?,
        lower_bound: 1,
    };
    let mut array = BytesMut::new();
    types::array_to_sql(
        Some(dimension),
        TEXT,
        values,
        |value, array| {
            array.extend_from_slice(value.as_bytes());
            Ok(IsNull::No)
        },
        &mut array,
    )?;
    Ok(array.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_complete_with_its_last_byte() {
        let message = *b"D\0\0\0\x08abcd";
        assert_eq!(complete(&message).unwrap(), Some(9));
        assert_eq!(complete(&message[..8]).unwrap(), None);
        assert_eq!(complete(&message[..3]).unwrap(), None);
    }

    #[test]
    fn only_values_are_counted() {
        assert_eq!(values(b"\0\x02\0\0\0\x03abc\0\0\0\x01d"), 4);
    }

    #[test]
    fn an_error_is_told_by_its_message() {
        assert_eq!(
            complaint(b"SERROR\0C22012\0Mdivision by zero\0\0"),
            "division by zero"
        );
    }
}
