//! The native half of the Node package `rdsign`. Only the package's index.js calls it.
//!
//! It has no rules: each function converts arguments, calls core and converts the result. A panic
//! becomes the error INTERNAL. `await token()` never blocks JavaScript's thread: it signs with cached
//! credentials, or waits for new ones on another thread.

// napi's macros export only public items.
#![allow(unreachable_pub)]

mod boundary;
mod credentials;
mod events;
mod fetch;
mod options;
mod signer;

#[global_allocator]
static ALLOCATOR: rdsign::WipingAllocator = rdsign::WipingAllocator;
