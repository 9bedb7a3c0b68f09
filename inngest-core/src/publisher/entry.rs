//! One serialized event that is not queued yet.

use std::cell::Cell;
use std::sync::Arc;

use crate::batch::{Batch, CallSite};
use crate::client::{Client, Rejection, SendOutcome, TraceHeaders};
use crate::event::{EventError, EventWriter, IntoEvent};

thread_local! {
    /// A buffer that all events of the thread are serialized into, so that it is allocated once.
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

pub(super) struct Entry {
    name: &'static str,
    /// The thread's scratch buffer. Dropping the entry returns it to the thread.
    json: Vec<u8>,
    call_site: CallSite,
    /// The trace context of the caller, if there is one.
    trace: Option<Arc<TraceHeaders>>,
}

impl Entry {
    /// Serializes `event`, after the `before_send` hooks. An invalid event is reported to hooks and
    /// metrics.
    pub(super) fn serialize<E: IntoEvent>(
        client: &Client,
        event: E,
        call_site: CallSite,
    ) -> Result<Entry, EventError> {
        // The buffer is taken, not borrowed, since the event's own `Serialize` can publish an event, too.
        // It is missing if a destructor of another thread-local publishes after the buffer was destroyed.
        let json = SCRATCH.try_with(Cell::take).unwrap_or_default();
        let trace = client.caller_trace();
        let mut entry = Entry { name: "", json, call_site, trace };
        entry.json.clear();
        let mut writer = EventWriter::new(&mut entry.json, client.before_send());
        let written = event.write_event(&mut writer);
        entry.name = writer.name();
        written.and_then(|()| client.check_size(entry.name, entry.len())).inspect_err(|error| {
            client.on_invalid_event(error, call_site);
            let reason = Rejection::Event(error.clone());
            client.report_outcomes([(entry.name, SendOutcome::Rejected(&reason))]);
        })?;
        Ok(entry)
    }

    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the trace context of the caller, if there is one.
    pub(super) fn trace(&self) -> Option<&Arc<TraceHeaders>> {
        self.trace.as_ref()
    }

    /// Returns the event's size as JSON, in bytes.
    pub(super) fn len(&self) -> usize {
        self.json.len()
    }

    pub(super) fn push_to(&self, batch: &mut Batch) {
        batch.push_serialized(self.name, &self.json, self.call_site);
    }

    /// Returns the event as a batch, for an error that returns it to the caller.
    pub(super) fn to_batch(&self) -> Batch {
        let mut batch = Batch::new();
        self.push_to(&mut batch);
        batch
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let json = std::mem::take(&mut self.json);
        // The buffer is dropped if the thread is ending.
        let _ = SCRATCH.try_with(|scratch| scratch.set(json));
    }
}
