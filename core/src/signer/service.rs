//! Chooses the service to sign for: the option, else the host name's, else RDS.

use crate::error::{Error, ErrorCode};
use crate::names::{Endpoint, Service};

/// Returns the service to sign for, and whether the option is valid. If it is not, the service is
/// still the best guess, because the errors of other options depend on it and are reported first.
pub(super) fn settle_service(
    given: Option<&str>,
    endpoint: &Endpoint,
) -> (Service, Result<(), Error>) {
    let of_hostname = endpoint.service();
    let settled = of_hostname.unwrap_or(Service::Rds);
    let given = match given.map(Service::new) {
        None => return (settled, Ok(())),
        Some(Err(error)) => return (settled, Err(error)),
        Some(Ok(given)) => given,
    };
    let outcome = match of_hostname {
        Some(own) if own != given => Err(Error::new(
            ErrorCode::ServiceMismatch,
            format!(
                "service: {given} differs from the host name's service, {own}; accepted: {own}, or \
                 no service"
            ),
        )),
        _ => Ok(()),
    };
    (given, outcome)
}
