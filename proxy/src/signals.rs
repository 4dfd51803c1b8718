//! The signals that stop a proxy: SIGTERM and SIGINT. On other systems than Unix, they end the
//! process, as they do by default.

use std::io;

#[cfg(unix)]
pub(crate) struct Stop(tokio::net::UnixStream);

#[cfg(unix)]
impl Stop {
    pub(crate) fn new() -> io::Result<Self> {
        use signal_hook::consts::{SIGINT, SIGTERM};
        use std::os::unix::net::UnixStream;

        let (receiver, sender) = UnixStream::pair()?;
        for signal in [SIGTERM, SIGINT] {
            signal_hook::low_level::pipe::register(signal, sender.try_clone()?)?;
        }
        receiver.set_nonblocking(true)?;
        tokio::net::UnixStream::from_std(receiver).map(Self)
    }

    /// Waits for the next signal.
    pub(crate) async fn wait(&mut self) {
        use tokio::io::AsyncReadExt;

        // The sender is never closed, so this returns only for a signal.
        let _ = self.0.read_u8().await;
    }
}

#[cfg(not(unix))]
pub(crate) struct Stop;

#[cfg(not(unix))]
impl Stop {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self)
    }

    pub(crate) async fn wait(&mut self) {
        std::future::pending().await
    }
}
