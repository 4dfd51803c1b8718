//! What makes a PostgreSQL behave like RDS: its login rules, its settings and its roles.

use rdsign::Service;
use rdsign::names::Endpoint;

use crate::config::Config;

/// The login rules of RDS, in the same order: a member of rds_iam needs a token and TLS. The preloaded
/// library asks for the token, and only that library names this file to PostgreSQL. No rule allows a
/// login without a password or token, or through a Unix socket. The superuser cannot log in at all,
/// even if somebody made it a member of rds_iam.
pub(super) const RULES: &str = "\
# TYPE    DATABASE USER     ADDRESS METHOD
host      all      rdsadmin all     reject
hostssl   all      +rds_iam all     trust
hostnossl all      +rds_iam all     reject
host      all      all      all     md5
";

/// The login rules in the data folder, for somebody who starts PostgreSQL by hand.
pub(super) const NO_LOGINS: &str = "\
# rdsign local has its own rules. Without it, nobody can log in.
local all all reject
host  all all all reject
";

/// Reachable from this machine only, and large enough for many clients at once.
pub(super) const SETTINGS: &str = "\
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 300
shared_buffers = 32MB
dynamic_shared_memory_type = mmap  # leaves nothing outside this folder
password_encryption = 'scram-sha-256'
ssl = on
ssl_cert_file = '../server.pem'
ssl_key_file = '../server.key'
wal_level = logical
max_wal_senders = 10
max_replication_slots = 10
log_destination = 'stderr'
logging_collector = off
log_line_prefix = '%m [%p] '
timezone = 'UTC'
log_timezone = 'UTC'
";

/// Durability costs time, and a folder that is removed with the server does not need it.
pub(super) const TEMPORARY_SETTINGS: &str = "\
fsync = off
full_page_writes = off
synchronous_commit = off
";

/// One statement per line, because single-user mode reads lines.
///
/// The superuser is called rdsadmin, as on RDS. If it were postgres, pg_has_role would report that
/// postgres is a member of every role. It may replicate as a member of rds_replication; the preloaded
/// library gives other members that attribute.
///
/// iam_user may create tables and databases, so that migrations and test suites run. A session
/// cannot leave its database, so testdb copies the schema's privilege from the database postgres.
/// Up to version 14, postgres would not own the schema, and could not revoke the privilege.
const ROLES: &str = "\
CREATE ROLE rds_superuser;
CREATE ROLE rds_replication;
CREATE ROLE rds_iam;
CREATE ROLE rds_password;
GRANT {predefined}pg_monitor, pg_signal_backend, rds_password, rds_replication TO rds_superuser WITH ADMIN OPTION;
CREATE ROLE postgres LOGIN CREATEDB CREATEROLE REPLICATION IN ROLE rds_superuser;
CREATE ROLE iam_user LOGIN CREATEDB IN ROLE rds_iam;
CREATE ROLE testuser LOGIN IN ROLE rds_iam;
ALTER SCHEMA public OWNER TO pg_database_owner;
GRANT CREATE ON SCHEMA public TO iam_user;
CREATE DATABASE testdb TEMPLATE postgres OWNER postgres;
GRANT CREATE ON DATABASE testdb TO iam_user;
REVOKE CREATE ON SCHEMA public FROM iam_user;
ALTER DATABASE postgres OWNER TO postgres;
";

/// From this version on, a role needs ADMIN OPTION to grant another. The preloaded library's module
/// `roles` explains what follows from that.
const ROLES_CHANGED_IN: u32 = 16;
/// What rds_superuser also has since then.
const PREDEFINED: &str = "pg_read_all_data, pg_write_all_data, pg_checkpoint, \
    pg_use_reserved_connections, pg_create_subscription, ";

/// Up to version 15, a role with CREATEROLE may grant every role that is not a superuser. The
/// members of these roles read and write files and run programs of this machine, so they become
/// superusers themselves. Nobody can log in as them, and members do not inherit the attribute.
const UNGRANTABLE: &str = "\
UPDATE pg_authid SET rolsuper = true WHERE rolname IN \
('pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program');
";

/// The administrator of a service whose databases have one, such as `admin` of DSQL. It has the rights
/// of `postgres`, and logs in with a token. Created at the first start that needs it.
const ADMINISTRATOR: &str = "\
DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN \
CREATE ROLE {role} LOGIN CREATEROLE IN ROLE rds_iam, postgres; END IF; END $$;
";

/// Returns the statement that creates the administrator that the endpoints need, or "".
pub(super) fn administrator(config: &Config) -> String {
    let services = config.server.endpoints.iter().filter_map(Endpoint::service);
    let statement = services
        .filter_map(Service::admin)
        .map(|role| ADMINISTRATOR.replace("{role}", role))
        .next();
    statement.unwrap_or_default()
}

/// From this version on, a new database is copied through the log, unless it is told not to: the log would
/// be the largest part of a new data folder.
const COPIES_THROUGH_LOG: u32 = 15;
const TEMPLATE: &str = "TEMPLATE postgres";

/// Returns the statements that create the roles, one per line.
pub(super) fn roles(major: u32) -> String {
    let (predefined, ungrantable) = match major {
        ROLES_CHANGED_IN.. => (PREDEFINED, ""),
        _ => ("", UNGRANTABLE),
    };
    let template = match major {
        COPIES_THROUGH_LOG.. => "TEMPLATE postgres STRATEGY file_copy",
        _ => TEMPLATE,
    };
    ROLES
        .replace("{predefined}", predefined)
        .replace(TEMPLATE, template)
        + ungrantable
}

/// Returns the roles and settings of a new data folder, as a text to compare.
pub(super) fn setup() -> String {
    [ROLES, PREDEFINED, UNGRANTABLE, SETTINGS].concat()
}
