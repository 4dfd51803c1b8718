//! The login, and the steps that query the open connection.
//!
//! tokio-postgres gets a stream that is already encrypted and verified, and must not ask for TLS
//! itself. So the token goes only through the connection whose certificate the TLS step checked.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_postgres::config::SslMode;
use tokio_postgres::{Client, Config, Error, NoTls, SimpleQueryMessage};
use tokio_rustls::client::TlsStream;

use super::entry::{Entry, Step};
use super::finding::Finding;
use super::network::without_address;

/// Why the login failed.
pub(crate) enum Refusal {
    /// The server's message.
    Said(String),
    /// The connection broke, or the server did not answer.
    Broken(String),
}

pub(crate) async fn log_in(
    stream: TlsStream<TcpStream>,
    username: &str,
    password: &str,
    dbname: &str,
    limit: Duration,
) -> Result<Client, Refusal> {
    let mut config = Config::new();
    config.user(username).password(password).dbname(dbname);
    config
        .application_name("rdsign doctor")
        .ssl_mode(SslMode::Disable);
    match timeout(limit, config.connect_raw(stream, NoTls)).await {
        Err(_) => Err(Refusal::Broken(format!(
            "no answer within {} s",
            limit.as_secs()
        ))),
        Ok(Err(error)) => Err(match error.as_db_error() {
            // DSQL says the reason in a hint.
            Some(error) => Refusal::Said(match error.hint() {
                Some(hint) => format!("{} ({hint})", error.message()),
                None => error.message().to_owned(),
            }),
            None => Refusal::Broken(reason(&error)),
        }),
        Ok(Ok((client, connection))) => {
            tokio::spawn(connection);
            Ok(client)
        }
    }
}

/// Formats an error with its causes, which its own text omits.
fn reason(error: &Error) -> String {
    let mut text = without_address(error);
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.push_str(&format!(": {}", without_address(cause)));
        source = cause.source();
    }
    text
}

/// Returns the first row of a query, as text.
async fn row(
    client: &Client,
    query: &str,
    limit: Duration,
) -> Result<Option<Vec<Option<String>>>, String> {
    let answer = timeout(limit, client.simple_query(query)).await;
    let messages = answer
        .map_err(|_| format!("no answer within {} s", limit.as_secs()))?
        .map_err(|error| reason(&error))?;
    Ok(messages.into_iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => {
            let values = (0..row.len()).map(|column| row.get(column).map(str::to_owned));
            Some(values.collect())
        }
        _ => None,
    }))
}

async fn value(client: &Client, query: &str, limit: Duration) -> Result<Option<String>, String> {
    let first = row(client, query, limit).await?;
    Ok(first.and_then(|row| row.into_iter().next().flatten()))
}

pub(crate) async fn version(client: &Client, limit: Duration) -> Option<String> {
    value(client, "show server_version", limit).await.ok()?
}

/// Compares the server's clock with this machine's.
pub(crate) async fn clock(client: &Client, limit: Duration) -> Entry {
    let seconds = |time: SystemTime| {
        time.duration_since(UNIX_EPOCH)
            .map_or(0.0, |d| d.as_secs_f64())
    };
    let before = seconds(SystemTime::now());
    let answer = value(
        client,
        "select extract(epoch from clock_timestamp())",
        limit,
    )
    .await;
    let after = seconds(SystemTime::now());
    match answer.map(|text| text.and_then(|text| text.parse::<f64>().ok())) {
        Ok(Some(server)) => compared(server - f64::midpoint(before, after)),
        Ok(None) => failed_query(Step::Clock, "the server returned no time"),
        Err(problem) => failed_query(Step::Clock, &problem),
    }
}

