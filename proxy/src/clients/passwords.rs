//! The file of passwords. It has no password, but what a server needs to check one, in the form that
//! PostgreSQL keeps it in `pg_authid`.

use std::collections::{BTreeMap, HashMap};
use std::iter::successors;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use postgres_protocol::password::scram_sha_256;
use rdsign::quoted;
use ring::digest::{Context, Digest, SHA256};

use super::files;
use super::scram::{Verifier, hmac};
use crate::log::Log;
use crate::{Error, locked};

/// Between a user and the verifier. A name may have colons.
const SEPARATOR: &str = ":SCRAM-SHA-256$";
const FIELD: &str = "password file";
const ACCEPTED: &str = "lines as `rdsign proxy password` prints them";

/// For each file, what the salts of unknown users are made of. They must stay while those of the other users
/// do: when the file changes, and at a restart. So a secret comes from what the file had when this
/// process first read it.
static SECRETS: Mutex<BTreeMap<PathBuf, Digest>> = Mutex::new(BTreeMap::new());

/// The verifiers of all users.
pub(super) struct Passwords {
    users: HashMap<String, Verifier>,
    /// That of most users, which unknown ones seem to have.
    usual: Shape,
    secret: Digest,
}

/// Iterations, and the length of the salt.
type Shape = (u32, usize);

impl Passwords {
    pub(super) fn read(paths: &[PathBuf], _log: &Log) -> Result<Self, Error> {
        let Some(path) = paths.first() else {
            return Err(Error::Usage(format!("{FIELD}: missing")));
        };
        let content = files::read_private(FIELD, path)?;
        let mut passwords = Self::parse(&content).map_err(|(line, problem)| {
            let line = line.map_or_else(String::new, |line| format!(" line {line}"));
            Error::Usage(format!("{FIELD}: {}{line}: {problem}", path.display()))
        })?;
        passwords.keep_secret(path);
        Ok(passwords)
    }

    /// Takes the secret that the file had before, if it was read before.
    fn keep_secret(&mut self, path: &Path) {
        let mut secrets = locked(&SECRETS);
        self.secret = *secrets.entry(path.to_owned()).or_insert(self.secret);
    }

    /// # Errors
    /// The number of the line, if it is one's, and the problem. It has nothing of a wrong line, which
    /// may be a password.
    fn parse(content: &[u8]) -> Result<Self, (Option<usize>, String)> {
        let mut users = HashMap::new();
        let mut shapes: Vec<(Shape, usize)> = Vec::new();
        let mut secret = Context::new(&SHA256);
        // A byte order mark, as Windows writes it.
        let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
        for (line, number) in content.split(|byte| *byte == b'\n').zip(1..) {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            let text = std::str::from_utf8(line).ok();
            let parts = text.and_then(|text| text.rsplit_once(SEPARATOR));
            let parts = parts.and_then(|(user, keys)| Some((user, Verifier::parse(keys)?)));
            let Some((user, verifier)) = parts.filter(|(user, _)| !user.is_empty()) else {
                let problem = format!("not USER{SEPARATOR}…; accepted: {ACCEPTED}");
                return Err((Some(number), problem));
            };
            let shape = (verifier.iterations, verifier.salt.len());
            match shapes.iter_mut().find(|(known, _)| *known == shape) {
                Some((_, count)) => *count += 1,
                None => shapes.push((shape, 1)),
            }
            secret.update(&verifier.stored_key);
            secret.update(&verifier.server_key);
            if users.insert(user.to_owned(), verifier).is_some() {
                let user = quoted(user);
                let problem =
                    format!("a line before is for {user}, too; accepted: one for each user");
                return Err((Some(number), problem));
            }
        }
        // The first of several that are equally frequent.
        let usual = shapes.into_iter().rev().max_by_key(|(_, count)| *count);
        match usual {
            Some((usual, _)) => Ok(Self {
                users,
                usual,
                secret: secret.finish(),
            }),
            None => Err((None, format!("no user is named; accepted: {ACCEPTED}"))),
        }
    }

    /// Returns the verifier of a user. `Err` has one that no password fits, so that a client cannot
    /// find out which users exist: it is always the same for a user, as a real one is.
    pub(super) fn of(&self, user: &str) -> Result<Verifier, Verifier> {
        let Some(verifier) = self.users.get(user) else {
            let secret = self.secret.as_ref();
            let made = |what: &str| hmac(secret, format!("{what} {user}").as_bytes());
            let salt = successors(Some(made("salt")), |last| Some(hmac(secret, last))).flatten();
            let (iterations, length) = self.usual;
            return Err(Verifier {
                iterations,
                salt: salt.take(length).collect(),
                stored_key: made("stored key"),
                server_key: made("server key"),
            });
        };
        Ok(verifier.clone())
    }
}

