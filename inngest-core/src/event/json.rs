//! One event -> bytes, in one pass: the object check and the safe integers happen while it is written.

use std::cell::Cell;
use std::fmt;
use std::io;
use std::marker::PhantomData;

use serde::ser::{Serialize, Serializer as _};
use serde_json::ser::{CharEscape, CompactFormatter, Formatter, Serializer};

use super::InngestEvent;
use super::envelope::{Envelope, IdChoice};
use super::name::{self, NameProblem};
use crate::error::EventError;

/// Inngest reads numbers as 64-bit floats, which hold every integer up to here.
const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;

/// The key that Inngest keeps in an event's data for itself, and removes from it.
const RESERVED_KEY: &str = "_inngest";

/// Writes events to the end of a buffer, each as one JSON object.
#[derive(Debug)]
pub struct EventWriter<'a> {
    buffer: &'a mut Vec<u8>,
    name: &'static str,
}

impl<'a> EventWriter<'a> {
    pub(crate) fn new(buffer: &'a mut Vec<u8>) -> EventWriter<'a> {
        EventWriter { buffer, name: "" }
    }

    /// The name of the event written.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// Writes one event. After an error the buffer ends in the middle of it.
    pub(crate) fn write<E: InngestEvent + ?Sized>(
        &mut self,
        data: &E,
        envelope: &Envelope,
    ) -> Result<(), EventError> {
        if let Some(problem) = Checked::<E>::NAME_PROBLEM {
            return Err(EventError::Name { name: E::NAME, problem: problem.to_string() });
        }
        self.name = E::NAME;
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

/// Displays an event's id. serde_json takes a `Display` that fails for a bug, so an error waits in
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

enum Kind {
    Object,
    Array,
    String,
    Number,
    Bool,
    Null,
}

/// What a JSON text that serde_json wrote is.
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

/// Serialises `value` to the end of `buffer`; `part` is what it is of the event.
fn write_checked<T: Serialize + ?Sized>(
    buffer: &mut Vec<u8>,
    value: &T,
    event: &'static str,
    part: &'static str,
) -> Result<(), EventError> {
    let start = buffer.len();
    let problem = Cell::new(None);
    let formatter =
        CheckedFormatter { problem: &problem, in_string: false, depth: 0, key: Key::Elsewhere };
    let result = value.serialize(&mut Serializer::with_formatter(&mut *buffer, formatter));
    match (problem.into_inner(), result) {
        (Some(Problem::UnsafeInteger(integer)), _) => {
            let path = path(part, &buffer[start..]);
            Err(EventError::UnsafeInteger { event, path, integer })
        }
        (Some(Problem::ReservedKey), _) if part == "data" => Err(EventError::ReservedKey { event }),
        (_, Err(error)) => Err(EventError::serialize(event, error)),
        (_, Ok(())) => Ok(()),
    }
}

enum Problem {
    UnsafeInteger(String),
    ReservedKey,
}

/// serde_json's compact output, watched: every integer passes here as it is written.
struct CheckedFormatter<'a> {
    /// A formatter can only fail with an `io::Error`, so what is wrong is kept here.
    problem: &'a Cell<Option<Problem>>,
    /// Integers as map keys are written inside of strings, where every digit survives.
    in_string: bool,
    /// How many objects are open.
    depth: usize,
    key: Key,
}

/// Where the text being written stands with regard to [`RESERVED_KEY`].
#[derive(PartialEq)]
enum Key {
    Elsewhere,
    /// At the beginning of a key of the outermost object.
    Start,
    /// Behind the reserved key's text, in a key of the outermost object.
    Reserved,
}

impl CheckedFormatter<'_> {
    fn fail(&self, problem: Problem) -> io::Error {
        self.problem.set(Some(problem));
        io::ErrorKind::InvalidData.into()
    }

    fn check(&self, magnitude: u128, integer: impl fmt::Display) -> io::Result<()> {
        if magnitude <= u128::from(MAX_SAFE_INTEGER) || self.in_string {
            return Ok(());
        }
        Err(self.fail(Problem::UnsafeInteger(integer.to_string())))
    }
}

impl Formatter for CheckedFormatter<'_> {
    fn write_i64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: i64) -> io::Result<()> {
        self.check(value.unsigned_abs().into(), value)?;
        CompactFormatter.write_i64(writer, value)
    }

    fn write_u64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: u64) -> io::Result<()> {
        self.check(value.into(), value)?;
        CompactFormatter.write_u64(writer, value)
    }

    fn write_i128<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: i128) -> io::Result<()> {
        self.check(value.unsigned_abs(), value)?;
        CompactFormatter.write_i128(writer, value)
    }

    fn write_u128<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: u128) -> io::Result<()> {
        self.check(value, value)?;
        CompactFormatter.write_u128(writer, value)
    }

    /// A `serde_json::Number` where some crate turned `arbitrary_precision` on.
    fn write_number_str<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        value: &str,
    ) -> io::Result<()> {
        let digits = value.strip_prefix('-').unwrap_or(value);
        if digits.bytes().all(|byte| byte.is_ascii_digit()) {
            self.check(digits.parse().unwrap_or(u128::MAX), value)?;
        }
        CompactFormatter.write_number_str(writer, value)
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth += 1;
        CompactFormatter.begin_object(writer)
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth -= 1;
        CompactFormatter.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if self.depth == 1 {
            self.key = Key::Start;
        }
        CompactFormatter.begin_object_key(writer, first)
    }

    fn end_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        if self.key == Key::Reserved {
            return Err(self.fail(Problem::ReservedKey));
        }
        self.key = Key::Elsewhere;
        CompactFormatter.end_object_key(writer)
    }

    fn begin_string<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.in_string = true;
        CompactFormatter.begin_string(writer)
    }

    fn end_string<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.in_string = false;
        CompactFormatter.end_string(writer)
    }

    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        if self.key != Key::Elsewhere {
            let whole = self.key == Key::Start && fragment == RESERVED_KEY;
            self.key = if whole { Key::Reserved } else { Key::Elsewhere };
        }
        CompactFormatter.write_string_fragment(writer, fragment)
    }

    fn write_char_escape<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        char_escape: CharEscape,
    ) -> io::Result<()> {
        self.key = Key::Elsewhere;
        CompactFormatter.write_char_escape(writer, char_escape)
    }
}

