//! Puts the parts together: from nothing to a server that takes connections.
//!
//! What can be told wrong at once is looked at first: a mistyped option should not take the time
//! that making a database does.

use std::fmt::Write;
use std::path::PathBuf;
use std::time::Duration;

use crate::account::Account;
use crate::cluster::DATA;
use crate::config::{self, Config};
use crate::environment::{Environment, quoted};
use crate::error::{Context, LocalError};
use crate::folder::Folder;
use crate::launch::Options;
use crate::postgres::Postgres;
use crate::server::{LOG, Server, Start, free_port};
use crate::signals::Signals;
use crate::{abandoned, certificate, cluster, default_config, folder, library};

const AUTHORITY: &str = "ca.pem";
/// How often another free port is looked for, when someone took the one just found.
const PORTS_TRIED: u32 = 5;

/// A server that is ready, and what belongs to it. Dropped in this order.
pub(crate) struct Local {
    pub(crate) server: Server,
    pub(crate) folder: Folder,
    postgres: Postgres,
    config: Config,
    config_path: PathBuf,
    remark: Option<String>,
}

impl Local {
    pub(crate) fn set_up(options: &Options, signals: &Signals) -> Result<Self, LocalError> {
        for endpoint in &options.endpoints {
            config::endpoint(endpoint, 5432).map_err(LocalError::Endpoint)?;
        }
        library::find()?;
        let data = options.data.as_ref().map(|folder| folder.join(DATA));
        let postgres = Postgres::find(data.as_deref())?;
        let account = Account::choose(data.as_deref())?;
        let port = free_port(options.port)?;
        for parent in folder::temporary_parents() {
            abandoned::remove(&parent, &account);
        }
        let folder = match &options.data {
            Some(path) => Folder::kept(path, account)?,
            None => Folder::temporary(account)?,
        };
        let file = ConfigFile::of(options, &folder)?;
        let config = Config::read(&file.path, port, &file.added)?;
        let certificates = certificate::make(&config.server.endpoints)?;
        folder.write(AUTHORITY, 0o644, certificates.authority.as_bytes())?;
        folder.write("server.pem", 0o644, certificates.server.as_bytes())?;
        folder.write("server.key", 0o600, certificates.server_key.as_bytes())?;
        library::install(&folder)?;
        let stopping = || format!("stopping the PostgreSQL in {}", folder.path(DATA).display());
        abandoned::stop_server_in(&folder.path(DATA)).context(stopping)?;
        let (password, durable) = (&config.postgres_password, options.data.is_some());
        cluster::make(&folder, &postgres, password, durable, signals)?;
        folder.write(LOG, 0o644, b"")?;
        let start = Start {
            folder: &folder,
            postgres: &postgres,
            config: &file.path,
            endpoints: &file.added,
            signals,
        };
        let server = start_on_a_free_port(&start, options.port, port)?;
        Ok(Self {
            // The port may be another than the one looked for first.
            config: Config::read(&file.path, server.port(), &file.added)?,
            server,
            folder,
            postgres,
            config_path: file.path,
            remark: file.remark,
        })
    }

    pub(crate) fn environment(&self) -> Environment {
        let (authority, log) = (self.folder.path(AUTHORITY), self.folder.path(LOG));
        let port = self.server.port();
        Environment::new(&self.config, &self.config_path, port, &authority, &log)
    }

    /// That it runs, and where its log is.
    pub(crate) fn heading(&self, took: Duration) -> String {
        let (version, port) = (self.postgres.version(), self.server.port());
        let (took, log) = (took.as_secs_f64(), self.folder.path(LOG));
        let mut text = format!(
            "rdsign local: PostgreSQL {version} on 127.0.0.1:{port}, ready in {took:.1} s\n\
             rdsign local: why a login was refused: {}",
            log.display()
        );
        if let Some(remark) = &self.remark {
            let _ = write!(text, "\nrdsign local: {remark}");
        }
        text
    }

    /// Lines to paste into a shell, and what to do then.
    pub(crate) fn how_to_connect(&self) -> String {
        format!(
            "\n\n{}\n\
             Log in with a token:      PGPASSWORD=\"$(rdsign token)\" psql\n\
             Log in with a password:   PGUSER=postgres PGPASSWORD={} psql\n\
             Access keys and policies: {} (read at every login: edit it and try again)\n\
             Stop:                     Ctrl-C",
            self.environment().exports(),
            quoted(&self.config.postgres_password),
            quoted(&self.config_path.to_string_lossy()),
        )
    }
}

/// Which configuration the server has.
struct ConfigFile {
    path: PathBuf,
    /// Endpoints that are not in the file.
    added: Vec<String>,
    remark: Option<String>,
}

impl ConfigFile {
    fn of(options: &Options, folder: &Folder) -> Result<Self, LocalError> {
        let own = folder.path("config.toml");
        let added = options.endpoints.clone();
        match &options.config {
            Some(given) => {
                let given = std::path::absolute(given)
                    .context(|| format!("finding {}", given.display()))?;
                let (path, remark) = readable(given, folder)?;
                Ok(Self {
                    path,
                    added,
                    remark,
                })
            }
            None if own.exists() => Ok(Self {
                path: own,
                added,
                remark: None,
            }),
            None => {
                let text = default_config::text(&options.endpoints)?;
                let path = folder.write("config.toml", 0o644, text.as_bytes())?;
                Ok(Self {
                    path,
                    added: Vec::new(),
                    remark: None,
                })
            }
        }
    }
}

/// The file itself, so that an edit works at once; or a copy, with a remark, where the user whom
/// the server runs as cannot read it.
fn readable(given: PathBuf, folder: &Folder) -> Result<(PathBuf, Option<String>), LocalError> {
    let content = std::fs::read(&given).context(|| format!("reading {}", given.display()))?;
    let Some(user) = folder.account().other() else {
        return Ok((given, None));
    };
    if folder.account().as_owner(|| std::fs::read(&given)).is_ok() {
        return Ok((given, None));
    }
    let copy = folder.write("config-copy.toml", 0o644, &content)?;
    let remark = format!(
        "{} cannot be read by the user {}, whom PostgreSQL runs as; a copy is used, so edit that \
         one: {}",
        given.display(),
        user.name,
        copy.display(),
    );
    Ok((copy, Some(remark)))
}

fn start_on_a_free_port(
    start: &Start<'_>,
    wanted: Option<u16>,
    first: u16,
) -> Result<Server, LocalError> {
    let mut port = first;
    for _ in 1..PORTS_TRIED {
        match start.start(port) {
            Err(LocalError::Port(..)) if wanted.is_none_or(|port| port == 0) => {
                port = free_port(None)?;
            }
            other => return other,
        }
    }
    start.start(port)
}
