//! Core's events on their way to the listener of a Java signer.
//!
//! Core tells an event on the thread that fetched. Java takes the events that wait here after the call
//! that caused them. So native code holds no reference to the listener, which may refer to the signer:
//! the garbage collector could not free such a cycle.

use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use jni::Env;
use jni::objects::{JObjectArray, JString};
use jni::refs::IntoAuto as _;
use rdsign::Event;
use rdsign::timestamp::to_unix_milliseconds;

use crate::boundary::Result;

thread_local! {
    /// Whether this thread is in a call whose events are dropped.
    static DROPS: Cell<bool> = const { Cell::new(false) };
}

/// Runs a call. If a listener makes it, its events are dropped.
pub(crate) fn of_call<T>(is_listener: bool, call: impl FnOnce() -> T) -> T {
    // The call may run a Supplier that uses another signer.
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            DROPS.set(self.0);
        }
    }
    let _restore = Restore(DROPS.replace(is_listener));
    call()
}

/// The events of one signer that wait for Java.
#[derive(Default)]
pub(crate) struct Events {
    queue: Mutex<VecDeque<Event>>,
    wait: AtomicBool,
}

impl Events {
    /// Whether an event waits. An event of the same thread's last call is never missed.
    pub(crate) fn wait(&self) -> bool {
        self.wait.load(Relaxed)
    }

    pub(crate) fn push(&self, event: &Event) {
        if DROPS.get() {
            return;
        }
        let mut queue = self.lock();
        queue.push_back(event.clone());
        self.wait.store(true, Relaxed);
    }

    pub(crate) fn pop(&self) -> Option<Event> {
        let mut queue = self.lock();
        let event = queue.pop_front();
        self.wait.store(!queue.is_empty(), Relaxed);
        event
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<Event>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Converts an event to the array that `Native.nextEvent` describes.
pub(crate) fn array_of<'local>(
    env: &mut Env<'local>,
    event: &Event,
) -> Result<JObjectArray<'local, JString<'local>>> {
    let code = event.error.as_ref().map(|error| error.code().as_str());
    let expires_at = event.expires_at.map(to_unix_milliseconds);
    let fields = [
        Some(event.kind.as_str().to_owned()),
        Some(event.to_string()),
        Some(event.kind.is_warning().to_string()),
        Some(event.took.as_nanos().to_string()),
        event.source.map(str::to_owned),
        expires_at.map(|milliseconds| milliseconds.to_string()),
        code.map(str::to_owned),
    ];
    let array = JObjectArray::<JString<'_>>::new(env, fields.len(), JString::null())?;
    for (at, field) in fields.iter().enumerate() {
        if let Some(text) = field {
            let text = env.new_string(text)?.auto();
            array.set_element(env, at, &text)?;
        }
    }
    Ok(array)
}
