//! The signals of a proxy: SIGTERM and SIGINT stop it, and SIGHUP makes it read its configuration again, if
//! it has a file of it. On other systems than Unix, they end the process, as they do by default.

use std::io;
#[cfg(unix)]
use std::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll},
};

#[cfg(unix)]
use tokio::{
    io::{AsyncRead, ReadBuf},
    net::UnixStream,
};

/// What to do.
#[cfg_attr(not(unix), expect(dead_code, reason = "no signal is waited for"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    Stop,
    Reload,
}

#[cfg(unix)]
pub(crate) struct Signals {
    stop: UnixStream,
    /// `None` if SIGHUP ends the process, as it does by default.
    reload: Option<UnixStream>,
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
        poll_fn(
            |cx| match (has_come(&mut self.stop, cx), &mut self.reload) {
                (Poll::Ready(()), _) => Poll::Ready(Signal::Stop),
                (Poll::Pending, Some(reload)) => has_come(reload, cx).map(|()| Signal::Reload),
                (Poll::Pending, None) => Poll::Pending,
            },
        )
        .await
    }

    /// Waits for the next signal to stop. One to reload waits meanwhile.
    pub(crate) async fn stop(&mut self) {
        poll_fn(|cx| has_come(&mut self.stop, cx)).await;
    }
}

#[cfg(unix)]
fn has_come(stream: &mut UnixStream, cx: &mut Context<'_>) -> Poll<()> {
    let mut byte = [0];
    // The senders are never closed, so this is ready only after a signal.
    let read = Pin::new(stream).poll_read(cx, &mut ReadBuf::new(&mut byte));
    read.map(|_| ())
}

#[cfg(unix)]
fn receiver(signals: &[i32]) -> io::Result<UnixStream> {
    let (receiver, sender) = std::os::unix::net::UnixStream::pair()?;
    for signal in signals {
        signal_hook::low_level::pipe::register(*signal, sender.try_clone()?)?;
    }
    receiver.set_nonblocking(true)?;
    UnixStream::from_std(receiver)
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

    pub(crate) async fn stop(&mut self) {
        std::future::pending().await
    }
}
