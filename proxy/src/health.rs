//! Answers those who watch a proxy, by HTTP: whether it runs, whether logins work, and its metrics.
//! Any address may ask, so no answer has a message, or a name but that of an endpoint; those are in the log.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, Semaphore};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep, timeout};

use crate::listener::bind;
use crate::log::Level;
use crate::metrics::Metrics;
use crate::shared::Shared;
use crate::{Error, locked};

/// Connections at once. One more ends the oldest that has not asked, so that silent ones keep no probe
/// waiting.
const AT_ONCE: usize = 64;
/// How many of them may wait for a login.
const WAITING: usize = 8;
/// How long a request may take to come.
const LONGEST: Duration = Duration::from_secs(10);
/// The longest request. Those of probes have some 100 bytes.
const LARGEST: usize = 8 * 1024;
/// The header lines of a request.
const HEADERS: usize = 64;
/// For how long a failed login answers further requests.
const FAILED: Duration = Duration::from_secs(2);

/// Where a proxy tells how it is, and when it is ready.
#[derive(Clone, Debug)]
pub struct Health {
    /// Any address, with port 0 for a free one.
    pub address: SocketAddr,
    /// How old the last login may be before the proxy makes one itself.
    pub max_login_age: Duration,
    /// The database for the proxy's own logins.
    pub database: String,
}

/// How the logins of an endpoint went.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// When the last one worked, in milliseconds of Unix time, which go on while the machine sleeps. 0
    /// before the first login.
    login_at: AtomicU64,
    /// When the proxy's last own login failed, and doctor's ID. One login at a time.
    failed: Mutex<Option<(Instant, &'static str)>>,
}

/// What the answers are about.
pub(crate) struct Watched {
    pub(crate) endpoints: std::sync::Mutex<Vec<Arc<Shared>>>,
    pub(crate) metrics: Metrics,
    pub(crate) is_stopping: AtomicBool,
    waiting: Semaphore,
}

impl State {
    pub(crate) fn logged_in(&self) {
        self.login_at.store(now(), Relaxed);
    }

    /// Whether a login worked within `limit`. One of the future is of a clock that was wrong.
    fn is_fresh(&self, limit: Duration) -> bool {
        let age = now().checked_sub(self.login_at.load(Relaxed));
        age.is_some_and(|age| u128::from(age) <= limit.as_millis())
    }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}

/// An open address.
pub(crate) struct Answers {
    listener: TcpListener,
    health: Health,
}

impl Answers {
    pub(crate) fn open(health: Health) -> Result<Self, Error> {
        let address = health.address;
        match bind(address) {
            Ok(listener) => Ok(Self { listener, health }),
            Err(error) => Err(Error::Other(format!(
                "health: cannot listen on {address}: {error}"
            ))),
        }
    }

    /// Returns the address, for the log.
    pub(crate) fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap_or(self.health.address)
    }

    /// Answers requests until it is dropped. `health` has the settings of the moment.
    pub(crate) async fn serve(self, watched: Arc<Watched>, health: Arc<std::sync::Mutex<Health>>) {
        let mut open: VecDeque<(JoinHandle<()>, Arc<AtomicBool>)> = VecDeque::new();
        loop {
            let Ok((mut stream, _)) = self.listener.accept().await else {
                // The usual reason is that no file descriptor is free.
                sleep(Duration::from_millis(100)).await;
                continue;
            };
            let (watched, health) = (watched.clone(), locked(&health).clone());
            open.retain(|(connection, _)| !connection.is_finished());
            if open.len() == AT_ONCE {
                let silent = open
                    .iter()
                    .position(|(_, has_asked)| !has_asked.load(Relaxed));
                if let Some((oldest, _)) = open.remove(silent.unwrap_or_default()) {
                    oldest.abort();
                }
            }
            let has_asked = Arc::new(AtomicBool::new(false));
            let asked = has_asked.clone();
            let connection = tokio::spawn(async move {
                // A client that hangs up needs no answer.
                let _ = answer(&mut stream, &watched, &health, &asked).await;
            });
            open.push_back((connection, has_asked));
        }
    }
}

