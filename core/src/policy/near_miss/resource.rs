//! Compares the resource of a statement with the one that a login needs, part by part. The parts
//! are separated by colons and slashes that people confuse, so each may be in the place of another.

use super::{Difference, difference};
use crate::names::{ConnectResource, ID_PREFIXES};
use crate::policy::matching::{Colons, matches};

/// Returns the differences of a pattern without variables, placeholders and spaces.
pub(super) fn in_resource(pattern: &str, wanted: &ConnectResource) -> Option<Vec<Difference>> {
    if matches(pattern, &wanted.arn(), Colons::Bound) {
        return Some(Vec::new());
    }
    let parts: Vec<&str> = pattern.splitn(6, ':').collect();
    let [_, partition, service, region, account_id, rest] = parts[..] else {
        return None;
    };
    let differs = |pattern: &str, text: &str| !matches(pattern, text, Colons::Bound);
    let mut found = Vec::new();
    if differs(partition, &wanted.partition) {
        found.push(difference(
            "partition",
            format!(
                "The partition is {partition:?}, but {} is in {:?}.",
                wanted.region, wanted.partition
            ),
        ));
    }
    match service {
        own if own == wanted.service.signing_name() => {}
        "rds" if wanted.service.names_login() => found.push(difference(
            "resource-service",
            "The service in Resource is \"rds\": write rds-db: instead of rds:.",
        )),
        _ => return None,
    }
    if differs(region, &wanted.region) {
        found.push(difference(
            "region",
            format!(
                "The region is {region:?}, but the database is in {:?}.",
                wanted.region
            ),
        ));
    }
    if differs(account_id, &wanted.account_id) {
        found.push(difference(
            "account",
            format!(
                "The account ID is {account_id:?}, but the database belongs to {:?}.",
                wanted.account_id
            ),
        ));
    }
    match wanted.service.names_login() {
        true => in_dbuser(rest, wanted, &mut found),
        false => in_cluster(rest, wanted, &mut found),
    }
    (!found.is_empty()).then_some(found)
}

/// Compares the part after the account ID: `cluster/RESOURCEID`.
fn in_cluster(rest: &str, wanted: &ConnectResource, found: &mut Vec<Difference>) {
    let needed = wanted.behind_account();
    if !matches(rest, &needed, Colons::Bound) {
        found.push(difference(
            "resource-id",
            format!("The resource is {rest:?}, but a login needs {needed:?}."),
        ));
    }
}

/// Compares the part after the account ID: `dbuser:RESOURCEID/USERNAME`.
fn in_dbuser(rest: &str, wanted: &ConnectResource, found: &mut Vec<Difference>) {
    let ConnectResource {
        resource_id,
        username,
        ..
    } = wanted;
    let needed = format!("{resource_id}/{username}");
    if matches(rest, &format!("dbuser:{needed}"), Colons::Bound) {
        return;
    }
    let end_of_kind = rest.find([':', '/']).unwrap_or(rest.len());
    let (kind, behind) = rest.split_at(end_of_kind);
    if kind != "dbuser" || behind.is_empty() {
        found.push(difference(
            "not-a-dbuser",
            format!(
                "The resource is {rest:?}, but a login needs {:?}.",
                format!("dbuser:{needed}")
            ),
        ));
        return;
    }
    if behind.starts_with('/') {
        found.push(difference(
            "dbuser-slash",
            "A slash follows dbuser: write dbuser: instead of dbuser/.",
        ));
    }
    let behind = &behind[1..];
    if matches(behind, &needed, Colons::Bound) {
        return;
    }
    let (id, name) = match behind.split_once('/') {
        Some((id, name)) => (id, Some(name)),
        None => match behind.split_once(':') {
            Some((id, name)) => {
                found.push(difference(
                    "username-colon",
                    "A colon separates the resource ID and the user name: write a slash instead.",
                ));
                (id, Some(name))
            }
            None => (behind, None),
        },
    };
    if !matches(id, resource_id, Colons::Bound) {
        found.push(in_resource_id(id, resource_id));
    }
    match name {
        None => found.push(difference(
            "no-username",
            format!("The user name is missing: write {needed:?} after dbuser:."),
        )),
        Some(name) if !matches(name, username, Colons::Bound) => {
            found.push(in_username(name, username));
        }
        Some(_) => {}
    }
}

fn in_resource_id(id: &str, wanted: &str) -> Difference {
    let owner = |id: &str| {
        let named = |(prefix, _): &(&str, _)| id.starts_with(prefix);
        ID_PREFIXES.into_iter().find(named).map(|(_, owner)| owner)
    };
    if matches(&id.to_lowercase(), &wanted.to_lowercase(), Colons::Bound) {
        return difference(
            "resource-id-case",
            format!("Resource ID {id:?} differs from {wanted:?} only in case."),
        );
    }
    match (owner(id), owner(wanted)) {
        (None, _) => difference(
            "not-a-resource-id",
            format!(
                "{id:?} is not a resource ID (it may be the name of an instance, a cluster or a \
                 proxy): write {wanted:?}."
            ),
        ),
        (Some(given), Some(needed)) if given != needed => difference(
            "resource-id",
            format!("Resource ID {id:?} belongs to {given}, but {wanted:?} belongs to {needed}."),
        ),
        _ => difference(
            "resource-id",
            format!("The resource ID is {id:?}, but the database has {wanted:?}."),
        ),
    }
}

fn in_username(name: &str, wanted: &str) -> Difference {
    if matches(&name.to_lowercase(), &wanted.to_lowercase(), Colons::Bound) {
        return difference(
            "username-case",
            format!("User name {name:?} differs from {wanted:?} only in case."),
        );
    }
    difference(
        "username",
        format!("The user name is {name:?}, but the login is for {wanted:?}."),
    )
}
