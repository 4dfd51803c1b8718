//! Declares the services that tokens are for, and what differs between them. Nothing else may decide
//! by the service: signing, verifying and inspecting ask it. Another service is another entry.

use std::fmt;

use crate::error::{Error, ErrorCode};
use crate::message::quoted;

/// An action of a service: in a token, and in a policy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Action {
    /// The value of the parameter `Action`.
    pub(crate) name: &'static str,
    /// The action in an IAM policy.
    pub(crate) iam: &'static str,
}

/// Declares the services, each with all that differs. Each difference becomes a function, so that a
/// program contains only those that it uses.
macro_rules! services {
    ($($(#[$doc:meta])* $service:ident {
        name: $name:expr,
        title: $title:expr,
        signing_name: $signing_name:expr,
        action: $action:expr,
        admin: $admin:expr,
        names_login: $names_login:expr,
        max_expires_in: $max_expires_in:expr,
        resource: $resource:expr,
        unsupported_keys: $unsupported_keys:expr,
        login_role: $login_role:expr,
        default_database: $default_database:expr,
        has_own_authorities: $has_own_authorities:expr,
        domains: $domains:expr,
        is_label: $is_label:expr,
        region_may_lead: $region_may_lead:expr,
        command: $command:expr,
        example: $example:expr,
    })+) => {
        /// A database service that tokens are for.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Service {
            $($(#[$doc])* $service,)+
        }

        impl Service {
            /// All services.
            pub const ALL: &[Self] = &[$(Self::$service),+];

            /// Returns the value of the option `service`: `rds` or `dsql`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$service => $name),+ }
            }

            /// Returns the name for people: `RDS` or `Aurora DSQL`.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$service => $title),+ }
            }

            /// Returns the service in a token's credential scope, which is also the one in an ARN.
            pub(crate) const fn signing_name(self) -> &'static str {
                match self { $(Self::$service => $signing_name),+ }
            }

            /// Returns the action to log in as any user but the admin.
            pub(crate) const fn common_action(self) -> Action {
                match self { $(Self::$service => $action),+ }
            }

            /// Returns the user that needs another action, and that action.
            pub(crate) const fn admin_action(self) -> Option<(&'static str, Action)> {
                match self { $(Self::$service => $admin),+ }
            }

            /// Returns whether a token contains the port and the user, and an ARN the user. If not, they
            /// are valid for every user of the action.
            pub const fn names_login(self) -> bool {
                match self { $(Self::$service => $names_login),+ }
            }

            /// Returns the longest lifetime of a token, in seconds: 900 for RDS, 604,800 for DSQL.
            pub const fn max_expires_in(self) -> u32 {
                match self { $(Self::$service => $max_expires_in),+ }
            }

            /// Returns the kind of resource in an ARN, up to the resource ID.
            pub(crate) const fn resource(self) -> &'static str {
                match self { $(Self::$service => $resource),+ }
            }

            /// Returns the condition keys that a policy for the service cannot use.
            pub(crate) const fn unsupported_keys(self) -> &'static [&'static str] {
                match self { $(Self::$service => $unsupported_keys),+ }
            }

            /// Returns the role whose members log in with tokens: `rds_iam`. Roles of DSQL need none.
            pub const fn login_role(self) -> Option<&'static str> {
                match self { $(Self::$service => $login_role),+ }
            }

            /// Returns the database to log in to if a program names none: `postgres` for DSQL, whose
            /// clusters have no other.
            pub const fn default_database(self) -> Option<&'static str> {
                match self { $(Self::$service => $default_database),+ }
            }

            /// Returns whether servers have certificates from authorities of the service's own. If not,
            /// they come from Amazon's public authorities, like those of RDS Proxy.
            pub const fn has_own_authorities(self) -> bool {
                match self { $(Self::$service => $has_own_authorities),+ }
            }

            /// Returns the domains of endpoint names. Before the domain are the service's label and the
            /// region.
            pub(super) const fn domains(self) -> &'static [&'static str] {
                match self { $(Self::$service => $domains),+ }
            }

            /// Returns whether a label of an endpoint name is the service's.
            pub(super) fn is_label(self, label: &str) -> bool {
                match self { $(Self::$service => $is_label(label)),+ }
            }

            /// Returns whether the region may also be before the service's label.
            pub(super) const fn region_may_lead(self) -> bool {
                match self { $(Self::$service => $region_may_lead),+ }
            }

            /// Returns the AWS CLI's command that makes a token.
            pub(crate) const fn command(self) -> &'static str {
                match self { $(Self::$service => $command),+ }
            }

            /// Returns an example of an endpoint's name.
            pub const fn example(self) -> &'static str {
                match self { $(Self::$service => $example),+ }
            }
        }
    };
}

