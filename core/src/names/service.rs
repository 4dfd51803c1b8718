//! Lists the services that tokens are for, and what differs between them. Nothing else may decide by
//! the service: signing, verifying and inspecting read its row. Another service is another row.

use crate::error::{Error, ErrorCode};
use crate::message::quoted;

/// A database service that tokens are for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Service {
    /// Amazon RDS and Aurora. The default.
    #[default]
    Rds,
    /// Aurora DSQL.
    Dsql,
}

/// An action of a service: in a token, and in a policy.
#[derive(Debug)]
pub(crate) struct Action {
    /// The value of the parameter `Action`.
    pub(crate) name: &'static str,
    /// The action in an IAM policy.
    pub(crate) iam: &'static str,
}

/// What differs between the services.
#[derive(Debug)]
pub(crate) struct Row {
    service: Service,
    /// The value of the option `service`.
    name: &'static str,
    /// The name for people.
    pub(crate) title: &'static str,
    /// The service in a token's credential scope, which is also the service in an ARN.
    pub(crate) signing_name: &'static str,
    /// The action to log in as any user.
    pub(crate) action: Action,
    /// The user that needs another action, and that action.
    pub(crate) admin: Option<(&'static str, Action)>,
    /// The kind of resource in an ARN, up to the resource ID.
    pub(crate) resource: &'static str,
    /// The condition keys that a policy for the service cannot use.
    pub(crate) unsupported_keys: &'static [&'static str],
    /// Whether its servers' certificates come from authorities of its own, and only those of proxies
    /// from Amazon's public ones. `ca-bundle/` has both.
    has_own_authorities: bool,
    /// The role whose members log in with tokens.
    login_role: Option<&'static str>,
    /// The database of every server.
    database: Option<&'static str>,
    /// Whether a token contains the port and the user, and an ARN the user. If not, they are valid
    /// for every user of the action.
    pub(crate) names_login: bool,
    /// The longest lifetime of a token, in seconds.
    pub(crate) max_expires_in: u32,
    /// The AWS CLI's command that makes a token.
    pub(crate) command: &'static str,
    /// An endpoint name.
    pub(crate) example: &'static str,
    /// The domains of endpoint names. Before the domain are the service's label and the region.
    pub(super) domains: &'static [&'static str],
    /// Whether a label of an endpoint name is the service's.
    pub(super) is_label: fn(&str) -> bool,
    /// Whether the region may also be before the service's label.
    pub(super) region_may_lead: bool,
}

/// One row for each service, in the order of [`Service`].
///
/// Sources:
/// - <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html>
/// - <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html#UsingWithRDS.IAMDBAuth.ConditionKeys>
/// - <https://docs.aws.amazon.com/aurora-dsql/latest/userguide/SECTION_authentication-token.html>
/// - <https://docs.aws.amazon.com/aurora-dsql/latest/userguide/accessing.html>
/// - the host names that AWS's connectors accept:
///   <https://github.com/awslabs/aurora-dsql-connectors/blob/main/go/pgx/dsql/util.go>
static ROWS: [Row; 2] = [
    Row {
        service: Service::Rds,
        name: "rds",
        title: "RDS",
        signing_name: "rds-db",
        action: Action {
            name: "connect",
            iam: "rds-db:connect",
        },
        admin: None,
        resource: "dbuser:",
        unsupported_keys: &[
            "aws:Referer",
            "aws:SourceIp",
            "aws:SourceVpc",
            "aws:SourceVpce",
            "aws:UserAgent",
            "aws:VpcSourceIp",
        ],
        has_own_authorities: true,
        login_role: Some("rds_iam"),
        database: None,
        names_login: true,
        max_expires_in: 900,
        command: "aws rds generate-db-auth-token",
        example: "mydb.abc123.eu-central-1.rds.amazonaws.com",
        domains: &[
            ".amazonaws.com",
            ".amazonaws.com.cn",
            ".amazonaws.eu",
            ".amazonaws.au",
            ".amazonaws.uk",
            ".c2s.ic.gov",
            ".sc2s.sgov.gov",
            ".cloud.adc-e.uk",
            ".csp.hci.ic.gov",
        ],
        is_label: |label| matches!(label, "rds" | "rds-fips"),
        region_may_lead: true,
    },
    Row {
        service: Service::Dsql,
        name: "dsql",
        title: "Aurora DSQL",
        signing_name: "dsql",
        action: Action {
            name: "DbConnect",
            iam: "dsql:DbConnect",
        },
        admin: Some((
            "admin",
            Action {
                name: "DbConnectAdmin",
                iam: "dsql:DbConnectAdmin",
            },
        )),
        resource: "cluster/",
        unsupported_keys: &[],
        has_own_authorities: false,
        login_role: None,
        database: Some("postgres"),
        names_login: false,
        max_expires_in: 604_800,
        command: "aws dsql generate-db-connect-auth-token",
        example: "4abcdefghijklmnopqrstuvwxy.dsql.us-east-1.on.aws",
        domains: &[".on.aws"],
        // PrivateLink adds a suffix, such as dsql-fnh4.
        is_label: |label| label.starts_with("dsql"),
        region_may_lead: false,
    },
];

