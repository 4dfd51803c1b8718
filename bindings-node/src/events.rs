//! Core's events on their way to diagnostics_channel.
//!
//! Core tells an event on the thread that fetched. JavaScript publishes it on its own thread: after the
//! call that caused it, index.js takes the events that wait here.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use napi_derive::napi;
use rdsign::timestamp::to_unix_milliseconds;
use rdsign::{Event, SignerBuilder};

use crate::credentials::Provider;

/// An event, as index.js reads it.
#[napi(object, object_from_js = false)]
pub struct Told {
    pub name: &'static str,
    pub message: String,
    pub is_warning: bool,
    pub source: Option<&'static str>,
    /// Milliseconds.
    pub duration: f64,
    /// Milliseconds since 1970.
    pub expires_at: Option<f64>,
    pub code: Option<&'static str>,
    pub reason: Option<String>,
}

/// The events of one signer that wait for JavaScript.
#[derive(Clone, Default)]
pub(crate) struct Events(Arc<Queue>);

#[derive(Default)]
struct Queue {
    told: Mutex<Vec<Told>>,
    is_waiting: AtomicBool,
}

impl Events {
    /// Adds these events' listener to a builder.
    pub(crate) fn of(&self, builder: SignerBuilder, provider: Provider) -> SignerBuilder {
        let events = self.clone();
        builder.event_listener(move |event| {
            let mut event = event.clone();
            event.took += provider.took();
            events.push(&event);
        })
    }

    pub(crate) fn is_waiting(&self) -> bool {
        self.0.is_waiting.load(Relaxed)
    }

    pub(crate) fn take(&self) -> Vec<Told> {
        let mut told = self.0.told.lock().unwrap_or_else(PoisonError::into_inner);
        self.0.is_waiting.store(false, Relaxed);
        std::mem::take(&mut *told)
    }

    fn push(&self, event: &Event) {
        let error = event.error.as_ref();
        let one = Told {
            name: event.kind.as_str(),
            message: event.to_string(),
            is_warning: event.kind.is_warning(),
            source: event.source,
            duration: event.took.as_secs_f64() * 1e3,
            expires_at: event.expires_at.map(|end| to_unix_milliseconds(end) as f64),
            code: error.map(|error| error.code().as_str()),
            reason: error.map(|error| error.message().to_owned()),
        };
        let mut told = self.0.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.push(one);
        self.0.is_waiting.store(true, Relaxed);
    }
}
