//! Checks that no other user can have put or changed what is read, loaded or run from a folder.
//!
//! A folder that another user prepared could contain a library or settings that run that user's
//! code, and that user could read the secrets written to it. So the owner and the mode of the
//! folder and of its files are checked at every start. Links are allowed if their owner is.

use std::fs::Metadata;
use std::io::ErrorKind;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use nix::unistd::{Uid, User};

use crate::error::{Context, LocalError};
use crate::process::run_as::RunAs;

/// The bits of a mode that let the group or everyone write.
const WRITABLE: u32 = 0o022;
const WRITABLE_BY_EVERYONE: u32 = 0o002;
/// In a folder with this bit, users can rename and remove only their own files.
const STICKY: u32 = 0o1000;

/// Checks that `folder` and everything in the `content` that exists belongs to this user, or to
/// the one that PostgreSQL runs as, and that nobody else can write to it.
pub(crate) fn check(folder: &Path, content: &[&str], run_as: &RunAs) -> Result<(), LocalError> {
    check_parents(folder, run_as)?;
    check_one(folder, &metadata(folder)?, run_as)?;
    for name in content {
        check_tree(&folder.join(name), run_as)?;
    }
    Ok(())
}

/// Checks that nobody else can replace `path` by renaming a folder that contains it.
///
/// A folder that its group can write to is accepted: many systems give each user a group.
pub(crate) fn check_parents(path: &Path, run_as: &RunAs) -> Result<(), LocalError> {
    for parent in path.ancestors().skip(1) {
        let about = metadata(parent)?;
        if !is_trusted(about.uid(), run_as) && !is_outside(about.uid()) {
            return Err(foreign(parent, about.uid()));
        }
        let is_open = about.mode() & WRITABLE_BY_EVERYONE != 0 && about.mode() & STICKY == 0;
        if is_open && !about.is_symlink() {
            return Err(untrusted(parent, "everyone can replace the files in it"));
        }
    }
    Ok(())
}

/// Reports whether this user is outside the user namespace of this process. In a sandbox that root
/// did not make, the folder `/` often belongs to such a user.
fn is_outside(user: u32) -> bool {
    let map = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    let numbers = |line: &str| -> Option<(u32, u32)> {
        let mut numbers = line.split_whitespace().map(str::parse);
        Some((numbers.next()?.ok()?, numbers.nth(1)?.ok()?))
    };
    let mut ranges = map.lines().filter_map(numbers).peekable();
    ranges.peek().is_some() && ranges.all(|(first, count)| user.wrapping_sub(first) >= count)
}

/// Checks that nobody else can change or replace a file that the user named, such as a configuration
/// or SQL. Accepts devices, and the pipes and descriptors that a shell opens.
pub(crate) fn check_named_file(file: &Path, run_as: &RunAs) -> Result<(), LocalError> {
    let reading = || format!("reading {}", file.display());
    let about = std::fs::metadata(file).context(reading)?;
    let Ok(target) = file.canonicalize() else {
        return Ok(()); // a pipe without a name, such as /dev/fd/3
    };
    if !about.is_file() && !about.file_type().is_fifo() {
        return Ok(());
    }
    for owner in [about.uid(), metadata(file)?.uid()] {
        if !is_trusted(owner, run_as) {
            return Err(foreign(file, owner));
        }
    }
    check_mode(file, &about)?;
    check_parents(&std::path::absolute(file).context(reading)?, run_as)?;
    check_parents(&target, run_as)
}

/// Checks that not everyone can write to the library next to the program. Whoever may replace it
/// may replace the program, too.
pub(crate) fn check_own_library(file: &Path) -> Result<(), LocalError> {
    let about = std::fs::metadata(file).context(|| format!("reading {}", file.display()))?;
    check_mode(file, &about)
}

fn check_mode(file: &Path, about: &Metadata) -> Result<(), LocalError> {
    match about.mode() & WRITABLE_BY_EVERYONE != 0 {
        true => Err(untrusted(file, "everyone can write to it")),
        false => Ok(()),
    }
}

