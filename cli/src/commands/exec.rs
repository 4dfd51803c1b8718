//! `rdsign exec`: runs a program with a token in its environment, and with TLS settings that verify
//! the server before the program sends the token.
//!
//! The token is in the program's environment, which only its user and root can read, and never in
//! the arguments, which everyone can read. On Unix, rdsign replaces itself with the program, so
//! signals and the exit status need no forwarding. On Windows, it waits for the program.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::process::{Command, ExitCode};

use clap::{Args, ValueHint};

use rdsign::ErrorCode;
use rdsign::libpq::{self, Login, SslMode};

use crate::args::{DialArgs, TargetArgs, service, variable};
use crate::ca_bundle::BundleFile;
use crate::failure::{self, Failure};
use crate::output;
use crate::system::{self, NULL_DEVICE};

#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct ExecArgs {
    #[command(flatten)]
    target: TargetArgs,

    #[command(flatten)]
    dial: DialArgs,

    /// Database to connect to [default: PGDATABASE, else postgres for DSQL, else the program's own
    /// default]
    #[arg(long, value_name = "NAME")]
    dbname: Option<String>,

    /// How the program verifies the server [default: the service's, which must be verify-full, else
    /// PGSSLMODE, else verify-full]
    #[arg(long, value_name = "MODE")]
    sslmode: Option<String>,

    /// Program to run, with its arguments
    #[arg(trailing_var_arg = true, value_name = "COMMAND", required = true)]
    #[arg(value_hint = ValueHint::CommandWithArguments)]
    command: Vec<OsString>,
}

const HELP: &str = "\
Sets PGPASSWORD to a token, and PGHOST, PGPORT and PGUSER to log in with it.
Unless you set them, PGSSLMODE becomes verify-full, and PGSSLROOTCERT the
certificate authorities of RDS that `rdsign ca-bundle` prints. The token opens
connections for at most 15 minutes; open connections stay open.

A service that PGSERVICE names replaces these variables. Arguments of psql and
other programs of PostgreSQL that name another server, port or user, or have a
password, are refused, also after env, nice, sudo, timeout and the like.
Scripts are not read.

Examples:
  rdsign exec --hostname mydb.abc123.eu-central-1.rds.amazonaws.com \\
    --username iam_user -- psql -d postgres
  rdsign exec --dbname app -- pg_dump -Fd -j 4 -f app.dump

Through a tunnel that listens on this machine:
  rdsign exec --hostname mydb.abc123.eu-central-1.rds.amazonaws.com \\
    --username iam_user --hostaddr 127.0.0.1 --hostport 15432 -- \\
    psql -d postgres

Exit status: the program's; 127 if the program does not exist, 126 if it cannot
be started; 2 for invalid input, and 1 for every other failure of rdsign.";

const NO_SUCH_PROGRAM: u8 = 127;
const CANNOT_BE_STARTED: u8 = 126;

pub(crate) fn run(args: ExecArgs) -> Result<ExitCode, Failure> {
    let (mut child, _bundle) = prepare(args)?;
    // If the bundle is in memory, the program inherits its descriptor.
    let error = match system::run(&mut child) {
        Ok(status) => return Ok(status),
        Err(error) => error,
    };
    let program = child.get_program().to_string_lossy();
    let (problem, status) = match error.kind() {
        ErrorKind::NotFound => ("no such program".to_owned(), NO_SUCH_PROGRAM),
        _ => (format!("cannot be started: {error}"), CANNOT_BE_STARTED),
    };
    failure::complain(&format!("{program}: {problem}"));
    Ok(ExitCode::from(status))
}

