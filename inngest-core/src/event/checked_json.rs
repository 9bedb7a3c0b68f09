//! Serialization of an event's data and user to JSON, with the checks that Inngest requires: the value is
//! an object or null, no integer is rounded, and no key is removed.
//!
//! The checks run while the value is written, so that there is no second pass.

use std::cell::Cell;
use std::fmt;
use std::io;

use serde::ser::Serialize;
#[cfg(feature = "schema")]
use serde_json::Value;
use serde_json::ser::{CharEscape, CompactFormatter, Formatter, Serializer};

#[cfg(feature = "schema")]
use super::InngestEvent;
use super::error::EventError;
use super::json_path::{self, Step};
use super::json_tokens::{Token, Tokens};
use super::number::{self, MAX_SAFE_INTEGER, NumberProblem};

/// The key in an event's data that Inngest reserves for itself, and removes.
const RESERVED_KEY: &str = "_inngest";

/// Appends the data of `event` to `buffer`. After an error, the buffer ends in the middle of it.
pub(super) fn write_data<T: Serialize + ?Sized>(
    buffer: &mut Vec<u8>,
    data: &T,
    event: &'static str,
) -> Result<(), EventError> {
    let start = buffer.len();
    write_checked(buffer, data, event, "data")?;
    match JsonKind::of(&buffer[start..]) {
        JsonKind::Object | JsonKind::Null => Ok(()),
        found => Err(EventError::NotAnObject { event, part: "data", found: found.describe() }),
    }
}

/// Returns the data of `event` as it is sent.
#[cfg(feature = "schema")]
pub(crate) fn data_json<E: InngestEvent + ?Sized>(event: &E) -> Result<Value, EventError> {
    let mut json = Vec::new();
    write_data(&mut json, event, E::NAME)?;
    serde_json::from_slice(&json).map_err(|error| EventError::serialize(E::NAME, error))
}

/// Serializes an envelope's user. Returns `None` for null. The event's name is empty in errors, since it is not
/// known yet.
pub(super) fn serialize_user<U: Serialize + ?Sized>(
    user: &U,
) -> Result<Option<Box<str>>, EventError> {
    let (event, part) = ("", "user");
    let mut json = Vec::new();
    write_checked(&mut json, user, event, part)?;
    match JsonKind::of(&json) {
        JsonKind::Null => Ok(None),
        JsonKind::Object => Ok(Some(String::from_utf8_lossy(&json).into())),
        found => Err(EventError::NotAnObject { event, part, found: found.describe() }),
    }
}

/// Appends a value that is encrypted before it becomes part of an event. It can be of any JSON type. In errors, the
/// event's name is empty, since it is not known yet, and paths begin with `value`.
#[cfg(feature = "encryption")]
pub(crate) fn write_value<T: Serialize + ?Sized>(
    buffer: &mut Vec<u8>,
    value: &T,
) -> Result<(), EventError> {
    write_checked(buffer, value, "", "value")
}

/// Appends `value` to `buffer`. `part` is the name of its field in the event, `data` or `user`, or `value`.
fn write_checked<T: Serialize + ?Sized>(
    buffer: &mut Vec<u8>,
    value: &T,
    event: &'static str,
    part: &'static str,
) -> Result<(), EventError> {
    let start = buffer.len();
    let problem = Cell::new(None);
    let formatter = CheckedFormatter {
        is_data: part == "data",
        problem: &problem,
        in_string: false,
        depth: 0,
        outermost_key: OutermostKey::Other,
    };
    let result = value.serialize(&mut Serializer::with_formatter(&mut *buffer, formatter));
    match (problem.into_inner(), result) {
        (Some(JsonProblem::Number(problem, number)), _) => {
            let path = json_path::render(part, &steps_to_end(&buffer[start..]));
            Err(match problem {
                NumberProblem::Unsafe => EventError::UnsafeInteger { event, path, integer: number },
                NumberProblem::OutOfRange => EventError::NumberOutOfRange { event, path, number },
            })
        }
        (Some(JsonProblem::ReservedKey), _) => Err(EventError::ReservedKey { event }),
        (_, Err(error)) => Err(EventError::serialize(event, error)),
        (_, Ok(())) => Ok(()),
    }
}

#[derive(Clone, Copy)]
enum JsonKind {
    Object,
    Array,
    String,
    Number,
    Bool,
    Null,
}

impl JsonKind {
    /// Returns the kind of a JSON text without white space around it. An empty text counts as null.
    fn of(json: &[u8]) -> JsonKind {
        match json.first() {
            Some(b'{') => JsonKind::Object,
            Some(b'[') => JsonKind::Array,
            Some(b'"') => JsonKind::String,
            Some(b't' | b'f') => JsonKind::Bool,
            None | Some(b'n') => JsonKind::Null,
            Some(_) => JsonKind::Number,
        }
    }

    fn describe(self) -> &'static str {
        match self {
            JsonKind::Object => "an object",
            JsonKind::Array => "an array",
            JsonKind::String => "a string",
            JsonKind::Number => "a number",
            JsonKind::Bool => "a boolean",
            JsonKind::Null => "null",
        }
    }
}

enum JsonProblem {
    Number(NumberProblem, String),
    ReservedKey,
}

impl JsonProblem {
    /// Returns the problem of the number with the text `number`, if it has one.
    fn find_in_number(number: &str) -> Option<JsonProblem> {
        let problem = number::find_problem(number)?;
        Some(JsonProblem::Number(problem, number.to_owned()))
    }
}

