//! Runs SQL on the server, mostly as `postgres` with its password.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;

use rdsign::policy::quoted_identifier;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde::Serialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::{self, Runtime};
use tokio::task::JoinHandle;
use tokio_postgres::config::SslMode;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// The administrator of the server.
pub(crate) const ADMINISTRATOR: &str = "postgres";
/// A database that always exists and that nobody clones.
pub(crate) const OWN: &str = "postgres";

/// How tokio-postgres names the answer of COPY to a simple query, which has no other unexpected ones.
const UNEXPECTED: &str = "unexpected message from server";

/// The rows of the last statement that returned any.
#[derive(Default, Serialize)]
pub(crate) struct Rows {
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<Option<String>>>,
}

/// Why SQL failed, with the SQLSTATE if the server said it.
pub(crate) struct SqlError {
    pub(crate) message: String,
    pub(crate) state: Option<String>,
}

/// A connection to one database.
pub(crate) struct Session {
    runtime: Runtime,
    client: Client,
    connection: JoinHandle<Result<(), tokio_postgres::Error>>,
}

impl Session {
    /// Logs in with a password, and with TLS: from PostgreSQL 16 on, `postgres` is the administrator of users
    /// in rds_iam, and the login rules treat it as their member.
    pub(crate) fn open(
        port: u16,
        authorities: &Path,
        user: &str,
        password: &str,
        database: &str,
    ) -> Result<Self, SqlError> {
        let mut config = tokio_postgres::Config::new();
        config
            .user(user)
            .password(password)
            .dbname(database)
            .application_name("rdsign local")
            .ssl_mode(SslMode::Disable); // the stream has it already
        let runtime = runtime::Builder::new_current_thread().enable_io().build();
        let runtime = runtime.map_err(failed)?;
        let stream = runtime.block_on(dial(port, authorities)).map_err(failed)?;
        let connected = runtime.block_on(config.connect_raw(stream, NoTls));
        let (client, connection) = connected.map_err(described)?;
        Ok(Self {
            connection: runtime.spawn(connection),
            runtime,
            client,
        })
    }

    /// Runs one or more statements.
    pub(crate) fn run(&self, sql: &str) -> Result<Rows, SqlError> {
        let answers = self.runtime.block_on(self.client.simple_query(sql));
        answers.map(rows).map_err(|error| {
            let mut error = described(error);
            if error.message == UNEXPECTED {
                error.message = "sql: COPY cannot be used with STDIN or STDOUT; accepted: all other statements, \
                    such as INSERT, or use psql"
                    .to_owned();
            }
            error
        })
    }

    /// Ends it, and waits until the server has. Until then its database cannot be a template.
    pub(crate) fn close(self) {
        drop(self.client);
        let _ = self.runtime.block_on(self.connection);
    }
}