// Sources:
// - https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html
// - https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html#UsingWithRDS.IAMDBAuth.ConditionKeys
// - https://docs.aws.amazon.com/aurora-dsql/latest/userguide/SECTION_authentication-token.html
// - https://docs.aws.amazon.com/aurora-dsql/latest/userguide/accessing.html
// - the host names that AWS's connectors accept:
//   https://github.com/awslabs/aurora-dsql-connectors/blob/main/go/pgx/dsql/util.go
services! {
    /// Amazon RDS and Aurora. The default.
    #[default]
    Rds {
        name: "rds",
        title: "RDS",
        signing_name: "rds-db",
        action: Action { name: "connect", iam: "rds-db:connect" },
        admin: None,
        names_login: true,
        max_expires_in: 900,
        resource: "dbuser:",
        unsupported_keys: &[
            "aws:Referer",
            "aws:SourceIp",
            "aws:SourceVpc",
            "aws:SourceVpce",
            "aws:UserAgent",
            "aws:VpcSourceIp",
        ],
        login_role: Some("rds_iam"),
        default_database: None,
        has_own_authorities: true,
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
        command: "aws rds generate-db-auth-token",
        example: "mydb.abc123.eu-central-1.rds.amazonaws.com",
    }
    /// Aurora DSQL.
    Dsql {
        name: "dsql",
        title: "Aurora DSQL",
        signing_name: "dsql",
        action: Action { name: "DbConnect", iam: "dsql:DbConnect" },
        admin: Some(("admin", Action { name: "DbConnectAdmin", iam: "dsql:DbConnectAdmin" })),
        names_login: false,
        max_expires_in: 604_800,
        resource: "cluster/",
        unsupported_keys: &[],
        login_role: None,
        default_database: Some("postgres"),
        has_own_authorities: false,
        domains: &[".on.aws"],
        // PrivateLink adds a suffix, such as dsql-fnh4.
        is_label: |label: &str| label.starts_with("dsql"),
        region_may_lead: false,
        command: "aws dsql generate-db-connect-auth-token",
        example: "4abcdefghijklmnopqrstuvwxy.dsql.us-east-1.on.aws",
    }
}

impl Service {
    /// Returns the service with this value of the option `service`.
    ///
    /// # Errors
    /// [`ErrorCode::ServiceMismatch`] if the value is neither `rds` nor `dsql`.
    pub fn new(name: &str) -> Result<Self, Error> {
        Self::find(|service| service.as_str() == name).ok_or_else(|| {
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
        Self::find(|service| service.signing_name() == name)
    }

    /// Returns the action that a user needs to log in.
    pub(crate) fn action(self, username: &str) -> Action {
        match self.admin_action() {
            Some((admin, action)) if admin == username => action,
            _ => self.common_action(),
        }
    }

    /// Returns the user that every database has and that needs an action of its own: `admin` for DSQL.
    pub fn admin(self) -> Option<&'static str> {
        self.admin_action().map(|(admin, _)| admin)
    }

    /// Returns the actions of the service's tokens.
    pub(crate) fn actions(self) -> Vec<&'static str> {
        let admin = self.admin_action().map(|(_, action)| action.name);
        [self.common_action().name]
            .into_iter()
            .chain(admin)
            .collect()
    }

    /// Returns whether a user also needs `AWS IAM GRANT` to its owner's ARN: every role of DSQL but
    /// `admin`.
    pub fn needs_grant(self, username: &str) -> bool {
        self.admin().is_some_and(|admin| admin != username)
    }

    fn find(is_it: impl Fn(Self) -> bool) -> Option<Self> {
        Self::ALL.iter().copied().find(|service| is_it(*service))
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_service_has_its_own_names() {
        for service in Service::ALL {
            assert_eq!(Service::new(service.as_str()), Ok(*service));
            let signing_name = service.signing_name();
            assert_eq!(Service::of_signing_name(signing_name), Some(*service));
        }
    }

    #[test]
    fn the_example_of_a_service_is_an_endpoint_of_it() {
        for service in Service::ALL {
            let endpoint = crate::names::Endpoint::new(service.example(), 5432).unwrap();
            assert_eq!(endpoint.service(), Some(*service));
        }
    }

    #[test]
    fn actions_in_policies_are_the_actions_of_tokens() {
        for service in Service::ALL {
            let admin = service.admin_action().map(|(_, action)| action);
            for action in [Some(service.common_action()), admin].into_iter().flatten() {
                let iam = format!("{}:{}", service.signing_name(), action.name);
                assert_eq!(action.iam, iam);
            }
        }
    }

    #[test]
    fn only_the_roles_of_dsql_but_admin_need_a_grant() {
        let needs = |service: Service| ["app", "admin"].map(|name| service.needs_grant(name));
        assert_eq!(needs(Service::Rds), [false, false]);
        assert_eq!(needs(Service::Dsql), [true, false]);
    }
}