/// Reports whether this user, root, or the user that PostgreSQL runs as has this id.
pub(crate) fn is_trusted(owner: u32, run_as: &RunAs) -> bool {
    let other = run_as.other().map(|user| user.uid);
    let owner = Uid::from_raw(owner);
    owner.is_root() || owner == Uid::effective() || Some(owner) == other
}

fn check_tree(path: &Path, run_as: &RunAs) -> Result<(), LocalError> {
    let about = match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        other => other.context(|| format!("reading {}", path.display()))?,
    };
    check_one(path, &about, run_as)?;
    if about.is_dir() {
        let reading = || format!("reading {}", path.display());
        for entry in std::fs::read_dir(path).context(reading)? {
            check_tree(&entry.context(reading)?.path(), run_as)?;
        }
    }
    Ok(())
}

fn check_one(path: &Path, about: &Metadata, run_as: &RunAs) -> Result<(), LocalError> {
    if !is_trusted(about.uid(), run_as) {
        return Err(foreign(path, about.uid()));
    }
    if !about.is_file() && !about.is_dir() && !about.is_symlink() {
        return Err(untrusted(path, "is not a file or a folder")); // a pipe would block the start
    }
    match !about.is_symlink() && about.mode() & WRITABLE != 0 {
        true => Err(untrusted(path, "other users can write to it")),
        false => Ok(()),
    }
}

/// The error about a file or folder of another user.
pub(crate) fn foreign(path: &Path, owner: u32) -> LocalError {
    let user = User::from_uid(Uid::from_raw(owner)).ok().flatten();
    let name = user.map_or_else(|| owner.to_string(), |user| user.name);
    LocalError::Untrusted {
        path: path.to_owned(),
        problem: format!("belongs to the user {name}"),
    }
}

fn untrusted(path: &Path, problem: &str) -> LocalError {
    LocalError::Untrusted {
        path: path.to_owned(),
        problem: problem.to_owned(),
    }
}

fn metadata(path: &Path) -> Result<Metadata, LocalError> {
    std::fs::symlink_metadata(path).context(|| format!("reading {}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::fs::{File, Permissions, create_dir, set_permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn run_as() -> RunAs {
        RunAs::choose(None).unwrap()
    }

    fn chmod(path: &Path, mode: u32) {
        set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_folder_or_file_that_others_can_write_to_is_rejected() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("data/postgresql.conf");
        create_dir(folder.path().join("data")).unwrap();
        File::create(&file).unwrap();
        symlink("/etc/hostname", folder.path().join("data/link")).unwrap();
        chmod(&file, 0o644);
        chmod(&folder.path().join("data"), 0o755);
        let check = || check(folder.path(), &["data", "missing"], &run_as());
        check().unwrap();
        for path in [&file, &folder.path().join("data"), folder.path()] {
            let mode = std::fs::metadata(path).unwrap().mode();
            for more in [0o020, 0o002] {
                chmod(path, mode | more);
                let error = check().unwrap_err().to_string();
                assert!(error.starts_with(&format!("{}: other users", path.display())));
            }
            chmod(path, mode);
        }
        check().unwrap();
    }

    #[test]
    fn a_folder_that_everyone_can_replace_is_rejected() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("data");
        create_dir(&folder).unwrap();
        for (mode, accepted) in [(0o755, true), (0o775, true), (0o1777, true), (0o777, false)] {
            chmod(parent.path(), mode);
            assert_eq!(
                check_parents(&folder, &run_as()).is_ok(),
                accepted,
                "{mode:o}"
            );
        }
    }

    #[test]
    fn a_configuration_that_everyone_can_write_to_is_rejected() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for (mode, accepted) in [(0o600, true), (0o664, true), (0o666, false)] {
            chmod(file.path(), mode);
            assert_eq!(
                check_named_file(file.path(), &run_as()).is_ok(),
                accepted,
                "{mode:o}"
            );
        }
        check_named_file(Path::new("/dev/null"), &run_as()).unwrap();
    }
}
