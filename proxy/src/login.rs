//! The login: passes the client's startup message on, answers the server's request for a password
//! with a token, and passes the server's messages on until the session is ready.

use std::io;
use std::sync::Arc;

use bytes::BytesMut;
use postgres_protocol::message::backend::{self, Message};
use postgres_protocol::message::frontend;
use rdsign::{Signer, Token};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use zeroize::Zeroize;

use crate::cancel::{Key, Keys};
use crate::dial::Dialed;
use crate::server::Server;
use crate::wire::{Refusal, ServerMessages, Startup, State, with_hint};

/// libpq refuses a longer error during a login (`MAX_ERRLEN`).
const LONGEST: usize = 30_000;
/// A BackendKeyData has at most a process ID and 256 bytes.
const LONGEST_KEY: usize = 5 + 4 + 256;

/// A session that is ready for queries.
pub(crate) struct Ready {
    pub(crate) server: TlsStream<TcpStream>,
    /// What the server has sent since.
    pub(crate) rest: BytesMut,
    /// `None` if the server sent no key, as some poolers do.
    pub(crate) _key: Option<Key>,
}

impl Ready {
    /// Ends the session as a client does.
    pub(crate) async fn end(&mut self) -> io::Result<()> {
        let mut message = BytesMut::new();
        frontend::terminate(&mut message);
        self.server.write_all(&message).await?;
        self.server.shutdown().await
    }
}

/// Why there is no session.
pub(crate) enum Ended {
    /// The proxy refuses it; the client must still be told.
    Refused(Refusal),
    /// The server refused it, and the client has the server's error.
    ByServer {
        message: String,
        id: Option<&'static str>,
    },
    /// The client has hung up.
    Client(io::Error),
    /// The client has hung up when it was asked for a password.
    NoPassword,
}

impl From<Refusal> for Ended {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Logs in. `signer` is for the user that the startup message names, if there is one.
pub(crate) async fn log_in(
    client: &mut (impl AsyncWrite + Unpin),
    (mut stream, address): Dialed,
    startup: &Startup,
    signer: Option<&Signer>,
    server: &Arc<Server>,
    keys: &Arc<Keys>,
) -> Result<Ready, Ended> {
    stream.write_all(startup.message()).await.map_err(broken)?;
    stream.flush().await.map_err(broken)?;
    let mut messages = ServerMessages::new(stream);
    let mut login = Login {
        signer,
        keys,
        is_answered: false,
        is_authenticated: false,
        key: None,
    };
    // Small messages go to the client together.
    let mut out = Vec::new();
    loop {
        let (tag, length) = messages.next().await.map_err(broken)?;
        if !login.is_authenticated && length > LONGEST {
            return Err(unexpected("a message that is too long").into());
        }
        match tag {
            backend::READY_FOR_QUERY_TAG if login.is_authenticated => {
                out.extend_from_slice(&messages.take(length).await.map_err(broken)?);
                client.write_all(&out).await.map_err(Ended::Client)?;
                client.flush().await.map_err(Ended::Client)?;
                let (server, rest) = messages.into_parts();
                let _key = login.key;
                return Ok(Ready { server, rest, _key });
            }
            backend::ERROR_RESPONSE_TAG if length <= LONGEST => {
                let error = with_hint(messages.take(length).await.map_err(broken)?);
                out.extend_from_slice(&error.message);
                client.write_all(&out).await.map_err(Ended::Client)?;
                let (message, id) = (error.text, error.id);
                return Err(Ended::ByServer { message, id });
            }
            backend::AUTHENTICATION_TAG if !login.is_authenticated => {
                let message = messages.take(length).await.map_err(broken)?;
                if login.answer(&message, &mut messages.stream).await? {
                    out.extend_from_slice(&message);
                }
            }
            backend::BACKEND_KEY_DATA_TAG if length <= LONGEST_KEY => {
                let message = messages.take(length).await.map_err(broken)?;
                login.key = Some(
                    login
                        .keys
                        .remember(&message[5..], (server.clone(), address)),
                );
                out.extend_from_slice(&message);
            }
            // Its session could not be cancelled.
            backend::BACKEND_KEY_DATA_TAG => {
                let what = "a key to cancel queries of more than 256 bytes";
                return Err(unexpected(what).into());
            }
            _ => {
                client.write_all(&out).await.map_err(Ended::Client)?;
                out.clear();
                let mut left = length;
                while left > 0 {
                    let part = messages.take_part(left).await.map_err(broken)?;
                    client.write_all(&part).await.map_err(Ended::Client)?;
                    left -= part.len();
                }
            }
        }
        if messages.is_empty() && !out.is_empty() {
            client.write_all(&out).await.map_err(Ended::Client)?;
            client.flush().await.map_err(Ended::Client)?;
            out.clear();
        }
    }
}

struct Login<'a> {
    signer: Option<&'a Signer>,
    keys: &'a Arc<Keys>,
    /// Whether the server has got a token.
    is_answered: bool,
    is_authenticated: bool,
    key: Option<Key>,
}

