//! Chooses the configuration file that the server reads: the one given, the one already in the
//! server's folder, or a new one. It is not copied unless the server cannot read it.

use std::fs::File;
use std::path::PathBuf;

use super::default;
use crate::error::{Context, LocalError};
use crate::folder::{CONFIG, Folder, trust};

/// The configuration file that the server reads at every login.
pub(crate) struct ConfigFile {
    pub(crate) path: PathBuf,
    /// Endpoints in addition to those of the file.
    pub(crate) more_endpoints: Vec<String>,
    /// A remark for the user; `None` if there is nothing to say.
    pub(crate) remark: Option<String>,
}

impl ConfigFile {
    /// Chooses the file. `given` is the one of `--config`, `endpoints` are those of `--endpoint`.
    pub(crate) fn choose(
        given: Option<PathBuf>,
        endpoints: &[String],
        folder: &Folder,
    ) -> Result<Self, LocalError> {
        let own = folder.path(CONFIG);
        let (path, remark) = match given {
            Some(given) => readable(given, folder)?,
            None if own.exists() => {
                folder.close_file(&own);
                (own, None)
            }
            None => {
                let text = default::text(endpoints)?;
                return Ok(Self {
                    path: folder.write(CONFIG, 0o600, text.as_bytes())?,
                    more_endpoints: Vec::new(),
                    remark: None,
                });
            }
        };
        Ok(Self {
            path,
            more_endpoints: endpoints.to_vec(),
            remark,
        })
    }
}

/// Returns the file itself, so that an edit takes effect at once. Returns a copy and a remark about
/// it if the user that PostgreSQL runs as cannot read it, or if it can be read only once.
fn readable(given: PathBuf, folder: &Folder) -> Result<(PathBuf, Option<String>), LocalError> {
    let reading = || format!("reading {}", given.display());
    let path = std::path::absolute(&given).context(|| format!("finding {}", given.display()))?;
    trust::check_named_file(&path, folder.run_as())?;
    let is_file = path.metadata().context(reading)?.is_file();
    let content = std::fs::read(&path).context(reading)?;
    let problem = if !is_file {
        "is not a regular file".to_owned()
    } else if let Some(user) = folder.run_as().other()
        && folder.run_as().as_owner(|| File::open(&path)).is_err()
    {
        format!(
            "cannot be read by {}, the user PostgreSQL runs as",
            user.name
        )
    } else {
        return Ok((path, None));
    };
    let copy = folder.write("config-copy.toml", 0o600, &content)?;
    let remark = format!(
        "{} {problem}; edit the copy instead: {}",
        path.display(),
        copy.display()
    );
    Ok((copy, Some(remark)))
}
