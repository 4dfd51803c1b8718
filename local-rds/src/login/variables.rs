//! The environment variables that pass settings from the launcher to the preloaded library.
//!
//! PostgreSQL gets an almost empty environment, so the caller's own variables never reach it.

/// The path of the configuration. Also set for the command that runs next to the server.
pub const CONFIG_VARIABLE: &str = "RDSIGN_LOCAL_CONFIG";
/// The port that the server listens on.
pub const PORT_VARIABLE: &str = "RDSIGN_LOCAL_PORT";
/// Endpoints given in addition to those of the configuration, separated by commas.
pub const ENDPOINTS_VARIABLE: &str = "RDSIGN_LOCAL_ENDPOINTS";
/// Set for PostgreSQL 16 and newer: the preloaded library changes how they treat rds_iam.
pub const ROLES_VARIABLE: &str = "RDSIGN_LOCAL_ROLES";
