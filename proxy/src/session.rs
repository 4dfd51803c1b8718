//! The life of one client: its first message, its turn, the login, and the copying.

use std::future::poll_fn;
use std::io::ErrorKind;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Poll, ready};
use std::time::Instant;

use rdsign::{Signer, quoted};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};
use tokio::time::{self, timeout_at};

use crate::cancel;
use crate::clients::{Entered, Tls};
use crate::listener::{Client, Connection};
use crate::log::Level;
use crate::login::{Ended, Ready, unsigned};
use crate::metrics::Outcome;
use crate::relay::relay;
use crate::server::Server;
use crate::shared::Shared;
use crate::wire::{Cancel, First, Refusal, Startup, State as SqlState};

/// Serves a client to its end. If `is_full`, it can only cancel.
pub(crate) async fn serve(shared: &Shared, client: Client, is_full: bool) {
    let Client { name, stream, .. } = client;
    let end = time::Instant::now() + shared.limits.startup_timeout;
    let entering = shared.clients.enter(stream, &shared.log);
    let problem = match timeout_at(end, entering).await {
        Ok(Ok(Some(Entered {
            mut stream,
            first,
            tls,
        }))) => match first {
            First::Startup(startup) => {
                let session = Session {
                    shared,
                    name,
                    startup,
                    tls,
                    may_be_remote: client.may_be_remote,
                    since: Instant::now(),
                    end,
                };
                return session.run(stream, is_full).await;
            }
            First::Cancel(request) => {
                cancel(shared, &name, &request).await;
                let _ = stream.shutdown().await;
                return;
            }
        },
        Ok(Ok(None)) => return,
        Ok(Err(error)) if error.kind() != ErrorKind::InvalidData => return,
        Ok(Err(error)) => error.to_string(),
        Err(_) => "the client's first message does not come".to_owned(),
    };
    let values = [("client", name.into()), ("message", problem.into())];
    shared.log.line(Level::Warning, "refused", &values);
}

async fn cancel(shared: &Shared, name: &str, request: &Cancel) {
    let outcome = match shared.keys.find(request.key()) {
        // PostgreSQL does not tell the client either.
        None => Err("no open session has this key".to_owned()),
        Some(place) => cancel::forward(place, request, shared.limits.connect_timeout).await,
    };
    let mut values = vec![("client", Value::from(name))];
    let level = match outcome {
        Ok(()) => Level::Info,
        Err(problem) => {
            values.push(("message", problem.into()));
            Level::Warning
        }
    };
    shared.log.line(level, "cancel", &values);
}

/// How many bytes of a client are read before its login.
const EARLY: usize = 1024;
/// A client's last message, before it hangs up.
const TERMINATE: &[u8] = b"X\0\0\0\x04";

/// Waits for a client's turn. If the client hangs up before, somebody else gets it: otherwise clients that
/// try again too early would fill the queue with turns that nobody needs. Returns what the client has sent.
async fn unless_gone(
    client: &mut Box<dyn Connection>,
    turn: impl Future<Output = Result<(), Refusal>>,
) -> Result<Vec<u8>, Ended> {
    let (mut turn, mut early, mut has_ended) = (pin!(turn), Vec::new(), false);
    poll_fn(|cx| {
        if let Poll::Ready(turn) = turn.as_mut().poll(cx) {
            return Poll::Ready(turn.map_err(Ended::from));
        }
        while !has_ended && early.len() < EARLY {
            let mut buffer = [0; EARLY];
            let mut read = ReadBuf::new(&mut buffer[early.len()..]);
            let read_once = Pin::new(&mut *client).poll_read(cx, &mut read);
            ready!(read_once).map_err(Ended::Client)?;
            has_ended = read.filled().is_empty();
            early.extend_from_slice(read.filled());
        }
        // After other messages, it may still read the answers.
        if has_ended && (early.is_empty() || early == TERMINATE) {
            return Poll::Ready(Err(Ended::Client(ErrorKind::UnexpectedEof.into())));
        }
        Poll::Pending
    })
    .await?;
    Ok(early)
}

