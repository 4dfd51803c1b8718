//! `rdsign proxy`: a local endpoint for programs that cannot ask for a token. It turns flags into the
//! options of the library `rdsign-proxy`, which does everything else.

mod password;

use std::io::stderr;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum, ValueHint};
use rdsign::libpq::SslMode;
use rdsign::{Signer, names};
use rdsign_proxy::{
    ClientFiles, Clients, Dial, Format, Health, Level, Limits, Listen, Log, Metrics, Proxy, Server,
};

use crate::args::{DialArgs, SourceArgs, TargetArgs, service, usage, variable};
use crate::ca_bundle::Roots;
use crate::failure::Failure;

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, after_help = HELP)]
pub(crate) struct ProxyArgs {
    #[command(subcommand)]
    command: Option<ProxyCommand>,

    /// Host name of the endpoint, as RDS or DSQL shows it [default: PGHOST]
    #[arg(long, value_name = "HOST")]
    hostname: Option<String>,

    /// Port of the endpoint [default: PGPORT, else 5432]
    #[arg(long, value_name = "PORT", allow_negative_numbers = true)]
    #[arg(value_parser = names::parse_port)]
    port: Option<i64>,

    /// Database user that clients may log in as; may be repeated [default: PGUSER]
    #[arg(long, value_name = "USER")]
    username: Vec<String>,

    /// Region of the database [default: the host name's, else AWS_REGION, else
    /// AWS_DEFAULT_REGION, else the profile's]
    #[arg(long, value_name = "REGION")]
    region: Option<String>,

    /// Service of the database, rds or dsql [default: the host name's, else rds]. Only a name of
    /// your own needs it
    #[arg(long, value_name = "SERVICE")]
    service: Option<String>,

    #[command(flatten)]
    source: SourceArgs,

    #[command(flatten)]
    dial: DialArgs,

    /// PEM file of the certificate authorities to trust, or `system` [default: PGSSLROOTCERT,
    /// else those of RDS, and for a proxy or DSQL the system's too]
    #[arg(long, value_name = "FILE")]
    sslrootcert: Option<PathBuf>,

    /// Address to listen on; port 0 is a free one. Others than loopback addresses need --tls-cert and
    /// --password-file [default: 127.0.0.1:5432, unless --socket is given]
    #[arg(long, value_name = "ADDRESS")]
    #[arg(value_parser = address("listen", "an address such as 127.0.0.1:5432"))]
    listen: Option<SocketAddr>,

    /// Folder for a Unix socket, which only your user may use
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    socket: Option<PathBuf>,

    /// PEM file of the certificate for clients that use TLS, followed by its chain. Read again when it
    /// changes, as the next two
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    tls_cert: Option<PathBuf>,

    /// PEM file of the certificate's key
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    tls_key: Option<PathBuf>,

    /// File of the passwords that clients must give, with lines of `rdsign proxy password`
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    password_file: Option<PathBuf>,

    /// Sessions at once
    #[arg(long, value_name = "NUMBER", default_value_t = Limits::default().max_connections)]
    #[arg(value_parser = usage::count("max connections", "1 to 100000", 1..=100_000))]
    max_connections: u32,

    /// Logins in a second; more wait for their turn. RDS refuses more than 200
    #[arg(long, value_name = "NUMBER", default_value_t = Limits::default().max_logins_per_second)]
    #[arg(value_parser = usage::count("max logins per second", "1 to 10000", 1..=10_000))]
    max_logins_per_second: u32,

    /// Seconds that connecting to the server may take
    #[arg(long, value_name = "SECONDS", default_value_t = Limits::default().connect_timeout.as_secs())]
    #[arg(value_parser = usage::seconds::<u64>("connect timeout", "1 to 600", |n| (1..=600).contains(n)))]
    connect_timeout: u64,

    /// Seconds for the client's first message, and for the login after connecting
    #[arg(long, value_name = "SECONDS", default_value_t = Limits::default().startup_timeout.as_secs())]
    #[arg(value_parser = usage::seconds::<u64>("startup timeout", "1 to 600", |n| (1..=600).contains(n)))]
    startup_timeout: u64,

    /// Seconds that open sessions may go on after SIGTERM
    #[arg(long, value_name = "SECONDS", default_value_t = Limits::default().drain.as_secs())]
    #[arg(value_parser = usage::seconds::<u64>("drain", "0 to 86400", |n| *n <= 86_400))]
    drain: u64,

