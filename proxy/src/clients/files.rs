//! Files with secrets, and values that are read again when their files change.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use crate::log::{Level, Log};
use crate::{Error, locked};

/// The longest file that is read. A certificate has some kB; a million bytes are 8,000 passwords.
const LARGEST: u64 = 16 * 1024 * 1024;

/// What changes when a file does: times, length and inode. `None` if it cannot be looked at. The second
/// time, Unix's of the last change of the inode, also changes with the mode and the owner.
type Stamp = Option<(SystemTime, (i64, i64), u64, u64)>;

/// Reads a value. Logs what is wrong with a value that can be used.
type Reader<T> = fn(&[PathBuf], &Log) -> Result<T, Error>;

/// A value that is read from files.
pub(super) struct Watched<T> {
    paths: Vec<PathBuf>,
    read: Reader<T>,
    last: Mutex<Last<T>>,
}

/// The last value that was valid, and the stamps of its files.
struct Last<T> {
    stamps: Vec<Stamp>,
    value: Arc<T>,
    /// The stamps that could not be used since, and why: the log has it.
    refused: Option<(Vec<Stamp>, String)>,
}

impl<T> Watched<T> {
    pub(super) fn open(paths: Vec<PathBuf>, read: Reader<T>, log: &Log) -> Result<Self, Error> {
        // Taken first: a file that changes while it is read is then read again.
        let stamps = stamps(&paths);
        let value = Arc::new(read(&paths, log)?);
        Ok(Self {
            paths,
            read,
            last: Mutex::new(Last {
                stamps,
                value,
                refused: None,
            }),
        })
    }

    /// Returns the value, after reading it again if a file has changed. An invalid file is logged
    /// once, and the value stays. It is tried each time, because the reason may lie outside of it.
    pub(super) fn get(&self, log: &Log) -> Arc<T> {
        let mut last = locked(&self.last);
        let stamps = stamps(&self.paths);
        if last.stamps != stamps {
            let read = (self.read)(&self.paths, log);
            let read = read.map_err(|problem| (stamps.clone(), problem.to_string()));
            let (level, message) = match read {
                Ok(value) => {
                    *last = Last {
                        stamps,
                        value: Arc::new(value),
                        refused: None,
                    };
                    let paths = self.paths.iter().map(|path| path.display().to_string());
                    let paths: Vec<_> = paths.collect();
                    let were = if paths.len() == 1 { "was" } else { "were" };
                    let message = format!("{} {were} read again", paths.join(" and "));
                    (Level::Info, message)
                }
                Err(refused) if last.refused.as_ref() == Some(&refused) => {
                    return last.value.clone();
                }
                Err(refused) => {
                    let message = format!("{}; what was read before stays in use", refused.1);
                    last.refused = Some(refused);
                    (Level::Warning, message)
                }
            };
            log.line(level, "files", &[("message", message.into())]);
        }
        last.value.clone()
    }
}

fn stamps(paths: &[PathBuf]) -> Vec<Stamp> {
    paths.iter().map(|path| stamp(path)).collect()
}

fn stamp(path: &Path) -> Stamp {
    let metadata = fs::metadata(path).ok()?;
    #[cfg(unix)]
    let (changed, inode) = {
        use std::os::unix::fs::MetadataExt;
        ((metadata.ctime(), metadata.ctime_nsec()), metadata.ino())
    };
    #[cfg(not(unix))]
    let (changed, inode) = ((0, 0), 0);
    Some((metadata.modified().ok()?, changed, metadata.len(), inode))
}

/// Opens a file. Anything else is refused before: to open a named pipe would wait for its writer.
fn open(path: &Path) -> io::Result<File> {
    match fs::metadata(path)?.is_file() {
        true => File::open(path),
        false => Err(io::Error::other("not a file")),
    }
}

