//! Serialization of one event to JSON bytes, in one pass.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::ser::{Serialize, Serializer as _};
use serde_json::ser::Serializer;

use super::InngestEvent;
use super::checked_json::write_data;
use super::envelope::{Envelope, IdChoice};
use super::error::EventError;
use super::intern::intern;
use super::name::{self, NameProblem};

/// Appends events to a buffer, each as one JSON object.
#[derive(Debug)]
pub struct EventWriter<'a> {
    buffer: &'a mut Vec<u8>,
    name: &'static str,
    hooks: &'a [BeforeSend],
}

/// A hook called with an event's name and envelope before the event is written. It may change the
/// envelope.
#[derive(Clone)]
pub(crate) struct BeforeSend(pub(crate) Arc<BeforeSendFn>);

type BeforeSendFn = dyn Fn(&'static str, &mut Envelope) + Send + Sync;

impl fmt::Debug for BeforeSend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BeforeSend(..)")
    }
}

#[cfg(feature = "client")]
impl<'a> EventWriter<'a> {
    pub(crate) fn new(buffer: &'a mut Vec<u8>, hooks: &'a [BeforeSend]) -> EventWriter<'a> {
        EventWriter { buffer, name: "", hooks }
    }

    /// Returns the name of the last event, also if it could not be written.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }
}

impl EventWriter<'_> {
    /// Appends one event. After an error, the buffer ends in the middle of the event.
    pub(crate) fn write<E: InngestEvent + ?Sized>(
        &mut self,
        data: &E,
        envelope: &Envelope,
    ) -> Result<(), EventError> {
        self.name = E::NAME;
        if let Some(problem) = NameCheck::<E>::PROBLEM {
            return Err(EventError::Name { name: E::NAME, problem: problem.to_string() });
        }
        let changed = self.call_hooks(envelope);
        let envelope = changed.as_ref().unwrap_or(envelope);
        envelope.check(E::NAME)?;
        self.write_raw(b"{\"name\":");
        if NameCheck::<E>::IS_PLAIN_JSON {
            self.write_raw(b"\"");
            self.write_raw(E::NAME.as_bytes());
            self.write_raw(b"\"");
        } else {
            self.write_json(E::NAME)?;
        }
        if let IdChoice::Template = envelope.id {
            self.write_template_id(data)?;
        }
        self.write_fields(data, envelope, E::VERSION)
    }

    /// Appends one event whose name is known only at run time. Only its envelope can have a dedup id and a version.
    pub(super) fn write_raw_event<D: Serialize + ?Sized>(
        &mut self,
        name: &str,
        data: &D,
        envelope: &Envelope,
    ) -> Result<(), EventError> {
        self.name = intern(name);
        if let Some(problem) = name::find_problem(name) {
            return Err(EventError::Name { name: self.name, problem: problem.to_string() });
        }
        let changed = self.call_hooks(envelope);
        let envelope = changed.as_ref().unwrap_or(envelope);
        envelope.check(self.name)?;
        self.write_raw(b"{\"name\":");
        self.write_json(name)?;
        self.write_fields(data, envelope, None)
    }

    /// Returns the envelope after the hooks have changed it, or `None` if there are no hooks.
    fn call_hooks(&self, envelope: &Envelope) -> Option<Envelope> {
        if self.hooks.is_empty() {
            return None;
        }
        let mut changed = envelope.clone();
        self.hooks.iter().for_each(|hook| (hook.0)(self.name, &mut changed));
        Some(changed)
    }

    /// Appends the fields that follow the name and the template's id.
    fn write_fields<D: Serialize + ?Sized>(
        &mut self,
        data: &D,
        envelope: &Envelope,
        version: Option<&str>,
    ) -> Result<(), EventError> {
        if let IdChoice::Given(id) = &envelope.id {
            self.write_raw(b",\"id\":");
            self.write_json(id)?;
        }
        self.write_raw(b",\"data\":");
        write_data(self.buffer, data, self.name)?;
        if let Some(millis) = envelope.ts {
            self.write_raw(b",\"ts\":");
            self.write_json(&millis)?;
        }
        if let Some(version) = envelope.version.as_deref().or(version) {
            self.write_raw(b",\"v\":");
            self.write_json(version)?;
        }
        if let Some(user) = &envelope.user {
            if let Some(user) =
                user.as_ref().map_err(|error| error.clone().with_event(self.name))?
            {
                self.write_raw(b",\"user\":");
                self.write_raw(user.as_bytes());
            }
        }
        if !envelope.sessions.is_empty() {
            self.write_sessions(&envelope.sessions)?;
        }
        self.write_raw(b"}");
        Ok(())
    }

    fn write_raw(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Appends a field of the envelope. Its type is known here, so its JSON needs no checks.
    fn write_json<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EventError> {
        serde_json::to_writer(&mut *self.buffer, value)
            .map_err(|error| EventError::serialize(self.name, error))
    }

    /// Appends the dedup id, if the event has one. It is rendered directly into the buffer.
    fn write_template_id<E: InngestEvent + ?Sized>(&mut self, event: &E) -> Result<(), EventError> {
        let start = self.buffer.len();
        self.write_raw(b",\"id\":");
        let outcome = Cell::new(Ok(false));
        Serializer::new(&mut *self.buffer)
            .collect_str(&RenderedId { event, outcome: &outcome })
            .map_err(|error| EventError::serialize(self.name, error))?;
        if !outcome.into_inner()? {
            self.buffer.truncate(start);
        }
        Ok(())
    }

    fn write_sessions(&mut self, sessions: &[(String, String)]) -> Result<(), EventError> {
        self.write_raw(b",\"meta\":{\"sessions\":{");
        for (index, (key, value)) in sessions.iter().enumerate() {
            if index > 0 {
                self.write_raw(b",");
            }
            self.write_json(key)?;
            self.write_raw(b":");
            self.write_json(value)?;
        }
        self.write_raw(b"}}");
        Ok(())
    }
}

/// The checks of an event type's name, done at compile time.
struct NameCheck<E: ?Sized>(PhantomData<E>);

impl<E: InngestEvent + ?Sized> NameCheck<E> {
    const PROBLEM: Option<NameProblem> = name::find_problem(E::NAME);
    const IS_PLAIN_JSON: bool = name::is_plain_json(E::NAME);
}

/// Displays an event's dedup id. `serde_json` panics if a `Display` implementation fails, so the result is
/// stored in `outcome`.
struct RenderedId<'a, E: ?Sized> {
    event: &'a E,
    outcome: &'a Cell<Result<bool, EventError>>,
}

impl<E: InngestEvent + ?Sized> fmt::Display for RenderedId<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.outcome.set(self.event.write_dedup_id(f));
        Ok(())
    }
}
