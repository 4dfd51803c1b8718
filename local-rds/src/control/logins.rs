//! Follows the server's log and keeps what it says about logins.

use std::collections::VecDeque;
use std::fs::File;
use std::os::unix::fs::FileExt;

use serde::Serialize;

use crate::login::LOGIN_AS;

/// How many logins are kept; older ones are forgotten.
const KEPT: usize = 10_000;
/// How much of the log is read at once.
const AT_ONCE: usize = 64 << 10;
/// A longer line is not one of a login.
const LONGEST_LINE: usize = 256 << 10;

/// A login that was accepted or refused.
#[derive(Clone, Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub(crate) enum Login {
    Accepted {
        number: u64,
        time: String,
        user: String,
        reason: String,
    },
    Refused(Refused),
}

/// A refusal, as in the log.
#[derive(Clone, Serialize)]
pub(crate) struct Refused {
    number: u64,
    time: String,
    user: String,
    id: String,
    reason: String,
}

/// What the log said so far.
pub(crate) struct Logins {
    log: File,
    read: u64,
    /// The start of a line that is not complete.
    rest: Vec<u8>,
    seen: u64,
    refused: VecDeque<Refused>,
    /// Those that nobody has taken.
    new: VecDeque<Login>,
}

impl Logins {
    pub(crate) fn new(log: File) -> Self {
        Self {
            log,
            read: 0,
            rest: Vec::new(),
            seen: 0,
            refused: VecDeque::new(),
            new: VecDeque::new(),
        }
    }

    /// Reads what is new in the log.
    pub(crate) fn follow(&mut self) {
        let mut buffer = vec![0; AT_ONCE];
        while let Ok(length @ 1..) = self.log.read_at(&mut buffer, self.read) {
            self.read += length as u64;
            for part in buffer[..length].split_inclusive(|byte| *byte == b'\n') {
                self.rest.extend_from_slice(part);
                if part.ends_with(b"\n") {
                    let line = std::mem::take(&mut self.rest);
                    self.add(&String::from_utf8_lossy(&line));
                } else if self.rest.len() > LONGEST_LINE {
                    self.rest.clear();
                }
            }
        }
    }

    /// Must be called after the log was cut: goes on at its new end.
    pub(crate) fn skip_to_end(&mut self) {
        self.read = self.log.metadata().map_or(0, |about| about.len());
        self.rest.clear();
    }

    fn add(&mut self, line: &str) {
        let Some((time, what, text)) = parse(line) else {
            return;
        };
        self.seen += 1;
        let (number, time) = (self.seen, time.to_owned());
        let (text, user) = user_of(text);
        let login = match what {
            What::Accepted => Login::Accepted {
                number,
                time,
                user,
                reason: text.to_owned(),
            },
            What::Refused(id) => Login::Refused(Refused {
                number,
                time,
                user,
                id: id.to_owned(),
                reason: text.to_owned(),
            }),
        };
        if let Login::Refused(refused) = &login {
            if self.refused.len() == KEPT {
                self.refused.pop_front();
            }
            self.refused.push_back(refused.clone());
        }
        if self.new.len() == KEPT {
            self.new.pop_front();
        }
        self.new.push_back(login);
    }

    /// Returns the logins since the last call.
    pub(crate) fn take(&mut self) -> VecDeque<Login> {
        std::mem::take(&mut self.new)
    }

    /// Returns the refusals after a mark, and the mark for the next call.
    pub(crate) fn refused_since(&self, mark: u64) -> (Vec<Refused>, u64) {
        let since = self.refused.iter().filter(|refused| refused.number > mark);
        (since.cloned().collect(), self.seen)
    }
}

enum What<'a> {
    Accepted,
    Refused(&'a str),
}

/// Reads `TIME [PID] LOG:  rdsign: accepted: TEXT` or `… refused (ID): TEXT`.
fn parse(line: &str) -> Option<(&str, What<'_>, &str)> {
    let (start, text) = line.trim_end_matches('\n').split_once(" LOG:  rdsign: ")?;
    let (time, pid) = start.split_once(" [")?;
    pid.strip_suffix(']')?.parse::<u32>().ok()?;
    if let Some(text) = text.strip_prefix("accepted: ") {
        return Some((time, What::Accepted, text));
    }
    let (id, text) = text.strip_prefix("refused (")?.split_once("): ")?;
    Some((time, What::Refused(id), text))
}

/// Splits a line into what it says and the user, which is "" if the line has none.
fn user_of(text: &str) -> (&str, String) {
    let (start, quote) = (text.rfind(&format!("{LOGIN_AS}\"")), LOGIN_AS.len() + 1);
    let Some(start) = start else {
        return (text, String::new());
    };
    let mut user = String::new();
    let mut characters = text[start + quote..].chars();
    while let Some(character) = characters.next().filter(|character| *character != '"') {
        match character {
            '\\' => user.extend(characters.next()),
            other => user.push(other),
        }
    }
    (&text[..start], user)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use serde_json::json;

    use super::*;

    const ACCEPTED: &str = "2026-01-01 00:00:00.000 UTC [7] LOG:  rdsign: accepted: by key; login as \"app\"; from 127.0.0.1\n";
    const REFUSED: &str = "2026-01-01 00:00:01.000 UTC [8] LOG:  rdsign: refused (expired): too late; login as \"a\\\"; login as b\"\n";

    #[test]
    fn lines_of_logins_are_found_and_others_are_not() {
        let mut log = tempfile::tempfile().unwrap();
        let mut logins = Logins::new(log.try_clone().unwrap());
        let statement = "\tselect ' LOG:  rdsign: refused (expired): a fake'\n";
        let (half, other) = REFUSED.split_at(60);
        let text = [statement, ACCEPTED, half].concat();
        log.write_all(text.as_bytes()).unwrap();
        logins.follow();
        log.write_all(other.as_bytes()).unwrap();
        logins.follow();
        let told = logins.take();
        let told = told
            .iter()
            .map(|login| serde_json::to_value(login).unwrap());
        let expected = [
            json!({"event": "accepted", "number": 1, "time": "2026-01-01 00:00:00.000 UTC",
                "user": "app", "reason": "by key"}),
            json!({"event": "refused", "number": 2, "time": "2026-01-01 00:00:01.000 UTC",
                "user": "a\"; login as b", "id": "expired", "reason": "too late"}),
        ];
        assert_eq!(told.collect::<Vec<_>>(), expected);
        let (since, mark) = logins.refused_since(1);
        assert_eq!((since.len(), mark), (1, 2));
        assert!(logins.refused_since(2).0.is_empty());
    }

    #[test]
    fn a_cut_log_is_not_read_twice() {
        let mut log = tempfile::tempfile().unwrap();
        let mut logins = Logins::new(log.try_clone().unwrap());
        log.write_all(REFUSED.repeat(3).as_bytes()).unwrap();
        logins.follow();
        log.set_len(REFUSED.len() as u64).unwrap();
        logins.skip_to_end();
        logins.follow();
        assert_eq!(logins.refused_since(0).0.len(), 3);
    }
}
