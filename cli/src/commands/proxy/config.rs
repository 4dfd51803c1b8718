//! Turns settings into the configuration of the library. Flags alone make one endpoint; a file makes any
//! number in the same way, and its errors name the line.

use std::path::PathBuf;
use std::time::Duration;

use rdsign::libpq::SslMode;
use rdsign::names;
use rdsign_proxy::{
    ClientFiles, Clients, Config, Counters, Dial, Endpoint, Health, Level, Limits, Listen, Log,
    Metrics, Server, Users,
};

use super::failure;
use super::file::{self, Place};
use super::flags::{EndpointArgs, ProcessArgs, Settings};
use crate::args::{TargetArgs, service, variable};
use crate::ca_bundle::Roots;
use crate::failure::Failure;

/// The settings of the command line, or of a file.
pub(super) struct Read {
    endpoints: Vec<(EndpointArgs, Place)>,
    pub(super) process: ProcessArgs,
    top: Place,
}

impl Read {
    pub(super) fn new(settings: &Settings) -> Result<Self, Failure> {
        match &settings.config {
            Some(path) => {
                let (endpoints, process, top) = file::read(path, &settings.given)?;
                let read = Self {
                    endpoints,
                    process,
                    top,
                };
                read.check_names()?;
                Ok(read)
            }
            None => {
                // Its other settings count even if flags name the target.
                service::load(SslMode::OfTheCaller)?;
                Ok(Self {
                    endpoints: vec![(settings.endpoint.clone(), Place::default())],
                    process: settings.process.clone(),
                    top: Place::default(),
                })
            }
        }
    }

    /// Adds the line of the setting that a failure is about.
    pub(super) fn locate(&self, failure: Failure) -> Failure {
        self.top.locate(failure)
    }

    /// Refuses endpoints that share a name or a listener: clients would reach one of them by chance.
    fn check_names(&self) -> Result<(), Failure> {
        for (index, (one, place)) in self.endpoints.iter().enumerate() {
            for (other, earlier) in &self.endpoints[..index] {
                let is_free = one.listen.is_some_and(|address| address.port() == 0);
                let has_same_name = one.name == other.name;
                let field = if has_same_name && one.name.is_some() {
                    "name"
                } else if one.listen.is_some() && one.listen == other.listen {
                    match (is_free, has_same_name) {
                        (false, _) => "listen",
                        // Without a name, it could not be found again after SIGHUP.
                        (true, true) => "name",
                        (true, false) => continue,
                    }
                } else if one.socket.is_some() && one.socket == other.socket {
                    "socket"
                } else {
                    continue;
                };
                let problem = match (field, one.name.is_some()) {
                    ("name", false) => "name: missing, and both use free ports".to_owned(),
                    _ => format!("{field}: the same as in line {}", earlier.line(field)),
                };
                let problem = format!("{problem}; accepted: another one for each endpoint");
                return Err(place.locate(Failure::Usage(problem)));
            }
        }
        Ok(())
    }

    /// Returns what the library does with these settings.
    pub(super) fn config(&self, log: &Log, metrics: &Metrics) -> Result<Config, Failure> {
        let is_alone = self.endpoints.len() == 1;
        let endpoints = self.endpoints.iter().map(|(args, place)| {
            let name = args.name.as_deref();
            let (log, counters) = (log.of(name), metrics.of(name));
            let built = endpoint(args, place, is_alone, &log, &counters);
            built.map_err(|failure| place.locate(failure))
        });
        let process = &self.process;
        Ok(Config {
            endpoints: endpoints.collect::<Result<_, _>>()?,
            limits: Limits {
                max_connections: process.max_connections,
                max_logins_per_second: process.max_logins_per_second,
                startup_timeout: Duration::from_secs(process.startup_timeout),
                connect_timeout: Duration::from_secs(process.connect_timeout),
                drain: Duration::from_secs(process.drain),
            },
            health: process.health.map(|address| Health {
                address,
                max_login_age: Duration::from_secs(process.max_login_age),
                database: process.health_database.clone(),
            }),
        })
    }
}

fn endpoint(
    args: &EndpointArgs,
    place: &Place,
    is_alone: bool,
    log: &Log,
    counters: &Counters,
) -> Result<Endpoint, Failure> {
    let mut users = args.username.iter().cloned();
    let target = TargetArgs {
        hostname: args.hostname.clone(),
        port: args.port,
        username: users.next(),
        region: args.region.clone(),
        service: args.service.clone(),
        source: args.source.clone(),
    };
    // libpq's variables are for one server, and a file may have several.
    let is_file = place.is_file();
    let builder = if is_file {
        target.options()
    } else {
        target.builder()?
    };
    let (own_log, counters) = (log.clone(), counters.clone());
    let signer = builder.event_listener(move |event| {
        counters.credentials(event.kind.as_str());
        let level = match event.kind.is_warning() {
            true => Level::Warning,
            false => Level::Info,
        };
        let values = [("message", event.to_string().into())];
        own_log.line(level, "credentials", &values);
    });
    let signer = signer.build()?;
    let dial = Dial {
        hostaddr: match is_file {
            true => args.dial.hostaddr,
            false => args.dial.address()?,
        },
        hostport: args.dial.hostport,
    };
    let authorities = match (&args.sslrootcert, is_file) {
        (None, false) => variable("PGSSLROOTCERT").map(PathBuf::from),
        (given, _) => given.clone(),
    };
    let roots = Roots::choose(authorities, signer.endpoint(), signer.service())
        .map_err(|problem| Failure::Usage(format!("sslrootcert: {problem}")))?;
    let users = match args.any_user {
        true => Users::Any,
        false => Users::Named(users.collect()),
    };
    let server = Server::new(signer, users, dial, roots.store)
        .and_then(|server| server.map(args.map_user.clone()))
        .map_err(failure)?;
    let files = ClientFiles {
        tls_cert: args.tls_cert.clone(),
        tls_key: args.tls_key.clone(),
        password_file: args.password_file.clone(),
    };
    let clients = Clients::open(files, log).map_err(failure)?;
    let listen = listen(args, is_alone)?;
    for one in &listen {
        one.check(&args.allow_uid, &clients).map_err(failure)?;
    }
    Ok(Endpoint {
        name: args.name.clone(),
        server,
        listen,
        clients,
        allowed_users: args.allow_uid.clone(),
    })
}

/// Returns where an endpoint listens: where it says, else on systemd's sockets, else at the default.
fn listen(args: &EndpointArgs, is_alone: bool) -> Result<Vec<Listen>, Failure> {
    let mut listen: Vec<_> = args.listen.map(Listen::Tcp).into_iter().collect();
    listen.extend(args.socket.clone().map(Listen::Socket));
    if listen.is_empty() && !is_alone {
        return Err(Failure::Usage(
            "listen: missing; accepted: listen or socket for each of several endpoints".to_owned(),
        ));
    }
    if listen.is_empty() {
        listen = Listen::inherited().map_err(failure)?;
    }
    if listen.is_empty() {
        listen.push(Listen::Tcp(([127, 0, 0, 1], names::DEFAULT_PORT).into()));
    }
    let has_socket = listen.iter().any(|one| matches!(one, Listen::Socket(_)));
    if !args.allow_uid.is_empty() && !has_socket {
        return Err(Failure::Usage(
            "allow uid: only for a Unix socket; accepted: together with --socket".to_owned(),
        ));
    }
    Ok(listen)
}
