//! `rdsign ca-bundle`: prints the trust bundle, or its part for a region, as PEM, as a list or as
//! JSON.

use std::process::ExitCode;

use clap::Args;
use rdsign::names::Region;
use rdsign::timestamp;
use serde_json::{Value, json};

use crate::ca_bundle::{Authority, authorities};
use crate::failure::Failure;
use crate::output::{self, json};

#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct CaBundleArgs {
    /// Print only the authorities of a region, and Amazon's public ones, which RDS Proxy uses
    #[arg(long, value_name = "REGION")]
    region: Option<String>,

    /// List subject, region and expiry instead of the certificates
    #[arg(long)]
    list: bool,

    /// Print the list as JSON
    #[arg(long)]
    json: bool,
}

const HELP: &str = "\
`rdsign exec` and `rdsign doctor` use this bundle unless you name another file.

Examples:
  rdsign ca-bundle > rds.pem
  rdsign ca-bundle --region eu-central-1 > rds.pem
  rdsign ca-bundle --list";

pub(crate) fn run(args: CaBundleArgs) -> Result<ExitCode, Failure> {
    let mut chosen: Vec<Authority<'_>> = authorities().collect();
    if let Some(region) = args.region.map(Region::new).transpose()? {
        let region = region.as_str();
        if !chosen.iter().any(|a| a.region.as_deref() == Some(region)) {
            return Err(Failure::Usage(format!(
                "region: the bundle has no certificate authority of {region}; accepted: a region \
                 that `rdsign ca-bundle --list` shows"
            )));
        }
        chosen.retain(|authority| authority.serves(region));
    }
    if args.json {
        let list: Vec<Value> = chosen.iter().map(as_json).collect();
        json::print(&Value::from(list))?;
    } else if args.list {
        output::print(chosen.iter().map(as_row))?;
    } else {
        output::print(chosen.iter().map(|authority| authority.pem))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn as_row(authority: &Authority<'_>) -> String {
    let region = authority.region.as_deref().unwrap_or("-");
    let day = &timestamp::format_unix_seconds(authority.not_after)[..10];
    format!("{:<51}  {region:<15}  {day}\n", authority.subject)
}

fn as_json(authority: &Authority<'_>) -> Value {
    json!({
        "subject": authority.subject,
        "region": authority.region,
        "valid_from": timestamp::format_unix_seconds(authority.not_before),
        "expires_at": timestamp::format_unix_seconds(authority.not_after),
    })
}
