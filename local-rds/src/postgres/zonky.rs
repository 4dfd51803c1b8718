//! The PostgreSQL in the JARs of `io.zonky.test.postgres`, which embedded databases of Java tests come
//! from: a JAR with an archive, which is unpacked once, into a cache folder.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::cache;
use super::places::{matching, trusted};
use crate::folder::trust;
use crate::process::run_as::RunAs;

const ARTIFACT: &str = "embedded-postgres-binaries";
const GROUP: &str = "io.zonky.test.postgres";
/// Programs that unpack a JAR, with arguments that start with its path or end with it.
const UNPACKERS: [&[&str]; 3] = [
    &["unzip", "-q"],
    &["jar", "-xf"],
    &["python3", "-m", "zipfile", "-e"],
];

/// A JAR, and the version in its name.
#[derive(Clone, Debug)]
pub(super) struct Jar {
    pub(super) path: PathBuf,
    pub(super) version: String,
}

/// Returns the JARs for this machine in the repositories of Maven and Gradle.
pub(super) fn all() -> Vec<Jar> {
    let Some(home) = std::env::var_os("HOME").map(PathBuf::from) else {
        return Vec::new();
    };
    let artifact = artifact();
    let gradle = std::env::var_os("GRADLE_USER_HOME").map(PathBuf::from);
    let gradle = gradle.unwrap_or_else(|| home.join(".gradle"));
    let maven = home.join(".m2/repository").join(GROUP.replace('.', "/"));
    let versions = [
        maven.join(&artifact).join("*"),
        gradle
            .join("caches/modules-2/files-2.1")
            .join(GROUP)
            .join(&artifact)
            .join("*"),
    ];
    let mut found = Vec::new();
    for folder in versions
        .iter()
        .flat_map(|path| matching(&path.to_string_lossy()))
    {
        let Some(version) = folder
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
        else {
            continue;
        };
        let name = format!("{artifact}-{version}.jar");
        // Gradle has a folder for each hash.
        let mut paths = vec![folder.join(&name)];
        paths.extend(matching(&folder.join("*").join(&name).to_string_lossy()));
        let jar = paths.into_iter().find(|path| path.is_file());
        found.extend(jar.map(|path| Jar { path, version }));
    }
    found
}

/// Returns the name of the artifact for this machine.
pub(super) fn artifact() -> String {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64v8",
        other => other,
    };
    format!("{ARTIFACT}-linux-{architecture}")
}

impl Jar {
    /// Returns the folder of its programs. Unpacks it unless that was done.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub(super) fn programs(&self, run_as: &RunAs) -> Result<PathBuf, String> {
        let this = RunAs::this();
        trust::check_named_file(&self.path, &this).map_err(|error| error.to_string())?;
        let of_jar = |problem: String| format!("{}: {problem}", self.path.display());
        let cache = cache::of_programs(run_as)
            .ok_or_else(|| of_jar("there is no cache folder to unpack it to".to_owned()))?;
        let parent = cache.join("postgres");
        let folder = parent.join(format!("{}-{}", artifact(), self.version));
        if !folder.is_dir() {
            match cache::create(&parent) {
                Ok(true) => {}
                Ok(false) => {
                    return Err(of_jar(format!("others can write to {}", parent.display())));
                }
                Err(error) => {
                    return Err(of_jar(format!("creating {}: {error}", parent.display())));
                }
            }
            self.unpack(&parent, &folder).map_err(of_jar)?;
        }
        let bin = folder.join("bin");
        trusted(&bin).map(|()| bin)
    }

    /// Unpacks it to the new folder `folder` in `parent`.
    fn unpack(&self, parent: &Path, folder: &Path) -> Result<(), String> {
        let unfinished = tempfile::Builder::new()
            .prefix(".new-")
            .tempdir_in(parent)
            .map_err(|error| format!("creating a folder in {}: {error}", parent.display()))?;
        let (content, new) = (unfinished.path().join("jar"), unfinished.path().join("new"));
        for folder in [&content, &new] {
            std::fs::create_dir(folder).map_err(|error| error.to_string())?;
        }
        let unpacked = UNPACKERS.iter().find_map(|words| {
            let mut command = Command::new(words[0]);
            command
                .args(&words[1..])
                .arg(&self.path)
                .current_dir(&content);
            if words.contains(&"zipfile") {
                command.arg(&content);
            }
            finished(&mut command)
        });
        unpacked.ok_or("to unpack it, unzip, jar or python3 is needed; none was found")??;
        let archives = std::fs::read_dir(&content).into_iter().flatten().flatten();
        let archive = archives
            .map(|entry| entry.path())
            .find(|path| path.extension().is_some_and(|end| end == "txz"))
            .ok_or("it contains no .txz")?;
        let mut tar = Command::new("tar");
        tar.args(["--no-same-owner", "-xJf"])
            .arg(archive)
            .arg("-C")
            .arg(&new);
        finished(&mut tar).ok_or("to unpack it, tar and xz are needed; tar was not found")??;
        // Another process may have been faster.
        let _ = std::fs::rename(new, folder);
        Ok(())
    }
}

/// Runs a program to its end. Returns `None` if there is no such program.
fn finished(command: &mut Command) -> Option<Result<(), String>> {
    let done = command.stdin(Stdio::null()).output().ok()?;
    let problem = String::from_utf8_lossy(&done.stderr);
    let problem = problem.lines().next().unwrap_or("no message");
    let program = command.get_program().display();
    Some(match done.status.success() {
        true => Ok(()),
        false => Err(format!("unpacking it with {program} failed: {problem}")),
    })
}
