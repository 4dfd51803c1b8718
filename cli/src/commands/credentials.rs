//! `rdsign credentials`: shows which credentials are used, from which source, why the sources before
//! it had none, and what else the profile sets up. It shows neither the secret access key nor the
//! session token.

use std::process::ExitCode;

use clap::Args;
use rdsign::names::shown_access_key_id;
use rdsign::{Signer, timestamp};

use crate::args::SourceArgs;
use crate::failure::Failure;
use crate::output;

#[derive(Args)]
#[command(after_help = "Shows neither the secret access key nor the session token.")]
pub(crate) struct CredentialsArgs {
    /// Region to ask STS in [default: AWS_REGION, else AWS_DEFAULT_REGION, else the profile's]
    #[arg(long, value_name = "REGION")]
    region: Option<String>,

    #[command(flatten)]
    source: SourceArgs,
}

pub(crate) fn run(args: CredentialsArgs) -> Result<ExitCode, Failure> {
    let mut signer = args.source.apply(Signer::builder());
    if let Some(region) = args.region {
        signer = signer.region(region);
    }
    let found = signer.find_credentials()?;
    let kind = match found.credentials.session_token() {
        Some(_) => "temporary",
        None => "long-lived",
    };
    let end = match found.expires_at() {
        Some(time) => timestamp::format_rfc3339(time),
        None => "unknown: the source does not say".to_owned(),
    };
    let key = shown_access_key_id(found.access_key_id());
    let mut text = format!(
        "source:         {}\naccess key id:  {key} ({kind})\nexpires at:     {end}\n",
        found.source
    );
    for tried in &found.tried {
        let (source, reason) = (tried.source, &tried.reason);
        text.push_str(&format!("tried before:   {source}: {reason}\n"));
    }
    for unused in &found.unused {
        let (source, reason) = (unused.source, &unused.reason);
        text.push_str(&format!("not used:       {source}: {reason}\n"));
    }
    output::print([text])?;
    output::warn_about(&found.odd_keys());
    Ok(ExitCode::SUCCESS)
}
