//! Controls a running server: reads requests and answers them, as described in `docs/testing.md`.
//!
//! The configuration stays the only place that says who may log in: a request changes the file, and the
//! server reads it at the next login.

mod channel;
mod database;
mod describe;
mod keys;
mod logins;
mod output;
mod request;
mod users;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use rdsign::Signer;
use rdsign::timestamp::format_rfc3339;
use serde::Serialize;
use serde_json::{Value, json};

use crate::config::Config;
use crate::config::edit::Editor;
use crate::environment::{Environment, Places, endpoint};
use crate::error::{Context, LocalError};
use crate::setup::Local;
use channel::Socket;
pub(crate) use channel::{Abandoned, remove_socket};
use database::{Rows, Session, SqlError};
use logins::Logins;
pub(crate) use output::Output;
use request::Request;

/// The version of what `docs/testing.md` describes.
const PROTOCOL: u32 = 1;

/// A running server, as the threads that answer requests see it.
pub(crate) struct Control {
    editor: Editor,
    logins: Mutex<Logins>,
    /// The users that the description of a key may name.
    users: Mutex<BTreeSet<String>>,
    is_stopping: AtomicBool,
    /// How many requests on standard input were answered.
    answered: AtomicU64,
    /// How often the server was seen to run.
    seen_running: AtomicU64,
    has_ended: AtomicBool,
    about: About,
}

/// How often a failed request looks whether the server has ended.
const LOOK_INTERVAL: Duration = Duration::from_millis(5);

/// What stays the same while the server runs.
pub(crate) struct About {
    pub(crate) version: String,
    pub(crate) major: u32,
    pub(crate) process: u32,
    pub(crate) port: u16,
    pub(crate) password: String,
    pub(crate) authorities: PathBuf,
    pub(crate) config: PathBuf,
    pub(crate) log: PathBuf,
    pub(crate) folder: PathBuf,
    pub(crate) socket: Option<PathBuf>,
    /// What to tell a person; `None` if there is nothing to say.
    pub(crate) remark: Option<String>,
}

/// Why a request failed.
struct Failure {
    message: String,
    state: Option<String>,
}

impl Failure {
    /// Whether the reason may be that the server has ended, and not an answer of PostgreSQL. SQLSTATEs of class
    /// 57P say that it shuts down.
    fn may_be_of_an_end(&self) -> bool {
        let state = self.state.as_deref();
        state.is_none_or(|state| state.starts_with("57P"))
    }
}

impl<T: Into<String>> From<T> for Failure {
    fn from(message: T) -> Self {
        Self {
            message: message.into(),
            state: None,
        }
    }
}

impl From<SqlError> for Failure {
    fn from(error: SqlError) -> Self {
        Self {
            message: error.message,
            state: error.state,
        }
    }
}

impl Control {
    /// Writes that the server is ready, and answers requests from now on.
    pub(crate) fn start(local: &Local, output: &Output) -> Result<Arc<Self>, LocalError> {
        let starting = || "starting the control channel".to_owned();
        let socket = Socket::listen(&local.folder).context(starting)?;
        let about = local.about(socket.as_ref().map(|socket| socket.path.clone()));
        let users = ["iam_user", "testuser", database::ADMINISTRATOR, "admin"];
        let control = Arc::new(Self {
            editor: local.editor(),
            logins: Mutex::new(Logins::new(local.open_log()?)),
            users: Mutex::new(users.map(str::to_owned).into()),
            is_stopping: AtomicBool::new(false),
            answered: AtomicU64::new(0),
            seen_running: AtomicU64::new(0),
            has_ended: AtomicBool::new(false),
            about,
        });
        let config = control.editor.read().map_err(LocalError::Control)?;
        let mut ready = control.describe(&config);
        ready["event"] = "ready".into();
        output.answer(&ready);
        if let Some(socket) = socket {
            socket.answer(Arc::clone(&control)).context(starting)?;
        }
        channel::answer_stdin(Arc::clone(&control), output.clone()).context(starting)?;
        Ok(control)
    }

