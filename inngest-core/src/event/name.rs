//! What an event may be called.
//!
//! The derive checks the same rules where the name is written; this copy is for hand-written
//! implementations of [`InngestEvent`](super::InngestEvent). `tests/data/names.txt` holds both to
//! one table.

use std::fmt;

/// Function triggers accept at most this many bytes.
const MAX_BYTES: usize = 255;

/// Names with this prefix, in any case, are Inngest's own.
const RESERVED: &[u8] = b"inngest/";

/// Why a name cannot be an event's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NameProblem {
    Empty,
    TooLong(usize),
    Reserved,
    WhiteSpace(usize),
    Control(usize),
    Wildcard(usize),
}

/// The first rule that `name` breaks. `const`, so that a name costs nothing at run time.
pub(crate) const fn problem(name: &str) -> Option<NameProblem> {
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
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b'*' {
            return Some(NameProblem::Wildcard(at));
        }
        if is_white_space(bytes, at) {
            return Some(NameProblem::WhiteSpace(at));
        }
        if is_control(bytes, at) {
            return Some(NameProblem::Control(at));
        }
        at += 1;
    }
    None
}

/// Whether `name` has no character that JSON escapes. (A name without a [`problem`] has no control
/// characters either.)
pub(crate) const fn is_plain_json(name: &str) -> bool {
    let bytes = name.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if matches!(bytes[at], b'"' | b'\\' | 0..=0x1F) {
            return false;
        }
        at += 1;
    }
    true
}

const fn is_reserved(name: &[u8]) -> bool {
    if name.len() < RESERVED.len() {
        return false;
    }
    let mut at = 0;
    while at < RESERVED.len() {
        if name[at].to_ascii_lowercase() != RESERVED[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// Whether a character of Unicode's `White_Space` begins at `at`, told by its UTF-8.
const fn is_white_space(bytes: &[u8], at: usize) -> bool {
    match bytes[at] {
        b'\t'..=b'\r' | b' ' => true,
        0xC2 => matches!(bytes[at + 1], 0x85 | 0xA0),
        0xE1 => bytes[at + 1] == 0x9A && bytes[at + 2] == 0x80,
        0xE2 => match bytes[at + 1] {
            0x80 => matches!(bytes[at + 2], 0x80..=0x8A | 0xA8 | 0xA9 | 0xAF),
            0x81 => bytes[at + 2] == 0x9F,
            _ => false,
        },
        0xE3 => bytes[at + 1] == 0x80 && bytes[at + 2] == 0x80,
        _ => false,
    }
}

/// Whether a control character begins at `at`.
const fn is_control(bytes: &[u8], at: usize) -> bool {
    bytes[at].is_ascii_control() || (bytes[at] == 0xC2 && matches!(bytes[at + 1], 0x80..=0x9F))
}

impl fmt::Display for NameProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NameProblem::Empty => f.write_str("event name is empty"),
            NameProblem::TooLong(bytes) => write!(
                f,
                "event name is {bytes} bytes; function triggers accept at most {MAX_BYTES}"
            ),
            NameProblem::Reserved => {
                f.write_str("names starting with `inngest/` are reserved for Inngest's own events")
            }
            NameProblem::WhiteSpace(at) => {
                write!(f, "event names have no white space, but there is some at byte {at}")
            }
            NameProblem::Control(at) => {
                write!(f, "event names have no control characters, but there is one at byte {at}")
            }
            NameProblem::Wildcard(at) => write!(
                f,
                "`*` is a wildcard in function triggers, so no event name has one, but there is one at byte {at}"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{is_control, is_white_space};

    #[test]
    fn white_space_and_controls_are_unicodes() {
        for c in (0..=0x2_FFFF).filter_map(char::from_u32) {
            let text = c.to_string();
            assert_eq!(is_white_space(text.as_bytes(), 0), c.is_whitespace(), "{c:?}");
            assert_eq!(is_control(text.as_bytes(), 0), c.is_control(), "{c:?}");
        }
    }
}
