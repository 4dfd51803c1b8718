//! The environment variables, and a setting of PostgreSQL, that pass settings from the launcher to the
//! preloaded library.
//!
//! PostgreSQL gets an almost empty environment, so the caller's own variables never reach it.

use std::ffi::CStr;

/// The path of the configuration. Also set for the command that runs next to the server.
pub const CONFIG_VARIABLE: &str = "RDSIGN_LOCAL_CONFIG";
/// The port that the server listens on.
pub const PORT_VARIABLE: &str = "RDSIGN_LOCAL_PORT";
/// Endpoints given in addition to those of the configuration, separated by commas.
pub const ENDPOINTS_VARIABLE: &str = "RDSIGN_LOCAL_ENDPOINTS";
/// The path of the login rules, seen from the data folder. Only the preloaded library names it to
/// PostgreSQL.
pub const RULES_FILE: &CStr = c"../rules.conf";
/// Set in the sessions of `--init`, so that they do not lock out later ones.
pub const INIT_SETTING: &CStr = c"rdsign.init";
