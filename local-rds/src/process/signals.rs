//! Turns signals and the exit of child processes into events to wait for.
//!
//! The signals are blocked and read from a file descriptor, so no code runs in a signal handler
//! and no signal is lost. A child process inherits the mask, so it could not be interrupted: start
//! each child through [`Signals::restore_in`].

#![expect(
    unsafe_code,
    reason = "the calls for signals and between fork and exec are unsafe"
)]

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
    /// A child may have exited.
    Child,
    /// The time limit has passed.
    Timeout,
    /// This process was asked to stop.
    Stop {
        signal: Signal,
        /// Whether it comes from the terminal, which sends it to the command as well.
        from_terminal: bool,
    },
}

/// Takes over SIGINT, SIGTERM, SIGHUP and SIGCHLD of this process until drop.
pub(crate) struct Signals {
    fd: SignalFd,
    before: SigSet,
}

impl Signals {
    /// Takes over the signals. Must be called while the process has a single thread.
    pub(crate) fn take() -> Result<Self, LocalError> {
        let mut mask = SigSet::empty();
        for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGCHLD] {
            mask.add(signal);
        }
        if !is_ignored(Signal::SIGHUP) {
            mask.add(Signal::SIGHUP); // below nohup it stays ignored
        }
        let taken = || "taking over the signals".to_owned();
        // SAFETY: the default action of SIGCHLD runs no code of this program. It is set because
        // some parents leave SIGCHLD ignored, and then the system discards a child's exit status.
        unsafe { signal(Signal::SIGCHLD, SigHandler::SigDfl) }.context(taken)?;
        let mut before = SigSet::empty();
        sigprocmask(SigmaskHow::SIG_BLOCK, Some(&mask), Some(&mut before)).context(taken)?;
        let fd = SignalFd::with_flags(&mask, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)
            .context(taken)?;
        Ok(Self { fd, before })
    }

    /// Waits for the next event, without a time limit if `limit` is `None`.
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

    /// Makes `command` start with the original signal mask, and get the signal `at_our_death` when
    /// the calling thread ends for any reason. `own_session` detaches it from the terminal, so that
    /// Ctrl-C does not reach it.
    pub(crate) fn restore_in(
        &self,
        command: &mut Command,
        at_our_death: Signal,
        own_session: bool,
    ) {
        let (before, parent) = (self.before, getpid());
        let prepare = move || -> io::Result<()> {
            if own_session {
                setsid()?;
            }
            // Changing the user clears this setting. std changes it before it calls this closure.
            set_pdeathsig(at_our_death)?;
            if getppid() != parent {
                return Err(io::Error::from_raw_os_error(libc::ESRCH)); // the parent has just died
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
    /// Discards pending signals: they were meant for the server, and must not end this process.
    fn drop(&mut self) {
        while let Ok(Some(_)) = self.fd.read_signal() {}
        let _ = sigprocmask(SigmaskHow::SIG_SETMASK, Some(&self.before), None);
    }
}

fn is_ignored(signal: Signal) -> bool {
    // SAFETY: all-zero bytes are a valid sigaction; a null new action only queries the old one.
    let old = unsafe {
        let mut old: libc::sigaction = std::mem::zeroed();
        libc::sigaction(signal as i32, std::ptr::null(), &raw mut old);
        old
    };
    old.sa_sigaction == libc::SIG_IGN
}
