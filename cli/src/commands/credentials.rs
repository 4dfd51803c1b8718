//! `rdsign credentials`: shows which credentials are used, from which source, why the sources before
//! it had none, and what else the profile sets up. It shows neither the secret access key nor the
//! session token.

use std::process::ExitCode;

use clap::Args;
use rdsign::credentials::{Found, Visit, Walk};
use rdsign::names::{access_key_kind, shown_access_key_id};
use rdsign::{Signer, timestamp};
use serde_json::{Value, json};

use crate::args::SourceArgs;
use crate::failure::Failure;
use crate::output::{self, json};

#[derive(Args)]
#[command(after_help = "Shows neither the secret access key nor the session token.")]
pub(crate) struct CredentialsArgs {
    /// Region to ask STS in [default: AWS_REGION, else AWS_DEFAULT_REGION, else the profile's]
    #[arg(long, value_name = "REGION")]
    region: Option<String>,

    /// Print JSON, with every source that was checked; also if no credentials are found
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    source: SourceArgs,
}

pub(crate) fn run(args: CredentialsArgs) -> Result<ExitCode, Failure> {
    let mut signer = args.source.apply(Signer::builder());
    if let Some(region) = args.region {
        signer = signer.region(region);
    }
    let walk = signer.walk_credentials()?;
    if args.json {
        json::print(&document(&walk))?;
    }
    let found = walk.outcome?;
    if !args.json {
        output::print([text(&found)])?;
    }
    output::warn_about(&found.odd_keys());
    Ok(ExitCode::SUCCESS)
}

fn text(found: &Found) -> String {
    let end = match found.expires_at() {
        Some(time) => timestamp::format_rfc3339(time),
        None => "unknown: the source does not say".to_owned(),
    };
    let key = shown_access_key_id(found.access_key_id());
    let mut text = format!(
        "source:         {}\naccess key id:  {key} ({})\nexpires at:     {end}\n",
        found.source,
        output::key(found.access_key_id(), has_session_token(found))
    );
    for tried in &found.tried {
        let (source, reason) = (tried.source, &tried.reason);
        text.push_str(&format!("tried before:   {source}: {reason}\n"));
    }
    for unused in &found.unused {
        let (source, reason) = (unused.source, &unused.reason);
        text.push_str(&format!("not used:       {source}: {reason}\n"));
    }
    text
}

fn document(walk: &Walk) -> Value {
    let steps: Vec<Value> = walk.steps.iter().map(step).collect();
    let found = walk.outcome.as_ref().ok();
    let error = walk.outcome.as_ref().err();
    json!({
        "code": error.map(|error| error.code().as_str()),
        "message": error.map(|error| error.message()),
        "source": found.map(|found| found.source),
        "access_key_id": found.map(|found| shown_access_key_id(found.access_key_id())),
        "kind": found.map(kind),
        "expires_at": found.and_then(Found::expires_at).map(timestamp::format_rfc3339),
        "walk": steps,
    })
}

fn step(visit: &Visit) -> Value {
    let reason = Some(&visit.reason).filter(|reason| !reason.is_empty());
    json!({"source": visit.source, "result": visit.result.as_str(), "reason": reason})
}

fn kind(found: &Found) -> &'static str {
    access_key_kind(found.access_key_id(), has_session_token(found))
}

fn has_session_token(found: &Found) -> bool {
    found.credentials.session_token().is_some()
}
