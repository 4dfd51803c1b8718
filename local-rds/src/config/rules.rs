//! The checks of account ids, resource ids and access keys.
//!
//! They return what is accepted, without the field's name and without the value.

/// Checks an AWS account id.
pub(super) fn check_account_id(value: &str) -> Result<(), &'static str> {
    if value.len() == 12 && value.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(());
    }
    Err("accepted: 12 digits, such as 123456789012")
}

/// Checks the resource id of an instance, an Aurora cluster or an RDS Proxy.
pub(super) fn check_resource_id(value: &str) -> Result<(), &'static str> {
    let id = ["db-", "cluster-", "prx-"]
        .iter()
        .find_map(|prefix| value.strip_prefix(prefix));
    match id {
        Some(id) if !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric()) => Ok(()),
        _ => Err("accepted: db-, cluster- or prx- followed by letters and digits"),
    }
}

/// Checks an access key id, a secret access key or a session token.
pub(super) fn check_key_part(value: &str) -> Result<(), &'static str> {
    if value.is_empty() || value.contains(char::is_control) {
        return Err("is empty or has a control character in it");
    }
    Ok(())
}
