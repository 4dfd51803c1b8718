//! Errors: those that the proxy sends to a client, and the hint that it adds to a server's own.
//! <https://www.postgresql.org/docs/current/protocol-error-fields.html>

use bytes::{BufMut, Bytes, BytesMut};
use fallible_iterator::FallibleIterator;
use postgres_protocol::message::backend::Message;
use rdsign::answers;

/// The SQLSTATE of an error.
/// <https://www.postgresql.org/docs/current/errcodes-appendix.html>
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// The server cannot be reached, or is not trusted.
    CannotConnect,
    /// The connection to the server broke.
    ConnectionFailure,
    /// The server does what the protocol does not allow.
    ProtocolViolation,
    /// The login is refused.
    InvalidAuthorization,
    /// The client does not know the password.
    WrongPassword,
    /// There are as many connections as allowed.
    TooManyConnections,
}

impl State {
    fn as_str(self) -> &'static str {
        match self {
            Self::CannotConnect => "08001",
            Self::ConnectionFailure => "08006",
            Self::ProtocolViolation => "08P01",
            Self::InvalidAuthorization => "28000",
            Self::WrongPassword => "28P01",
            Self::TooManyConnections => "53300",
        }
    }
}

/// Why the proxy refuses a client.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) state: State,
    pub(crate) message: String,
    /// The ID that doctor has for it.
    pub(crate) id: Option<&'static str>,
    /// What to do.
    pub(crate) hint: Option<String>,
    /// What only the log may say.
    detail: Option<&'static str>,
}

impl Refusal {
    pub(crate) fn new(state: State, message: impl Into<String>) -> Self {
        Self {
            state,
            message: message.into(),
            id: None,
            hint: None,
            detail: None,
        }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Names doctor's ID, which the hint starts with.
    pub(crate) fn id(mut self, id: &'static str) -> Self {
        self.id = Some(id);
        self
    }

    /// Adds what the log says, and the client must not know.
    pub(crate) fn logged(mut self, detail: &'static str) -> Self {
        self.detail = Some(detail);
        self
    }

    /// Returns the message for the log.
    pub(crate) fn for_log(&self) -> String {
        match self.detail {
            Some(detail) => format!("{}: {detail}", self.message),
            None => self.message.clone(),
        }
    }

    /// Returns the ErrorResponse.
    pub(crate) fn to_message(&self) -> Vec<u8> {
        let message = format!("rdsign proxy: {}", self.message);
        let hint = match (self.id, &self.hint) {
            (Some(id), Some(hint)) => Some(format!("{id}: {hint}")),
            (Some(id), None) => Some(format!("{id}: {DOCTOR}")),
            (None, hint) => hint.clone(),
        };
        let mut fields = vec![
            (b'S', "FATAL"),
            (b'V', "FATAL"),
            (b'C', self.state.as_str()),
            (b'M', &message),
        ];
        fields.extend(hint.as_deref().map(|hint| (b'H', hint)));
        let mut body = Vec::new();
        for (name, value) in fields {
            body.push(name);
            // A NUL would end the field.
            body.extend(value.bytes().filter(|byte| *byte != 0));
            body.push(0);
        }
        body.push(0);
        framed(&body)
    }
}

const DOCTOR: &str = "`rdsign doctor` with the same flags shows the step that fails.";

fn framed(body: &[u8]) -> Vec<u8> {
    let mut message = Vec::with_capacity(5 + body.len());
    message.put_u8(b'E');
    message.put_u32(u32::try_from(4 + body.len()).unwrap_or(u32::MAX));
    message.put_slice(body);
    message
}

/// A server's ErrorResponse, for the client.
pub(crate) struct WithHint {
    pub(crate) message: Bytes,
    /// The server's text.
    pub(crate) text: String,
    /// Doctor's ID for it.
    pub(crate) id: Option<&'static str>,
}

/// Adds a hint to a server's error that has none, if doctor knows the error. All else stays as it is.
pub(crate) fn with_hint(message: BytesMut) -> WithHint {
    let original = message.clone().freeze();
    let (text, has_hint) = read(message).unwrap_or_default();
    let answer = answers::find(&text);
    let message = match answer {
        Some(answer) if !has_hint => {
            let mut body = original[5..original.len() - 1].to_vec();
            let hint = format!("{}: {}. {DOCTOR}", answer.id, answer.means);
            body.push(b'H');
            body.extend_from_slice(hint.as_bytes());
            body.extend_from_slice(&[0, 0]);
            framed(&body).into()
        }
        _ => original,
    };
    let id = answer.map(|answer| answer.id);
    WithHint { message, text, id }
}

/// Returns an error's text, and whether it has a hint. `None` if its layout is another.
fn read(mut message: BytesMut) -> Option<(String, bool)> {
    let Ok(Some(Message::ErrorResponse(body))) = Message::parse(&mut message) else {
        return None;
    };
    let (mut text, mut has_hint) = (String::new(), false);
    let mut fields = body.fields();
    while let Some(field) = fields.next().ok()? {
        match field.type_() {
            b'M' => text = String::from_utf8_lossy(field.value_bytes()).into_owned(),
            b'H' => has_hint = true,
            _ => {}
        }
    }
    Some((text, has_hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(fields: &[u8]) -> BytesMut {
        BytesMut::from(&framed(fields)[..])
    }

    const REFUSED: &[u8] = b"SFATAL\0C28000\0MPAM authentication failed for user \"x\"\0";

    #[test]
    fn a_known_error_gets_a_hint_that_names_doctor_s_id() {
        let with = with_hint(error(&[REFUSED, b"\0"].concat()));
        assert_eq!(with.id, Some("token-refused"));
        let (text, has_hint) = read(BytesMut::from(&with.message[..])).unwrap();
        assert!(has_hint && text == "PAM authentication failed for user \"x\"");
        let shown = String::from_utf8_lossy(&with.message);
        assert!(shown.contains("\0Htoken-refused: "), "{shown}");
        assert!(with.message[5..].starts_with(REFUSED));
    }

    #[test]
    fn other_errors_stay_as_they_are() {
        for fields in [
            &[REFUSED, b"Hown\0\0"].concat()[..],
            b"SFATAL\0C57P03\0Mthe database system is starting up\0\0",
            b"Fatal: no more connections\n\0",
            b"",
        ] {
            let original = error(fields);
            assert_eq!(with_hint(original.clone()).message, original);
        }
    }

    #[test]
    fn a_refusal_is_an_error_that_libpq_reads() {
        let refusal = Refusal::new(State::CannotConnect, "no\0pe").id("tcp-timeout");
        let mut message = BytesMut::from(&refusal.to_message()[..]);
        assert_eq!(
            read(message.clone()),
            Some(("rdsign proxy: nope".to_owned(), true))
        );
        assert!(Message::parse(&mut message).unwrap().is_some() && message.is_empty());
    }

    #[test]
    fn every_id_is_one_of_doctor_s() {
        let contract = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/ids.tsv"));
        let files = [
            include_str!("../dial.rs"),
            include_str!("../login.rs"),
            include_str!("../shared.rs"),
        ];
        for file in files {
            let calls = [".id(", "failed(", "=> "];
            let after = calls.iter().flat_map(|call| file.split(call).skip(1));
            let quoted = after.filter_map(|text| text.trim_start().strip_prefix('"'));
            let ids: Vec<_> = quoted.filter_map(|text| text.split('"').next()).collect();
            assert!(!ids.is_empty());
            for id in ids {
                let is_there = |kind: &str| contract.contains(&format!("\n{kind}\t{id}\n"));
                assert!(is_there("doctor") || is_there("answer"), "{id}");
            }
        }
    }
}
