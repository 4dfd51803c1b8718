//! Signals and the ends of child processes, as events to wait for.
//!
//! The signals are blocked and read from a descriptor, so nothing runs inside a handler and
//! nothing is lost between two looks. A child must be given the mask back, or it could not be
//! interrupted: [`Signals::restore_in`].

use std::io;
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{SigHandler, SigSet, SigmaskHow, Signal, signal, sigprocmask};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::{getpid, getppid, setsid};

use crate::error::{Context, LocalError};

/// What ended a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wake {
    /// A child may have ended.
    Child,
    /// The time is over.
    Timeout,
    /// Someone wants this process to stop.
    Stop {
        signal: Signal,
        /// Typed at the terminal, which sent it to the command as well.
        from_terminal: bool,
    },
}

/// SIGINT, SIGTERM, SIGHUP and SIGCHLD of this process, while it lives.
pub(crate) struct Signals {
    fd: SignalFd,
    before: SigSet,
}

impl Signals {
    /// Takes them over. To be called by the process's only thread.
    pub(crate) fn take() -> Result<Self, LocalError> {
        let mut mask = SigSet::empty();
        for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGCHLD] {
            mask.add(signal);
        }
        if !is_ignored(Signal::SIGHUP) {
            mask.add(Signal::SIGHUP); // else nohup is at work
        }
        let taken = || "taking over the signals".to_owned();
        // SAFETY: the default action of SIGCHLD runs no code of ours. Were it ignored, as some
        // parents leave it, the system would throw away how a child ended.
        unsafe { signal(Signal::SIGCHLD, SigHandler::SigDfl) }.context(taken)?;
        let mut before = SigSet::empty();
        sigprocmask(SigmaskHow::SIG_BLOCK, Some(&mask), Some(&mut before)).context(taken)?;
        let fd = SignalFd::with_flags(&mask, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)
            .context(taken)?;
        Ok(Self { fd, before })
    }

    /// Waits for the next event, for ever where `limit` is `None`.
    pub(crate) fn wait(&self, limit: Option<Duration>) -> Result<Wake, LocalError> {
        let waiting = || "waiting for a signal".to_owned();
        loop {
            if let Some(info) = self.fd.read_signal().context(waiting)? {
                let signal = i32::try_from(info.ssi_signo)
                    .ok()
                    .and_then(|number| Signal::try_from(number).ok());
                return Ok(match signal {
                    Some(Signal::SIGCHLD) | None => Wake::Child,
                    Some(signal) => Wake::Stop {
                        signal,
                        from_terminal: info.ssi_code == libc::SI_KERNEL,
                    },
                });
            }
            let limit = limit.map_or(PollTimeout::NONE, |limit| {
                PollTimeout::try_from(limit).unwrap_or(PollTimeout::MAX)
            });
            let mut fds = [PollFd::new(self.fd.as_fd(), PollFlags::POLLIN)];
            match poll(&mut fds, limit) {
                Ok(0) => return Ok(Wake::Timeout),
                Ok(_) | Err(nix::errno::Errno::EINTR) => {}
                Err(error) => return Err(error).context(waiting),
            }
        }
    }

    /// Makes `command` start with the signals as they were before, and get `at_our_death` when
    /// this thread ends, however it ends. `apart` gives it a session of its own, so that what is
    /// typed at the terminal does not reach it.
    pub(crate) fn restore_in(&self, command: &mut Command, at_our_death: Signal, apart: bool) {
        let (before, parent) = (self.before, getpid());
        let prepare = move || -> io::Result<()> {
            if apart {
                setsid()?;
            }
            // After the change of user, which would clear it; hence here, where std is done.
            set_pdeathsig(at_our_death)?;
            if getppid() != parent {
                return Err(io::Error::from_raw_os_error(libc::ESRCH)); // it died just before
            }
            sigprocmask(SigmaskHow::SIG_SETMASK, Some(&before), None)?;
            Ok(())
        };
        // SAFETY: between fork and exec only async-signal-safe calls are allowed; `prepare` makes
        // four plain system calls and allocates nothing.
        unsafe { command.pre_exec(prepare) };
    }
}

impl Drop for Signals {
    /// What is still pending was meant for what is over: it must not end the process now.
    fn drop(&mut self) {
        while let Ok(Some(_)) = self.fd.read_signal() {}
        let _ = sigprocmask(SigmaskHow::SIG_SETMASK, Some(&self.before), None);
    }
}

fn is_ignored(signal: Signal) -> bool {
    // SAFETY: all-zero bytes are a valid sigaction, and a null new action only asks for the old.
    let old = unsafe {
        let mut old: libc::sigaction = std::mem::zeroed();
        libc::sigaction(signal as i32, std::ptr::null(), &raw mut old);
        old
    };
    old.sa_sigaction == libc::SIG_IGN
}
