//! The server that a proxy is for: how to reach and verify it, and who may log in.

use std::net::IpAddr;
use std::sync::Arc;

use rdsign::{Signer, quoted};
use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;

use crate::Error;

/// The address to dial instead of the endpoint. The token and the TLS check still use the endpoint.
#[derive(Clone, Copy, Debug, Default)]
pub struct Dial {
    /// Default: the address of the endpoint's name.
    pub hostaddr: Option<IpAddr>,
    /// Default: the endpoint's.
    pub hostport: Option<u16>,
}

/// The users that clients may log in as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Users {
    /// The signer's, and these.
    Named(Vec<String>),
    /// Whichever a client asks for.
    Any,
}

/// A server, and the users whose tokens the proxy signs.
pub struct Server {
    /// The endpoint's, as it is looked up.
    pub(crate) hostname: String,
    pub(crate) hostaddr: Option<IpAddr>,
    pub(crate) port: u16,
    /// The name that the certificate must have.
    pub(crate) name: ServerName<'static>,
    pub(crate) tls: TlsConnector,
    /// That of the first user, who the proxy itself logs in as.
    first: Signer,
    users: Users,
    /// The names that clients use for other users, and those users.
    map: Vec<(String, String)>,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server")
            .field("hostname", &self.hostname)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

impl Server {
    /// `signer` is for the first user. `roots` are the authorities that the server's certificate may
    /// come from.
    ///
    /// # Errors
    /// [`Error::Usage`] if no certificate can be for the endpoint's name, or if a user's name is
    /// invalid.
    pub fn new(
        signer: Signer,
        users: Users,
        dial: Dial,
        roots: RootCertStore,
    ) -> Result<Self, Error> {
        if let Users::Named(names) = &users {
            for name in names {
                let signer = signer.for_user(name);
                signer.map_err(|error| Error::Usage(format!("{}: {error}", error.code())))?;
            }
        }
        let endpoint = signer.endpoint();
        let hostname = endpoint.hostname().trim_matches(['[', ']']).to_owned();
        let name = hostname.trim_end_matches('.').to_owned();
        let name = ServerName::try_from(name).map_err(|_| {
            Error::Usage(format!(
                "hostname: {hostname} is not a name that a certificate can be for; accepted: the \
                 endpoint that RDS shows"
            ))
        })?;
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::Other(format!("TLS cannot be set up: {error}")))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        // As libpq says it since 17. A server of another protocol may then refuse the handshake.
        config.alpn_protocols = vec![b"postgresql".to_vec()];
        Ok(Self {
            port: dial.hostport.unwrap_or(endpoint.port()),
            hostaddr: dial.hostaddr,
            hostname,
            name,
            tls: TlsConnector::from(Arc::new(config)),
            first: signer,
            users,
            map: Vec::new(),
        })
    }

    /// Lets clients log in with names of their own: the first of each pair is the client's, the second
    /// the user's.
    ///
    /// # Errors
    /// [`Error::Usage`] if a name stands for two users, or if a user's name is invalid.
    pub fn map(mut self, map: Vec<(String, String)>) -> Result<Self, Error> {
        let usage = |problem| Err(Error::Usage(format!("map user: {problem}")));
        for (place, (client, user)) in map.iter().enumerate() {
            if let Some((_, earlier)) = map[..place].iter().find(|(name, _)| name == client) {
                return usage(format!(
                    "{} is mapped to {} and to {}; accepted: one user for each client's name",
                    quoted(client),
                    quoted(earlier),
                    quoted(user)
                ));
            }
            let is_named = matches!(&self.users, Users::Named(names) if names.contains(client));
            if is_named || client == self.first.username() {
                return usage(format!(
                    "{} is mapped to {}, and a username itself; accepted: a client's name that is \
                     no username",
                    quoted(client),
                    quoted(user)
                ));
            }
            if let Err(error) = self.first.for_user(user) {
                return usage(format!("{}: {error}", error.code()));
            }
        }
        self.map = map;
        Ok(self)
    }

