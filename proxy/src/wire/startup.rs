//! The first messages of a client. They have a length and a code, but no type, so no codec for the
//! messages of a server reads them.
//! <https://www.postgresql.org/docs/current/protocol-message-formats.html>

use std::io::{self, ErrorKind};

use bytes::BytesMut;
use postgres_protocol::message::frontend;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

const CANCEL: u32 = 80_877_102;
const SSL: u32 = 80_877_103;
const GSSENC: u32 = 80_877_104;

/// PostgreSQL refuses a first message with more bytes after its length (`MAX_STARTUP_PACKET_LENGTH`).
const LONGEST: usize = 10_000;

/// What a client wants.
pub(crate) enum First {
    /// A session.
    Startup(Startup),
    /// To cancel the query of another session: the whole message, and in it the key.
    Cancel(Cancel),
}

/// Whether the proxy encrypts the connection of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encryption {
    /// It cannot.
    Declined,
    /// It does if the client asks for it.
    Offered,
    /// It does.
    Done,
}

/// How far a client was answered.
pub(crate) enum Answered {
    /// It knows that it may start with TLS.
    Tls,
    /// It has said what it wants.
    First(First),
}

/// A CancelRequest, as the client sent it.
pub(crate) struct Cancel(Vec<u8>);

impl Cancel {
    pub(crate) fn message(&self) -> &[u8] {
        &self.0
    }

    /// The process ID and the secret key, as BackendKeyData has them.
    pub(crate) fn key(&self) -> &[u8] {
        &self.0[8..]
    }
}

/// A StartupMessage.
pub(crate) struct Startup {
    message: Vec<u8>,
    /// The database user. `None` if the message names none, or has another layout than protocol 3.
    pub(crate) user: Option<String>,
    /// The database, which is by default the user's.
    pub(crate) database: Option<String>,
}

impl Startup {
    /// The proxy's own.
    pub(crate) fn new(user: &str, database: &str) -> io::Result<Self> {
        let parameters = [
            ("user", user),
            ("database", database),
            ("application_name", "rdsign proxy"),
        ];
        let mut message = BytesMut::new();
        frontend::startup_message(parameters, &mut message)?;
        Ok(Self::parse(message.to_vec()))
    }

    fn parse(message: Vec<u8>) -> Self {
        let (mut user, mut database) = (None, None);
        if message[4..6] == [0, 3] {
            let mut words = message[8..].split(|byte| *byte == 0);
            while let (Some(name), Some(value)) = (words.next(), words.next()) {
                let value = || Some(String::from_utf8_lossy(value).into_owned());
                // The last one counts, as for PostgreSQL.
                match name {
                    b"" => break,
                    b"user" => user = value(),
                    b"database" => database = value(),
                    _ => {}
                }
            }
        }
        let named = |name: &String| !name.is_empty();
        let user = user.filter(named);
        let database = database.filter(named).or_else(|| user.clone());
        Self {
            message,
            user,
            database,
        }
    }

    /// The message as the client sent it.
    pub(crate) fn message(&self) -> &[u8] {
        &self.message
    }

    /// Returns the same message for another user. Without a database, the client's user stays the
    /// database: the server would take the other user's name.
    pub(crate) fn with_user(&self, user: &str) -> Self {
        let mut message = self.message[..8].to_vec();
        let (mut end, mut has_database) = (8, false);
        let mut words = self.message[8..].split(|byte| *byte == 0);
        while let (Some(name), Some(value)) = (words.next(), words.next()) {
            if name.is_empty() {
                break;
            }
            end += name.len() + value.len() + 2;
            if name == b"database" {
                has_database = !value.is_empty();
            }
            let value = match name {
                b"user" => user.as_bytes(),
                _ => value,
            };
            for word in [name, value] {
                message.extend_from_slice(word);
                message.push(0);
            }
        }
        if let (false, Some(database)) = (has_database, &self.database) {
            message.extend_from_slice(b"database\0");
            message.extend_from_slice(database.as_bytes());
            message.push(0);
        }
        // The terminator, and what the server refuses after it.
        message.extend_from_slice(self.message.get(end..).unwrap_or_default());
        let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
        message[..4].copy_from_slice(&length.to_be_bytes());
        Self::parse(message)
    }
}

