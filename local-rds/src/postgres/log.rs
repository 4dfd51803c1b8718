//! Bounds the size of the server's log: every login writes to it, so a program that logs in again
//! and again could fill the disk.
//!
//! The log is truncated in place, because the processes of the server keep it open. They all append
//! to it, so they continue at its new end. A line that is written at this moment may be lost.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;

use crate::error::{LocalError, LogTail};
use crate::folder::Folder;

/// The name of the server's log in its folder.
pub(crate) const LOG: &str = "server.log";

/// A log that is larger is cut to its last part.
const LARGEST: u64 = 64 << 20;
const KEPT: usize = 1 << 20;

/// The log of a running server.
pub(crate) struct Log(File);

impl Log {
    /// Opens the log in `folder`.
    pub(crate) fn open(folder: &Folder) -> Result<Self, LocalError> {
        folder.append(LOG).map(Self)
    }

    /// Returns its last lines.
    pub(crate) fn tail(&self) -> LogTail {
        LogTail::of(&self.0)
    }

    /// Cuts the log if it is too large, and reports whether it did.
    pub(crate) fn bound(&self) -> io::Result<bool> {
        bound(&self.0, LARGEST, KEPT)
    }
}

fn bound(mut log: &File, largest: u64, kept: usize) -> io::Result<bool> {
    let size = log.metadata()?.len();
    if size <= largest {
        return Ok(false);
    }
    let mut last = vec![0; kept];
    log.read_exact_at(&mut last, size - kept as u64)?;
    let start = last.iter().position(|byte| *byte == b'\n');
    let lines = &last[start.map_or(0, |newline| newline + 1)..];
    let note = format!("rdsign: the log was cut to its last lines, because it had {size} bytes\n");
    log.set_len(0)?;
    log.write_all(&[note.as_bytes(), lines].concat())?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;

    use super::*;

    #[test]
    fn a_large_log_keeps_its_last_lines_and_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(LOG);
        let mut options = OpenOptions::new();
        let mut log = options
            .read(true)
            .append(true)
            .create(true)
            .open(&path)
            .unwrap();
        let read = || std::fs::read_to_string(&path).unwrap();
        log.write_all(b"first\nsecond\nthird\n").unwrap();
        assert!(!bound(&log, 19, 10).unwrap());
        assert_eq!(read(), "first\nsecond\nthird\n");
        log.write_all(b"4\n").unwrap();
        assert!(bound(&log, 20, 10).unwrap());
        let note = "rdsign: the log was cut to its last lines, because it had 21 bytes\n";
        assert_eq!(read(), format!("{note}third\n4\n"));
        log.write_all(b"5\n").unwrap();
        assert_eq!(read(), format!("{note}third\n4\n5\n"));
    }
}
