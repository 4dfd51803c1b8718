//! Tells systemd, or another manager of services that set `NOTIFY_SOCKET`, how the proxy is. Without one,
//! nothing is told.
//! <https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html>

#[cfg(unix)]
use sd_notify::NotifyState;

#[cfg(unix)]
pub(crate) fn ready() {
    tell(&[NotifyState::Ready]);
}

/// [`ready`] ends it.
#[cfg(unix)]
pub(crate) fn reloading() {
    // Without the time, systemd would not know that this answers its signal.
    if let Ok(time) = NotifyState::monotonic_usec_now() {
        tell(&[NotifyState::Reloading, time]);
    }
}

#[cfg(unix)]
pub(crate) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

#[cfg(unix)]
fn tell(states: &[NotifyState<'_>]) {
    // A manager that is gone needs no news.
    #[cfg(target_os = "linux")]
    if tell_abstract(states).is_some() {
        return;
    }
    let _ = sd_notify::notify(states);
}

/// Does what `sd_notify` does not: sends to a socket without a file, whose name starts with `@`. `None` if
/// it is another one.
#[cfg(target_os = "linux")]
fn tell_abstract(states: &[NotifyState<'_>]) -> Option<std::io::Result<usize>> {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::net::{SocketAddr, UnixDatagram};

    let name = std::env::var_os("NOTIFY_SOCKET")?;
    let name = name.as_bytes().strip_prefix(b"@")?;
    let message: String = states.iter().map(|state| format!("{state}\n")).collect();
    let send = |address| UnixDatagram::unbound()?.send_to_addr(message.as_bytes(), &address);
    Some(SocketAddr::from_abstract_name(name).and_then(send))
}

#[cfg(not(unix))]
pub(crate) fn ready() {}

#[cfg(not(unix))]
pub(crate) fn reloading() {}

#[cfg(not(unix))]
pub(crate) fn stopping() {}
