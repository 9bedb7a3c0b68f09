//! What the compiler checks across the variants of a set: events are told apart by their names, and
//! dedup ids by the text their templates begin and end with.
//!
//! Everything is `const`, and an enum may have hundreds of variants: each pair is compared in a few
//! steps of the compiler's interpreter.

use std::str;

use super::{EventInfo, InngestEvents};

/// Fails to compile if the event of one variant of `S` cannot be told from that of one before it.
///
/// # Panics
///
/// That is how it fails.
#[track_caller]
pub const fn tell_apart<S: InngestEvents>(variant: usize) {
    let events = S::EVENTS;
    let this = &events[variant];
    let mut at = 0;
    while at < variant {
        let before = &events[at];
        let problem = if equal(before.name.as_bytes(), this.name.as_bytes()) {
            one_name(before, this)
        } else if may_share_an_id(before, this) {
            one_id(before, this)
        } else {
            at += 1;
            continue;
        };
        panic!("{}", problem.as_str());
    }
}

/// Whether the two templates can make one id: what one begins with begins the other, and what one
/// ends with ends the other, so that the values between may make up for the rest.
const fn may_share_an_id(a: &EventInfo, b: &EventInfo) -> bool {
    a.id_template.is_some()
        && b.id_template.is_some()
        && agree(a.begins, b.begins, Side::Beginning)
        && agree(a.ends, b.ends, Side::End)
}

/// A template's text before the first placeholder and behind the last.
///
/// Braces stay doubled. Written so, no character's text is the beginning or the end of another's, so
/// that doubled texts begin or end with each other just where the texts themselves do.
pub(super) const fn literal_ends(template: &'static str) -> (&'static [u8], &'static [u8]) {
    let bytes = template.as_bytes();
    let (mut first, mut last) = (bytes.len(), 0);
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        if matches!(byte, b'{' | b'}') && at + 1 < bytes.len() && bytes[at + 1] == byte {
            at += 2;
        } else if byte == b'{' {
            if first == bytes.len() {
                first = at;
            }
            while at < bytes.len() && bytes[at] != b'}' {
                at += 1;
            }
            at += 1;
            last = at;
        } else {
            at += 1;
        }
    }
    // A template that is written by hand may end inside of a placeholder.
    let last = if last < bytes.len() { last } else { bytes.len() };
    (bytes.split_at(first).0, bytes.split_at(last).1)
}

#[derive(Clone, Copy)]
enum Side {
    Beginning,
    End,
}

const fn equal(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && agree(a, b, Side::Beginning)
}

/// Whether the shorter of two texts is the beginning, or the end, of the longer one.
const fn agree(a: &[u8], b: &[u8], side: Side) -> bool {
    let mut left = if a.len() < b.len() { a.len() } else { b.len() };
    let (mut a, mut b) = match side {
        Side::Beginning => (a.split_at(left).0, b.split_at(left).0),
        Side::End => (a.split_at(a.len() - left).1, b.split_at(b.len() - left).1),
    };
    while left > 0 {
        let ((a_first, a_rest), (b_first, b_rest)) = (chunk(a), chunk(b));
        if a_first != b_first {
            return false;
        }
        (a, b) = (a_rest, b_rest);
        left = a.len();
    }
    true
}

/// The first sixteen bytes as a number, since the interpreter takes as long for one as for the other.
const fn chunk(bytes: &[u8]) -> (u128, &[u8]) {
    if let Some((chunk, rest)) = bytes.split_first_chunk() {
        return (u128::from_ne_bytes(*chunk), rest);
    }
    let mut number = 0;
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at] as u128;
        number = number << 8 | byte;
        at += 1;
    }
    (number, &[])
}

const fn one_name(a: &EventInfo, b: &EventInfo) -> Text {
    Text::new()
        .variants(a, b)
        .push(" are both `")
        .push(a.name)
        .push("`, so who receives one cannot tell which of them it is\nhelp: rename one of them, or take it out of the enum")
}

