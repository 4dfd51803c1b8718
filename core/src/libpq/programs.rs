//! PostgreSQL's programs that connect with libpq, and how they parse their arguments.
//!
//! Without this table, `-h` within a value would look like an option, or the other way round.

/// PostgreSQL's programs that connect with libpq, and their short options that have a value.
pub(super) const PROGRAMS: [(&str, &str); 21] = [
    ("psql", "cdfFhLopPRTUv"),
    ("pg_dump", "deEfFhjnNpStTUZ"),
    ("pg_dumpall", "dEfhlpSU"),
    ("pg_restore", "dfFhIjLnNpPStTU"),
    ("pgbench", "bcDfFhIjLMpPRstTU"),
    ("pg_isready", "dhptU"),
    ("pg_amcheck", "dDhiIjprRsStTU"),
    ("pg_basebackup", "cdDFhlprRsStTUXZ"),
    ("pg_receivewal", "dDEhpsSUZ"),
    ("pg_recvlogical", "dEfFhIoPpsSU"),
    ("pg_rewind", "D"),
    ("pg_createsubscriber", "dDpPstU"),
    ("clusterdb", "dhptU"),
    ("createdb", "DEhlOpTU"),
    ("createuser", "acghmpUv"),
    ("dropdb", "hpU"),
    ("dropuser", "hpU"),
    ("reindexdb", "dhijpStU"),
    ("vacuumdb", "dhjnNpPtU"),
    ("vacuumlo", "hlpU"),
    ("oid2name", "dfhHopPtU"),
];
