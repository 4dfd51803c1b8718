//! Sets up a server: turns options into a PostgreSQL that accepts connections.
//!
//! Quick checks come first, so that a mistyped option is reported before a database is created,
//! which takes seconds.

use std::fmt::Write;
use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

use crate::config::choose::ConfigFile;
use crate::config::edit::Editor;
use crate::config::{self, Config};
use crate::control::About;
use crate::environment::{Environment, Places, commented, quoted};
use crate::error::{Context, LocalError};
use crate::folder::{self, DATA, Folder, leftovers};
use crate::launch::Options;
use crate::postgres::find::Postgres;
use crate::postgres::log::LOG;
use crate::postgres::server::{Server, Start, free_port};
use crate::postgres::{certificate, init_files, initdb, preload_library};
use crate::process::orphan;
use crate::process::run_as::RunAs;
use crate::process::signals::Signals;

const AUTHORITY: &str = "ca.pem";
/// How many free ports are tried. Another program may take one before the server listens on it.
const PORTS_TRIED: u32 = 5;

/// A server that accepts connections, and its files. The fields are dropped in this order.
pub(crate) struct Local {
    pub(crate) server: Server,
    pub(crate) folder: Folder,
    postgres: Postgres,
    config: Config,
    config_path: PathBuf,
    more_endpoints: Vec<String>,
    /// What the user should know, each as a sentence.
    remarks: Vec<String>,
}

impl Local {
    /// Checks the options, creates all files and starts the server.
    pub(crate) fn set_up(options: &Options, signals: &Signals) -> Result<Self, LocalError> {
        for endpoint in &options.endpoints {
            config::endpoint(endpoint, rdsign::DEFAULT_PORT).map_err(LocalError::Endpoint)?;
        }
        init_files::check(&options.init)?;
        preload_library::find()?;
        let data = options.data.as_ref().map(|folder| folder.join(DATA));
        let run_as = RunAs::choose(data.as_deref())?;
        let port = free_port(options.port)?;
        for parent in folder::temporary_parents() {
            leftovers::remove(&parent, &run_as);
        }
        let folder = match &options.data {
            Some(path) => Folder::kept(path, run_as)?,
            None => Folder::temporary(run_as)?,
        };
        let (postgres, refused) =
            Postgres::find(&folder, options.postgres.as_deref(), options.version)?;
        let refused = refused.iter().map(|refused| format!("not used: {refused}"));
        let file = ConfigFile::choose(options.config.clone(), &options.endpoints, &folder)?;
        let read = |port| Config::read(&file.path, port, &file.more_endpoints);
        let config = folder.run_as().as_owner(|| read(port))?;
        check_regions(&config)?;
        let certificates = certificate::make(&config.server.endpoints)?;
        folder.write(AUTHORITY, 0o644, certificates.authority.as_bytes())?;
        folder.write("server.pem", 0o644, certificates.server.as_bytes())?;
        folder.write("server.key", 0o600, certificates.server_key.as_bytes())?;
        preload_library::install(&folder)?;
        let stopping = || format!("stopping the PostgreSQL in {}", folder.path(DATA).display());
        orphan::stop_server_in(&folder.path(DATA), folder.run_as()).context(stopping)?;
        initdb::run(&folder, &postgres, &config, options.data.is_some(), signals)?;
        folder.write(LOG, 0o644, b"")?;
        let start = Start {
            folder: &folder,
            postgres: &postgres,
            config: &file.path,
            endpoints: &file.more_endpoints,
            signals,
        };
        let server = start_on_a_free_port(&start, options.port, port)?;
        let mut local = Self {
            // The server may use another port than the one found first.
            config: folder.run_as().as_owner(|| read(server.port()))?,
            server,
            folder,
            postgres,
            config_path: file.path,
            more_endpoints: file.more_endpoints,
            remarks: file.remark.into_iter().chain(refused).collect(),
        };
        if let Err(error) = local.run_init_files(&options.init, signals) {
            local.server.stop(signals);
            return Err(error);
        }
        Ok(local)
    }

    fn run_init_files(&mut self, files: &[PathBuf], signals: &Signals) -> Result<(), LocalError> {
        let (environment, password) = (self.environment(), &self.config.postgres_password);
        init_files::run(
            files,
            &self.postgres,
            &environment,
            password,
            &self.folder,
            signals,
            || self.server.check(),
        )
    }

    pub(crate) fn environment(&self) -> Environment {
        let (authority, log) = (self.folder.path(AUTHORITY), self.folder.path(LOG));
        let places = Places {
            port: self.server.port(),
            authorities: &authority,
            config: &self.config_path,
            log: &log,
        };
        Environment::new(&self.config, &places)
    }

    /// Returns what the control channel tells about it. `socket` is the channel's own.
    pub(crate) fn about(&self, socket: Option<PathBuf>) -> About {
        About {
            version: self.postgres.version().to_string(),
            major: self.postgres.version().major,
            process: self.server.process(),
            port: self.server.port(),
            password: self.config.postgres_password.clone(),
            authorities: self.folder.path(AUTHORITY),
            config: self.config_path.clone(),
            log: self.folder.path(LOG),
            folder: self.folder.path(""),
            socket,
            remark: (!self.remarks.is_empty()).then(|| self.remarks.join("; ")),
        }
    }

    /// Returns what changes the configuration. A file in the server's folder is changed with the rights of
    /// its owner, and one of the caller with those of the caller.
    pub(crate) fn editor(&self) -> Editor {
        let run_as = match self.config_path.starts_with(self.folder.path("")) {
            true => self.folder.run_as().clone(),
            false => RunAs::this(),
        };
        let (port, more) = (self.server.port(), self.more_endpoints.clone());
        Editor::new(self.config_path.clone(), port, more, run_as)
    }

    pub(crate) fn open_log(&self) -> Result<File, LocalError> {
        self.folder.append(LOG)
    }

    /// Returns lines that name the version, the port and the log.
    pub(crate) fn heading(&self, took: Duration) -> String {
        let (version, port) = (self.postgres.version(), self.server.port());
        let (took, log) = (took.as_secs_f64(), self.folder.path(LOG));
        let mut text = format!(
            "rdsign local: PostgreSQL {version} on 127.0.0.1:{port}, ready in {took:.1} s\n\
             rdsign local: why a login was refused: {}",
            log.display()
        );
        for remark in &self.remarks {
            let _ = write!(text, "\nrdsign local: {remark}");
        }
        text
    }

    /// Returns lines for a shell to read, followed by instructions in comments.
    pub(crate) fn how_to_connect(&self) -> String {
        let instructions = format!(
            "Log in with a token:      PGPASSWORD=\"$(rdsign token)\" psql\n\
             Log in with a password:   PGUSER=postgres \
             PGPASSWORD=\"$RDSIGN_LOCAL_ADMIN_PASSWORD\" psql\n\
             Access keys and policies: {} (read at every login, so edit it at any time)\n\
             Stop:                     Ctrl-C",
            quoted(&self.config_path.to_string_lossy()),
        );
        let exports = self.environment().exports();
        format!("\n{exports}\n{}", commented(&instructions))
    }
}

/// Rejects an endpoint of another region: the server would refuse every token for it.
fn check_regions(config: &Config) -> Result<(), LocalError> {
    let own = &config.server.region;
    for endpoint in &config.server.endpoints {
        if let Some(region) = endpoint.region().filter(|region| region != own) {
            return Err(LocalError::OtherRegion {
                hostname: endpoint.hostname().to_owned(),
                region: region.to_string(),
                own: own.to_string(),
            });
        }
    }
    Ok(())
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