const fn one_id(a: &EventInfo, b: &EventInfo) -> Text {
    let templates = match (a.id_template, b.id_template) {
        (Some(a), Some(b)) => (a, b),
        _ => ("", ""),
    };
    let text = Text::new()
        .variants(a, b)
        .push(" can make the same dedup id, `")
        .push(templates.0)
        .push("` and `")
        .push(templates.1)
        .push("`, and Inngest would drop the later event as a duplicate\nhelp: begin ");
    let (own_a, own_b) = (Text::new().beginning(a), Text::new().beginning(b));
    if agree(own_a.bytes(), own_b.bytes(), Side::Beginning) {
        return text.push("each with text that the other does not begin with");
    }
    text.push("each with its event's name: `")
        .push(own_a.as_str())
        .push("` and `")
        .push(own_b.as_str())
        .push("`")
}

/// A message put together at compile time.
struct Text {
    bytes: [u8; Text::CAPACITY],
    len: usize,
}

impl Text {
    /// Enough for two names and two long templates. What comes behind is left out.
    const CAPACITY: usize = 2048;

    const fn new() -> Text {
        Text { bytes: [0; Text::CAPACITY], len: 0 }
    }

    const fn push(self, text: &str) -> Text {
        self.push_bytes(text.as_bytes())
    }

    const fn push_bytes(mut self, bytes: &[u8]) -> Text {
        let mut at = 0;
        while at < bytes.len() && self.len < Text::CAPACITY {
            self.bytes[self.len] = bytes[at];
            self.len += 1;
            at += 1;
        }
        self
    }

    const fn variants(self, a: &EventInfo, b: &EventInfo) -> Text {
        self.push("`").push(a.variant).push("` and `").push(b.variant).push("`")
    }

    /// `cart-checkout-completed-`, from an event's name.
    const fn beginning(mut self, event: &EventInfo) -> Text {
        let name = event.name.as_bytes();
        let mut at = 0;
        while at < name.len() {
            match name[at] {
                b'/' => self.len = 0,
                b'.' => self = self.push("-"),
                byte => self = self.push_bytes(&[byte]),
            }
            at += 1;
        }
        self.push("-")
    }

    const fn bytes(&self) -> &[u8] {
        self.bytes.split_at(self.len).0
    }

    const fn as_str(&self) -> &str {
        match str::from_utf8(self.bytes()) {
            Ok(text) => text,
            // Cut inside of a character.
            Err(_) => "two events of this enum cannot be told apart",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::str;

    use super::{Side, agree, literal_ends};

    #[test]
    fn the_literal_ends_of_a_template() {
        let ends = |template| {
            let (begins, ends) = literal_ends(template);
            (str::from_utf8(begins).unwrap(), str::from_utf8(ends).unwrap())
        };
        assert_eq!(ends("item-{id}"), ("item-", ""));
        assert_eq!(ends("item-{kind}-{id}-x"), ("item-", "-x"));
        assert_eq!(ends("a{{b}}-{{{id}}}"), ("a{{b}}-{{", "}}"));
        assert_eq!(ends("{a}{b}"), ("", ""));
        // Only by hand.
        assert_eq!(ends("fixed"), ("fixed", "fixed"));
        assert_eq!(ends("a-{b"), ("a-", ""));
        assert_eq!(ends("a}b-{"), ("a}b-", ""));
        assert_eq!(ends(""), ("", ""));
    }

    #[test]
    fn texts_agree_where_the_shorter_is_an_end_of_the_longer() {
        let texts =
            ["", "a", "item-", "item-imported-", "item-imported-again-and-again-", "mported-"];
        for a in texts {
            for b in texts {
                let (a_bytes, b_bytes) = (a.as_bytes(), b.as_bytes());
                assert_eq!(
                    agree(a_bytes, b_bytes, Side::Beginning),
                    a.starts_with(b) || b.starts_with(a)
                );
                assert_eq!(agree(a_bytes, b_bytes, Side::End), a.ends_with(b) || b.ends_with(a));
            }
        }
    }
}
