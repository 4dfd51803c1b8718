//! The number of files and sockets that the process may open. A session needs two, and so does a request to
//! cancel.

#[cfg(unix)]
use crate::limits::TOLD;
use crate::log::Log;

/// Listeners, the log, connections to --health, look-ups of names and fetches of credentials.
#[cfg(unix)]
const OTHERS: u64 = 200;

/// Raises the limit as far as this many sessions need it, and warns if the system does not allow it.
#[cfg(unix)]
pub(crate) fn allow(sessions: u32, log: &Log) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    use crate::log::Level;

    let needed = 2 * (u64::from(sessions) + u64::from(TOLD)) + OTHERS;
    let limit = getrlimit(Resource::Nofile);
    let is_enough = |limit: Option<u64>| limit.is_none_or(|limit| limit >= needed);
    if is_enough(limit.current) {
        return;
    }
    let wanted = limit.maximum.map_or(needed, |maximum| maximum.min(needed));
    let raised = setrlimit(
        Resource::Nofile,
        Rlimit {
            current: Some(wanted),
            maximum: limit.maximum,
        },
    );
    if raised.is_err() || wanted < needed {
        let message = format!(
            "--max-connections {sessions} needs {needed} open files; the limit (ulimit -n) is lower"
        );
        log.line(Level::Warning, "limits", &[("message", message.into())]);
    }
}

/// Windows has no such limit.
#[cfg(not(unix))]
pub(crate) fn allow(_sessions: u32, _log: &Log) {}
