//! The forms for Windows.

mod rights;

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use windows_sys::Win32::System::Console::SetConsoleCtrlHandler;
use windows_sys::core::BOOL;

use super::absolute;

/// Neither a file with content nor a folder.
pub(crate) const NULL_DEVICE: &str = "NUL";

/// The variable that names the cache folder, in words.
pub(crate) const CACHE_FOLDER: &str = "LOCALAPPDATA";

/// Returns the folder for files that only this user needs, on this machine.
pub(crate) fn cache_folder() -> Option<PathBuf> {
    absolute(CACHE_FOLDER)
}

/// Creates a folder, unless it exists. It inherits the rights of the folder that it is in.
pub(crate) fn make_private(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)
}

/// Whether this is a folder that belongs to this user, and that no other one can write to. The system
/// and the administrators count as this user.
pub(crate) fn is_only_own(folder: &Path) -> io::Result<bool> {
    Ok(folder.symlink_metadata()?.is_dir() && rights::are_only_own(folder)?)
}

/// Creates a file, which must not exist. It inherits the rights of its folder.
pub(crate) fn private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

/// Windows has no such files.
pub(crate) fn in_memory() -> io::Result<(File, PathBuf)> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Runs a program, and ends this process with its exit status. Returns only on failure.
pub(crate) fn run(program: &mut Command) -> io::Result<ExitCode> {
    /// The console also sends Ctrl-C to the program, which decides what to do.
    extern "system" fn ignore(_: u32) -> BOOL {
        1
    }
    // A child does not inherit the handler. It would inherit an order to ignore Ctrl-C.
    // SAFETY: the handler is a function of this program.
    #[expect(unsafe_code, reason = "SetConsoleCtrlHandler is a C function")]
    unsafe {
        SetConsoleCtrlHandler(Some(ignore), 1)
    };
    let status = program.status()?;
    std::process::exit(status.code().unwrap_or(1))
}
