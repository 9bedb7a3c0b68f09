//! The rules for event names.
//!
//! The derive checks the same rules at the name's literal. This copy is for hand-written
//! implementations of [`InngestEvent`](super::InngestEvent). Both are tested against one table,
//! `tests/data/names.txt`.

use std::fmt;

use super::const_string::ConstString;

/// The maximum length of a name that function triggers accept, in bytes.
pub(super) const MAX_BYTES: usize = 255;

/// The prefix of the names of Inngest's own events, in upper or lower case.
const RESERVED_PREFIX: &[u8] = b"inngest/";

/// The rule that a name breaks, with its length or the offset of the offending character, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NameProblem {
    Empty,
    TooLong(usize),
    Reserved,
    WhiteSpace(usize),
    Control(usize),
    Wildcard(usize),
}

/// Returns the first rule that `name` breaks. `const`, so that the check costs nothing at run time.
pub(crate) const fn find_problem(name: &str) -> Option<NameProblem> {
    let bytes = name.as_bytes();
    if bytes.is_empty() {
        return Some(NameProblem::Empty);
    }
    if bytes.len() > MAX_BYTES {
        return Some(NameProblem::TooLong(bytes.len()));
    }
    if is_reserved(bytes) {
        return Some(NameProblem::Reserved);
    }
    let mut offset = 0;
    while offset < bytes.len() {
        if bytes[offset] == b'*' {
            return Some(NameProblem::Wildcard(offset));
        }
        if is_white_space(bytes, offset) {
            return Some(NameProblem::WhiteSpace(offset));
        }
        if is_control(bytes, offset) {
            return Some(NameProblem::Control(offset));
        }
        offset += 1;
    }
    None
}

/// Returns whether `name` has no character that JSON escapes.
pub(crate) const fn is_plain_json(name: &str) -> bool {
    let bytes = name.as_bytes();
    let mut offset = 0;
    while offset < bytes.len() {
        if matches!(bytes[offset], b'"' | b'\\' | 0..=0x1F) {
            return false;
        }
        offset += 1;
    }
    true
}

const fn is_reserved(name: &[u8]) -> bool {
    if name.len() < RESERVED_PREFIX.len() {
        return false;
    }
    let mut offset = 0;
    while offset < RESERVED_PREFIX.len() {
        if name[offset].to_ascii_lowercase() != RESERVED_PREFIX[offset] {
            return false;
        }
        offset += 1;
    }
    true
}

/// Returns whether the character at `offset` has Unicode's property `White_Space`, by its UTF-8 bytes.
const fn is_white_space(bytes: &[u8], offset: usize) -> bool {
    match bytes[offset] {
        b'\t'..=b'\r' | b' ' => true,
        0xC2 => matches!(bytes[offset + 1], 0x85 | 0xA0),
        0xE1 => bytes[offset + 1] == 0x9A && bytes[offset + 2] == 0x80,
        0xE2 => match bytes[offset + 1] {
            0x80 => matches!(bytes[offset + 2], 0x80..=0x8A | 0xA8 | 0xA9 | 0xAF),
            0x81 => bytes[offset + 2] == 0x9F,
            _ => false,
        },
        0xE3 => bytes[offset + 1] == 0x80 && bytes[offset + 2] == 0x80,
        _ => false,
    }
}

/// Returns whether the character at `offset` is a control character.
const fn is_control(bytes: &[u8], offset: usize) -> bool {
    bytes[offset].is_ascii_control()
        || (bytes[offset] == 0xC2 && matches!(bytes[offset + 1], 0x80..=0x9F))
}

impl NameProblem {
    const fn message(self) -> ConstString {
        let message = ConstString::new();
        match self {
            NameProblem::Empty => message.push("event name is empty"),
            NameProblem::TooLong(bytes) => message
                .push("event name is ")
                .push_number(bytes)
                .push(" bytes; function triggers accept at most ")
                .push_number(MAX_BYTES),
            NameProblem::Reserved => {
                message.push("names starting with `inngest/` are reserved for Inngest's own events")
            }
            NameProblem::WhiteSpace(offset) => message
                .push("event names have no white space, but there is some at byte ")
                .push_number(offset),
            NameProblem::Control(offset) => message
                .push("event names have no control characters, but there is one at byte ")
                .push_number(offset),
            NameProblem::Wildcard(offset) => message
                .push("`*` is a wildcard in function triggers, so event names have none, but there is one at byte ")
                .push_number(offset),
        }
    }
}

impl fmt::Display for NameProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message().as_str())
    }
}

/// Checks the name that the derive finds in a constant.
///
/// # Panics
///
/// Panics if the name breaks a rule, which is a compile error in a `const`.
#[track_caller]
pub const fn assert_valid_name(name: &str) {
    if let Some(problem) = find_problem(name) {
        panic!("{}", problem.message().as_str());
    }
}

#[cfg(test)]
mod tests {
    use super::{is_control, is_white_space};

    #[test]
    fn white_space_and_control_characters_match_the_standard_library() {
        for c in (0..=0x2_FFFF).filter_map(char::from_u32) {
            let text = c.to_string();
            assert_eq!(is_white_space(text.as_bytes(), 0), c.is_whitespace(), "{c:?}");
            assert_eq!(is_control(text.as_bytes(), 0), c.is_control(), "{c:?}");
        }
    }
}
