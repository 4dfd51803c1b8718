//! Reads the messages of a server one by one, until the session is ready.

use std::io::{self, ErrorKind};

use bytes::BytesMut;
use postgres_protocol::message::backend::Header;
use tokio::io::{AsyncRead, AsyncReadExt};

/// The type and the length in front of a message.
const HEADER: usize = 5;
/// Enough for the messages of most logins.
const READ_AHEAD: usize = 4096;

/// The messages of a server, and what was read beyond the last one.
pub(crate) struct ServerMessages<S> {
    pub(crate) stream: S,
    buffer: BytesMut,
}

impl<S: AsyncRead + Unpin> ServerMessages<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self {
            stream,
            buffer: BytesMut::with_capacity(READ_AHEAD),
        }
    }

    /// Returns the type and the whole length of the next message, which stays in front.
    pub(crate) async fn next(&mut self) -> io::Result<(u8, usize)> {
        self.fill(HEADER).await?;
        match Header::parse(&self.buffer)? {
            // The length counts itself, and not the type; the codec refuses one below 4.
            Some(header) => Ok((header.tag(), 1 + header.len().unsigned_abs() as usize)),
            None => Err(ErrorKind::UnexpectedEof.into()),
        }
    }

    /// Takes a message of this length.
    pub(crate) async fn take(&mut self, length: usize) -> io::Result<BytesMut> {
        self.fill(length).await?;
        Ok(self.buffer.split_to(length))
    }

    /// Takes what has come of a message, at most this length, and at least a byte.
    pub(crate) async fn take_part(&mut self, length: usize) -> io::Result<BytesMut> {
        self.fill(1).await?;
        Ok(self.buffer.split_to(length.min(self.buffer.len())))
    }

    /// Whether the next message would have to wait for the server.
    pub(crate) fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// Returns the stream, and what was read from it beyond the last message.
    pub(crate) fn into_parts(self) -> (S, BytesMut) {
        (self.stream, self.buffer)
    }

    async fn fill(&mut self, length: usize) -> io::Result<()> {
        while self.buffer.len() < length {
            self.buffer.reserve(READ_AHEAD);
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(())
    }
}
