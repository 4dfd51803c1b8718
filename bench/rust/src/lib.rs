//! How the Rust benchmarks measure and report: rounds of all that is compared alternate, so that a
//! noisy moment hits them alike, and each row is a line of JSON, which `bench/run.py` describes.

use cpu_time::ThreadTime;
use serde_json::{Map, Value, json};

/// The endpoint that every benchmark signs for.
pub const HOST: &str = "mydb.abc123.eu-central-1.rds.amazonaws.com";
/// Its user.
pub const USER: &str = "iam_user";
/// An access key id of the usual length.
pub const KEY_ID: &str = "AKIDEXAMPLE000000000";
/// A secret access key of the usual length.
pub const SECRET: &str = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY00";

/// The two kinds of keys that a warm token is measured with: a long-lived one, and one with a
/// session token of 900 characters, of which some must be percent-encoded.
pub fn kinds_of_keys() -> [(&'static str, Option<String>); 2] {
    let session_token = "IQoJb3JpZ2luX2VjE/+=".repeat(45);
    [
        ("long-lived key", None),
        ("STS session token", Some(session_token)),
    ]
}

/// Runs some functions in turn, `rounds` times, each `calls` times a round: nanoseconds of CPU a
/// call for each.
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

/// The memory of this process, now (`VmRSS`) or when it was most (`VmHWM`).
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
    /// Ours, of each round.
    pub rdsign: &'a [f64],
    /// The others'.
    pub peers: &'a [(&'a str, &'a [f64])],
    /// What is aimed at, as bench/run.py has it.
    pub aims: &'a [Value],
    /// The picture that the row is part of.
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
