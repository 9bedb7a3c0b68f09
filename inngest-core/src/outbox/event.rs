//! An event that is ready to be written to the outbox.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use super::Outbox;
use crate::batch::CallSite;
use crate::client::{Client, DEFAULT_MAX_EVENT_BYTES, Rejection, SendOutcome};
use crate::event::{BeforeSend, EventError, EventWriter, IntoEvent};

/// The initial capacity of an event's body, which usually suffices.
const USUAL_BYTES: usize = 512;

/// A serialized event, for the statement [`sql::postgres::INSERT`](super::sql::postgres::INSERT) or
/// [`sql::sqlite::INSERT`](super::sql::sqlite::INSERT). Returned by [`Outbox::prepare`].
///
/// See [outbox](crate::guide::outbox) in the guide.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "an event is sent only if it is inserted into the outbox"]
pub struct OutboxEvent {
    name: &'static str,
    body: Vec<u8>,
    traceparent: Option<String>,
}

impl OutboxEvent {
    /// Returns the event's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the event as JSON: `name`, `data` and the rest of the envelope.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Returns the header `traceparent` of the caller, if the client of the outbox has a
    /// [`trace_context`](crate::ClientBuilder::trace_context).
    #[must_use]
    pub fn traceparent(&self) -> Option<&str> {
        self.traceparent.as_deref()
    }
}

impl fmt::Debug for OutboxEvent {
    /// Omits the body, since payloads can contain personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutboxEvent")
            .field("name", &self.name)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl Outbox {
    /// Serializes an event, to be inserted with any database driver. The client's
    /// [`before_send`](crate::ClientBuilder::before_send) hooks are called, and an event without a
    /// time gets the current time. The relay sends the event later as it is serialized here.
    ///
    /// # Errors
    ///
    /// Returns [`EventError`] if the event cannot be sent.
    #[track_caller]
    pub fn prepare<E: IntoEvent>(&self, event: E) -> Result<OutboxEvent, EventError> {
        let call_site = CallSite::caller();
        let mut body = Vec::with_capacity(USUAL_BYTES);
        let mut writer = EventWriter::new(&mut body, &self.0.hooks);
        let written = event.write_event(&mut writer);
        let name = writer.name();
        written
            .and_then(|()| self.check_size(name, body.len()))
            .inspect_err(|error| self.report_invalid(name, error, call_site))?;
        let trace = self.0.client.as_ref().and_then(Client::caller_trace);
        let traceparent = trace.and_then(|trace| trace.traceparent().map(str::to_owned));
        Ok(OutboxEvent { name, body, traceparent })
    }

    fn check_size(&self, name: &'static str, bytes: usize) -> Result<(), EventError> {
        match &self.0.client {
            Some(client) => client.check_size(name, bytes),
            None if bytes > DEFAULT_MAX_EVENT_BYTES => {
                Err(EventError::TooLarge { event: name, bytes, max: DEFAULT_MAX_EVENT_BYTES })
            }
            None => Ok(()),
        }
    }

    /// Reports an event that cannot be enqueued to the client's hooks and metrics.
    fn report_invalid(&self, name: &'static str, error: &EventError, call_site: CallSite) {
        if let Some(client) = &self.0.client {
            client.on_invalid_event(error, call_site);
            let reason = Rejection::Event(error.clone());
            client.report_outcomes([(name, SendOutcome::Rejected(&reason))]);
        }
    }
}

/// Returns the hook that sets the time of an event without one to now.
pub(super) fn stamp_time() -> BeforeSend {
    BeforeSend(Arc::new(|_, envelope| {
        if envelope.time().is_none() {
            envelope.at(SystemTime::now());
        }
    }))
}
