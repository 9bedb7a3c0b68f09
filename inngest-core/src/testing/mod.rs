//! For your tests: an Event API in the test's own process.
//!
//! [`EventApi`] is a real server on a loopback port. It behaves as Inngest's Dev Server does, keeps
//! what it receives, runs functions once for each dedup id, and misbehaves when it is told to, with
//! a [`Fault`].

mod answer;
mod body;
mod event_api;
mod fault;
mod functions;
mod inbound;
mod request;
mod seed;
mod server;
mod store;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use crate::client::scripted::{Transport, TransportAnswer, TransportFault};
pub use event_api::EventApi;
pub use fault::Fault;
pub use functions::{Handler, Run, RunOutput, RunState};
pub use request::ReceivedRequest;
pub use store::{EventType, StoredEvent};

/// A test that panicked is no reason for the server to.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