/// `ahead`: how many seconds the server's clock is ahead of this machine's. A server refuses a
/// token that is signed more than five minutes ahead of its clock. If this machine's clock is
/// behind, tokens expire that much earlier.
fn compared(ahead: f64) -> Entry {
    let seconds = ahead.abs();
    let direction = if ahead > 0.0 { "behind" } else { "ahead of" };
    let says = format!("this machine is {seconds:.0} s {direction} the server's clock");
    let next = "Set this machine's clock with NTP: the server refuses tokens if it is 5 minutes \
                ahead or 15 minutes behind.";
    match seconds {
        ..2.0 => Entry::fine(Step::Clock, "this machine and the server agree"),
        ..30.0 => Entry::fine(Step::Clock, says),
        ..240.0 => Entry::warning(Step::Clock, Finding::ClockDiffers, says).next(next),
        _ => Entry::failed(Step::Clock, Finding::ClockDiffers, says).next(next),
    }
}

fn failed_query(step: Step, problem: &str) -> Entry {
    let says = format!("the query failed: {problem}");
    Entry::failed(step, Finding::QueryFailed, says)
}

/// Finds the shortest path of memberships from the user to rds_iam. PostgreSQL rejects circular
/// memberships, so the search ends.
const PATH_TO_RDS_IAM: &str = "\
with recursive path(role, names) as (
    select oid, array[rolname::text] from pg_catalog.pg_roles where rolname = current_user
    union all
    select granted.oid, names || granted.rolname::text
    from path
    join pg_catalog.pg_auth_members on member = role
    join pg_catalog.pg_roles granted on granted.oid = roleid)
select array_to_string(names, ' > ') from path
where names[array_upper(names, 1)] = 'rds_iam' order by array_length(names, 1) limit 1";

pub(crate) async fn member(client: &Client, username: &str, limit: Duration) -> Entry {
    match value(client, PATH_TO_RDS_IAM, limit).await {
        Err(problem) => failed_query(Step::Member, &problem),
        Ok(Some(path)) if path.matches(" > ").count() == 1 => Entry::fine(
            Step::Member,
            format!("{username} is a member of rds_iam, directly"),
        ),
        Ok(Some(path)) => Entry::fine(
            Step::Member,
            format!("{username} is a member of rds_iam, through {path}"),
        ),
        Ok(None) => Entry::failed(
            Step::Member,
            Finding::NotInRdsIam,
            format!(
                "{username} logged in but is not in rds_iam: the server did not check the token"
            ),
        )
        .next(
            "Is this RDS? A server that trusts this address lets anyone in. On RDS, GRANT rds_iam \
             to the user.",
        ),
    }
}

pub(crate) async fn force_ssl(client: &Client, limit: Duration) -> Entry {
    let setting = value(
        client,
        "select current_setting('rds.force_ssl', true)",
        limit,
    )
    .await;
    match setting {
        Err(problem) => Entry::warning(
            Step::ForceSsl,
            Finding::QueryFailed,
            format!("the query failed: {problem}"),
        ),
        Ok(None) => Entry::skipped(Step::ForceSsl, "this server has no rds.force_ssl"),
        Ok(Some(on)) if matches!(on.as_str(), "1" | "on") => Entry::fine(
            Step::ForceSsl,
            "rds.force_ssl is on: the server rejects logins without TLS",
        ),
        Ok(Some(_)) => Entry::warning(
            Step::ForceSsl,
            Finding::ForceSslOff,
            "rds.force_ssl is off: users with passwords may log in without TLS",
        )
        .next("Set rds.force_ssl to 1 in the database's parameter group. Tokens need TLS anyway."),
    }
}

#[cfg(test)]
mod tests {
    use super::super::entry::Outcome;
    use super::super::report::Report;
    use super::*;

    #[test]
    fn a_wrong_clock_is_reported_before_tokens_fail() {
        for (ahead, outcome) in [
            (0.4, Outcome::Fine),
            (-20.0, Outcome::Fine),
            (-60.0, Outcome::Warning),
            (239.0, Outcome::Warning),
            (-290.0, Outcome::Failed),
            (600.0, Outcome::Failed),
        ] {
            assert_eq!(compared(ahead).outcome, outcome, "{ahead}");
        }
        let says = |ahead| compared(ahead).says;
        assert!(says(100.0).starts_with("this machine is 100 s behind"));
        assert!(says(-100.0).starts_with("this machine is 100 s ahead of"));
        let mut report = Report::default();
        assert!(!report.add(compared(600.0)));
    }
}
