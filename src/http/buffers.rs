//! The plaintext buffers of a connection, wiped after use: an idle connection lives on, and would keep the last request
//! and answer in memory.

use ureq::unversioned::transport::{Buffers, LazyBuffers};
use zeroize::Zeroize;

/// Output and input of one connection.
pub(crate) struct PlaintextBuffers {
    inner: LazyBuffers,
    /// Bytes received since the input was last wiped.
    unwiped: usize,
}

impl PlaintextBuffers {
    pub(crate) fn new(input_size: usize, output_size: usize) -> Self {
        Self {
            inner: LazyBuffers::new(input_size, output_size),
            unwiped: 0,
        }
    }

    /// What the HTTP library reads and writes.
    pub(crate) fn as_dyn(&mut self) -> &mut dyn Buffers {
        &mut self.inner
    }

    /// Lets `send` take the first `amount` bytes of the output, and wipes them.
    pub(crate) fn send<T>(&mut self, amount: usize, send: impl FnOnce(&[u8]) -> T) -> T {
        let output = &mut self.inner.output()[..amount];
        let result = send(output);
        output.zeroize();
        result
    }

    /// Lets `receive` fill the input; it returns how many bytes it wrote.
    pub(crate) fn receive<E>(
        &mut self,
        receive: impl FnOnce(&mut [u8]) -> Result<usize, E>,
    ) -> Result<usize, E> {
        let amount = receive(self.inner.input_append_buf())?;
        self.inner.input_appended(amount);
        self.unwiped += amount;
        Ok(amount)
    }

    /// Whether everything that was received has been read.
    pub(crate) fn all_read(&self) -> bool {
        self.inner.input().is_empty()
    }

    /// Drops what is unread, and wipes all that was received.
    pub(crate) fn wipe_input(&mut self) {
        let unread = self.inner.input().len();
        self.inner.input_consume(unread);
        // An emptied buffer is filled from its start again, so what was received lies there.
        let buffer = self.inner.input_append_buf();
        let used = self.unwiped.min(buffer.len());
        buffer[..used].zeroize();
        self.unwiped = 0;
    }
}

impl Drop for PlaintextBuffers {
    fn drop(&mut self) {
        self.wipe_input();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receive(buffers: &mut PlaintextBuffers, bytes: &[u8]) {
        let received = buffers.receive(|free| {
            free[..bytes.len()].copy_from_slice(bytes);
            Ok::<_, ()>(bytes.len())
        });
        assert_eq!(received, Ok(bytes.len()));
    }

    #[test]
    fn output_is_gone_once_it_is_sent() {
        let mut buffers = PlaintextBuffers::new(64, 64);
        buffers.as_dyn().output()[..6].copy_from_slice(b"secret");
        assert_eq!(buffers.send(6, <[u8]>::to_vec), b"secret");
        assert_eq!(buffers.as_dyn().output(), [0; 64]);
    }

    #[test]
    fn input_is_gone_once_it_is_wiped_wherever_it_lay() {
        let mut buffers = PlaintextBuffers::new(64, 64);
        for read in [0, 10, 40, 60] {
            receive(&mut buffers, &[b'x'; 40]);
            buffers.as_dyn().input_consume(read.min(40));
            receive(&mut buffers, &[b'y'; 20]);
            assert!(!buffers.all_read());
            buffers.wipe_input();
            assert!(buffers.all_read());
            let left = buffers.as_dyn().input_append_buf();
            assert!(
                left.len() >= 64 && left.iter().all(|byte| *byte == 0),
                "{read}: {left:?}"
            );
        }
    }
}
