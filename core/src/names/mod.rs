//! Checks names: host names and endpoints, regions, user names, account IDs, resource IDs, access
//! key IDs and ARNs.
//!
//! All rules about names are in this module. Nothing here uses the network, so a name that passes
//! the checks may still not exist.

mod access_key;
mod endpoint;
mod hostname;
mod odd_keys;
mod region;
mod resource;
mod service;
mod username;

pub use crate::limits::DEFAULT_PORT;
pub use access_key::{SessionTokenMismatch, access_key_kind, shown_access_key_id};
pub(crate) use access_key::{is_access_key_id, is_issued_access_key_id};
pub use endpoint::{Endpoint, parse_port};
pub use hostname::is_same_hostname;
pub(crate) use hostname::{address, hostname_required, is_loopback};
pub use odd_keys::OddKeys;
pub use region::Region;
pub(crate) use region::zone;
#[cfg(feature = "chain")]
pub(crate) use region::{partition_of, region_problem};
pub use resource::{
    ConnectResource, InvalidResource, Wildcards, is_account_id, is_iam_arn, is_resource_id,
};
pub(crate) use resource::{ID_PREFIXES, check_iam_arn, check_one_username};
pub use service::Service;
pub(crate) use username::{check_username, username_required};
