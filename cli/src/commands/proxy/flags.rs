//! The flags of `rdsign proxy`. Each is a key of the file of `--config` too, with `_` for `-`: those of an
//! endpoint in `[[endpoints]]`, and the others at the top.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, FromArgMatches, Subcommand, ValueEnum, ValueHint};
use rdsign::names;
use rdsign_proxy::Limits;

use super::password::PasswordArgs;
use crate::args::{DialArgs, SourceArgs, usage};

#[derive(Args)]
#[command(after_help = HELP, args_conflicts_with_subcommands = true)]
pub(crate) struct ProxyArgs {
    #[command(subcommand)]
    pub(super) action: Option<Action>,

    #[command(flatten)]
    pub(super) settings: Settings,
}

#[derive(Subcommand)]
pub(super) enum Action {
    /// Check the settings, and log in once to each endpoint as its first user
    #[command(after_help = CHECK)]
    Check(Box<Settings>),
    /// Print a line for --password-file
    Password(PasswordArgs),
}

#[derive(Args)]
pub(super) struct Settings {
    #[command(flatten)]
    pub(super) given: Given,

    /// TOML file with all settings and any number of endpoints; SIGHUP reads it again
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) config: Option<PathBuf>,

    #[command(flatten)]
    pub(super) endpoint: EndpointArgs,

    #[command(flatten)]
    pub(super) process: ProcessArgs,
}

/// The flags that the command line has, and their values.
#[derive(Clone)]
pub(super) struct Given(pub(super) Vec<(String, Vec<OsString>)>);

impl FromArgMatches for Given {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = matches.ids().filter_map(|id| {
            let is_typed = matches.value_source(id.as_str()) == Some(ValueSource::CommandLine);
            // Groups of flags have no values.
            let values = matches.try_get_raw(id.as_str()).ok()??;
            is_typed.then(|| (id.to_string(), values.map(OsString::from).collect()))
        });
        Ok(Self(given.collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for Given {
    fn augment_args(command: Command) -> Command {
        command
    }

    fn augment_args_for_update(command: Command) -> Command {
        command
    }
}

/// Where clients connect, and where their logins go.
#[derive(Args, Clone)]
pub(super) struct EndpointArgs {
    /// Name of the endpoint in the log and the metrics: lower-case letters, digits, - and _
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub(super) name: Option<String>,

    /// Host name of the endpoint, as RDS or DSQL shows it [default: PGHOST]
    #[arg(long, value_name = "HOST")]
    pub(super) hostname: Option<String>,

    /// Port of the endpoint [default: PGPORT, else 5432]
    #[arg(long, value_name = "PORT")]
    #[arg(value_parser = names::parse_port)]
    pub(super) port: Option<i64>,

    /// Database user that clients may log in as; may be repeated [default: PGUSER]
    #[arg(long, value_name = "USER")]
    pub(super) username: Vec<String>,

    /// Let clients log in as any user; the proxy's own logins are as the first --username
    #[arg(long)]
    pub(super) any_user: bool,

    /// Name that clients use for a database user, such as app=iam_user; may be repeated
    #[arg(long, value_name = "CLIENT=USER", value_parser = map_user)]
    pub(super) map_user: Vec<(String, String)>,

    /// Region of the database [default: the host name's, else AWS_REGION, else
    /// AWS_DEFAULT_REGION, else the profile's]
    #[arg(long, value_name = "REGION")]
    pub(super) region: Option<String>,

    /// Service of the database, rds or dsql [default: the host name's, else rds]. Only a name of
    /// your own needs it
    #[arg(long, value_name = "SERVICE")]
    pub(super) service: Option<String>,

    #[command(flatten)]
    pub(super) source: SourceArgs,

    #[command(flatten)]
    pub(super) dial: DialArgs,

    /// PEM file of the certificate authorities to trust, or `system` [default: PGSSLROOTCERT,
    /// else those of RDS, and for a proxy or DSQL the system's too]
    #[arg(long, value_name = "FILE")]
    pub(super) sslrootcert: Option<PathBuf>,

    /// Address to listen on; port 0 is a free one. Others than loopback addresses need --tls-cert and
    /// --password-file [default: 127.0.0.1:5432, unless --socket is given]
    #[arg(long, value_name = "ADDRESS")]
    #[arg(value_parser = address("listen", "an address such as 127.0.0.1:5432"))]
    pub(super) listen: Option<SocketAddr>,

    /// Folder for a Unix socket, which only your user may use
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(super) socket: Option<PathBuf>,

    /// ID of another user of this machine who may use the socket; may be repeated
    #[arg(long, value_name = "UID")]
    #[arg(value_parser = usage::count("allow uid", "the number of a user, as `id -u` prints it", 0..=u32::MAX))]
    pub(super) allow_uid: Vec<u32>,

    /// PEM file of the certificate for clients that use TLS, followed by its chain. Read again when it
    /// changes, as the next two
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) tls_cert: Option<PathBuf>,

    /// PEM file of the certificate's key
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) tls_key: Option<PathBuf>,

    /// File of the passwords that clients must give, with lines of `rdsign proxy password`
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) password_file: Option<PathBuf>,
}

/// What holds for the whole process.
#[derive(Args, Clone)]
pub(super) struct ProcessArgs {
    /// Sessions at once
    #[arg(long, value_name = "NUMBER", default_value_t = Limits::default().max_connections)]
    #[arg(value_parser = usage::count("max connections", "1 to 100000", 1..=100_000))]
    pub(super) max_connections: u32,

