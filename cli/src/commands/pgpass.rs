//! `rdsign pgpass`: prints a token as a line of libpq's password file.
//!
//! The token in the line expires after at most 15 minutes, so write such a file just before a
//! program reads it.
//! Format: <https://www.postgresql.org/docs/current/libpq-pgpass.html>

use std::borrow::Cow;
use std::process::ExitCode;

use clap::Args;

use crate::args::{DialArgs, TargetArgs};
use crate::failure::Failure;
use crate::output;

#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct PgpassArgs {
    #[command(flatten)]
    target: TargetArgs,

    #[command(flatten)]
    dial: DialArgs,

    /// Database that the line is for [default: *, which means all]
    #[arg(long, value_name = "NAME")]
    dbname: Option<String>,
}

const HELP: &str = "\
libpq ignores a password file that others can read or that is not a plain file.
It finds the line by the host name, even if it dials another address, and by the
port that it dials. Set PGSSLMODE, too: libpq's default does not verify who gets
the token.

Example:
  export PGSSLMODE=verify-full PGSSLROOTCERT=global-bundle.pem
  (umask 077 && rdsign pgpass > token.pgpass)
  PGPASSFILE=token.pgpass psql -d postgres";

pub(crate) fn run(args: PgpassArgs) -> Result<ExitCode, Failure> {
    if let Some(name) = args
        .dbname
        .as_deref()
        .filter(|name| name.contains(char::is_control))
    {
        return Err(Failure::Usage(format!(
            "dbname: {} contains a control character, which would end or change the line; \
             accepted: other characters",
            rdsign::quoted(name)
        )));
    }
    let signer = args.target.builder()?.build()?;
    let token = signer.token()?;
    output::warn_about(&signer.odd_keys());
    let endpoint = signer.endpoint();
    let port = args.dial.hostport.unwrap_or(endpoint.port());
    let database = args.dbname.as_deref().map_or("*".into(), escaped);
    output::print([format!(
        "{}:{port}:{database}:{}:{}\n",
        escaped(endpoint.hostname()),
        escaped(signer.username()),
        escaped(token.value()),
    )])?;
    Ok(ExitCode::SUCCESS)
}

/// Returns a field that matches only this text. libpq removes a backslash and keeps the character
/// after it; a field that is only `*` matches anything.
fn escaped(text: &str) -> Cow<'_, str> {
    if text == "*" {
        return r"\*".into();
    }
    if !text.contains([':', '\\']) {
        return text.into();
    }
    text.replace('\\', r"\\").replace(':', r"\:").into()
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn special_characters_are_escaped() {
        for (text, field) in [
            ("plain", "plain"),
            ("a:b", r"a\:b"),
            (r"a\b", r"a\\b"),
            (r"\:", r"\\\:"),
            ("*", r"\*"),
            ("a*", "a*"),
            ("[::1]", r"[\:\:1]"),
        ] {
            assert_eq!(escaped(text), field);
        }
    }
}
