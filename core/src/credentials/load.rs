//! Fetches credentials from a source: first from its base, then by assuming its role.

use std::io;
use std::time::Instant;

#[cfg(feature = "chain")]
use super::chain::{Chain, with_enough};
use super::environment;
use super::source::{Base, Found, Patience, RegionHint, Source, check};
use super::walk::{Trail, Walk};
#[cfg(not(feature = "chain"))]
use super::without_chain::{Chain, with_enough};
use crate::allocator::Wiping;
use crate::error::{Error, ErrorCode};

const OPTIONS: &str = "options";
const PROVIDER: &str = "provider";
const ROLE: &str = "role";

impl Source {
    /// Whether a fetch returns at once: it needs no file, process, network or provider function.
    pub(crate) fn is_immediate(&self) -> bool {
        self.role.is_none()
            && match self.base {
                Base::Given(_) => true,
                Base::Default => environment::is_set(),
                Base::Provider(_) | Base::Profile(_) => false,
            }
    }

    /// Fetches credentials. `region` selects the STS endpoint. `patience` does not limit a provider
    /// function, which must limit itself.
    pub(crate) fn load(
        &self,
        region: Option<&RegionHint>,
        patience: Patience,
    ) -> Result<Found, Error> {
        self.walk(region, patience).outcome
    }

    /// Like [`load`](Self::load), and returns the steps too.
    pub(crate) fn walk(&self, region: Option<&RegionHint>, patience: Patience) -> Walk {
        let _wiping = Wiping::start();
        let walk = || self.walk_here(region, patience);
        match self.base {
            // The caller expects that its function runs on its thread.
            Base::Provider(_) => walk(),
            _ if self.is_immediate() => walk(),
            _ => with_enough(walk).unwrap_or_else(|error| Walk {
                steps: Vec::new(),
                outcome: Err(error),
            }),
        }
    }

    fn walk_here(&self, region: Option<&RegionHint>, patience: Patience) -> Walk {
        let trail = Trail::new(match self.base {
            Base::Given(_) => OPTIONS,
            Base::Provider(_) => PROVIDER,
            Base::Profile(_) => "profile",
            Base::Default => environment::NAME,
        });
        let outcome = self.load_along(&trail, region, patience);
        trail.end(outcome)
    }

    fn load_along(
        &self,
        trail: &Trail,
        region: Option<&RegionHint>,
        patience: Patience,
    ) -> Result<Found, Error> {
        let started = Instant::now();
        let chain = Chain::new(self.profile(), region, trail);
        let now = patience.now.filter(|_| self.role.is_none());
        let base = self.load_base(&chain, Patience { now, ..patience })?;
        check(&base.credentials)?;
        trail.used(&base);
        let Some(role) = &self.role else {
            return Ok(base);
        };
        let bound = patience.bound.saturating_sub(started.elapsed());
        trail.is_at(ROLE);
        let found = chain.assume(role, base, Patience { bound, ..patience })?;
        check(&found.credentials)?;
        trail.used(&found);
        Ok(found)
    }

    fn load_base(&self, chain: &Chain<'_>, patience: Patience) -> Result<Found, Error> {
        match &self.base {
            Base::Given(credentials) => Ok(Found::at_once(OPTIONS, credentials.clone())),
            // Shows the error's text, because the caller wrote the provider.
            Base::Provider(provider) => match provider() {
                Ok(credentials) => Ok(Found::at_once(PROVIDER, credentials)),
                Err(error) => Err(Error::new(
                    match error.downcast_ref::<io::Error>() {
                        Some(error) if error.kind() == io::ErrorKind::TimedOut => {
                            ErrorCode::CredentialsTimeout
                        }
                        _ => ErrorCode::CredentialsFailed,
                    },
                    format!("credentials: the provider given to the signer failed: {error}"),
                )),
            },
            Base::Profile(name) => chain.profile(name, patience),
            Base::Default => match environment::load()? {
                Ok(credentials) => Ok(Found::at_once(environment::NAME, credentials)),
                Err(tried) => chain.search(vec![tried], patience),
            },
        }
    }
}
