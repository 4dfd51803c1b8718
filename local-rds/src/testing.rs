//! RDS in your own tests: starts `rdsign local`, controls it, and stops it.
//!
//! ```no_run
//! use std::time::Duration;
//! use rdsign_local::testing::RdsLocal;
//!
//! let rds = RdsLocal::start()?;
//! let database = rds.database()?; // a fresh one, with a user and an access key of its own
//! let token = database.token()?;
//! rds.advance_clock(Duration::from_secs(16 * 60))?;
//! // A login with the token now fails as on RDS, and database.refusals()? says why.
//! # Ok::<(), rdsign_local::testing::TestingError>(())
//! ```
//!
//! The server is a process of its own, which ends with this one, however this one ends.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Value, json};

/// How long a server may take to stop. Then it is killed.
const STOPS_WITHIN: Duration = Duration::from_secs(30);

/// Why the server could not be started, or refused a request. `Display` is the whole message.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TestingError {
    /// The program could not be started.
    #[error("{}: {source}; put rdsign into PATH, or set RDSIGN_BIN to its path", program.display())]
    Program {
        /// What was started.
        program: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// There is no PostgreSQL from 14 to 18. The message names the ways to get one.
    #[error("{0}")]
    NoPostgres(String),
    /// The server did not start.
    #[error("rdsign local did not start: {0}")]
    NotStarted(String),
    /// A request failed. The message names the member and what is accepted.
    #[error("{verb}: {message}")]
    Request {
        /// The verb of the request.
        verb: String,
        /// What is wrong.
        message: String,
        /// SQLSTATE, if the server reported an error of SQL.
        sqlstate: Option<String>,
    },
    /// The server has ended.
    #[error("rdsign local has ended")]
    Ended,
}

/// A refused login.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// Counts the logins, from 1.
    pub number: u64,
    /// The user who wanted to log in.
    pub user: String,
    /// The ID, such as `expired`. `docs/errors.md` lists all.
    pub id: String,
    /// The text for a person.
    pub reason: String,
}

/// A running `rdsign local`. Dropping it stops the server and removes its files.
pub struct RdsLocal {
    child: Child,
    channel: Mutex<Channel>,
    ready: Value,
}

struct Channel {
    /// `None` once the server is to stop.
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    requests: u64,
}

impl RdsLocal {
    /// Starts a temporary server with the program that `RDSIGN_BIN` names, or else `rdsign` in `PATH`.
    ///
    /// # Errors
    /// [`TestingError::Program`], [`TestingError::NoPostgres`] or [`TestingError::NotStarted`].
    pub fn start() -> Result<Self, TestingError> {
        let program = std::env::var_os("RDSIGN_BIN").unwrap_or_else(|| "rdsign".into());
        let mut command = Command::new(program);
        command.arg("local");
        Self::start_with(command)
    }

    /// Starts `command`, which is `rdsign local` with options and an environment. Adds `--json`.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_with(mut command: Command) -> Result<Self, TestingError> {
        command.arg("--json");
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|source| TestingError::Program {
            program: command.get_program().into(),
            source,
        })?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let stdout = stdout.ok_or(TestingError::Ended)?;
        let mut rds = Self {
            child,
            channel: Mutex::new(Channel {
                stdin,
                stdout: BufReader::new(stdout),
                requests: 0,
            }),
            ready: Value::Null,
        };
        let first = rds
            .channel
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .line();
        let first = first.map_err(|_| TestingError::NotStarted("it wrote no line".to_owned()))?;
        let message = || first["message"].as_str().unwrap_or_default().to_owned();
        match (first["event"].as_str(), first["kind"].as_str()) {
            (Some("ready"), _) => rds.ready = first,
            (_, Some("no-postgres")) => return Err(TestingError::NoPostgres(message())),
            _ => return Err(TestingError::NotStarted(message())),
        }
        Ok(rds)
    }

    /// Returns what the server said when it was ready: an object that `docs/testing.md` describes, with
    /// secrets.
    pub fn ready(&self) -> &Value {
        &self.ready
    }

    /// Sends a request and returns its answer. `docs/testing.md` lists the verbs and their members.
    ///
    /// # Errors
    /// [`TestingError::Request`] or [`TestingError::Ended`].
    pub fn ask(&self, verb: &str, members: Value) -> Result<Value, TestingError> {
        let mut channel = self.channel.lock().unwrap_or_else(PoisonError::into_inner);
        channel.ask(verb, members)
    }

    /// Creates a database like the server's default one, with a user and an access key of its own.
    ///
    /// # Errors
    /// As [`ask`](Self::ask).
    pub fn database(&self) -> Result<Database<'_>, TestingError> {
        let mark = self.ask("refusals", json!({}))?["mark"].as_u64();
        let made = self.ask("create_database", json!({}))?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Ok(Database {
            rds: self,
            name: text(&made["database"]),
            user: text(&made["user"]),
            access_key_id: text(&made["access_key"]["access_key_id"]),
            environment: made["environment"].clone(),
            mark: mark.unwrap_or_default(),
        })
    }

    /// Moves the server's clock forward: tokens grow older.
    ///
    /// # Errors
    /// As [`ask`](Self::ask).
    pub fn advance_clock(&self, by: Duration) -> Result<(), TestingError> {
        self.ask("clock", json!({"advance_seconds": by.as_secs()}))
            .map(|_| ())
    }

    /// Sets the server's clock to this machine's.
    ///
    /// # Errors
    /// As [`ask`](Self::ask).
    pub fn reset_clock(&self) -> Result<(), TestingError> {
        self.ask("clock", json!({"offset_seconds": 0})).map(|_| ())
    }

    /// Denies every login as `user`, as a Deny in the policies of all keys.
    ///
    /// # Errors
    /// As [`ask`](Self::ask).
    pub fn deny(&self, user: &str) -> Result<(), TestingError> {
        self.ask("deny", json!({"user": user})).map(|_| ())
    }

    /// Takes back [`deny`](Self::deny).
    ///
    /// # Errors
    /// As [`ask`](Self::ask).
    pub fn allow(&self, user: &str) -> Result<(), TestingError> {
        self.ask("allow", json!({"user": user})).map(|_| ())
    }

    /// Returns the logins that were refused since the start.
    ///
    /// # Errors
    /// As [`ask`](Self::ask).
    pub fn refusals(&self) -> Result<Vec<Refusal>, TestingError> {
        self.refusals_since(0)
    }

    fn refusals_since(&self, mark: u64) -> Result<Vec<Refusal>, TestingError> {
        let mut answer = self.ask("refusals", json!({"since": mark}))?;
        serde_json::from_value(answer["refusals"].take()).map_err(|_| TestingError::Ended)
    }
}

