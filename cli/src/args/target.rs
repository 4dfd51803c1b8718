//! The flags that say what a token is signed for, shared by `token`, `exec`, `pgpass` and `doctor`.
//! libpq's variables replace missing flags. Only the library checks the values.

use clap::Args;
use rdsign::libpq::SslMode;
use rdsign::{Signer, SignerBuilder, names};

use super::{SourceArgs, service, variable};

/// What a token is signed for, and with which credentials.
#[derive(Args, Clone)]
pub(crate) struct TargetArgs {
    /// Host name of the endpoint, as RDS or DSQL shows it [default: PGHOST]
    #[arg(long, value_name = "HOST")]
    pub(crate) hostname: Option<String>,

    /// Port of the endpoint [default: PGPORT, else 5432]
    #[arg(long, value_name = "PORT")]
    #[arg(value_parser = names::parse_port)]
    pub(crate) port: Option<i64>,

    /// Database user to log in as [default: PGUSER]
    #[arg(long, value_name = "USER")]
    pub(crate) username: Option<String>,

    /// Region of the database [default: the host name's, else AWS_REGION, else
    /// AWS_DEFAULT_REGION, else the profile's]
    #[arg(long, value_name = "REGION")]
    pub(crate) region: Option<String>,

    /// Service of the database, rds or dsql [default: the host name's, else rds]. Only a name of
    /// your own needs it
    #[arg(long, value_name = "SERVICE")]
    pub(crate) service: Option<String>,

    #[command(flatten)]
    pub(crate) source: SourceArgs,
}

impl TargetArgs {
    /// Fills missing flags from libpq's variables.
    pub(crate) fn filled(mut self) -> Result<Self, rdsign::Error> {
        if self.hostname.is_some() && self.username.is_some() && self.port.is_some() {
            return Ok(self);
        }
        service::load(SslMode::OfTheCaller)?;
        self.hostname = self.hostname.or_else(|| variable("PGHOST"));
        self.username = self.username.or_else(|| variable("PGUSER"));
        if self.port.is_none()
            && let Some(port) = variable("PGPORT")
        {
            let port = names::parse_port(&port);
            // Reports a list of hosts first: its ports are a list, too.
            if let (Err(_), Some(hostname)) = (&port, &self.hostname) {
                names::Endpoint::new(hostname, names::DEFAULT_PORT)?;
            }
            self.port = Some(port?);
        }
        Ok(self)
    }

    /// Returns a Signer's options, from flags and libpq's variables.
    pub(crate) fn builder(self) -> Result<SignerBuilder, rdsign::Error> {
        Ok(self.filled()?.options())
    }

    /// Returns a Signer's options, from flags only.
    pub(crate) fn options(self) -> SignerBuilder {
        let mut signer = self.source.apply(Signer::builder());
        if let Some(hostname) = self.hostname {
            signer = signer.hostname(hostname);
        }
        if let Some(port) = self.port {
            signer = signer.port(port);
        }
        if let Some(username) = self.username {
            signer = signer.username(username);
        }
        if let Some(region) = self.region {
            signer = signer.region(region);
        }
        if let Some(service) = self.service {
            signer = signer.service(service);
        }
        signer
    }
}