    /// Returns the user that a client's name stands for, if it is mapped.
    pub(crate) fn mapped(&self, client: &str) -> Option<&str> {
        let found = self.map.iter().find(|(name, _)| name == client);
        found.map(|(_, user)| user.as_str())
    }

    /// Returns a signer for a client's user, if the proxy is for that user. All of them share the credentials.
    ///
    /// # Errors
    /// Why no token can be for that name.
    pub(crate) fn signer(&self, user: &str) -> Result<Option<Signer>, rdsign::Error> {
        let mapped = self.mapped(user);
        let user = mapped.unwrap_or(user);
        if user == self.first.username() {
            return Ok(Some(self.first.clone()));
        }
        match &self.users {
            Users::Named(names) if mapped.is_none() && !names.iter().any(|name| name == user) => {
                Ok(None)
            }
            _ => self.first.for_user(user).map(Some),
        }
    }

    /// Returns the signer for the proxy's own logins.
    pub(crate) fn first(&self) -> &Signer {
        &self.first
    }

    /// Returns the users in the order of their names, for messages.
    pub(crate) fn users(&self) -> String {
        let mut users = match &self.users {
            Users::Any => vec!["any user".to_owned()],
            Users::Named(names) => {
                let first = self.first.username().to_owned();
                names.iter().cloned().chain([first]).collect()
            }
        };
        let mapped = self.map.iter();
        users.extend(mapped.map(|(client, user)| format!("{client} as {user}")));
        users.sort_unstable();
        users.dedup();
        users.join(", ")
    }

    /// Returns the dialed address, for messages.
    pub(crate) fn shown(&self) -> String {
        match self.hostaddr {
            Some(address) => format!("{} at {address} port {}", self.hostname, self.port),
            None => format!("{} port {}", self.hostname, self.port),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    fn of(users: Users) -> Server {
        let signer = Signer::builder()
            .hostname("mydb.abc123.eu-central-1.rds.amazonaws.com")
            .username("first")
            .access_key_id("AKIDEXAMPLE")
            .secret_access_key("an example");
        let roots = RootCertStore::empty();
        Server::new(signer.build().unwrap(), users, Dial::default(), roots).unwrap()
    }

    pub(crate) fn server() -> Server {
        of(Users::Any)
    }

    #[test]
    fn only_named_users_get_a_token_unless_any_user_does() {
        let user = |server: &Server, name| {
            let signer = server.signer(name).unwrap();
            signer.map(|signer| signer.username().to_owned())
        };
        let named = of(Users::Named(vec!["second".to_owned()]));
        for name in ["first", "second"] {
            assert_eq!(user(&named, name).as_deref(), Some(name));
        }
        assert_eq!(user(&named, "third"), None);
        assert_eq!(named.users(), "first, second");
        assert_eq!(user(&server(), "third").as_deref(), Some("third"));
        assert!(server().signer("a\u{0}b").is_err());
    }

    #[test]
    fn a_mapped_name_gets_the_token_of_its_user_only() {
        let pair = |client: &str, user: &str| (client.to_owned(), user.to_owned());
        let named = || of(Users::Named(vec!["second".to_owned()]));
        let map = vec![pair("app", "first"), pair("a@b", "third=x")];
        let server = named().map(map).unwrap();
        for (client, user) in [("app", "first"), ("a@b", "third=x"), ("second", "second")] {
            let signer = server.signer(client).unwrap().unwrap();
            assert_eq!(signer.username(), user);
        }
        assert!(server.signer("third=x").unwrap().is_none());
        assert_eq!(
            server.users(),
            "a@b as third=x, app as first, first, second"
        );
        let twice = named().map(vec![pair("app", "first"), pair("app", "second")]);
        assert_eq!(
            twice.unwrap_err().to_string(),
            "map user: \"app\" is mapped to \"first\" and to \"second\"; accepted: one user for each \
             client's name"
        );
        for name in ["first", "second"] {
            let error = named().map(vec![pair(name, "third")]).unwrap_err();
            assert!(
                error.to_string().contains("and a username itself"),
                "{error}"
            );
        }
    }
}