impl Drop for RdsLocal {
    fn drop(&mut self) {
        // The end of its standard input stops the server.
        self.channel
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .stdin = None;
        let deadline = Instant::now() + STOPS_WITHIN;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Channel {
    fn ask(&mut self, verb: &str, mut request: Value) -> Result<Value, TestingError> {
        self.requests += 1;
        request["id"] = self.requests.into();
        request["do"] = verb.into();
        let stdin = self.stdin.as_mut().ok_or(TestingError::Ended)?;
        let written = stdin.write_all(format!("{request}\n").as_bytes());
        written.map_err(|_| TestingError::Ended)?;
        loop {
            let mut line = self.line()?;
            if line["event"] == "stopped" {
                return Err(TestingError::Ended);
            }
            if line["id"] != self.requests {
                continue; // an event
            }
            if line["error"].is_null() {
                return Ok(line["ok"].take());
            }
            let text = |name: &str| line["error"][name].as_str().map(str::to_owned);
            return Err(TestingError::Request {
                verb: verb.to_owned(),
                message: text("message").unwrap_or_default(),
                sqlstate: text("sqlstate"),
            });
        }
    }

    fn line(&mut self) -> Result<Value, TestingError> {
        let mut line = String::new();
        let read = self.stdout.read_line(&mut line);
        read.map_err(|_| TestingError::Ended)?;
        serde_json::from_str(&line).map_err(|_| TestingError::Ended)
    }
}

/// A fresh database, its user, and an access key that may log in as that user only. Dropping it drops them.
pub struct Database<'a> {
    rds: &'a RdsLocal,
    name: String,
    user: String,
    access_key_id: String,
    environment: Value,
    mark: u64,
}

impl Database<'_> {
    /// The name of the database.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name of the user, who may create tables and schemas.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The variables, `AWS_*` and `PG*`, with which a program logs in to it.
    pub fn environment(&self) -> BTreeMap<String, String> {
        let set = self.environment["set"].as_object().into_iter().flatten();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        set.map(|(name, value)| (name.clone(), text(value)))
            .collect()
    }

    /// Returns a token that was signed now, on the server's clock.
    ///
    /// # Errors
    /// As [`RdsLocal::ask`].
    pub fn token(&self) -> Result<String, TestingError> {
        let of = json!({"user": self.user, "access_key_id": self.access_key_id});
        let answer = self.rds.ask("token", of)?;
        Ok(answer["token"].as_str().unwrap_or_default().to_owned())
    }

    /// Ends the access key: its tokens are refused as expired.
    ///
    /// # Errors
    /// As [`RdsLocal::ask`].
    pub fn expire_key(&self) -> Result<(), TestingError> {
        let key = json!({"access_key_id": self.access_key_id});
        self.rds.ask("expire_key", key).map(|_| ())
    }

    /// Replaces the access key by another, which the next [`token`](Self::token) uses. Tokens of the old one are
    /// refused.
    ///
    /// # Errors
    /// As [`RdsLocal::ask`].
    pub fn replace_key(&mut self) -> Result<(), TestingError> {
        let new = self
            .rds
            .ask("replace_key", json!({"access_key_id": self.access_key_id}))?;
        let text = |name: &str| new[name].as_str().unwrap_or_default().to_owned();
        self.access_key_id = text("access_key_id");
        self.environment["set"]["AWS_ACCESS_KEY_ID"] = text("access_key_id").into();
        self.environment["set"]["AWS_SECRET_ACCESS_KEY"] = text("secret_access_key").into();
        Ok(())
    }

    /// Returns the logins as its user that were refused.
    ///
    /// # Errors
    /// As [`RdsLocal::ask`].
    pub fn refusals(&self) -> Result<Vec<Refusal>, TestingError> {
        let mut refusals = self.rds.refusals_since(self.mark)?;
        refusals.retain(|refusal| refusal.user == self.user);
        Ok(refusals)
    }

    /// Runs statements in it, as `postgres`. Returns the rows of the last one that has any, as text.
    ///
    /// # Errors
    /// As [`RdsLocal::ask`].
    pub fn sql(&self, sql: &str) -> Result<Vec<Vec<Option<String>>>, TestingError> {
        let mut answer = self
            .rds
            .ask("sql", json!({"sql": sql, "database": self.name}))?;
        serde_json::from_value(answer["rows"].take()).map_err(|_| TestingError::Ended)
    }
}

impl Drop for Database<'_> {
    fn drop(&mut self) {
        let all = json!({
            "database": self.name,
            "user": self.user,
            "access_key_id": self.access_key_id,
        });
        let _ = self.rds.ask("drop_database", all);
    }
}
