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
    let _ = sd_notify::notify(states);
}

#[cfg(not(unix))]
pub(crate) fn ready() {}

#[cfg(not(unix))]
pub(crate) fn reloading() {}

#[cfg(not(unix))]
pub(crate) fn stopping() {}