/// Returns the signer for the user that a client asks for.
fn signer_for(server: &Server, user: &str) -> Result<Signer, Refusal> {
    let refusal = |message| Refusal::new(SqlState::InvalidAuthorization, message);
    match server.signer(user) {
        Ok(Some(signer)) => Ok(signer),
        Ok(None) => Err(
            refusal(format!("user {} may not log in here", quoted(user)))
                .hint(format!("This proxy signs tokens for {}.", server.users())),
        ),
        Err(error) => Err(unsigned(error.code().as_str(), error.message())),
    }
}

struct Session<'a> {
    shared: &'a Shared,
    name: String,
    startup: Startup,
    tls: Option<Arc<Tls>>,
    may_be_remote: bool,
    since: Instant,
    /// When the client must have proved that it knows the password. Until then it holds a place.
    end: time::Instant,
}

impl Session<'_> {
    async fn run(self, mut client: Box<dyn Connection>, is_full: bool) {
        match self.open(&mut client, is_full).await {
            Ok((ready, early)) => self.copy(client, ready, &early).await,
            Err(Ended::Refused(refusal)) => {
                let message = refusal.for_log();
                self.refused(&message, refusal.id, Outcome::Refused(refusal.id));
                let _ = client.write_all(&refusal.to_message()).await;
                let _ = client.shutdown().await;
            }
            Err(Ended::ByServer { message, id }) => {
                self.refused(&message, id, Outcome::RefusedByServer(id));
                let _ = client.shutdown().await;
            }
            Err(Ended::Client(error)) => {
                self.refused(
                    &format!("the client hung up during the login: {error}"),
                    None,
                    Outcome::ClientGone,
                );
            }
            // As psql does, which then asks its user. PostgreSQL does not log that either.
            Err(Ended::NoPassword) => {}
        }
    }

    /// Returns a session, and what the client has sent for it already.
    async fn open(
        &self,
        client: &mut Box<dyn Connection>,
        is_full: bool,
    ) -> Result<(Ready, Vec<u8>), Ended> {
        let Shared { server, limits, .. } = self.shared;
        if is_full {
            let message = format!(
                "sorry, too many clients already: --max-connections is {}",
                limits.max_connections
            );
            return Err(Refusal::new(SqlState::TooManyConnections, message).into());
        }
        if self.may_be_remote && self.tls.is_none() {
            let message = "clients must use TLS here";
            return Err(Refusal::new(SqlState::InvalidAuthorization, message)
                .hint("Set sslmode to verify-full, or at least to require.")
                .into());
        }
        let (user, tls) = (self.startup.user.as_deref(), self.tls.as_deref());
        let bounds = (self.end, &self.shared.log);
        let clients = &self.shared.clients;
        // A server is dialed only for a client that has proved who it is. So NegotiateProtocolVersion, which
        // PostgreSQL sends before it asks for a password, comes after this: nobody knows the server's
        // version before. libpq accepts it here, too.
        clients.authenticate(client, user, tls, bounds).await?;
        let signer = match &self.startup.user {
            // The server refuses it: it names no user, or is of another protocol.
            None => None,
            Some(user) => Some(signer_for(server, user)?),
        };
        let signer = signer.as_ref();
        let mapped = self.mapped().map(|user| self.startup.with_user(user));
        let startup = mapped.as_ref().unwrap_or(&self.startup);
        let early = unless_gone(client, self.shared.turn()).await?;
        let ready = self.shared.log_in(client, startup, signer).await?;
        Ok((ready, early))
    }

    /// Returns the user that the client's stands for, if it is mapped.
    fn mapped(&self) -> Option<&str> {
        let user = self.startup.user.as_deref()?;
        self.shared.server.mapped(user)
    }

    async fn copy(&self, mut client: Box<dyn Connection>, mut ready: Ready, early: &[u8]) {
        self.shared.logged_in(self.since);
        let took = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.line(Level::Info, "login", [("ms", took.into())]);
        let rest = std::mem::take(&mut ready.rest);
        let (copied, ended) = relay(
            &mut client,
            &mut ready.server,
            (early, &rest),
            self.shared.metrics.bytes(),
        )
        .await;
        let values = [
            ("seconds", self.since.elapsed().as_secs().into()),
            ("to_server", copied.to_server.into()),
            ("to_client", copied.to_client.into()),
        ];
        match ended {
            Ok(()) => self.line(Level::Info, "closed", values),
            Err(error) => {
                // The text of rustls is for programmers, with a link to its manual.
                let problem = match error.kind() {
                    std::io::ErrorKind::UnexpectedEof => {
                        "cut off without the end of TLS".to_owned()
                    }
                    _ => error.to_string(),
                };
                let broken = [("message", problem.into())];
                self.line(Level::Info, "closed", values.into_iter().chain(broken));
            }
        }
    }

    fn refused(&self, message: &str, id: Option<&'static str>, outcome: Outcome) {
        self.shared.metrics.login(outcome);
        let id = id.map(|id| ("id", id.into()));
        let values = id.into_iter().chain([("message", message.into())]);
        self.line(Level::Warning, "refused", values);
    }

    fn line(
        &self,
        level: Level,
        event: &str,
        more: impl IntoIterator<Item = (&'static str, Value)>,
    ) {
        let mut values = vec![("client", Value::from(self.name.as_str()))];
        let names = [
            ("user", &self.startup.user),
            ("database", &self.startup.database),
        ];
        for (name, value) in names {
            values.extend(value.as_deref().map(|value| (name, value.into())));
        }
        values.extend(self.mapped().map(|user| ("database_user", user.into())));
        values.extend(more);
        self.shared.log.line(level, event, &values);
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::time::Duration;

    use tokio::io::AsyncReadExt;
    use tokio::net::UnixStream;
    use tokio::runtime::Builder;
    use tokio::time::sleep;

    use super::*;
    use crate::clients::{ClientFiles, Clients, password_line};
    use crate::health::State;
    use crate::limits::Limits;
    use crate::listener::Stream;
    use crate::log::{Format, Log};
    use crate::metrics::Metrics;
    use crate::rate::Rate;
    use crate::server::tests::server;

    #[test]
    fn the_first_message_and_the_password_have_one_deadline() {
        let path = std::env::temp_dir().join(format!("rdsign-session-{}", std::process::id()));
        fs::write(&path, password_line("u", b"p").unwrap()).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let log = Log::start(Format::Text, std::io::sink()).unwrap();
        let files = ClientFiles {
            password_file: Some(path.clone()),
            ..ClientFiles::default()
        };
        let clients = Clients::open(files, &log).unwrap();
        fs::remove_file(path).unwrap();
        let shared = Shared {
            name: None,
            server: Arc::new(server()),
            clients,
            allowed_users: Vec::new(),
            limits: Limits::default(),
            rate: Arc::new(Rate::new(1)),
            keys: Arc::default(),
            log,
            metrics: Metrics::default().of(None),
            state: State::default(),
        };
        let mut runtime = Builder::new_current_thread();
        let runtime = runtime.enable_all().start_paused(true).build();
        runtime.unwrap().block_on(async {
            let (mut client, stream) = UnixStream::pair().unwrap();
            let began = time::Instant::now();
            let served = tokio::spawn(async move {
                let client = Client {
                    stream: Stream::Socket(stream),
                    name: String::new(),
                    may_be_remote: false,
                    other_user: None,
                };
                serve(&shared, client, false).await;
            });
            sleep(Duration::from_secs(40)).await;
            let startup = Startup::new("u", "d").unwrap();
            client.write_all(startup.message()).await.unwrap();
            let mut answer = Vec::new();
            client.read_to_end(&mut answer).await.unwrap();
            assert!(answer.starts_with(b"R"), "the password is asked for");
            assert_eq!(began.elapsed().as_secs(), 60);
            served.await.unwrap();
        });
    }
}
