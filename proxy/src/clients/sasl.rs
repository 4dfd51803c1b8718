//! The messages of an authentication by SASL, as a server of PostgreSQL sends and reads them.
//! <https://www.postgresql.org/docs/current/sasl-authentication.html>

use std::io::{self, ErrorKind};

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bytes::BufMut;
use rdsign::quoted;
use ring::rand::{SecureRandom, SystemRandom};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::passwords::Passwords;
use super::scram::{Exchange, PLAIN, PLUS, Problem};
use crate::login::Ended;
use crate::wire::{Refusal, State};

const SASL: u32 = 10;
const CONTINUE: u32 = 11;
const FINAL: u32 = 12;

/// PostgreSQL refuses a longer message (`PG_MAX_SASL_MESSAGE_LENGTH`).
const LONGEST: u32 = 1024;

/// Lets a client prove that it knows the user's password. `binding` is the channel's: with it, the
/// method that binds to it is offered, too.
pub(super) async fn authenticate<S>(
    client: &mut S,
    user: Option<&str>,
    passwords: &Passwords,
    binding: Option<&[u8]>,
) -> Result<(), Ended>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let Some(user) = user else {
        let message = "the startup message names no user, or is not of protocol 3";
        return Err(Refusal::new(State::InvalidAuthorization, message).into());
    };
    let methods = if binding.is_some() {
        &[PLUS, PLAIN][..]
    } else {
        &[PLAIN]
    };
    let mut offer = Vec::new();
    for method in methods {
        offer.extend_from_slice(method.as_bytes());
        offer.push(0);
    }
    offer.push(0);
    send(client, SASL, &offer).await?;

    let initial = match receive(client).await {
        // A program that asks its user for the password now.
        Err(Ended::Client(error)) if error.kind() == ErrorKind::UnexpectedEof => {
            return Err(Ended::NoPassword);
        }
        initial => initial?,
    };
    let (method, first) =
        parts(&initial).ok_or_else(|| malformed("the first message is broken"))?;
    let (verifier, is_known) = match passwords.of(user) {
        Ok(verifier) => (verifier, true),
        Err(fake) => (fake, false),
    };
    let nonce = nonce().map_err(Ended::Client)?;
    let refused = |problem| refusal(problem, user, is_known);
    let exchange = Exchange::start(method, first, binding, verifier, &nonce).map_err(refused)?;
    send(client, CONTINUE, exchange.server_first.as_bytes()).await?;

    let last = receive(client).await?;
    let answer = exchange.finish(&last).map_err(refused)?;
    if !is_known {
        return Err(refused(Problem::WrongPassword).into());
    }
    send(client, FINAL, answer.as_bytes()).await
}

async fn send<S>(client: &mut S, code: u32, body: &[u8]) -> Result<(), Ended>
where
    S: AsyncWrite + Unpin,
{
    let mut message = Vec::with_capacity(9 + body.len());
    message.put_u8(b'R');
    message.put_u32(u32::try_from(8 + body.len()).unwrap_or(u32::MAX));
    message.put_u32(code);
    message.put_slice(body);
    client.write_all(&message).await.map_err(Ended::Client)?;
    client.flush().await.map_err(Ended::Client)
}

/// Reads the body of a client's message.
async fn receive<S>(client: &mut S) -> Result<Vec<u8>, Ended>
where
    S: AsyncRead + Unpin,
{
    let tag = client.read_u8().await.map_err(Ended::Client)?;
    let length = client.read_u32().await.map_err(Ended::Client)?;
    if tag != b'p' {
        return Err(malformed("the client sent another message than a response").into());
    }
    if !(4..=4 + LONGEST).contains(&length) {
        return Err(malformed("the client's response has an invalid length").into());
    }
    let mut body = vec![0; length as usize - 4];
    client.read_exact(&mut body).await.map_err(Ended::Client)?;
    Ok(body)
}

/// Returns the method and the data of a SASLInitialResponse.
fn parts(body: &[u8]) -> Option<(&str, &[u8])> {
    let end = body.iter().position(|byte| *byte == 0)?;
    let (length, data) = body[end + 1..].split_first_chunk()?;
    let is_whole = u32::from_be_bytes(*length) as usize == data.len();
    let method = std::str::from_utf8(&body[..end]).ok()?;
    is_whole.then_some((method, data))
}

/// Returns as many random bytes as PostgreSQL, in base64, which has no comma.
fn nonce() -> io::Result<String> {
    let mut bytes = [0; 18];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| io::Error::other("the system has no random bytes"))?;
    Ok(STANDARD_NO_PAD.encode(bytes))
}

fn malformed(problem: &str) -> Refusal {
    let message = format!("malformed SCRAM message: {problem}");
    Refusal::new(State::ProtocolViolation, message)
}

/// The client sees no difference between an unknown user and a wrong password. The log does.
fn refusal(problem: Problem, user: &str, is_known: bool) -> Refusal {
    match problem {
        Problem::Malformed(problem) => malformed(problem),
        Problem::Binding(problem) => {
            let message = format!("SCRAM channel binding failed: {problem}");
            Refusal::new(State::InvalidAuthorization, message)
        }
        Problem::WrongPassword => {
            let message = format!("password authentication failed for user {}", quoted(user));
            Refusal::new(State::WrongPassword, message).logged(match is_known {
                true => "the password is wrong",
                false => "the password file does not have this user",
            })
        }
    }
}
