//! What a proxy counts, in the text format of Prometheus. Labels are fixed words, so nothing of a
//! client, a server or a credential gets in, and nothing needs quoting.
//! <https://prometheus.io/docs/instrumenting/exposition_formats/>

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The upper ends of the histogram's buckets, in seconds.
const BUCKETS: [f64; 11] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// The counters of a proxy. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct Metrics(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    connections: AtomicU64,
    closed: AtomicU64,
    bytes: Bytes,
    credentials: Mutex<BTreeMap<&'static str, u64>>,
    logins: Mutex<Logins>,
}

/// How many bytes went each way, after the logins.
#[derive(Debug, Default)]
pub(crate) struct Bytes {
    pub(crate) to_server: AtomicU64,
    pub(crate) to_client: AtomicU64,
}

#[derive(Debug, Default)]
struct Logins {
    /// By outcome and doctor's ID, which may be empty.
    ended: BTreeMap<(&'static str, &'static str), u64>,
    /// How many took at most as long as each bucket says, and longer than the one before.
    buckets: [u64; BUCKETS.len()],
    count: u64,
    total: Duration,
}

/// How a login ended.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Outcome {
    /// After this time.
    Ok(Duration),
    /// By the proxy, with doctor's ID.
    Refused(Option<&'static str>),
    /// By the server, with doctor's ID.
    RefusedByServer(Option<&'static str>),
    ClientGone,
}

/// A connection, until it is dropped.
pub(crate) struct Open(Metrics);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.0.closed.fetch_add(1, Relaxed);
    }
}

impl Metrics {
    /// Counts an event of a signer's credentials by its name, such as `fetched`.
    pub fn credentials(&self, event: &'static str) {
        *locked(&self.0.credentials).entry(event).or_default() += 1;
    }

    pub(crate) fn open(&self) -> Open {
        self.0.connections.fetch_add(1, Relaxed);
        Open(self.clone())
    }

    pub(crate) fn bytes(&self) -> &Bytes {
        &self.0.bytes
    }

    pub(crate) fn login(&self, outcome: Outcome) {
        let (name, id) = match outcome {
            Outcome::Ok(_) => ("ok", None),
            Outcome::Refused(id) => ("refused", id),
            Outcome::RefusedByServer(id) => ("refused-by-server", id),
            Outcome::ClientGone => ("client-gone", None),
        };
        let mut logins = locked(&self.0.logins);
        *logins
            .ended
            .entry((name, id.unwrap_or_default()))
            .or_default() += 1;
        if let Outcome::Ok(took) = outcome {
            let bucket = BUCKETS.iter().position(|end| took.as_secs_f64() <= *end);
            if let Some(bucket) = bucket {
                logins.buckets[bucket] += 1;
            }
            logins.count += 1;
            logins.total += took;
        }
    }

    /// Returns all values as Prometheus reads them.
    pub(crate) fn text(&self) -> String {
        let counters = &*self.0;
        // In this order, more cannot have ended than begun.
        let closed = counters.closed.load(Relaxed);
        let connections = counters.connections.load(Relaxed);
        let logins = locked(&counters.logins);
        let mut text = Text::default();
        text.about("connections_total", "counter", "Connections of clients");
        text.value("connections_total", "", connections);
        text.about("connections", "gauge", "Open connections of clients");
        text.value("connections", "", connections.saturating_sub(closed));
        text.about(
            "logins_total",
            "counter",
            "Ended logins, with the ID of rdsign doctor",
        );
        for ((outcome, id), count) in &logins.ended {
            let labels = format!("{{outcome=\"{outcome}\",id=\"{id}\"}}");
            text.value("logins_total", &labels, *count);
        }
        text.about(
            "login_seconds",
            "histogram",
            "From a client's first message until its session is ready",
        );
        let mut below = 0;
        for (end, count) in BUCKETS.iter().zip(logins.buckets) {
            below += count;
            text.value("login_seconds_bucket", &format!("{{le=\"{end}\"}}"), below);
        }
        text.value("login_seconds_bucket", "{le=\"+Inf\"}", logins.count);
        text.value("login_seconds_sum", "", logins.total.as_secs_f64());
        text.value("login_seconds_count", "", logins.count);
        text.about("bytes_total", "counter", "Bytes copied after the logins");
        let bytes = [
            ("to_server", &counters.bytes.to_server),
            ("to_client", &counters.bytes.to_client),
        ];
        for (direction, count) in bytes {
            let labels = format!("{{direction=\"{direction}\"}}");
            text.value("bytes_total", &labels, count.load(Relaxed));
        }
        text.about(
            "credentials_total",
            "counter",
            "Events of the credentials, such as fetched",
        );
        for (event, count) in &*locked(&counters.credentials) {
            text.value(
                "credentials_total",
                &format!("{{event=\"{event}\"}}"),
                *count,
            );
        }
        text.0
    }
}

fn locked<T>(counts: &Mutex<T>) -> MutexGuard<'_, T> {
    counts.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Default)]
struct Text(String);

impl Text {
    fn about(&mut self, name: &str, kind: &str, help: &str) {
        let lines = [("HELP", help), ("TYPE", kind)];
        for (what, text) in lines {
            let _ = writeln!(self.0, "# {what} rdsign_proxy_{name} {text}");
        }
    }

    fn value(&mut self, name: &str, labels: &str, value: impl std::fmt::Display) {
        let _ = writeln!(self.0, "rdsign_proxy_{name}{labels} {value}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_counts_all_logins_that_were_as_fast() {
        let metrics = Metrics::default();
        for ms in [5, 6, 100, 20_000] {
            metrics.login(Outcome::Ok(Duration::from_millis(ms)));
        }
        let text = metrics.text();
        let counts = [
            ("0.005", 1),
            ("0.01", 2),
            ("0.1", 3),
            ("10", 3),
            ("+Inf", 4),
        ];
        for (end, count) in counts {
            let line = format!("rdsign_proxy_login_seconds_bucket{{le=\"{end}\"}} {count}\n");
            assert!(text.contains(&line), "{line}{text}");
        }
        assert!(
            text.contains("\nrdsign_proxy_login_seconds_sum 20.111\n"),
            "{text}"
        );
    }
}