/// Connects to the server, and asks for TLS as PostgreSQL's protocol does.
async fn dial(port: u16, authorities: &Path) -> io::Result<TlsStream<TcpStream>> {
    const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(authorities).map_err(io::Error::other)? {
        let certificate = certificate.map_err(io::Error::other)?;
        roots.add(certificate).map_err(io::Error::other)?;
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    stream.set_nodelay(true)?;
    stream.write_all(&SSL_REQUEST).await?;
    if stream.read_u8().await? != b'S' {
        return Err(io::Error::other("the server has no TLS"));
    }
    let name = ServerName::from(IpAddr::V4(Ipv4Addr::LOCALHOST));
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
}

fn failed(error: io::Error) -> SqlError {
    SqlError {
        message: error.to_string(),
        state: None,
    }
}

fn rows(answers: Vec<SimpleQueryMessage>) -> Rows {
    let mut found = Rows::default();
    for answer in answers {
        match answer {
            SimpleQueryMessage::RowDescription(columns) => {
                found.columns = columns
                    .iter()
                    .map(|column| column.name().to_owned())
                    .collect();
                found.rows.clear();
            }
            SimpleQueryMessage::Row(row) => {
                let values = (0..row.len()).map(|at| row.get(at).map(str::to_owned));
                found.rows.push(values.collect());
            }
            _ => {}
        }
    }
    found
}

fn described(error: tokio_postgres::Error) -> SqlError {
    let Some(reported) = error.as_db_error() else {
        let source = std::error::Error::source(&error);
        return SqlError {
            message: source
                .map_or_else(|| error.to_string(), |source| format!("{error}: {source}")),
            state: None,
        };
    };
    let more = [reported.detail(), reported.hint()];
    let more: String = more
        .iter()
        .flatten()
        .map(|text| format!(" ({text})"))
        .collect();
    SqlError {
        message: format!("{}{more}", reported.message()),
        state: Some(reported.code().code().to_owned()),
    }
}

/// Quotes a text as an SQL string.
pub(crate) fn literal(text: &str) -> String {
    let text = text.replace('\'', "''");
    match text.contains('\\') {
        true => format!(" E'{}'", text.replace('\\', "\\\\")),
        false => format!("'{text}'"),
    }
}

/// Returns the statements that create a user whose rights `postgres` has, until [`finish_visible_user`].
pub(crate) fn create_visible_user(user: &str) -> String {
    let user = quoted_identifier(user);
    format!("CREATE USER {user}; GRANT {user} TO postgres")
}

/// Returns the statements that let `postgres` see what the user creates in the database in which they run,
/// and let the user log in with tokens. Only in this order: a member of a user in rds_iam needs a token.
pub(crate) fn finish_visible_user(user: &str) -> String {
    let user = quoted_identifier(user);
    let visible = ["TABLES", "SEQUENCES", "SCHEMAS"].map(|kind| {
        format!("ALTER DEFAULT PRIVILEGES FOR ROLE {user} GRANT ALL ON {kind} TO postgres;")
    });
    format!(
        "{} REVOKE {user} FROM postgres; GRANT rds_iam TO {user}",
        visible.concat()
    )
}

/// Returns the statements that create a user who logs in, to be run one after the other: a statement that
/// fails is in the server's log, and the one with the password only fails if the first does.
pub(crate) fn create_user(user: &str, password: Option<&str>) -> Vec<String> {
    let user = quoted_identifier(user);
    match password {
        None => vec![format!("CREATE USER {user} IN ROLE rds_iam")],
        Some(password) => vec![
            format!("CREATE USER {user}"),
            format!("ALTER USER {user} PASSWORD {}", literal(password)),
        ],
    }
}

/// Returns the statements that give `user`, in the database in which they run, what iam_user has in
/// `template`.
///
/// A user of the server cannot make others a member of iam_user, and PostgreSQL copies no rights to a
/// database itself. What does not belong to `postgres` is left out.
pub(crate) fn same_rights(template: &str, user: &str) -> String {
    const RIGHTS: &str = "\
DO $$
DECLARE
    statement text;
BEGIN
    FOR statement IN
        SELECT format('GRANT %s ON %s TO %I', kind.privilege_type, object, {user})
        FROM (
            SELECT datacl AS acl, format('DATABASE %I', current_database()) AS object
            FROM pg_database WHERE datname = {template}
            UNION ALL
            SELECT nspacl, format('SCHEMA %I', nspname)
            FROM pg_namespace WHERE pg_has_role(nspowner, 'USAGE')
            UNION ALL
            SELECT relacl, format('%s %s', CASE relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, oid::regclass)
            FROM pg_class WHERE pg_has_role(relowner, 'USAGE')
            UNION ALL
            SELECT proacl, format('ROUTINE %s', oid::regprocedure)
            FROM pg_proc WHERE pg_has_role(proowner, 'USAGE')
        ) AS objects, aclexplode(acl) AS kind
        WHERE kind.grantee = to_regrole('iam_user')
    LOOP
        EXECUTE statement;
    END LOOP;
END
$$;
";
    // As hex, because nothing between the dollar quotes may end them.
    let name = |text: &str| {
        let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
        format!("convert_from(decode('{hex}', 'hex'), 'UTF8')")
    };
    RIGHTS
        .replace("{user}", &name(user))
        .replace("{template}", &name(template))
}