impl Service {
    /// All services.
    pub const ALL: &[Self] = &[Self::Rds, Self::Dsql];

    /// Returns the value of the option `service`: `rds` or `dsql`.
    pub const fn as_str(self) -> &'static str {
        self.row().name
    }

    /// Returns the longest lifetime of a token, in seconds: 900 for RDS, 604,800 for DSQL.
    pub const fn max_expires_in(self) -> u32 {
        self.row().max_expires_in
    }

    /// Returns the database to log in to if a program names none: `postgres` for DSQL, whose clusters
    /// have no other.
    pub const fn default_database(self) -> Option<&'static str> {
        self.row().database
    }

    /// Returns whether servers have certificates from authorities of the service's own. If not, they
    /// come from Amazon's public authorities, like those of RDS Proxy.
    pub const fn has_own_authorities(self) -> bool {
        self.row().has_own_authorities
    }

    /// Returns the role whose members log in with tokens: `rds_iam`. Roles of DSQL need none.
    pub const fn login_role(self) -> Option<&'static str> {
        self.row().login_role
    }

    /// Returns whether a user also needs `AWS IAM GRANT` to its owner's ARN: every role of DSQL but
    /// `admin`.
    pub fn needs_grant(self, username: &str) -> bool {
        let row = self.row();
        row.admin
            .as_ref()
            .is_some_and(|(admin, _)| *admin != username)
    }

    /// Returns an example of an endpoint's name.
    pub const fn example(self) -> &'static str {
        self.row().example
    }

    /// Returns the name for people: `RDS` or `Aurora DSQL`.
    pub const fn title(self) -> &'static str {
        self.row().title
    }

    /// Returns the service with this value of the option `service`.
    ///
    /// # Errors
    /// [`ErrorCode::ServiceMismatch`] if the value is neither `rds` nor `dsql`.
    pub fn new(name: &str) -> Result<Self, Error> {
        Self::find(|row| row.name == name).ok_or_else(|| {
            Error::new(
                ErrorCode::ServiceMismatch,
                format!(
                    "service: {} is not a service; accepted: rds or dsql",
                    quoted(name)
                ),
            )
        })
    }

    /// Returns the service in a token's credential scope.
    pub(crate) fn of_signing_name(name: &str) -> Option<Self> {
        Self::find(|row| row.signing_name == name)
    }

    /// Returns the action that a user needs to log in.
    pub(crate) fn action(self, username: &str) -> &'static Action {
        match &self.row().admin {
            Some((admin, action)) if *admin == username => action,
            _ => &self.row().action,
        }
    }

    /// Returns whether a token is for one port and one user.
    pub const fn names_login(self) -> bool {
        self.row().names_login
    }

    /// Returns the user that every database has and that needs an action of its own: `admin` for DSQL.
    pub fn admin(self) -> Option<&'static str> {
        self.row().admin.as_ref().map(|(admin, _)| *admin)
    }

    pub(crate) const fn row(self) -> &'static Row {
        &ROWS[self as usize]
    }

    fn find(is_it: impl Fn(&Row) -> bool) -> Option<Self> {
        ROWS.iter().find(|row| is_it(row)).map(|row| row.service)
    }
}

impl std::fmt::Display for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_service_has_its_own_row() {
        for service in Service::ALL {
            assert_eq!(service.row().service, *service);
            assert_eq!(Service::new(service.as_str()), Ok(*service));
            let signing_name = service.row().signing_name;
            assert_eq!(Service::of_signing_name(signing_name), Some(*service));
        }
        assert_eq!(Service::ALL.len(), ROWS.len());
    }

    #[test]
    fn the_example_of_a_service_is_an_endpoint_of_it() {
        for row in &ROWS {
            let endpoint = crate::names::Endpoint::new(row.example, 5432).unwrap();
            assert_eq!(endpoint.service(), Some(row.service));
        }
    }

    #[test]
    fn actions_in_policies_are_the_actions_of_tokens() {
        for row in &ROWS {
            let admin = row.admin.as_ref().map(|(_, action)| action);
            for action in [Some(&row.action), admin].into_iter().flatten() {
                assert_eq!(action.iam, format!("{}:{}", row.signing_name, action.name));
            }
        }
    }
}
