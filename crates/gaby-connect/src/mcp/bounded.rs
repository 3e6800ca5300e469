//! A reader that ends when a server sends one message too large, or too many.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Instant;

use tokio::io::{AsyncRead, ReadBuf};

/// The largest message of a third party.
pub(super) const MAX_MESSAGE_BYTES: usize = 4 * 1024 * 1024;
/// Messages that may come at once.
const BURST: f64 = 500.0;
/// Messages a second that may come for long.
const PER_SECOND: f64 = 100.0;

/// Why a reader ended, for whoever asks later.
pub(super) type Fault = Arc<Mutex<Option<String>>>;

pub(super) struct Bounded<R> {
    inner: R,
    line: usize,
    allowance: f64,
    last: Instant,
    fault: Fault,
}

impl<R> Bounded<R> {
    pub(super) fn new(inner: R, fault: Fault) -> Self {
        Self {
            inner,
            line: 0,
            allowance: BURST,
            last: Instant::now(),
            fault,
        }
    }

    /// Takes bytes into account; says why they are too much.
    fn take(&mut self, bytes: &[u8]) -> Result<(), String> {
        let now = Instant::now();
        let passed = now.duration_since(self.last).as_secs_f64();
        self.allowance = (self.allowance + passed * PER_SECOND).min(BURST);
        self.last = now;
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line += piece.len();
            if self.line > MAX_MESSAGE_BYTES {
                return Err(format!(
                    "it sent a message of more than {} MiB",
                    MAX_MESSAGE_BYTES / 1024 / 1024
                ));
            }
            if piece.ends_with(b"\n") {
                self.line = 0;
                self.allowance -= 1.0;
                if self.allowance < 0.0 {
                    return Err(format!("it sent more than {PER_SECOND} messages a second"));
                }
            }
        }
        Ok(())
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Bounded<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = buffer.filled().len();
        match Pin::new(&mut self.inner).poll_read(context, buffer) {
            Poll::Ready(Ok(())) => {
                let taken = self.take(&buffer.filled()[before..]);
                if let Err(reason) = taken {
                    if let Ok(mut fault) = self.fault.lock() {
                        *fault = Some(reason.clone());
                    }
                    // A reader that fails has read nothing.
                    buffer.set_filled(before);
                    return Poll::Ready(Err(std::io::Error::other(reason)));
                }
                Poll::Ready(Ok(()))
            }
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncReadExt as _;

    async fn read_all(bytes: &[u8]) -> (std::io::Result<usize>, Option<String>) {
        let fault = Fault::default();
        let mut out = Vec::new();
        let result = Bounded::new(bytes, fault.clone())
            .read_to_end(&mut out)
            .await;
        let reason = fault.lock().unwrap().clone();
        (result, reason)
    }

    #[tokio::test]
    async fn ordinary_traffic_passes() {
        let bytes = b"{\"jsonrpc\":\"2.0\"}\n".repeat(100);
        assert!(read_all(&bytes).await.0.is_ok());
    }

    #[tokio::test]
    async fn a_message_without_end_and_a_flood_end_the_connection() {
        let (result, reason) = read_all(&vec![b'x'; MAX_MESSAGE_BYTES + 1]).await;
        assert!(result.is_err() && reason.unwrap().contains("4 MiB"));
        let (result, reason) = read_all(&b"{}\n".repeat(2_000)).await;
        assert!(result.is_err() && reason.unwrap().contains("messages a second"));
    }
}
