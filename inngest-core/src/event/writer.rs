//! One event -> bytes, in one pass.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::ser::{Serialize, Serializer as _};
use serde_json::ser::Serializer;

use super::InngestEvent;
use super::checked_json::write_checked;
use super::envelope::{Envelope, IdChoice};
use super::error::EventError;
use super::name::{self, NameProblem};

/// Writes events to the end of a buffer, each as one JSON object.
#[derive(Debug)]
pub struct EventWriter<'a> {
    buffer: &'a mut Vec<u8>,
    name: &'static str,
    hooks: &'a [BeforeSend],
}

/// A hook that sees an event's name and envelope before it is written, and may change the envelope.
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

    /// The name of the event written, or of the one that could not be.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }
}

impl EventWriter<'_> {
    /// Writes one event. After an error the buffer ends in the middle of it.
    pub(crate) fn write<E: InngestEvent + ?Sized>(
        &mut self,
        data: &E,
        envelope: &Envelope,
    ) -> Result<(), EventError> {
        self.name = E::NAME;
        if let Some(problem) = Checked::<E>::NAME_PROBLEM {
            return Err(EventError::Name { name: E::NAME, problem: problem.to_string() });
        }
        let mut changed;
        let envelope = if self.hooks.is_empty() {
            envelope
        } else {
            changed = envelope.clone();
            self.hooks.iter().for_each(|hook| (hook.0)(E::NAME, &mut changed));
            &changed
        };
        envelope.check(E::NAME)?;

        self.raw(b"{\"name\":");
        if Checked::<E>::NAME_IS_PLAIN {
            self.raw(b"\"");
            self.raw(E::NAME.as_bytes());
            self.raw(b"\"");
        } else {
            self.text(E::NAME)?;
        }
        match &envelope.id {
            IdChoice::Template => self.template_id(data)?,
            IdChoice::Given(id) => {
                self.raw(b",\"id\":");
                self.text(id)?;
            }
            IdChoice::None => {}
        }
        self.raw(b",\"data\":");
        self.data(data)?;
        if let Some(millis) = envelope.ts {
            self.raw(b",\"ts\":");
            self.text(&millis)?;
        }
        if let Some(version) = envelope.version.as_deref().or(E::VERSION) {
            self.raw(b",\"v\":");
            self.text(version)?;
        }
        if let Some(user) = &envelope.user {
            if let Some(user) = user.as_ref().map_err(|error| error.clone().of_event(E::NAME))? {
                self.raw(b",\"user\":");
                self.raw(user.as_bytes());
            }
        }
        if !envelope.sessions.is_empty() {
            self.raw(b",\"meta\":{\"sessions\":{");
            for (at, (key, value)) in envelope.sessions.iter().enumerate() {
                if at > 0 {
                    self.raw(b",");
                }
                self.text(key)?;
                self.raw(b":");
                self.text(value)?;
            }
            self.raw(b"}}");
        }
        self.raw(b"}");
        Ok(())
    }

    fn raw(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// A part of the envelope, which is ours and needs no checks.
    fn text<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EventError> {
        serde_json::to_writer(&mut *self.buffer, value)
            .map_err(|error| EventError::serialize(self.name, error))
    }

    /// The id, rendered straight into the buffer.
    fn template_id<E: InngestEvent + ?Sized>(&mut self, event: &E) -> Result<(), EventError> {
        let start = self.buffer.len();
        self.raw(b",\"id\":");
        let outcome = Cell::new(Ok(false));
        Serializer::new(&mut *self.buffer)
            .collect_str(&RenderedId { event, outcome: &outcome })
            .map_err(|error| EventError::serialize(self.name, error))?;
        if !outcome.into_inner()? {
            self.buffer.truncate(start);
        }
        Ok(())
    }

    fn data<E: Serialize + ?Sized>(&mut self, data: &E) -> Result<(), EventError> {
        let start = self.buffer.len();
        write_checked(self.buffer, data, self.name, "data")?;
        match kind(&self.buffer[start..]) {
            Kind::Object | Kind::Null => Ok(()),
            found => Err(not_an_object(self.name, "data", found)),
        }
    }
}

/// What the compiler can say of an event type.
struct Checked<E: ?Sized>(PhantomData<E>);

impl<E: InngestEvent + ?Sized> Checked<E> {
    const NAME_PROBLEM: Option<NameProblem> = name::problem(E::NAME);
    /// Whether it stands in JSON as it is.
    const NAME_IS_PLAIN: bool = name::is_plain_json(E::NAME);
}

/// Displays an event's id. `serde_json` takes a `Display` that fails for a bug, so an error waits in
/// `outcome`.
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

/// An envelope's user as JSON text, or nothing for null.
pub(super) fn user<U: Serialize + ?Sized>(user: &U) -> Result<Option<Box<str>>, EventError> {
    let mut json = Vec::new();
    write_checked(&mut json, user, "", "user")?;
    match kind(&json) {
        Kind::Null => Ok(None),
        Kind::Object => Ok(Some(String::from_utf8_lossy(&json).into())),
        found => Err(not_an_object("", "user", found)),
    }
}

fn not_an_object(event: &'static str, part: &'static str, found: Kind) -> EventError {
    let found = match found {
        Kind::Array => "an array",
        Kind::String => "a string",
        Kind::Number => "a number",
        Kind::Bool => "a boolean",
        Kind::Null => "null",
        Kind::Object => "an object",
    };
    EventError::NotAnObject { event, part, found }
}

#[derive(Clone, Copy)]
enum Kind {
    Object,
    Array,
    String,
    Number,
    Bool,
    Null,
}

/// What a JSON text without white space around it is.
fn kind(json: &[u8]) -> Kind {
    match json.first() {
        Some(b'{') => Kind::Object,
        Some(b'[') => Kind::Array,
        Some(b'"') => Kind::String,
        Some(b't' | b'f') => Kind::Bool,
        None | Some(b'n') => Kind::Null,
        Some(_) => Kind::Number,
    }
}