    /// Logins in a second; more wait for their turn. RDS refuses more than 200
    #[arg(long, value_name = "NUMBER", default_value_t = Limits::default().max_logins_per_second)]
    #[arg(value_parser = usage::count("max logins per second", "1 to 10000", 1..=10_000))]
    pub(super) max_logins_per_second: u32,

    /// Seconds that connecting to the server may take
    #[arg(long, value_name = "SECONDS", default_value_t = Limits::default().connect_timeout.as_secs())]
    #[arg(value_parser = usage::seconds::<u64>("connect timeout", "1 to 600", |n| (1..=600).contains(n)))]
    pub(super) connect_timeout: u64,

    /// Seconds for the client's TLS, first message and password together, and then for the login
    /// after connecting
    #[arg(long, value_name = "SECONDS", default_value_t = Limits::default().startup_timeout.as_secs())]
    #[arg(value_parser = usage::seconds::<u64>("startup timeout", "1 to 600", |n| (1..=600).contains(n)))]
    pub(super) startup_timeout: u64,

    /// Seconds that open sessions may go on after SIGTERM
    #[arg(long, value_name = "SECONDS", default_value_t = Limits::default().drain.as_secs())]
    #[arg(value_parser = usage::seconds::<u64>("drain", "0 to 86400", |n| *n <= 86_400))]
    pub(super) drain: u64,

    /// Address to answer /startup, /liveness, /readiness and /metrics on by HTTP; port 0 is a free
    /// one. Any address: the answers name no server, user or database
    #[arg(long, value_name = "ADDRESS")]
    #[arg(value_parser = address("health", "an address such as 127.0.0.1:9090 or 0.0.0.0:9090"))]
    pub(super) health: Option<SocketAddr>,

    /// Seconds since the last login in which /readiness needs no new one
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 60,
        requires = "health"
    )]
    #[arg(value_parser = usage::seconds::<u64>("max login age", "1 to 3600", |n| (1..=3600).contains(n)))]
    pub(super) max_login_age: u64,

    /// Database that /readiness and `check` log in to
    #[arg(long, value_name = "DATABASE", default_value = "postgres", value_parser = database)]
    pub(super) health_database: String,

    /// How the log on standard error is written
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(super) log_format: LogFormat,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    Text,
    Json,
}

const HELP: &str = "\
Clients connect without TLS and without a password. The proxy connects to the
server over verified TLS, and logs in with a new token for each connection.
Everybody who can connect to it can log in, so it listens only on this machine:
on a Unix socket that only your user may use, or for every local user by TCP.
With --password-file, clients must give a password. With --tls-cert and
--tls-key too, it may listen on any address, and clients there must use TLS.

Examples:
  rdsign proxy --hostname mydb.abc123.eu-central-1.rds.amazonaws.com \\
    --username iam_user --listen 127.0.0.1:6543
  psql \"host=127.0.0.1 port=6543 user=iam_user dbname=postgres\"

  rdsign proxy --hostname mydb.abc123.eu-central-1.rds.amazonaws.com \\
    --username iam_user --socket /run/user/1000/mydb
  psql \"host=/run/user/1000/mydb user=iam_user dbname=postgres\"

SIGTERM and Ctrl-C stop it: it stops listening, waits for the open sessions up
to --drain, and exits with status 0. A second signal ends the wait. SIGHUP reads
--config again.";

const CHECK: &str = "\
Prints a line for each endpoint. Exit status: 0 if all logins worked, 1 if one
failed, 2 if a setting is invalid. It listens nowhere.

Example:
  rdsign proxy check --config proxy.toml";

/// Parses an address with a port. `accepted` describes it.
fn address(
    field: &'static str,
    accepted: &'static str,
) -> impl Fn(&str) -> Result<SocketAddr, String> + Clone {
    move |text| {
        text.parse().map_err(|_| {
            let given = rdsign::quoted(text);
            format!("{field}: {given} is not an address with a port; accepted: {accepted}")
        })
    }
}

/// Parses a client's name and the user that it stands for. The first `=` is between them.
fn map_user(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((client, user)) if !client.is_empty() && !user.is_empty() => {
            Ok((client.to_owned(), user.to_owned()))
        }
        _ => Err(format!(
            "map user: {} is not CLIENT=USER; accepted: such as app=iam_user",
            rdsign::quoted(text)
        )),
    }
}

/// Parses the name of a database, which a startup message ends with a NUL. An empty one would be the user's.
fn database(text: &str) -> Result<String, String> {
    match !text.is_empty() && !text.contains('\0') {
        true => Ok(text.to_owned()),
        false => Err(format!(
            "health database: {} is not a name of a database; accepted: a name without NUL",
            rdsign::quoted(text)
        )),
    }
}

/// Parses the name of an endpoint, which is a label of metrics.
fn name(text: &str) -> Result<String, String> {
    let is_word =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    match !text.is_empty() && text.len() <= 63 && text.bytes().all(is_word) {
        true => Ok(text.to_owned()),
        false => Err(format!(
            "name: {} is not a name of an endpoint; accepted: 1 to 63 lower-case letters, digits, - \
             and _",
            rdsign::quoted(text)
        )),
    }
}