impl Login<'_> {
    /// Answers a server's request. Returns whether it was the end of the authentication.
    async fn answer(
        &mut self,
        message: &BytesMut,
        server: &mut TlsStream<TcpStream>,
    ) -> Result<bool, Ended> {
        match (Message::parse(&mut message.clone()), self.signer) {
            (Ok(Some(Message::AuthenticationOk)), _) => {
                self.is_authenticated = true;
                Ok(true)
            }
            (Ok(Some(Message::AuthenticationCleartextPassword)), Some(signer))
                if !self.is_answered =>
            {
                let token = token(signer).await?;
                let mut password = BytesMut::new();
                frontend::password_message(token.value().as_bytes(), &mut password)
                    .map_err(broken)?;
                let sent = server.write_all(&password).await;
                password.zeroize();
                sent.map_err(broken)?;
                server.flush().await.map_err(broken)?;
                self.is_answered = true;
                Ok(false)
            }
            (
                Ok(Some(
                    Message::AuthenticationMd5Password(_)
                    | Message::AuthenticationSasl(_)
                    | Message::AuthenticationScmCredential,
                )),
                _,
            ) => Err(wants_a_password().into()),
            _ => Err(unexpected("a request that no token answers").into()),
        }
    }
}

/// Returns a token without blocking this thread: if credentials have to be fetched, another one
/// waits for them.
async fn token(signer: &Signer) -> Result<Token, Refusal> {
    let token = match signer.ready_token() {
        Ok(None) => {
            let signer = signer.clone();
            let fetched = tokio::task::spawn_blocking(move || signer.token()).await;
            fetched.map_err(|_| unsigned("INTERNAL", "signing panicked; please report it"))?
        }
        Ok(Some(token)) => Ok(token),
        Err(error) => Err(error),
    };
    token.map_err(|error| unsigned(error.code().as_str(), error.message()))
}

/// `code` is an error code, which doctor has as its ID.
pub(crate) fn unsigned(code: &'static str, problem: &str) -> Refusal {
    let message = format!("no token can be signed: {code}: {problem}");
    let refusal = Refusal::new(State::InvalidAuthorization, message).id(code);
    match code.contains("CREDENTIALS") {
        true => refusal.hint("`rdsign credentials` shows which credentials are used."),
        false => refusal,
    }
}

/// The server does not treat the user's password as a token, so it gets none.
fn wants_a_password() -> Refusal {
    Refusal::new(
        State::InvalidAuthorization,
        "the server asks for a password, not for a token",
    )
    .id("not-an-iam-user")
    .hint(
        "the user is not in rds_iam or does not exist, or IAM authentication is off. Create the \
         user and GRANT rds_iam to it; turn IAM authentication on.",
    )
}

fn unexpected(what: &str) -> Refusal {
    let message = format!("the server sent {what}");
    Refusal::new(State::ProtocolViolation, message).id("login-broken")
}

fn broken(error: io::Error) -> Refusal {
    let message = format!("the connection to the server broke during the login: {error}");
    Refusal::new(State::ConnectionFailure, message).id("login-broken")
}