    /// Address to answer /startup, /liveness, /readiness and /metrics on by HTTP; port 0 is a free
    /// one. Any address: the answers name no server, user or database
    #[arg(long, value_name = "ADDRESS")]
    #[arg(value_parser = address("health", "an address such as 127.0.0.1:9090 or 0.0.0.0:9090"))]
    health: Option<SocketAddr>,

    /// Seconds since the last login in which /readiness needs no new one
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 60,
        requires = "health"
    )]
    #[arg(value_parser = usage::seconds::<u64>("max login age", "1 to 3600", |n| (1..=3600).contains(n)))]
    max_login_age: u64,

    /// Database that /readiness logs in to
    #[arg(
        long,
        value_name = "DATABASE",
        default_value = "postgres",
        requires = "health"
    )]
    health_database: String,

    /// How the log on standard error is written
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    log_format: LogFormat,
}

#[derive(Subcommand)]
enum ProxyCommand {
    /// Print a line for --password-file
    Password(password::PasswordArgs),
}

#[derive(Clone, Copy, ValueEnum)]
enum LogFormat {
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
to --drain, and exits with status 0. A second signal ends the wait.";

pub(crate) fn run(args: ProxyArgs) -> Result<ExitCode, Failure> {
    if let Some(ProxyCommand::Password(args)) = &args.command {
        return password::run(args);
    }
    // Its other settings count even if flags name the target.
    service::load(SslMode::OfTheCaller)?;
    let log = Log::start(
        match args.log_format {
            LogFormat::Text => Format::Text,
            LogFormat::Json => Format::Json,
        },
        stderr(),
    )
    .map_err(|error| Failure::Other(format!("the log cannot be started: {error}")))?;
    let metrics = Metrics::default();
    let signers = signers(&args, &log, &metrics)?;
    let dial = Dial {
        hostaddr: args.dial.address()?,
        hostport: args.dial.hostport,
    };
    let authorities = args
        .sslrootcert
        .or_else(|| variable("PGSSLROOTCERT").map(PathBuf::from));
    let roots = match signers.first() {
        Some(first) => Roots::choose(authorities, first.endpoint(), first.service()),
        None => Err("no user".to_owned()),
    };
    let roots = roots.map_err(|problem| Failure::Usage(format!("sslrootcert: {problem}")))?;
    let server = Server::new(signers, dial, roots.store).map_err(failure)?;
    let clients = Clients::open(ClientFiles {
        tls_cert: args.tls_cert,
        tls_key: args.tls_key,
        password_file: args.password_file,
    });
    let mut listen: Vec<_> = args.listen.map(Listen::Tcp).into_iter().collect();
    listen.extend(args.socket.map(Listen::Socket));
    if listen.is_empty() {
        listen.push(Listen::Tcp(([127, 0, 0, 1], names::DEFAULT_PORT).into()));
    }
    let proxy = Proxy {
        server,
        listen,
        clients: clients.map_err(failure)?,
        limits: Limits {
            max_connections: args.max_connections,
            max_logins_per_second: args.max_logins_per_second,
            startup_timeout: Duration::from_secs(args.startup_timeout),
            connect_timeout: Duration::from_secs(args.connect_timeout),
            drain: Duration::from_secs(args.drain),
        },
        health: args.health.map(|address| Health {
            address,
            max_login_age: Duration::from_secs(args.max_login_age),
            database: args.health_database,
        }),
        metrics,
        log,
    };
    proxy.serve().map_err(failure)?;
    Ok(ExitCode::SUCCESS)
}

/// Returns a signer for each user.
fn signers(args: &ProxyArgs, log: &Log, metrics: &Metrics) -> Result<Vec<Signer>, Failure> {
    let mut users: Vec<_> = args.username.iter().cloned().map(Some).collect();
    if users.is_empty() {
        users.push(None); // PGUSER's
    }
    let signer = |username| {
        let target = TargetArgs {
            hostname: args.hostname.clone(),
            port: args.port,
            username,
            region: args.region.clone(),
            service: args.service.clone(),
            source: args.source.clone(),
        };
        let (log, metrics) = (log.clone(), metrics.clone());
        let builder = target.builder()?.event_listener(move |event| {
            metrics.credentials(event.kind.as_str());
            let level = match event.kind.is_warning() {
                true => Level::Warning,
                false => Level::Info,
            };
            log.line(
                level,
                "credentials",
                &[("message", event.to_string().into())],
            );
        });
        Ok(builder.build()?)
    };
    users.into_iter().map(signer).collect()
}

fn failure(error: rdsign_proxy::Error) -> Failure {
    match error {
        rdsign_proxy::Error::Usage(problem) => Failure::Usage(problem),
        rdsign_proxy::Error::Other(problem) => Failure::Other(problem),
    }
}

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