/// The path of the value that comes next in `json`, a text that ends where that value would begin.
fn path(root: &str, json: &[u8]) -> String {
    enum Open<'a> {
        Array(usize),
        Object(&'a [u8]),
    }
    let mut open = Vec::new();
    let mut at = 0;
    while at < json.len() {
        match json[at] {
            b'{' => open.push(Open::Object(&[])),
            b'[' => open.push(Open::Array(0)),
            b'}' | b']' => drop(open.pop()),
            b',' => {
                if let Some(Open::Array(index)) = open.last_mut() {
                    *index += 1;
                }
            }
            b'"' => {
                let start = at;
                at += 1;
                while at < json.len() && json[at] != b'"' {
                    at += if json[at] == b'\\' { 2 } else { 1 };
                }
                if let (Some(Open::Object(key)), Some(b':')) = (open.last_mut(), json.get(at + 1)) {
                    *key = &json[start..=at];
                }
            }
            _ => {}
        }
        at += 1;
    }
    let mut path = root.to_owned();
    for step in open {
        match step {
            Open::Array(index) => path.push_str(&format!("[{index}]")),
            Open::Object(key) => {
                let quoted = String::from_utf8_lossy(key);
                let plain = quoted.trim_matches('"');
                if !plain.is_empty()
                    && plain.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
                {
                    path.push('.');
                    path.push_str(plain);
                } else {
                    path.push_str(&format!("[{quoted}]"));
                }
            }
        }
    }
    path
}
