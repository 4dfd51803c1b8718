//! PostgreSQL's programs that connect with libpq, and how they parse their arguments.
//!
//! An option that is missing here is not skipped with its value: both are checked.
//!
//! Source: <https://www.postgresql.org/docs/current/reference-client.html>

use std::path::Path;

/// A program: its short options that have a value, and among these the ones that name the host, the
/// port and the user, and those that accept a connection string.
pub(super) struct Program {
    pub(super) name: &'static str,
    pub(super) with_value: &'static str,
    pub(super) hosts: &'static str,
    pub(super) ports: &'static str,
    pub(super) users: &'static str,
    pub(super) strings: &'static str,
}

const fn program(name: &'static str, with_value: &'static str) -> Program {
    Program {
        name,
        with_value,
        hosts: "h",
        ports: "p",
        users: "U",
        strings: "d",
    }
}

const PROGRAMS: [Program; 22] = [
    program("psql", "cdfFhLopPRTUv"),
    program("pg_dump", "deEfFhjnNpStTUZ"),
    Program {
        strings: "dl",
        ..program("pg_dumpall", "dEfhlpSU")
    },
    program("pg_restore", "dfFhIjLnNpPStTU"),
    program("pgbench", "bcDfFhIjLMpPRstTU"),
    program("pg_isready", "dhptU"),
    program("pg_amcheck", "dDhiIjprRsStTU"),
    program("pg_basebackup", "cdDFhilprsStTUXZ"),
    program("pg_receivewal", "dDEhpsSUZ"),
    program("pg_recvlogical", "dEfFhIoPpsSU"),
    program("pg_rewind", "D"),
    // Its -p and -U are for another server, which it starts itself.
    Program {
        strings: "dP",
        ports: "",
        users: "",
        ..program("pg_createsubscriber", "dDpPstU")
    },
    program("clusterdb", "dhptU"),
    program("createdb", "DEhlOpSTU"),
    program("createuser", "acghmpUv"),
    program("dropdb", "hpU"),
    program("dropuser", "hpU"),
    program("reindexdb", "dhijpStU"),
    program("vacuumdb", "dhjnNpPtU"),
    program("vacuumlo", "hlpU"),
    Program {
        hosts: "hH",
        ..program("oid2name", "dfhHopPtU")
    },
    // Not PostgreSQL's. -D names a server in pgcli's own configuration, so no value is accepted.
    Program {
        hosts: "hD",
        users: "uU",
        ..program("pgcli", "dDhpuU")
    },
];

/// pgbench's `-d` has a value only since PostgreSQL 17.
pub(super) fn may_have_no_value(program: &Program, option: char) -> bool {
    (program.name, option) == ("pgbench", 'd')
}

/// Long options that have a value which is no host and no connection string, in every program that
/// has them. None is the start of another program's option without a value.
pub(super) const PLAIN: [&str; 13] = [
    "--command",
    "--define",
    "--field-separator",
    "--file",
    "--log-file",
    "--output",
    "--port",
    "--pset",
    "--record-separator",
    "--set",
    "--table-attr",
    "--username",
    "--variable",
];

/// Long options that choose the server. Debian's wrapper of PostgreSQL's programs sets PGHOST to
/// the host or the socket of a cluster; pgcli's `--dsn` names a server in its own configuration.
pub(super) const ELSEWHERE: [&str; 2] = ["--cluster", "--dsn"];

/// Programs that run the program in their arguments.
const PREFIXES: [&str; 17] = [
    "chrt", "command", "doas", "env", "ionice", "nice", "nohup", "setsid", "stdbuf", "strace",
    "sudo", "taskset", "time", "timeout", "unbuffer", "watch", "xargs",
];

/// Finds one of the programs by its name or path. The name may end with a version, as in `psql-17`.
pub(super) fn find(program: &str) -> Option<&'static Program> {
    let name = name(program).trim_end_matches(|c: char| c.is_ascii_digit() || ".-".contains(c));
    PROGRAMS.iter().find(|program| program.name == name)
}

/// Returns whether a program runs the one in its arguments, as `env` does.
pub(super) fn is_prefix(program: &str) -> bool {
    PREFIXES.contains(&name(program))
}

fn name(program: &str) -> &str {
    let name = Path::new(program)
        .file_name()
        .and_then(|name| name.to_str());
    name.unwrap_or_default()
}
