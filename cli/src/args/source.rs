//! The flags that choose a source of credentials. No flag accepts keys, because every user of the
//! machine can read a process's arguments.

use std::time::Duration;

use clap::Args;
use rdsign::SignerBuilder;

use super::usage;

/// The source of credentials; without any of these flags, the default chain.
#[derive(Args, Clone)]
pub(crate) struct SourceArgs {
    /// Profile of the AWS configuration files to use [default: the first source that has
    /// credentials]
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,

    /// ARN of a role to assume with the credentials found
    #[arg(long, value_name = "ARN")]
    role_arn: Option<String>,

    /// External id that the role requires
    #[arg(long, value_name = "ID")]
    external_id: Option<String>,

    /// Name of the role's session, as CloudTrail shows it [default: rdsign]
    #[arg(long, value_name = "NAME")]
    role_session_name: Option<String>,

    /// Seconds that all calls for credentials may take together [default: 5]
    #[arg(long, value_name = "SECONDS")]
    #[arg(value_parser = usage::seconds::<u32>("credentials timeout", "more than 0", |_| true))]
    credentials_timeout: Option<u32>,
}

impl SourceArgs {
    pub(crate) fn apply(self, mut signer: SignerBuilder) -> SignerBuilder {
        if let Some(profile) = self.profile {
            signer = signer.profile(profile);
        }
        if let Some(role_arn) = self.role_arn {
            signer = signer.role_arn(role_arn);
        }
        if let Some(external_id) = self.external_id {
            signer = signer.external_id(external_id);
        }
        if let Some(role_session_name) = self.role_session_name {
            signer = signer.role_session_name(role_session_name);
        }
        if let Some(seconds) = self.credentials_timeout {
            signer = signer.credentials_timeout(Duration::from_secs(seconds.into()));
        }
        signer
    }
}