/// The compact formatter of `serde_json`, which also checks each integer and each outermost key.
struct CheckedFormatter<'a> {
    /// Whether the value is an event's data, in which [`RESERVED_KEY`] must not be an outermost key.
    is_data: bool,
    /// A formatter's only error is `io::Error`, so the problem found is stored here.
    problem: &'a Cell<Option<JsonProblem>>,
    /// Whether a string is being written. Integers as map keys are written inside strings, which Inngest does not
    /// round.
    in_string: bool,
    /// The number of open objects.
    depth: usize,
    outermost_key: OutermostKey,
}

/// The text written so far of a key of the outermost object.
#[derive(PartialEq)]
enum OutermostKey {
    /// No such key is being written, or it differs from [`RESERVED_KEY`].
    Other,
    /// The key has begun and has no text yet.
    Empty,
    /// The text is [`RESERVED_KEY`]. More text makes it another key.
    Reserved,
}

impl CheckedFormatter<'_> {
    fn fail(&self, problem: JsonProblem) -> io::Error {
        self.problem.set(Some(problem));
        io::ErrorKind::InvalidData.into()
    }

    fn check_integer(&self, magnitude: u128, integer: impl fmt::Display) -> io::Result<()> {
        if magnitude <= u128::from(MAX_SAFE_INTEGER) || self.in_string {
            return Ok(());
        }
        Err(self.fail(JsonProblem::Number(NumberProblem::Unsafe, integer.to_string())))
    }

    /// Returns the first problem in a JSON value that is written next, with its offset.
    fn find_in_fragment(&self, fragment: &str) -> Option<(usize, JsonProblem)> {
        let mut depth = self.depth;
        for (offset, token) in Tokens::of(fragment.as_bytes()) {
            let problem = match token {
                Token::BeginObject | Token::BeginArray => {
                    depth += 1;
                    None
                }
                Token::End => {
                    depth = depth.saturating_sub(1);
                    None
                }
                Token::Key(key)
                    if depth == 1 && self.is_data && decode_key(key) == RESERVED_KEY =>
                {
                    Some(JsonProblem::ReservedKey)
                }
                Token::Number(number) => JsonProblem::find_in_number(number),
                Token::Key(_) | Token::Comma => None,
            };
            if let Some(problem) = problem {
                return Some((offset, problem));
            }
        }
        None
    }
}

impl Formatter for CheckedFormatter<'_> {
    fn write_i64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: i64) -> io::Result<()> {
        self.check_integer(value.unsigned_abs().into(), value)?;
        CompactFormatter.write_i64(writer, value)
    }

    fn write_u64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: u64) -> io::Result<()> {
        self.check_integer(value.into(), value)?;
        CompactFormatter.write_u64(writer, value)
    }

    fn write_i128<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: i128) -> io::Result<()> {
        self.check_integer(value.unsigned_abs(), value)?;
        CompactFormatter.write_i128(writer, value)
    }

    fn write_u128<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: u128) -> io::Result<()> {
        self.check_integer(value, value)?;
        CompactFormatter.write_u128(writer, value)
    }

    /// Called for a `serde_json::Number` where a crate enables `serde_json`'s feature
    /// `arbitrary_precision`.
    fn write_number_str<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        value: &str,
    ) -> io::Result<()> {
        if let Some(problem) = JsonProblem::find_in_number(value).filter(|_| !self.in_string) {
            return Err(self.fail(problem));
        }
        CompactFormatter.write_number_str(writer, value)
    }

    /// Called for a `serde_json::value::RawValue`, JSON text for which the other methods are not called.
    fn write_raw_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        if let Some((offset, problem)) = self.find_in_fragment(fragment) {
            // The path to the problem is read from the text before it.
            writer.write_all(&fragment.as_bytes()[..offset])?;
            return Err(self.fail(problem));
        }
        CompactFormatter.write_raw_fragment(writer, fragment)
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
            self.outermost_key = OutermostKey::Empty;
        }
        CompactFormatter.begin_object_key(writer, first)
    }

    fn end_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        if self.outermost_key == OutermostKey::Reserved && self.is_data {
            return Err(self.fail(JsonProblem::ReservedKey));
        }
        self.outermost_key = OutermostKey::Other;
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
        if self.outermost_key != OutermostKey::Other {
            let is_reserved = self.outermost_key == OutermostKey::Empty && fragment == RESERVED_KEY;
            self.outermost_key =
                if is_reserved { OutermostKey::Reserved } else { OutermostKey::Other };
        }
        CompactFormatter.write_string_fragment(writer, fragment)
    }

    fn write_char_escape<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        char_escape: CharEscape,
    ) -> io::Result<()> {
        self.outermost_key = OutermostKey::Other;
        CompactFormatter.write_char_escape(writer, char_escape)
    }
}

/// Returns the path to the value that would follow at the end of `json`, which is cut off there.
fn steps_to_end(json: &[u8]) -> Vec<Step> {
    let mut steps = Vec::new();
    for (_, token) in Tokens::of(json) {
        match (token, steps.last_mut()) {
            (Token::BeginObject, _) => steps.push(Step::Key(String::new())),
            (Token::BeginArray, _) => steps.push(Step::Index(0)),
            (Token::End, _) => drop(steps.pop()),
            (Token::Comma, Some(Step::Index(index))) => *index += 1,
            (Token::Key(text), Some(Step::Key(key))) => *key = decode_key(text),
            (Token::Comma | Token::Key(_) | Token::Number(_), _) => {}
        }
    }
    steps
}

fn decode_key(text: &[u8]) -> String {
    serde_json::from_slice(text).unwrap_or_default()
}
