//! Measures and reports for the Rust benchmarks. Rounds alternate, so that a noisy moment affects
//! everything that is compared. Each row is a line of JSON, which `bench/run.py` documents.

use cpu_time::ThreadTime;
use serde_json::{Map, Value, json};

/// The endpoint that every benchmark signs for.
pub const HOST: &str = "mydb.abc123.eu-central-1.rds.amazonaws.com";
/// The database user.
pub const USER: &str = "iam_user";
/// An access key id of the usual length.
pub const KEY_ID: &str = "AKIDEXAMPLE000000000";
/// A secret access key of the usual length.
pub const SECRET: &str = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY00";

/// The kinds of keys that a warm token is measured with: a long-lived key, and one with a session
/// token of 900 characters, some of which must be percent-encoded.
pub fn kinds_of_keys() -> [(&'static str, Option<String>); 2] {
    let session_token = "IQoJb3JpZ2luX2VjE/+=".repeat(45);
    [
        ("long-lived key", None),
        ("STS session token", Some(session_token)),
    ]
}

/// Runs the functions in turn, `rounds` times, and calls each `calls` times per round. Returns the
/// nanoseconds of CPU per call, for each function and round.
pub fn interleaved(rounds: usize, calls: u32, bodies: &mut [&mut dyn FnMut()]) -> Vec<Vec<f64>> {
    let mut times = vec![Vec::with_capacity(rounds); bodies.len()];
    for _ in 0..rounds {
        for (times, body) in times.iter_mut().zip(bodies.iter_mut()) {
            let start = ThreadTime::now();
            for _ in 0..calls {
                body();
            }
            let nanoseconds = start.elapsed().as_nanos() as f64 / f64::from(calls);
            times.push(nanoseconds.round());
        }
    }
    times
}

/// Returns the memory of this process: now (`VmRSS`) or its peak (`VmHWM`).
pub fn resident_kilobytes(which: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with(which));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number.expect("a figure").parse().expect("a number")
}

/// One comparison.
pub struct Row<'a> {
    /// The language, as the table names it.
    pub language: &'a str,
    /// What is compared.
    pub row: &'a str,
    /// What the figures count.
    pub unit: &'a str,
    /// The measurements of rdsign, one per round.
    pub rdsign: &'a [f64],
    /// The names and measurements of the peers.
    pub peers: &'a [(&'a str, &'a [f64])],
    /// The aims, in the form that bench/run.py documents.
    pub aims: &'a [Value],
    /// The part of the chart that shows the row.
    pub chart: Option<&'a str>,
}

impl Row<'_> {
    /// Writes the row as a line of JSON to standard output.
    #[allow(clippy::print_stdout)]
    pub fn print(&self) {
        let peers: Map<String, Value> = self
            .peers
            .iter()
            .map(|(name, measured)| ((*name).to_owned(), json!(measured)))
            .collect();
        let row = json!({
            "language": self.language,
            "row": self.row,
            "unit": self.unit,
            "rdsign": self.rdsign,
            "peers": peers,
            "aims": self.aims,
            "chart": self.chart,
        });
        println!("{row}");
    }
}
