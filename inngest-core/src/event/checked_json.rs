//! Serializing, watched: integers that Inngest would round and keys that it would remove are found as
//! they are written.

use std::cell::Cell;
use std::fmt;
use std::io;

use serde::ser::Serialize;
use serde_json::ser::{CharEscape, CompactFormatter, Formatter, Serializer};

use super::error::EventError;

/// Inngest reads numbers as 64-bit floats, which hold every integer up to here.
const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;

/// The key that Inngest keeps in an event's data for itself, and removes from it.
const RESERVED_KEY: &str = "_inngest";

/// Serializes `value` to the end of `buffer`; `part` is what it is of the event.
pub(super) fn write_checked<T: Serialize + ?Sized>(
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

/// The compact output of `serde_json`, watched: every integer passes here as it is written.
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
            Open::Array(index) => path.extend(["[", &index.to_string(), "]"]),
            Open::Object(key) => {
                let quoted = String::from_utf8_lossy(key);
                let plain = quoted.trim_matches('"');
                if !plain.is_empty()
                    && plain.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
                {
                    path.extend([".", plain]);
                } else {
                    path.extend(["[", &quoted, "]"]);
                }
            }
        }
    }
    path
}