/// Returns a line of a password file, with a new salt.
///
/// # Errors
/// [`Error::Usage`] if PostgreSQL would not accept the user or the password. The text has nothing of
/// the password.
pub fn password_line(user: &str, password: &[u8]) -> Result<String, Error> {
    if user.is_empty() || user.starts_with('#') || user.contains(['\n', '\r', '\0']) {
        return Err(Error::Usage(format!(
            "username: {} cannot start a line; accepted: a name in one line that does not start with #",
            quoted(user)
        )));
    }
    if password.is_empty() || password.contains(&0) {
        return Err(Error::Usage(
            "password: empty, or with a NUL byte; accepted: any other text in one line".to_owned(),
        ));
    }
    Ok(format!("{user}:{}", scram_sha_256(password)))
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use postgres_protocol::authentication::sasl::{ChannelBinding, ScramSha256};

    use super::super::scram::{Exchange, PLAIN};
    use super::*;

    fn fits(verifier: Verifier, password: &str) -> bool {
        let mut client = ScramSha256::new(password.as_bytes(), ChannelBinding::unsupported());
        let exchange = Exchange::start(PLAIN, client.message(), None, verifier, "x").unwrap();
        client.update(exchange.server_first.as_bytes()).unwrap();
        exchange.finish(client.message()).is_ok()
    }

    fn problem(content: &str) -> (Option<usize>, String) {
        Passwords::parse(content.as_bytes()).err().unwrap()
    }

    #[test]
    fn a_line_fits_its_password_only() {
        let line = password_line("a:b", b"secret").unwrap();
        let file = format!("\u{feff}{line}\r\n# ours\r\n\n");
        let passwords = Passwords::parse(file.as_bytes()).unwrap();
        let verifier = || passwords.of("a:b").ok().unwrap();
        assert!(fits(verifier(), "secret"));
        assert!(!fits(verifier(), "Secret"));
        assert!(passwords.of("a").is_err());
    }

    #[test]
    fn passwords_are_prepared_as_postgresql_does_it() {
        // SASLprep maps U+00AA to a, and U+00AD to nothing. It rejects U+0007, which then stays.
        for (made_of, also) in [("\u{aa}\u{ad}b", "ab"), ("\u{7}\u{aa}", "\u{7}\u{aa}")] {
            let line = password_line("u", made_of.as_bytes()).unwrap();
            let passwords = Passwords::parse(line.as_bytes()).unwrap();
            assert!(fits(passwords.of("u").ok().unwrap(), also), "{made_of:?}");
        }
        let bytes = password_line("u", b"\xff\xfe").unwrap();
        assert!(Passwords::parse(bytes.as_bytes()).is_ok());
    }

    #[test]
    fn an_unknown_user_looks_like_the_others_and_no_password_fits() {
        let line = "u:SCRAM-SHA-256$8192:c2FsdHNhbHRzYWx0c2FsdHNhbHRzYWx0c2FsdHNhbHQ=$\
            WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";
        let fake = |user: &str| {
            let passwords = Passwords::parse(line.as_bytes()).unwrap();
            passwords.of(user).err().unwrap()
        };
        let one = fake("x");
        assert_eq!((one.iterations, one.salt.len()), (8192, 32));
        // As after a restart.
        assert_eq!(one.salt, fake("x").salt);
        assert_ne!(one.salt, fake("y").salt);
        assert!(!fits(one, ""));
    }

    #[test]
    fn a_long_salt_of_an_unknown_user_does_not_repeat() {
        let salt = STANDARD.encode([7; 70]);
        let line = password_line("u", b"p").unwrap();
        let keys = line.split('$').next_back().unwrap();
        let line = format!("u:SCRAM-SHA-256$4096:{salt}${keys}");
        let passwords = Passwords::parse(line.as_bytes()).unwrap();
        let made = passwords.of("x").err().unwrap().salt;
        assert_eq!(made.len(), 70);
        assert_ne!(made[..32], made[32..64]);
        assert_ne!(made[..6], made[64..]);
    }

    #[test]
    fn an_unknown_user_keeps_the_salt_when_the_file_changes() {
        let [one, other] = ["a", "b"].map(|user| password_line(user, b"p").unwrap());
        let salt = |path: &str, content: &str| {
            let mut passwords = Passwords::parse(content.as_bytes()).unwrap();
            passwords.keep_secret(Path::new(path));
            passwords.of("x").err().unwrap().salt
        };
        let before = salt("a file", &one);
        assert_eq!(salt("a file", &format!("{other}\n{one}\n")), before);
        assert_ne!(salt("another file", &other), before);
    }

    #[test]
    fn an_unknown_user_has_the_iterations_of_most_users() {
        let lines = ["a", "b", "c", "d"].map(|user| password_line(user, b"p").unwrap());
        for (high, expected) in [(1, 4096), (2, 9000), (3, 9000)] {
            let mut lines = lines.clone();
            for line in &mut lines[..high] {
                *line = line.replace("$4096:", "$9000:");
            }
            let passwords = Passwords::parse(lines.join("\n").as_bytes()).unwrap();
            let iterations = passwords.of("x").err().unwrap().iterations;
            assert_eq!(iterations, expected, "{high}");
        }
    }

    #[test]
    fn wrong_lines_are_named_by_their_number_and_not_shown() {
        let good = password_line("u", b"p").unwrap();
        for wrong in [
            "u:hunter2".to_owned(),
            "hunter2".to_owned(),
            "u:md5hunter2".to_owned(),
            "\"u\" \"hunter2\"".to_owned(),
            good.replace("4096", "0"),
            good.replace("4096", "many"),
            good[..good.len() - 1].to_owned(),
            good.replacen("u:", ":", 1),
        ] {
            let (line, problem) = problem(&format!("# comment\n{wrong}\n"));
            assert_eq!(line, Some(2), "{wrong}");
            assert_eq!(
                problem,
                "not USER:SCRAM-SHA-256$…; accepted: lines as `rdsign proxy password` prints them"
            );
        }
        let (line, twice) = problem(&format!("{good}\n{good}\n"));
        assert_eq!(line, Some(2));
        assert!(
            twice.starts_with("a line before is for \"u\", too"),
            "{twice}"
        );
        assert!(problem("# none\n").1.starts_with("no user is named"));
    }

    #[test]
    fn users_and_passwords_that_make_no_line_are_refused() {
        for (user, password) in [
            ("", "p"),
            ("#u", "p"),
            ("a\nb", "p"),
            ("u", ""),
            ("u", "a\0b"),
        ] {
            assert!(
                password_line(user, password.as_bytes()).is_err(),
                "{user:?}"
            );
        }
    }
}
