//! `rdsign token`: prints a token. Standard output contains only the token, so that a shell can
//! assign it to a variable.

use std::process::ExitCode;

use clap::Args;
use rdsign::{SignerBuilder, timestamp};

use crate::args::{TargetArgs, usage};
use crate::failure::Failure;
use crate::output;

#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct TokenArgs {
    #[command(flatten)]
    pub(super) target: TargetArgs,

    #[command(flatten)]
    signing: SigningArgs,
}

/// How a token is signed and printed.
#[derive(Args)]
pub(crate) struct SigningArgs {
    /// Lifetime of the token in seconds, 1 to 900, or for DSQL 1 to 604800 [default: 900]
    #[arg(long, value_name = "SECONDS")]
    #[arg(value_parser = usage::seconds::<i64>("expires in", "1 to 900, or for DSQL 1 to 604800", |_| true))]
    expires_in: Option<i64>,

    /// Sign as of this time [default: now], such as 2024-08-26T22:00:00Z; for tests
    #[arg(long, value_name = "RFC3339")]
    signing_time: Option<String>,

    /// Print the token without a trailing newline, for programs that run a command to get a
    /// password
    #[arg(short, long)]
    quiet: bool,
}

const HELP: &str = "\
No flag accepts keys. Credentials come from where the AWS CLI finds them: the
environment, the profile, web identity, the container or the instance.
`rdsign credentials` shows which ones are used.

Examples:
  rdsign token --hostname mydb.abc123.eu-central-1.rds.amazonaws.com \\
    --username iam_user

  export PGHOST=mydb.abc123.eu-central-1.rds.amazonaws.com PGUSER=iam_user
  export PGSSLMODE=verify-full PGSSLROOTCERT=global-bundle.pem
  PGPASSWORD=$(rdsign token) psql -d postgres

Through a tunnel, sign for the endpoint and dial the tunnel:
  PGPASSWORD=$(rdsign token --port 5432) PGHOSTADDR=127.0.0.1 PGPORT=15432 \\
    psql -d postgres

As pgAdmin's password exec command (set its expiration to 840 seconds; by
default it never expires):
  rdsign token -q --hostname %HOSTNAME% --port %PORT% --username %USERNAME%";

pub(crate) fn run(args: TokenArgs) -> Result<ExitCode, Failure> {
    sign(args.target.builder()?, args.signing)
}

pub(super) fn sign(mut signer: SignerBuilder, args: SigningArgs) -> Result<ExitCode, Failure> {
    if let Some(expires_in) = args.expires_in {
        signer = signer.expires_in(expires_in);
    }
    let signer = signer.build()?;
    let token = match args.signing_time {
        Some(time) => signer.token_at(timestamp::parse_rfc3339(&time)?)?,
        None => signer.token()?,
    };
    output::warn_about(&signer.odd_keys());
    let end = if args.quiet { "" } else { "\n" };
    output::print([token.value(), end])?;
    Ok(ExitCode::SUCCESS)
}