fn prepare(args: ExecArgs) -> Result<(Command, Option<BundleFile>), Failure> {
    service::load(match args.sslmode {
        None => SslMode::OfTheService,
        Some(_) => SslMode::OfTheCaller,
    })?;
    let mut words = args.command.into_iter();
    let program = words.next().unwrap_or_default();
    let words: Vec<_> = words.collect();
    let target = args.target.filled()?;
    let is_missing = target.hostname.is_none() || target.username.is_none();
    let signer = target.builder()?.build().map_err(|error| {
        let is_about_it = matches!(
            error.code(),
            ErrorCode::InvalidHostname | ErrorCode::InvalidUsername
        );
        match is_missing && is_about_it && !words.is_empty() {
            true => without_target(&error, &program.to_string_lossy()),
            false => error.into(),
        }
    })?;
    let endpoint = signer.endpoint();
    let texts: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
    let port = args.dial.hostport.unwrap_or(endpoint.port());
    let ports = [endpoint.port(), port];
    let login = Login {
        hostname: endpoint.hostname(),
        ports: if signer.service().names_login() {
            &ports
        } else {
            &[]
        },
        username: Some(signer.username()),
        sslmode: args.sslmode.as_deref(),
    };
    libpq::check_arguments(&program.to_string_lossy(), &texts, login).map_err(usage)?;
    let only = signer.service().default_database().map(str::to_owned);
    let database = args.dbname.or_else(|| variable("PGDATABASE")).or(only);
    // Some programs read a connection string where others read a name. The user's name is their
    // default database.
    for name in [database.as_deref(), Some(signer.username())] {
        libpq::check_connection_string(name.unwrap_or_default(), login).map_err(usage)?;
    }
    let mut child = Command::new(program);
    child.args(words);
    let variables = service::variables().map_err(|keyword| {
        Failure::Usage(format!(
            "service: {keyword} cannot be passed to the program; accepted: keywords of libpq that \
             have a variable or keep the server"
        ))
    })?;
    child.envs(variables.set);
    for keyword in variables.left_out {
        failure::complain(&format!(
            "warning: {keyword} of the service is left out: libpq has no variable for it"
        ));
    }
    // A service that an argument names would override everything below, so none can be found.
    child.env_remove("PGSERVICE");
    child.env("PGSERVICEFILE", NULL_DEVICE);
    child.env("PGSYSCONFDIR", NULL_DEVICE);
    // With Kerberos, the program would encrypt the connection without TLS.
    child.env("PGGSSENCMODE", "disable");
    child.env("PGHOST", endpoint.hostname());
    child.env("PGPORT", port.to_string());
    child.env("PGUSER", signer.username());
    if let Some(address) = args.dial.hostaddr {
        child.env("PGHOSTADDR", address.to_string());
    }
    if let Some(name) = database {
        child.env("PGDATABASE", name);
    }
    if let Some(mode) = args.sslmode {
        child.env("PGSSLMODE", mode);
    } else if variable("PGSSLMODE").is_none() {
        child.env("PGSSLMODE", "verify-full");
    }
    let mut bundle = None;
    if variable("PGSSLROOTCERT").is_none() {
        let file = BundleFile::make()?;
        child.env("PGSSLROOTCERT", file.path());
        bundle = Some(file);
    }
    // Last, because the token's lifetime starts now.
    child.env("PGPASSWORD", signer.token()?.value());
    output::warn_about(&signer.odd_keys());
    Ok((child, bundle))
}

/// The error is about an argument or a database, and the flags of rdsign do what they may not.
fn usage(error: rdsign::Error) -> Failure {
    let flags = match error.code() {
        ErrorCode::InvalidPort => "--port of rdsign, or --hostport to dial another port",
        ErrorCode::InvalidUsername => "--username of rdsign",
        ErrorCode::InvalidCredentials => "rdsign sets PGPASSWORD",
        _ => "--hostname, --hostaddr and --sslmode of rdsign",
    };
    Failure::Usage(format!("{error} ({flags})"))
}

/// The error for a missing host or user, which the arguments of the program may name.
fn without_target(error: &rdsign::Error, program: &str) -> Failure {
    let (flag, variable) = match error.code() {
        ErrorCode::InvalidUsername => ("--username USER", "PGUSER"),
        _ => ("--hostname HOST", "PGHOST"),
    };
    Failure::Usage(format!(
        "{}: {error}. Arguments of {program} do not count: use `rdsign exec {flag} -- {program} …`, or set \
         {variable}",
        error.code()
    ))
}