    /// Makes the server stop.
    pub(crate) fn stop(&self) {
        self.is_stopping.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::Relaxed)
    }

    /// Notes that the server runs.
    pub(crate) fn see_running(&self) {
        self.seen_running.fetch_add(1, Ordering::SeqCst);
    }

    /// Notes that the server has ended by itself, before its files are removed.
    pub(crate) fn end(&self) {
        self.has_ended.store(true, Ordering::SeqCst);
    }

    /// Whether the server has ended by itself, or does so before it is seen to run once more.
    fn ends(&self) -> bool {
        // One look may have begun before this call.
        let enough = self.seen_running.load(Ordering::SeqCst) + 2;
        while !self.has_ended.load(Ordering::SeqCst) {
            if self.is_stopping() || self.seen_running.load(Ordering::SeqCst) >= enough {
                return false;
            }
            std::thread::sleep(LOOK_INTERVAL);
        }
        true
    }

    /// Writes the logins that the log has since the last call, and calls `cut` to cut the log, which says
    /// whether it did.
    pub(crate) fn tell(&self, output: &Output, cut: impl FnOnce() -> bool) {
        let mut logins = self.logins.lock().unwrap_or_else(PoisonError::into_inner);
        logins.follow();
        if cut() {
            logins.skip_to_end();
        }
        for login in logins.take() {
            output.event(&login);
        }
    }

    /// Answers one line. `None` if the request failed because the server has ended: the last line says why.
    fn answer(&self, line: &str) -> Option<Value> {
        let (id, request) = request::parse(line);
        let answer = request
            .map_err(Failure::from)
            .and_then(|request| self.act(request));
        if answer.as_ref().is_err_and(Failure::may_be_of_an_end) && self.ends() {
            return None;
        }
        Some(match answer {
            Ok(answer) => json!({"id": id, "ok": answer}),
            Err(Failure {
                message,
                state: None,
            }) => json!({"id": id, "error": {"message": message}}),
            Err(Failure { message, state }) => {
                json!({"id": id, "error": {"message": message, "sqlstate": state}})
            }
        })
    }

    fn act(&self, request: Request) -> Result<Value, Failure> {
        let done = |()| json!({});
        Ok(match request {
            Request::Info {} => self.describe(&self.config()?),
            Request::Clock {
                offset_seconds,
                advance_seconds,
            } => self.clock(offset_seconds, advance_seconds)?,
            Request::CreateKey {
                users,
                session_token,
                expires_at,
            } => self.create_key(&users, session_token, expires_at.as_deref())?,
            Request::ExpireKey { access_key_id, at } => self.expire_key(&access_key_id, at)?,
            Request::ReplaceKey { access_key_id } => self.replace_key(&access_key_id)?,
            Request::RemoveKey { access_key_id } => self.remove_key(&access_key_id).map(done)?,
            Request::PutPolicies {
                access_key_id,
                policies,
            } => self.put_policies(&access_key_id, &policies)?,
            Request::Deny {
                user,
                access_key_id,
            } => self.deny(&user, access_key_id.as_deref()).map(done)?,
            Request::Allow {
                user,
                access_key_id,
            } => self.allow(&user, access_key_id.as_deref()).map(done)?,
            Request::CreateUser {
                user,
                iam,
                password,
            } => self.create_user(user, iam, password)?,
            Request::DropUser { user } => self.drop_user(&user).map(done)?,
            Request::CreateDatabase {
                database,
                user,
                template,
            } => self.create_database(database, user, template)?,
            Request::DropDatabase {
                database,
                user,
                access_key_id,
            } => {
                let dropped =
                    self.drop_database(&database, user.as_deref(), access_key_id.as_deref());
                dropped.map(done)?
            }
            Request::Sql { sql, database } => {
                let database = match database {
                    Some(database) => database,
                    None => self.default_database(&self.config()?),
                };
                value(&self.sql(&database, &sql)?)
            }
            Request::Refusals { since } => {
                let mut logins = self.logins.lock().unwrap_or_else(PoisonError::into_inner);
                logins.follow();
                let (refusals, mark) = logins.refused_since(since);
                json!({"refusals": refusals, "mark": mark})
            }
            Request::Token {
                user,
                access_key_id,
                host,
                port,
            } => self.token(&user, &access_key_id, host, port)?,
            Request::Stop {} => {
                self.stop();
                json!({})
            }
        })
    }

    fn config(&self) -> Result<Config, String> {
        self.editor.read()
    }

    fn sql(&self, database: &str, sql: &str) -> Result<Rows, SqlError> {
        let session = self.session(database)?;
        let rows = session.run(sql);
        // Without a SQLSTATE the server may still wait for something, such as the data of a COPY: then the
        // connection is closed at once.
        if !matches!(&rows, Err(SqlError { state: None, .. })) {
            session.close();
        }
        rows
    }

    /// Opens a session of the administrator.
    fn session(&self, database: &str) -> Result<Session, SqlError> {
        let about = &self.about;
        Session::open(
            about.port,
            &about.authorities,
            database::ADMINISTRATOR,
            &about.password,
            database,
        )
    }

    fn places(&self) -> Places<'_> {
        Places {
            port: self.about.port,
            authorities: &self.about.authorities,
            config: &self.about.config,
            log: &self.about.log,
        }
    }

    fn default_database(&self, config: &Config) -> String {
        Environment::new(config, &self.places()).get("PGDATABASE")
    }

    /// Reads or moves the server's clock.
    fn clock(&self, offset: Option<i64>, advance: Option<i64>) -> Result<Value, Failure> {
        let config = match (offset, advance) {
            (None, None) => self.config()?,
            (Some(_), Some(_)) => {
                return Err("clock: accepted: one of offset_seconds and advance_seconds".into());
            }
            (offset, advance) => {
                let change = self.editor.change(|document, config| {
                    let now = config.clock_offset_seconds;
                    let new = offset.unwrap_or_else(|| now.saturating_add(advance.unwrap_or(0)));
                    document.set_clock_offset(new);
                    Ok(())
                });
                change?
            }
        };
        Ok(json!({
            "offset_seconds": config.clock_offset_seconds,
            "now": format_rfc3339(config.server_time(SystemTime::now())),
        }))
    }

    /// Signs a token at the time on the server's clock.
    fn token(
        &self,
        user: &str,
        access_key_id: &str,
        host: Option<String>,
        port: Option<u16>,
    ) -> Result<Value, Failure> {
        let config = self.config()?;
        let key = keys::find(&config, access_key_id)?;
        let default = endpoint(&config, self.about.port);
        let default_host = || {
            default
                .map_or("", |endpoint| endpoint.hostname())
                .to_owned()
        };
        let default_port = default.map_or(self.about.port, |endpoint| endpoint.port());
        let mut builder = Signer::builder()
            .hostname(host.unwrap_or_else(default_host))
            .port(port.unwrap_or(default_port))
            .username(user)
            .region(config.server.region.as_str())
            .access_key_id(key.credentials.access_key_id())
            .secret_access_key(key.credentials.secret_access_key());
        if let Some(token) = key.credentials.session_token() {
            builder = builder.session_token(token);
        }
        let now = config.server_time(SystemTime::now());
        let token = builder.build().and_then(|signer| signer.token_at(now));
        Ok(json!({"token": token.map_err(|error| error.to_string())?.into_value()}))
    }
}

fn value(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}
