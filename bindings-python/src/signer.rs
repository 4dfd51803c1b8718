//! The Signer: its options, and tokens with and without waiting for credentials.
//!
//! Signing with cached credentials keeps the interpreter's lock, because releasing and acquiring it
//! takes longer than signing.

use std::sync::Arc;

use pyo3::exceptions::PyTypeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyString};

use crate::arguments::{integer, seconds, text, unix_seconds};
use crate::credentials::{Provider, raised_by};
use crate::errors::{caught, exception};
use crate::events::Log;
use crate::token::Token;

/// Signs tokens. `rdsign.Signer` adds the async methods and the documentation.
#[pyclass(module = "rdsign._rdsign", frozen, subclass)]
pub(crate) struct Signer {
    signer: rdsign::Signer,
    provider: Option<Arc<Provider>>,
}

#[pymethods]
impl Signer {
    #[new]
    #[pyo3(
        signature = (
            *,
            hostname,
            username,
            port = None,
            region = None,
            expires_in = None,
            service = None,
            access_key_id = None,
            secret_access_key = None,
            session_token = None,
            credentials = None,
            profile = None,
            role_arn = None,
            external_id = None,
            role_session_name = None,
            credentials_timeout = None,
        ),
        text_signature = "(*, hostname, username, port=5432, region=None, expires_in=900, \
            service=None, access_key_id=None, secret_access_key=None, session_token=None, credentials=None, \
            profile=None, role_arn=None, external_id=None, role_session_name=None, \
            credentials_timeout=5.0)"
    )]
    // One argument for each option: here Python's names become core's.
    #[allow(clippy::too_many_arguments)]
    fn new(
        py: Python<'_>,
        hostname: &Bound<'_, PyAny>,
        username: &Bound<'_, PyAny>,
        port: Option<&Bound<'_, PyAny>>,
        region: Option<&Bound<'_, PyAny>>,
        expires_in: Option<&Bound<'_, PyAny>>,
        service: Option<&Bound<'_, PyAny>>,
        access_key_id: Option<&Bound<'_, PyAny>>,
        secret_access_key: Option<&Bound<'_, PyAny>>,
        session_token: Option<&Bound<'_, PyAny>>,
        credentials: Option<&Bound<'_, PyAny>>,
        profile: Option<&Bound<'_, PyAny>>,
        role_arn: Option<&Bound<'_, PyAny>>,
        external_id: Option<&Bound<'_, PyAny>>,
        role_session_name: Option<&Bound<'_, PyAny>>,
        credentials_timeout: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let log = Log {
            hostname: text("hostname", hostname)?,
            username: text("username", username)?,
        };
        let mut builder = rdsign::Signer::builder()
            .hostname(&log.hostname)
            .username(&log.username);
        macro_rules! set {
            ($($name:ident: $convert:ident,)*) => {
                $(if let Some(given) = $name {
                    builder = builder.$name($convert(stringify!($name), given)?);
                })*
            };
        }
        set! {
            port: integer,
            region: text,
            expires_in: integer,
            service: text,
            access_key_id: text,
            secret_access_key: text,
            session_token: text,
            profile: text,
            role_arn: text,
            external_id: text,
            role_session_name: text,
            credentials_timeout: seconds,
        }
        let bound = match credentials_timeout {
            Some(given) => seconds("credentials_timeout", given)?,
            None => rdsign::DEFAULT_CREDENTIALS_TIMEOUT,
        };
        let provider = credentials
            .map(|given| Provider::new(given, bound))
            .transpose()?;
        if let Some(provider) = &provider {
            let provider = Arc::clone(provider);
            builder = builder.credentials_provider(move || provider.credentials());
        }
        builder = builder.event_listener(move |event| log.write(event));
        // Releases the lock, because core may read the profile's region from a file.
        let signer = py.detach(|| caught(|| builder.build()));
        let signer = signer.map_err(|error| exception(py, &error))?;
        Ok(Self { signer, provider })
    }

    /// Returns a token that is signed now, or at signing_time, an aware datetime, for tests.
    #[pyo3(signature = (*, signing_time = None))]
    fn token(&self, py: Python<'_>, signing_time: Option<&Bound<'_, PyAny>>) -> PyResult<Token> {
        let token = match signing_time {
            None => self.sign(py)?,
            Some(time) => {
                let time = unix_seconds("signing_time", time)?;
                self.wait(py, || self.signer.token_at_unix_seconds(time))?
            }
        };
        Ok(Token(token))
    }

    /// Returns the text of a token that is signed now: the password for one connection.
    fn password<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        Ok(PyString::new(py, self.sign(py)?.value()))
    }

    /// Returns a token that is signed now, or None if it would have to wait for credentials.
    fn ready_token(&self, py: Python<'_>) -> PyResult<Option<Token>> {
        Ok(self.ready(py)?.map(Token))
    }

    /// The host name that tokens are signed for.
    #[getter]
    fn hostname(&self) -> &str {
        self.signer.endpoint().hostname()
    }

    /// The port that tokens are signed for.
    #[getter]
    fn port(&self) -> u16 {
        self.signer.endpoint().port()
    }

    /// The database user that tokens are signed for.
    #[getter]
    fn username(&self) -> &str {
        self.signer.username()
    }

    /// The region that tokens are signed for.
    #[getter]
    fn region(&self) -> &str {
        self.signer.region().as_str()
    }

    /// The service that tokens are signed for: "rds" or "dsql".
    #[getter]
    fn service(&self) -> &str {
        self.signer.service().as_str()
    }

    /// The database to log in to if a program names none: "postgres" for DSQL, else None.
    #[getter]
    fn default_database(&self) -> Option<&str> {
        self.signer.service().default_database()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let quoted = |text: &str| PyString::new(py, text).repr().map(|text| text.to_string());
        Ok(format!(
            "rdsign.Signer(hostname={}, port={}, username={}, region={})",
            quoted(self.hostname())?,
            self.port(),
            quoted(self.username())?,
            quoted(self.region())?,
        ))
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err(
            "cannot pickle an rdsign.Signer: it may contain keys; create one in each process, or \
             start the processes by fork",
        ))
    }

    /// Returns the signer itself, which is immutable.
    fn __copy__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    fn __deepcopy__<'py>(this: PyRef<'py, Self>, _memo: &Bound<'py, PyAny>) -> PyRef<'py, Self> {
        this
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        match &self.provider {
            Some(provider) => provider.traverse(&visit),
            None => Ok(()),
        }
    }

    fn __clear__(&self) {
        if let Some(provider) = &self.provider {
            provider.clear();
        }
    }
}

impl Signer {
    fn sign(&self, py: Python<'_>) -> PyResult<rdsign::Token> {
        match self.ready(py)? {
            Some(token) => Ok(token),
            None => self.wait(py, || self.signer.token()),
        }
    }

    fn ready(&self, py: Python<'_>) -> PyResult<Option<rdsign::Token>> {
        caught(|| self.signer.ready_token()).map_err(|error| exception(py, &error))
    }

    /// Signs without the interpreter's lock, so that other threads and the caller's function can run.
    fn wait(
        &self,
        py: Python<'_>,
        body: impl FnOnce() -> Result<rdsign::Token, rdsign::Error> + Send,
    ) -> PyResult<rdsign::Token> {
        let outcome = py.detach(|| caught(body));
        let token = raised_by(py, outcome);
        // Ctrl-C during the wait takes precedence over an error of credentials.
        py.check_signals()?;
        token
    }
}
