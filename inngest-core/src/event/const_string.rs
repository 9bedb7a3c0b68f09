//! Strings built at compile time, for the messages of panics in constants.

use std::str;

pub(super) struct ConstString {
    bytes: [u8; ConstString::CAPACITY],
    len: usize,
}

impl ConstString {
    /// Enough for two names and two long templates. Text beyond it is cut off.
    const CAPACITY: usize = 2048;

    pub(super) const fn new() -> ConstString {
        ConstString { bytes: [0; ConstString::CAPACITY], len: 0 }
    }

    pub(super) const fn push(self, text: &str) -> ConstString {
        self.push_bytes(text.as_bytes())
    }

    pub(super) const fn push_bytes(mut self, bytes: &[u8]) -> ConstString {
        let mut index = 0;
        while index < bytes.len() && self.len < ConstString::CAPACITY {
            self.bytes[self.len] = bytes[index];
            self.len += 1;
            index += 1;
        }
        self
    }

    /// Appends a number in decimal digits.
    pub(super) const fn push_number(self, number: usize) -> ConstString {
        let rest = if number >= 10 { self.push_number(number / 10) } else { self };
        #[expect(clippy::cast_possible_truncation, reason = "a digit")]
        rest.push_bytes(&[b'0' + (number % 10) as u8])
    }

    pub(super) const fn push_quoted(self, text: &str) -> ConstString {
        self.push("`").push(text).push("`")
    }

    pub(super) const fn bytes(&self) -> &[u8] {
        self.bytes.split_at(self.len).0
    }

    pub(super) const fn as_str(&self) -> &str {
        match str::from_utf8(self.bytes()) {
            Ok(text) => text,
            // The text was cut off inside a character.
            Err(_) => "two events of this enum cannot be distinguished",
        }
    }
}