/// Reads what a client wants. Declines GSSAPI, and TLS unless it is offered, each at most once, as
/// PostgreSQL does. Reads nothing beyond a message, so nothing that came before TLS counts after it.
///
/// Returns `None` if the client hangs up first, as a check of the port does.
///
/// # Errors
/// [`ErrorKind::InvalidData`] if PostgreSQL would hang up, and what the connection returns.
pub(crate) async fn read_first<S>(
    client: &mut S,
    encryption: Encryption,
) -> io::Result<Option<Answered>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut declined = Vec::new();
    loop {
        let mut head = [0; 8];
        if client.read(&mut head[..1]).await? == 0 {
            return Ok(None);
        }
        client.read_exact(&mut head[1..4]).await?;
        let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
        if !(8..=4 + LONGEST).contains(&length) {
            return Err(invalid("invalid length of startup packet"));
        }
        client.read_exact(&mut head[4..]).await?;
        let code = u32::from_be_bytes([head[4], head[5], head[6], head[7]]);
        if matches!(code, SSL | GSSENC) && length == 8 {
            if encryption == Encryption::Done || declined.contains(&code) {
                return Err(invalid("encryption is requested twice"));
            }
            let accepts = code == SSL && encryption == Encryption::Offered;
            client.write_all(if accepts { b"S" } else { b"N" }).await?;
            client.flush().await?;
            if accepts {
                return Ok(Some(Answered::Tls));
            }
            declined.push(code);
            continue;
        }
        let mut message = head.to_vec();
        message.resize(length, 0);
        client.read_exact(&mut message[8..]).await?;
        return match code {
            CANCEL if length < 16 => Err(invalid("invalid length of cancel request")),
            CANCEL => Ok(Some(Answered::First(First::Cancel(Cancel(message))))),
            _ => Ok(Some(Answered::First(First::Startup(Startup::parse(
                message,
            ))))),
        };
    }
}

fn invalid(problem: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn startup(parameters: &[u8]) -> Startup {
        let mut message = vec![0, 0, 0, 0, 0, 3, 0, 0];
        message.extend_from_slice(parameters);
        Startup::parse(message)
    }

    #[test]
    fn the_last_user_counts_and_is_the_default_database() {
        let last = startup(b"user\0a\0options\0user\0user\0b\0\0");
        assert_eq!(last.user.as_deref(), Some("b"));
        assert_eq!(last.database.as_deref(), Some("b"));
        let both = startup(b"database\0d\0user\0u\0\0");
        assert_eq!(both.database.as_deref(), Some("d"));
    }

    #[test]
    fn another_user_changes_nothing_else_and_keeps_the_default_database() {
        let cases: [(&[u8], &[u8]); 4] = [
            (
                b"options\0user\0user\0app\0database\0d\0\xff\0\xfe\0\0",
                b"options\0user\0user\0iam\0database\0d\0\xff\0\xfe\0\0",
            ),
            (b"user\0app\0x\0\0\0", b"user\0iam\0x\0\0database\0app\0\0"),
            (
                b"database\0\0user\0a\0user\0app\0\0",
                b"database\0\0user\0iam\0user\0iam\0database\0app\0\0",
            ),
            // The server refuses it, as without the change.
            (
                b"user\0app\0database\0d\0\0more",
                b"user\0iam\0database\0d\0\0more",
            ),
        ];
        for (sent, expected) in cases {
            let changed = startup(sent).with_user("iam");
            let message = changed.message();
            assert_eq!(message[4..8], [0, 3, 0, 0]);
            assert_eq!(&message[8..], expected);
            let length = u32::try_from(message.len()).unwrap();
            assert_eq!(message[..4], length.to_be_bytes());
            assert_eq!(changed.user.as_deref(), Some("iam"));
            assert_eq!(changed.database, startup(sent).database);
        }
    }

    #[test]
    fn a_value_is_not_a_name() {
        let none = startup(b"application_name\0user\0x\0y\0\0");
        assert_eq!(none.user, None);
    }

    #[test]
    fn a_broken_layout_has_no_user_and_does_not_panic() {
        for parameters in [&b""[..], b"\0", b"user", b"user\0\0", b"\0user\0a\0\0"] {
            assert_eq!(startup(parameters).user, None, "{parameters:?}");
        }
    }

    #[test]
    fn other_protocols_have_no_user() {
        let mut message = vec![0, 0, 0, 0, 0, 2, 0, 0];
        message.extend_from_slice(b"user\0a\0\0");
        assert_eq!(Startup::parse(message).user, None);
    }
}
