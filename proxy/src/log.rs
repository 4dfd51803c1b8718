//! One line for each thing that happens, as text or as JSON.
//!
//! A thread writes the lines, so that a full pipe blocks no session: if it is 1,000 lines behind,
//! lines are dropped and counted. Every value passes [`rdsign::without_secrets`].

use std::fmt::Write as _;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, SystemTime};

use rdsign::timestamp::format_rfc3339;
use rdsign::without_secrets;
use serde_json::{Map, Value};

/// How many lines may wait for the writer.
const WAITING: usize = 1000;
/// How long the last lines may take.
const LAST_LINES: Duration = Duration::from_secs(1);

/// How a line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `TIME LEVEL EVENT NAME=VALUE …`.
    Text,
    /// An object with `time`, `level`, `event` and the other values.
    Json,
}

/// How important a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// All is as it should be.
    Info,
    /// Somebody should look at it.
    Warning,
}

impl Level {
    fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
        }
    }
}

enum Line {
    Text(String),
    /// Answers when all lines before it are written.
    Flush(SyncSender<()>),
}

/// The log of a proxy. Clones write to the same one.
#[derive(Clone, Debug)]
pub struct Log {
    lines: SyncSender<Line>,
    format: Format,
    dropped: Arc<AtomicU64>,
    /// The name of the endpoint that the lines are about.
    endpoint: Option<Arc<str>>,
}

impl Log {
    /// Starts a log that writes to `output`, such as standard error.
    ///
    /// # Errors
    /// That of the thread that cannot be started.
    pub fn start(format: Format, output: impl Write + Send + 'static) -> std::io::Result<Self> {
        let (lines, receiver) = sync_channel(WAITING);
        let thread = std::thread::Builder::new().name("rdsign-log".to_owned());
        thread.spawn(move || write(&receiver, output))?;
        Ok(Self {
            lines,
            format,
            dropped: Arc::default(),
            endpoint: None,
        })
    }

    /// Returns a log whose lines have the name of an endpoint as `endpoint`.
    #[must_use]
    pub fn of(&self, endpoint: Option<&str>) -> Self {
        Self {
            endpoint: endpoint.map(Arc::from),
            ..self.clone()
        }
    }

    /// Writes a line, or drops it if the writer is far behind.
    pub fn line(&self, level: Level, event: &str, values: &[(&str, Value)]) {
        let dropped = self.dropped.swap(0, Relaxed);
        let lost = (dropped > 0).then(|| ("dropped_lines", Value::from(dropped)));
        let endpoint = self
            .endpoint
            .as_deref()
            .map(|name| ("endpoint", name.into()));
        let values = endpoint.into_iter().chain(values.iter().cloned());
        let values = values.chain(lost);
        let text = match self.format {
            Format::Text => as_text(level, event, values),
            Format::Json => as_json(level, event, values),
        };
        if self.lines.try_send(Line::Text(text)).is_err() {
            self.dropped.fetch_add(dropped + 1, Relaxed);
        }
    }

    /// Waits up to a second until all lines are written.
    pub fn flush(&self) {
        let (sender, receiver) = sync_channel(1);
        if self.lines.try_send(Line::Flush(sender)).is_ok() {
            let _ = receiver.recv_timeout(LAST_LINES);
        }
    }
}

fn write(lines: &Receiver<Line>, mut output: impl Write) {
    for line in lines {
        // Nobody can be told that the log cannot be written.
        match line {
            Line::Text(text) => drop(output.write_all(text.as_bytes())),
            Line::Flush(done) => {
                let _ = output.flush();
                let _ = done.try_send(());
            }
        }
    }
}

fn clean(value: Value) -> Value {
    match value {
        Value::String(text) => Value::from(without_secrets(&text)),
        other => other,
    }
}

fn as_text<'a>(
    level: Level,
    event: &str,
    values: impl Iterator<Item = (&'a str, Value)>,
) -> String {
    let time = format_rfc3339(SystemTime::now());
    let mut line = format!("{time} {} {event}", level.as_str());
    for (name, value) in values {
        let is_bare = |text: &str| {
            let needs_quotes =
                |c: char| c.is_whitespace() || c.is_control() || matches!(c, '"' | '=');
            !text.is_empty() && !text.contains(needs_quotes)
        };
        let _ = match clean(value) {
            Value::String(text) if is_bare(&text) => write!(line, " {name}={text}"),
            Value::String(text) => write!(line, " {name}={text:?}"),
            other => write!(line, " {name}={other}"),
        };
    }
    line.push('\n');
    line
}

fn as_json<'a>(
    level: Level,
    event: &str,
    values: impl Iterator<Item = (&'a str, Value)>,
) -> String {
    let mut line = Map::new();
    line.insert("time".to_owned(), format_rfc3339(SystemTime::now()).into());
    line.insert("level".to_owned(), level.as_str().into());
    line.insert("event".to_owned(), event.into());
    for (name, value) in values {
        line.insert(name.to_owned(), clean(value));
    }
    format!("{}\n", Value::Object(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "h:5432/?Action=connect&X-Amz-Credential=AKID&X-Amz-Signature=abc";

    fn values() -> [(&'static str, Value); 3] {
        [
            ("user", "iam_user".into()),
            ("message", "two words\n".into()),
            ("ms", 12.into()),
        ]
    }

    #[test]
    fn text_quotes_what_could_break_a_line() {
        let line = as_text(Level::Info, "login", values().into_iter());
        let (_, line) = line.split_once(' ').unwrap();
        assert_eq!(
            line,
            "info login user=iam_user message=\"two words\\n\" ms=12\n"
        );
    }

    #[test]
    fn json_is_one_object_in_a_line() {
        let line = as_json(Level::Warning, "refused", values().into_iter());
        let value: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["level"], "warning");
        assert_eq!(value["message"], "two words\n");
        assert_eq!(line.matches('\n').count(), 1);
    }

    #[test]
    fn no_format_shows_a_token() {
        for write in [
            as_text(Level::Info, "x", [("message", TOKEN.into())].into_iter()),
            as_json(Level::Info, "x", [("message", TOKEN.into())].into_iter()),
        ] {
            assert!(write.contains("Action=connect"), "{write}");
            assert!(!write.contains("AKID") && !write.contains("abc"), "{write}");
        }
    }
}
