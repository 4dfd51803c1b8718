//! Writes lines from a thread of its own, so that a reader that pauses stops nothing.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use serde_json::json;

/// How many lines may wait. Then events are dropped, but never answers.
const WAITING: usize = 1000;
/// How long the end waits for a reader that pauses.
const LAST_LINE: Duration = Duration::from_secs(5);

/// Where lines wait for the thread.
#[derive(Clone, Default)]
pub(crate) struct Output(Arc<(Mutex<Lines>, Condvar)>);

#[derive(Default)]
struct Lines {
    waiting: VecDeque<String>,
    lost: u64,
    is_writing: bool,
    is_closed: bool,
}

impl Output {
    /// Starts the thread, which writes to `stdout`.
    pub(crate) fn start(stdout: impl Write + Send + 'static) -> io::Result<Self> {
        let output = Self::default();
        let writer = output.clone();
        std::thread::Builder::new()
            .name("output".to_owned())
            .spawn(move || writer.write(stdout))?;
        Ok(output)
    }

    fn write(&self, mut stdout: impl Write) {
        let (lines, changed) = &*self.0;
        loop {
            let mut state = lines.lock().unwrap_or_else(PoisonError::into_inner);
            state.is_writing = false;
            changed.notify_all();
            while state.waiting.is_empty() {
                state = changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            state.is_writing = true;
            let text: String = state.waiting.drain(..).collect();
            drop(state);
            let written = stdout
                .write_all(text.as_bytes())
                .and_then(|()| stdout.flush());
            if written.is_err() {
                // The server is useful even if nobody reads this.
                let mut state = lines.lock().unwrap_or_else(PoisonError::into_inner);
                state.is_closed = true;
                state.is_writing = false;
                state.waiting.clear();
                changed.notify_all();
                return;
            }
        }
    }

    /// Writes an answer, or an event that must not be lost.
    pub(crate) fn answer(&self, answer: &impl Serialize) {
        self.push(answer, usize::MAX);
    }

    /// Writes an event, or counts it as lost if too many lines wait.
    pub(crate) fn event(&self, event: &impl Serialize) {
        self.push(event, WAITING);
    }

    fn push(&self, value: &impl Serialize, most: usize) {
        let (lines, changed) = &*self.0;
        let mut state = lines.lock().unwrap_or_else(PoisonError::into_inner);
        if state.is_closed {
            return;
        }
        if state.waiting.len() >= most {
            state.lost += 1;
            return;
        }
        if state.lost > 0 {
            let lost = json!({"event": "lost", "count": state.lost});
            state.lost = 0;
            state.waiting.push_back(format!("{lost}\n"));
        }
        if let Ok(text) = serde_json::to_string(value) {
            state.waiting.push_back(text + "\n");
        }
        changed.notify_all();
    }

    /// Waits until everything is written, but not for a reader that does not read.
    pub(crate) fn finish(&self) {
        let (lines, changed) = &*self.0;
        let state = lines.lock().unwrap_or_else(PoisonError::into_inner);
        let is_busy = |state: &mut Lines| state.is_writing || !state.waiting.is_empty();
        let _ = changed.wait_timeout_while(state, LAST_LINE, is_busy);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// A reader that reads a line when it is told to.
    struct Slow(Receiver<()>, Sender<String>);

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.recv().map_err(|_| io::ErrorKind::BrokenPipe)?;
            let _ = self.1.send(String::from_utf8_lossy(bytes).into_owned());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn without_a_reader_events_are_counted_as_lost_and_answers_are_not() {
        let ((read, told), (tell, written)) = (channel(), channel());
        let output = Output::start(Slow(told, tell)).unwrap();
        output.answer(&json!({"id": 1}));
        let is_waiting = || !output.0.0.lock().unwrap().waiting.is_empty();
        while is_waiting() {
            std::thread::yield_now();
        }
        for number in 0..WAITING + 5 {
            output.event(&json!({"event": "accepted", "number": number}));
        }
        output.answer(&json!({"id": 2}));
        read.send(()).unwrap();
        read.send(()).unwrap();
        output.finish();
        assert_eq!(written.recv().unwrap(), "{\"id\":1}\n");
        let rest = written.recv().unwrap();
        let lines: Vec<&str> = rest.lines().collect();
        assert_eq!(lines.len(), WAITING + 2);
        assert_eq!(
            lines[WAITING..],
            [r#"{"count":5,"event":"lost"}"#, r#"{"id":2}"#]
        );
        drop(read);
        output.answer(&json!({"id": 3}));
        output.finish(); // does not wait for a reader that is gone
        assert!(output.0.0.lock().unwrap().is_closed);
    }
}
