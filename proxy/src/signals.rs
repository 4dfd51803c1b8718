//! The signals of a proxy: SIGTERM and SIGINT stop it, and SIGHUP makes it read its configuration again, if
//! it has a file of it. On other systems than Unix, they end the process, as they do by default.

use std::io;

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    Stop,
    Reload,
}

#[cfg(unix)]
pub(crate) struct Signals {
    stop: tokio::net::UnixStream,
    reload: Option<tokio::net::UnixStream>,
}

#[cfg(unix)]
impl Signals {
    pub(crate) fn new(reloads: bool) -> io::Result<Self> {
        use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

        Ok(Self {
            stop: receiver(&[SIGTERM, SIGINT])?,
            reload: reloads.then(|| receiver(&[SIGHUP])).transpose()?,
        })
    }

    /// Waits for the next signal.
    pub(crate) async fn wait(&mut self) -> Signal {
        use std::pin::Pin;
        use std::task::Poll;
        use tokio::io::{AsyncRead, ReadBuf};

        std::future::poll_fn(|cx| {
            let ways = [
                (Some(&mut self.stop), Signal::Stop),
                (self.reload.as_mut(), Signal::Reload),
            ];
            for (stream, signal) in ways {
                let Some(stream) = stream else { continue };
                let mut byte = [0];
                // The senders are never closed, so this is ready only after a signal.
                let read = Pin::new(stream).poll_read(cx, &mut ReadBuf::new(&mut byte));
                if read.is_ready() {
                    return Poll::Ready(signal);
                }
            }
            Poll::Pending
        })
        .await
    }
}

#[cfg(unix)]
fn receiver(signals: &[i32]) -> io::Result<tokio::net::UnixStream> {
    let (receiver, sender) = std::os::unix::net::UnixStream::pair()?;
    for signal in signals {
        signal_hook::low_level::pipe::register(*signal, sender.try_clone()?)?;
    }
    receiver.set_nonblocking(true)?;
    tokio::net::UnixStream::from_std(receiver)
}

#[cfg(not(unix))]
pub(crate) struct Signals;

#[cfg(not(unix))]
impl Signals {
    pub(crate) fn new(_reloads: bool) -> io::Result<Self> {
        Ok(Self)
    }

    pub(crate) async fn wait(&mut self) -> Signal {
        std::future::pending().await
    }
}
