//! The log of `rdsign local`, which says why it refused a login. `$RDSIGN_LOCAL_LOG` names it.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;

use crate::args::variable;

/// In bytes: more than one login writes.
const LONGEST_PART: u64 = 1 << 16;

/// The log, and its length before the login.
pub(super) struct LocalLog {
    path: PathBuf,
    length: u64,
}

impl LocalLog {
    /// Returns the log if the variable names one.
    pub(super) fn before_the_login() -> Option<Self> {
        let path = PathBuf::from(variable("RDSIGN_LOCAL_LOG")?);
        let length = path.metadata().ok()?.len();
        Some(Self { path, length })
    }

    /// Returns what the log says about the login: `refused (ID): …`.
    pub(super) fn refusal(&self) -> Option<String> {
        let mut file = File::open(&self.path).ok()?;
        file.seek(SeekFrom::Start(self.length)).ok()?;
        let mut bytes = Vec::new();
        file.take(LONGEST_PART).read_to_end(&mut bytes).ok()?;
        let text = String::from_utf8_lossy(&bytes);
        let refusal = text
            .lines()
            .find_map(|line| line.split_once("rdsign: refused "))?;
        let shown: String = refusal.1.chars().filter(|c| !c.is_control()).collect();
        Some(format!("refused {shown}"))
    }
}
