//! Redis's protocol (RESP) over its Unix socket, as much of it as a cache of tokens needs.

use std::path::Path;

use bytes::BytesMut;
use token_vault_cluster::Result;

use super::{Caller, Stream};

/// Requests that are sent before their answers are read; of loading only.
const BATCH: usize = 100;

/// A connection on which keys are read.
pub struct Redis {
    stream: Stream,
    process: i32,
    key: fn(u32) -> String,
    expected: usize,
}

impl Redis {
    /// Connects; `key` names the key of a row, whose value has as many bytes as `expected`.
    pub fn connect(socket: &Path, key: fn(u32) -> String, expected: usize) -> Result<Self> {
        let mut redis = Redis {
            stream: Stream::connect(socket)?,
            process: 0,
            key,
            expected,
        };
        redis.stream.send(&request(&[b"INFO", b"server"]))?;
        let information = String::from_utf8(redis.value()?)?;
        let process = information
            .lines()
            .find_map(|line| line.strip_prefix("process_id:"))
            .ok_or("redis does not tell its process")?;
        redis.process = process.parse()?;
        Ok(redis)
    }

    /// Sets the keys of rows.
    pub fn load(&mut self, rows: u32, value: fn(u32) -> String) -> Result<()> {
        let numbers: Vec<u32> = (0..rows).collect();
        for batch in numbers.chunks(BATCH) {
            for number in batch {
                let (key, value) = ((self.key)(*number), value(*number));
                let set = request(&[b"SET", key.as_bytes(), value.as_bytes()]);
                self.stream.send(&set)?;
            }
            for _ in batch {
                self.line()?;
            }
        }
        Ok(())
    }

    /// The answer up to the end of its first line, without that.
    fn line(&mut self) -> Result<BytesMut> {
        loop {
            let end = self.stream.input.windows(2).position(|two| two == b"\r\n");
            if let Some(end) = end {
                let line = self.stream.input.split_to(end + 2);
                return match line[0] {
                    b'-' => Err(String::from_utf8_lossy(&line[1..end]).into_owned().into()),
                    _ => Ok(line),
                };
            }
            self.stream.receive()?;
        }
    }

    /// A string: its length in a line, then its bytes and the end of a line.
    fn value(&mut self) -> Result<Vec<u8>> {
        let line = self.line()?;
        let length = std::str::from_utf8(&line[1..])?.trim();
        let length: usize = length.parse().map_err(|_| "there is no such key")?;
        while self.stream.input.len() < length + 2 {
            self.stream.receive()?;
        }
        let value = self.stream.input.split_to(length + 2);
        Ok(value[..length].to_vec())
    }
}

impl Caller for Redis {
    fn call(&mut self, number: u32) -> Result<()> {
        let key = (self.key)(number);
        self.stream.send(&request(&[b"GET", key.as_bytes()]))?;
        match self.value()?.len() {
            length if length == self.expected => Ok(()),
            length => Err(format!("{length} bytes came back, not {}", self.expected).into()),
        }
    }

    fn process(&self) -> i32 {
        self.process
    }
}

fn request(words: &[&[u8]]) -> Vec<u8> {
    let mut request = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        request.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        request.extend_from_slice(word);
        request.extend_from_slice(b"\r\n");
    }
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_an_array_of_strings() {
        assert_eq!(request(&[b"GET", b"k"]), b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n");
    }
}