/// Reads a file.
pub(super) fn read(field: &str, path: &Path) -> Result<Vec<u8>, Error> {
    open(path)
        .and_then(content)
        .map_err(|error| unreadable(field, path, &error))
}

/// Reads a file that only its owner may be able to read, by PostgreSQL's rule for private keys.
/// <https://www.postgresql.org/docs/current/ssl-tcp.html>
pub(super) fn read_private(field: &str, path: &Path) -> Result<Vec<u8>, Error> {
    let file = open(path).map_err(|error| unreadable(field, path, &error))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let metadata = file.metadata();
        let metadata = metadata.map_err(|error| unreadable(field, path, &error))?;
        if !is_private(
            metadata.mode(),
            metadata.uid(),
            rustix::process::geteuid().as_raw(),
        ) {
            return Err(Error::Usage(format!(
                "{field}: others can read or change {}; accepted: a file of this user with the mode \
                 0600 or less, or one of root with 0640 or less",
                path.display()
            )));
        }
    }
    content(file).map_err(|error| unreadable(field, path, &error))
}

#[cfg(unix)]
fn is_private(mode: u32, owner: u32, user: u32) -> bool {
    match owner {
        owner if owner == user && owner != 0 => mode & 0o077 == 0,
        0 => mode & 0o037 == 0,
        _ => false,
    }
}

fn content(file: File) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut content)?;
    match content.len() as u64 > LARGEST {
        true => Err(io::Error::other("longer than 16 MiB")),
        false => Ok(content),
    }
}

fn unreadable(field: &str, path: &Path, error: &io::Error) -> Error {
    Error::Usage(format!(
        "{field}: {} cannot be read: {error}",
        path.display()
    ))
}

#[cfg(all(test, unix))]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

    use super::*;
    use crate::log::Format;

    #[test]
    fn what_cannot_be_used_is_logged_once_and_tried_until_it_can() {
        static IS_BROKEN: AtomicBool = AtomicBool::new(false);
        fn length(paths: &[PathBuf], _log: &Log) -> Result<usize, Error> {
            match IS_BROKEN.load(SeqCst) {
                true => Err(Error::Usage("no file descriptor is free".to_owned())),
                false => Ok(read("file", &paths[0])?.len()),
            }
        }
        let (mut output, input) = io::pipe().unwrap();
        let log = Log::start(Format::Text, input).unwrap();
        let path = std::env::temp_dir().join(format!("rdsign-watched-{}", std::process::id()));
        fs::write(&path, "1").unwrap();
        let file = Watched::open(vec![path.clone()], length, &log).unwrap();
        fs::write(&path, "22").unwrap();
        IS_BROKEN.store(true, SeqCst);
        assert_eq!((*file.get(&log), *file.get(&log)), (1, 1));
        IS_BROKEN.store(false, SeqCst);
        assert_eq!((*file.get(&log), *file.get(&log)), (2, 2));
        fs::remove_file(path).unwrap();
        drop(log);
        let mut text = String::new();
        output.read_to_string(&mut text).unwrap();
        let count = |part| text.matches(part).count();
        assert_eq!((count("is free"), count("read again")), (1, 1), "{text}");
    }

    #[test]
    fn a_private_file_is_of_this_user_alone_or_of_root_and_a_group() {
        let user = 1000;
        for (mode, owner, expected) in [
            (0o600, user, true),
            (0o400, user, true),
            (0o640, user, false),
            (0o604, user, false),
            (0o600, 0, true),
            (0o640, 0, true),
            (0o440, 0, true),
            (0o660, 0, false),
            (0o644, 0, false),
            (0o600, 1001, false),
        ] {
            let mode_and_type = 0o100_000 | mode;
            assert_eq!(
                is_private(mode_and_type, owner, user),
                expected,
                "{mode:o} of {owner}"
            );
        }
        // As root, a group may read, too.
        assert!(is_private(0o100_640, 0, 0));
        assert!(!is_private(0o100_644, 0, 0));
    }
}
