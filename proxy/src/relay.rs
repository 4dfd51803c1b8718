//! Copies the bytes of a session both ways, without looking at them.
//!
//! An idle session owns no buffer: all sessions of a thread read into the same one, and write from
//! there. Only what a slow receiver does not accept is kept, and nothing more is read before it is
//! written, so a slow receiver slows the sender. If the client ends its half, the other half goes on:
//! answers may be on their way. So it does if the server takes nothing more: it may have said why. The end
//! of the server's half is the end, because PostgreSQL closes both.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::metrics::Bytes;

/// Two records of TLS.
const PART: usize = 32 * 1024;

thread_local! {
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; PART].into_boxed_slice());
}

/// How many bytes went each way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Copied {
    pub(crate) to_server: u64,
    pub(crate) to_client: u64,
}

/// Copies until the server has ended and the client knows it, or one breaks. What the client and the server
/// have sent already goes first. `total` counts the bytes as they go.
pub(crate) async fn relay<C, S>(
    client: &mut C,
    server: &mut S,
    (from_client, from_server): (&[u8], &[u8]),
    total: &Bytes,
) -> (Copied, io::Result<()>)
where
    C: AsyncRead + AsyncWrite + Unpin,
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (mut up, mut down) = (
        Half::of(from_client, &total.to_server),
        Half::of(from_server, &total.to_client),
    );
    let mut refused = None;
    let ended = poll_fn(|cx| {
        if refused.is_none() {
            match up.poll(cx, client, server) {
                Poll::Ready(Err(Broken::Receiver(error))) => refused = Some(error),
                Poll::Ready(Err(Broken::Sender(error))) => return Poll::Ready(Err(error)),
                Poll::Ready(Ok(())) | Poll::Pending => {}
            }
        }
        let ended = ready!(down.poll(cx, server, client)).map_err(Broken::into_inner);
        Poll::Ready(refused.take().map_or(ended, Err))
    })
    .await;
    let copied = Copied {
        to_server: up.copied,
        to_client: down.copied,
    };
    (copied, ended)
}

/// One direction.
struct Half<'a> {
    /// What the receiver did not accept yet, from `written` on.
    kept: Vec<u8>,
    written: usize,
    needs_flush: bool,
    state: State,
    copied: u64,
    /// What all sessions have copied.
    total: &'a AtomicU64,
}

/// Which side of a direction is broken.
enum Broken {
    Sender(io::Error),
    Receiver(io::Error),
}

impl Broken {
    fn into_inner(self) -> io::Error {
        match self {
            Self::Sender(error) | Self::Receiver(error) => error,
        }
    }
}

#[derive(Clone, Copy)]
enum State {
    Open,
    /// The sender has ended, and the receiver does not know yet.
    Ending,
    Ended,
}

impl<'a> Half<'a> {
    fn of(sent: &[u8], total: &'a AtomicU64) -> Self {
        Self {
            kept: sent.to_vec(),
            written: 0,
            needs_flush: false,
            state: State::Open,
            copied: 0,
            total,
        }
    }

