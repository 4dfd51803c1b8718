//! `rdsign token`, and the same under the AWS CLI's name with the AWS CLI's flags.

use std::io::{self, Write};

use clap::Args;
use rdsign::{Signer, endpoint, timestamp};

use crate::Failure;
use crate::credentials::SourceArgs;

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct TokenArgs {
    /// Host name of the endpoint, as RDS shows it [default: PGHOST]
    #[arg(long, value_name = "HOST")]
    hostname: Option<String>,

    /// Port of the endpoint [default: PGPORT, else 5432]
    #[arg(long, value_name = "PORT", allow_negative_numbers = true)]
    port: Option<i64>,

    /// Database user to log in as [default: PGUSER]
    #[arg(long, value_name = "USER")]
    username: Option<String>,

    /// Region of the database [default: the host name's, else AWS_REGION, else
    /// AWS_DEFAULT_REGION, else the profile's]
    #[arg(long, value_name = "REGION")]
    region: Option<String>,

    /// Life of the token in seconds, 1 to 900 [default: 900]
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    expires_in: Option<i64>,

    /// Sign for another moment than now, such as 2024-08-26T22:00:00Z: for tests
    #[arg(long, value_name = "RFC3339")]
    signing_time: Option<String>,

    #[command(flatten)]
    source: SourceArgs,
}

const EXAMPLES: &str = "\
Keys never come from flags. They are looked for where the AWS CLI looks: the environment, the
profile, web identity, the container and the instance. `rdsign credentials` says what is found.

Examples:
  rdsign token --hostname mydb.abc123.eu-central-1.rds.amazonaws.com --username iam_user

  export PGHOST=mydb.abc123.eu-central-1.rds.amazonaws.com PGUSER=iam_user
  export PGSSLMODE=verify-full PGSSLROOTCERT=global-bundle.pem
  PGPASSWORD=$(rdsign token) psql -d postgres

Through a tunnel: sign for the endpoint, and dial the tunnel:
  PGPASSWORD=$(rdsign token --port 5432) PGHOSTADDR=127.0.0.1 PGPORT=15432 psql -d postgres";

pub(crate) fn print(args: TokenArgs) -> Result<(), Failure> {
    let mut signer = args.source.apply(Signer::builder());
    if let Some(hostname) = args.hostname.or_else(|| variable("PGHOST")) {
        signer = signer.hostname(hostname);
    }
    if let Some(port) = args.port {
        signer = signer.port(port);
    } else if let Some(port) = variable("PGPORT") {
        signer = signer.port(endpoint::parse_port(&port)?);
    }
    if let Some(username) = args.username.or_else(|| variable("PGUSER")) {
        signer = signer.username(username);
    }
    if let Some(region) = args.region {
        signer = signer.region(region);
    }
    if let Some(expires_in) = args.expires_in {
        signer = signer.expires_in(expires_in);
    }
    let signer = signer.build()?;
    let token = match args.signing_time {
        Some(time) => signer.token_at(timestamp::parse_rfc3339(&time)?)?,
        None => signer.token()?,
    };
    let mut output = io::stdout().lock();
    writeln!(output, "{}", token.value())?;
    output.flush()?;
    Ok(())
}

/// A variable of libpq's; an empty one counts as unset, as it does there.
fn variable(name: &str) -> Option<String> {
    std::env::var_os(name)
        .filter(|value| !value.is_empty())
        .map(|value| value.to_string_lossy().into_owned())
}