async fn answer(
    stream: &mut TcpStream,
    watched: &Watched,
    health: &Health,
    has_asked: &AtomicBool,
) -> io::Result<()> {
    let request = timeout(LONGEST, read_request(stream)).await;
    has_asked.store(true, Relaxed);
    let (status, body, is_head) = match request {
        Err(_) => return Ok(()),
        Ok(Err(error)) if error.kind() == ErrorKind::InvalidData => {
            ("400 Bad Request", "not an HTTP request\n".to_owned(), false)
        }
        Ok(Err(error)) => return Err(error),
        Ok(Ok((method, path))) => {
            let is_head = method == "HEAD";
            let (status, body) = match (method.as_str(), path.as_str()) {
                ("GET" | "HEAD", "/startup") => ("200 OK", "started\n".to_owned()),
                ("GET" | "HEAD", "/liveness") => ("200 OK", "alive\n".to_owned()),
                ("GET" | "HEAD", "/readiness") => match watched.check(health).await {
                    Ok(()) => ("200 OK", "ready\n".to_owned()),
                    Err(why) => ("503 Service Unavailable", format!("not ready: {why}\n")),
                },
                ("GET" | "HEAD", "/metrics") => ("200 OK", watched.metrics.text()),
                ("GET" | "HEAD", _) => (
                    "404 Not Found",
                    "accepted: /startup, /liveness, /readiness, /metrics\n".to_owned(),
                ),
                _ => ("405 Method Not Allowed", "accepted: GET, HEAD\n".to_owned()),
            };
            (status, body, is_head)
        }
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let body = if is_head { "" } else { &body };
    let written = async {
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(body.as_bytes()).await?;
        stream.shutdown().await
    };
    timeout(LONGEST, written).await?
}

/// Returns the method and the path of a request. A body is not read: nothing that is accepted has one.
async fn read_request(stream: &mut TcpStream) -> io::Result<(String, String)> {
    let invalid = || io::Error::from(ErrorKind::InvalidData);
    let mut buffer = Vec::new();
    loop {
        if stream.read_buf(&mut buffer).await? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let mut headers = [httparse::EMPTY_HEADER; HEADERS];
        let mut request = httparse::Request::new(&mut headers);
        let parsed = request.parse(&buffer).map_err(|_| invalid())?;
        if parsed.is_complete() {
            let target = request.path.unwrap_or_default();
            let path = target.split('?').next().unwrap_or_default();
            return Ok((
                request.method.unwrap_or_default().to_owned(),
                path.to_owned(),
            ));
        }
        if buffer.len() > LARGEST {
            return Err(invalid());
        }
    }
}

impl Watched {
    pub(crate) fn new(metrics: Metrics) -> Self {
        Self {
            endpoints: std::sync::Mutex::default(),
            metrics,
            is_stopping: AtomicBool::new(false),
            waiting: Semaphore::new(WAITING),
        }
    }

    /// Logs in at each endpoint where no login has worked for long.
    ///
    /// # Errors
    /// Doctor's ID of a login's failure, or another fixed word.
    async fn check(&self, health: &Health) -> Result<(), &'static str> {
        if self.is_stopping.load(Relaxed) {
            return Err("stopping");
        }
        let endpoints = locked(&self.endpoints).clone();
        let is_fresh = |one: &Arc<Shared>| one.state.is_fresh(health.max_login_age);
        if endpoints.iter().all(is_fresh) {
            return Ok(());
        }
        let Ok(_place) = self.waiting.try_acquire() else {
            return Err("login-pending");
        };
        let mut checks = JoinSet::new();
        for endpoint in endpoints {
            let health = health.clone();
            checks.spawn(async move { endpoint.check(&health).await });
        }
        let mut all = Ok(());
        // A failure ends no other login halfway, and the log names each of them.
        while let Some(check) = checks.join_next().await {
            all = all.and(check.unwrap_or(Err("login-failed")));
        }
        all
    }
}

impl Shared {
    async fn check(&self, health: &Health) -> Result<(), &'static str> {
        let state = &self.state;
        if state.is_fresh(health.max_login_age) {
            return Ok(());
        }
        let mut failed = state.failed.lock().await;
        // Another request may have logged in meanwhile.
        if state.is_fresh(health.max_login_age) {
            return Ok(());
        }
        if let Some((at, id)) = *failed
            && at.elapsed() < FAILED
        {
            return Err(id);
        }
        let Err((message, id)) = self.log_in_itself(&health.database).await else {
            *failed = None;
            return Ok(());
        };
        let mut values = vec![
            ("user", self.server.first().username().into()),
            ("database", health.database.as_str().into()),
            ("message", message.into()),
        ];
        values.extend(id.map(|id| ("id", id.into())));
        self.log.line(Level::Warning, "not-ready", &values);
        let id = id.unwrap_or("login-failed");
        *failed = Some((Instant::now(), id));
        Err(id)
    }
}