    fn poll<R, W>(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut R,
        to: &mut W,
    ) -> Poll<Result<(), Broken>>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        loop {
            while self.written < self.kept.len() {
                let written = Pin::new(&mut *to).poll_write(cx, &self.kept[self.written..]);
                self.written += self.count(ready!(written))?;
            }
            if !self.kept.is_empty() {
                (self.kept, self.written) = (Vec::new(), 0);
            }
            match self.state {
                State::Ended => return Poll::Ready(Ok(())),
                State::Ending => {
                    ready!(Pin::new(&mut *to).poll_shutdown(cx)).map_err(Broken::Receiver)?;
                    self.state = State::Ended;
                }
                State::Open => match self.pass(cx, from, to)? {
                    Poll::Ready(()) => {}
                    Poll::Pending => {
                        if self.needs_flush {
                            ready!(Pin::new(&mut *to).poll_flush(cx)).map_err(Broken::Receiver)?;
                            self.needs_flush = false;
                        }
                        return Poll::Pending;
                    }
                },
            }
        }
    }

    /// Reads once, and writes what it can.
    fn pass<R, W>(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut R,
        to: &mut W,
    ) -> Poll<Result<(), Broken>>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        BUFFER.with_borrow_mut(|buffer| {
            let mut read = ReadBuf::new(buffer);
            ready!(Pin::new(from).poll_read(cx, &mut read)).map_err(Broken::Sender)?;
            let mut part = read.filled();
            if part.is_empty() {
                self.state = State::Ending;
            }
            while !part.is_empty() {
                match Pin::new(&mut *to).poll_write(cx, part) {
                    Poll::Ready(written) => part = &part[self.count(written)?..],
                    Poll::Pending => {
                        self.kept = part.to_vec();
                        break;
                    }
                }
            }
            Poll::Ready(Ok(()))
        })
    }

    /// Counts what was written. Nothing is an error.
    fn count(&mut self, written: io::Result<usize>) -> Result<usize, Broken> {
        let written = match written {
            Ok(0) => Err(io::ErrorKind::WriteZero.into()),
            written => written,
        };
        let written = written.map_err(Broken::Receiver)?;
        self.copied += written as u64;
        self.total.fetch_add(written as u64, Relaxed);
        self.needs_flush = true;
        Ok(written)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    use super::*;

    fn run(test: impl Future<Output = ()>) {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.unwrap().block_on(test);
    }

    /// Returns the outer ends, and the relay between the inner ones.
    fn between(
        size: usize,
        rest: &'static [u8],
    ) -> (
        DuplexStream,
        DuplexStream,
        tokio::task::JoinHandle<(Copied, io::Result<()>)>,
    ) {
        let (client, mut inner_client) = duplex(size);
        let (server, mut inner_server) = duplex(size);
        let relay = tokio::spawn(async move {
            let total = Bytes::default();
            let sent = (&b""[..], rest);
            relay(&mut inner_client, &mut inner_server, sent, &total).await
        });
        (client, server, relay)
    }

    #[test]
    fn a_half_close_reaches_the_other_side_and_the_other_half_goes_on() {
        run(async {
            let (mut client, mut server, relay) = between(64, b"");
            client.write_all(b"query").await.unwrap();
            client.shutdown().await.unwrap();
            let mut got = Vec::new();
            server.read_to_end(&mut got).await.unwrap();
            assert_eq!(got, b"query");
            server.write_all(b"answer").await.unwrap();
            server.shutdown().await.unwrap();
            got.clear();
            client.read_to_end(&mut got).await.unwrap();
            assert_eq!(got, b"answer");
            let (copied, ended) = relay.await.unwrap();
            assert!(ended.is_ok());
            let (to_server, to_client) = (5, 6);
            assert_eq!(
                copied,
                Copied {
                    to_server,
                    to_client
                }
            );
        });
    }

    #[test]
    fn the_end_of_the_server_ends_the_session_of_a_client_that_stays() {
        run(async {
            let (mut client, mut server, relay) = between(64, b"");
            server.write_all(b"the end").await.unwrap();
            server.shutdown().await.unwrap();
            let (_, ended) = relay.await.unwrap();
            assert!(ended.is_ok());
            let mut got = Vec::new();
            client.read_to_end(&mut got).await.unwrap();
            assert_eq!(got, b"the end");
        });
    }

    #[test]
    fn the_last_words_of_a_server_reach_a_client_that_still_sends() {
        run(async {
            let (mut client, mut server, relay) = between(64, b"");
            client.write_all(b"query").await.unwrap();
            server.write_all(b"the end").await.unwrap();
            drop(server);
            let mut got = Vec::new();
            client.read_to_end(&mut got).await.unwrap();
            assert_eq!(got, b"the end");
            let (_, ended) = relay.await.unwrap();
            assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        });
    }

    #[test]
    fn every_byte_arrives_in_order_through_a_slow_receiver() {
        run(async {
            let (client, mut server, _relay) = between(7, b"first");
            let sent: Vec<u8> = (0..100_000_u32).map(|n| (n % 251) as u8).collect();
            let expected = [b"first", &sent[..]].concat();
            let sender = tokio::spawn(async move {
                server.write_all(&sent).await.unwrap();
                server.shutdown().await.unwrap();
                server
            });
            let mut got = Vec::new();
            let (mut reader, _writer) = tokio::io::split(client);
            reader.read_to_end(&mut got).await.unwrap();
            assert_eq!(got, expected);
            drop(sender.await.unwrap());
        });
    }

    #[test]
    fn a_receiver_that_reads_nothing_stops_the_sender() {
        run(async {
            let (client, mut server, _relay) = between(16, b"");
            let mut sent = 0;
            // The relay runs whenever this task yields.
            for _ in 0..100 {
                let write =
                    poll_fn(|cx| Poll::Ready(Pin::new(&mut server).poll_write(cx, &[1; 16])));
                if let Poll::Ready(Ok(written)) = write.await {
                    sent += written;
                }
                tokio::task::yield_now().await;
            }
            assert!(sent > 0 && sent <= 3 * 16, "{sent} bytes are buffered");
            drop(client);
        });
    }
}
