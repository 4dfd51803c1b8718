//! What a proxy counts, in the text format of Prometheus. Labels are fixed words and the
//! names of endpoints, which are words too. So nothing of a client, a server or a credential gets in,
//! and nothing needs quoting.
//! <https://prometheus.io/docs/instrumenting/exposition_formats/>

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::locked;

/// The upper ends of the histogram's buckets, in seconds.
const BUCKETS: [f64; 11] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// The counters of all endpoints of a proxy. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct Metrics(Arc<Mutex<Vec<Counters>>>);

/// The counters of an endpoint. Clones count together.
#[derive(Clone, Debug)]
pub struct Counters(Arc<Values>);

#[derive(Debug, Default)]
struct Values {
    /// The name of the endpoint, if it has one.
    endpoint: Option<String>,
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
pub(crate) struct Open(Counters);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.0.closed.fetch_add(1, Relaxed);
    }
}

impl Metrics {
    /// Returns the counters of an endpoint. They go on if an endpoint has had that name before.
    #[must_use]
    pub fn of(&self, endpoint: Option<&str>) -> Counters {
        let mut all = locked(&self.0);
        let known = all.iter().find(|one| one.0.endpoint.as_deref() == endpoint);
        if let Some(known) = known {
            return known.clone();
        }
        let new = Counters(Arc::new(Values {
            endpoint: endpoint.map(str::to_owned),
            ..Values::default()
        }));
        all.push(new.clone());
        new
    }

    /// Returns all values as Prometheus reads them.
    pub(crate) fn text(&self) -> String {
        // Those of endpoints that were removed, or were in a file that could not be used, only wait.
        let mut all = locked(&self.0).clone();
        all.retain(|one| Arc::strong_count(&one.0) > 2);
        let mut text = Text::default();
        text.about("connections_total", "counter", "Connections of clients");
        for one in &all {
            let count = one.0.connections.load(Relaxed);
            text.value("connections_total", &one.labels(&[]), count);
        }
        text.about("connections", "gauge", "Open connections of clients");
        for one in &all {
            // In this order, more cannot have ended than begun.
            let closed = one.0.closed.load(Relaxed);
            let open = one.0.connections.load(Relaxed).saturating_sub(closed);
            text.value("connections", &one.labels(&[]), open);
        }
        text.about(
            "logins_total",
            "counter",
            "Ended logins, with the ID of rdsign doctor",
        );
        for one in &all {
            for ((outcome, id), count) in &locked(&one.0.logins).ended {
                let labels = one.labels(&[("outcome", outcome), ("id", id)]);
                text.value("logins_total", &labels, *count);
            }
        }
        text.about(
            "login_seconds",
            "histogram",
            "From a client's first message until its session is ready",
        );
        for one in &all {
            let logins = locked(&one.0.logins);
            let mut below = 0;
            for (end, count) in BUCKETS.iter().zip(logins.buckets) {
                below += count;
                let labels = one.labels(&[("le", &end.to_string())]);
                text.value("login_seconds_bucket", &labels, below);
            }
            let labels = one.labels(&[("le", "+Inf")]);
            text.value("login_seconds_bucket", &labels, logins.count);
            let labels = one.labels(&[]);
            text.value("login_seconds_sum", &labels, logins.total.as_secs_f64());
            text.value("login_seconds_count", &labels, logins.count);
        }
        text.about("bytes_total", "counter", "Bytes copied after the logins");
        for one in &all {
            let bytes = &one.0.bytes;
            let ways = [
                ("to_server", &bytes.to_server),
                ("to_client", &bytes.to_client),
            ];
            for (way, count) in ways {
                let labels = one.labels(&[("direction", way)]);
                text.value("bytes_total", &labels, count.load(Relaxed));
            }
        }
        text.about(
            "credentials_total",
            "counter",
            "Events of the credentials, such as fetched",
        );
        for one in &all {
            for (event, count) in &*locked(&one.0.credentials) {
                text.value(
                    "credentials_total",
                    &one.labels(&[("event", event)]),
                    *count,
                );
            }
        }
        text.0
    }
}

impl Counters {
    /// Returns the labels of a value: the endpoint's name, if it has one, and `more`.
    fn labels(&self, more: &[(&str, &str)]) -> String {
        let endpoint = self.0.endpoint.as_deref().map(|name| ("endpoint", name));
        let all = endpoint.iter().chain(more);
        let all: Vec<_> = all
            .map(|(name, value)| format!("{name}=\"{value}\""))
            .collect();
        match all.is_empty() {
            true => String::new(),
            false => format!("{{{}}}", all.join(",")),
        }
    }

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
    fn an_endpoint_that_is_not_served_has_no_values_but_goes_on_later() {
        let metrics = Metrics::default();
        let line = "rdsign_proxy_connections_total{endpoint=\"orders\"} 1\n";
        let counters = metrics.of(Some("orders"));
        drop(counters.open());
        assert!(metrics.text().contains(line));
        drop(counters);
        assert!(!metrics.text().contains("orders"));
        let _again = metrics.of(Some("orders"));
        assert!(metrics.text().contains(line));
    }

    #[test]
    fn a_bucket_counts_all_logins_that_were_as_fast() {
        let metrics = Metrics::default();
        let counters = metrics.of(None);
        for ms in [5, 6, 100, 20_000] {
            counters.login(Outcome::Ok(Duration::from_millis(ms)));
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
