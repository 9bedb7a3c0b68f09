//! What the compiler checks across the variants of a set: events are told apart by their names, and
//! dedup ids by the text their templates begin and end with.
//!
//! Everything is `const`, and the compiler's interpreter is slow: an enum may have hundreds of
//! variants, so they are sorted rather than compared each with each.

use std::marker::PhantomData;
use std::str;

use super::{EventInfo, InngestEvents};

/// Fails to compile if the event of one of the `N` variants of `S` cannot be told from that of one
/// before it.
///
/// # Panics
///
/// That is how it fails.
#[track_caller]
pub const fn assert_distinct<S: InngestEvents, const N: usize>(variant: usize) {
    let clash = Clashes::<S, N>::FIRST[variant];
    if clash == variant {
        return;
    }
    let (first, this) = (&S::EVENTS[clash], &S::EVENTS[variant]);
    let is_one_name = compare(first.name.as_bytes(), this.name.as_bytes()).is_equal();
    let problem = if is_one_name { one_name(first, this) } else { one_id(first, this) };
    panic!("{}", problem.as_str());
}

/// Found once for all variants, each of which reports its own.
struct Clashes<S, const N: usize>(PhantomData<S>);

impl<S: InngestEvents, const N: usize> Clashes<S, N> {
    /// For each variant the first that it cannot be told from, which may be itself.
    const FIRST: [usize; N] = {
        let mut first = [0; N];
        let (mut names, mut begins) = ([&[] as &[u8]; N], [&[] as &[u8]; N]);
        let mut at = 0;
        while at < N {
            first[at] = at;
            names[at] = S::EVENTS[at].name.as_bytes();
            begins[at] = S::EVENTS[at].begins;
            at += 1;
        }
        note_equal_names(&mut first, &names);
        note_shared_ids(&mut first, &begins, S::EVENTS);
        first
    };
}

const fn note_equal_names<const N: usize>(first: &mut [usize; N], names: &[&[u8]; N]) {
    let order = sorted(names);
    let mut at = 1;
    while at < N {
        let (before, this) = (order[at - 1], order[at]);
        if compare(names[before], names[this]).is_equal() {
            first[this] = first[before];
        }
        at += 1;
    }
}

/// Two templates can make one id if what one begins with begins the other, and what one ends with
/// ends the other, so that the values between may make up for the rest.
const fn note_shared_ids<const N: usize>(
    first: &mut [usize; N],
    begins: &[&[u8]; N],
    events: &[EventInfo],
) {
    let order = sorted(begins);
    let mut at = 0;
    while at < N {
        let this = order[at];
        // What begins with this text stands right behind it.
        let mut behind = at + 1;
        while behind < N && compare(begins[this], begins[order[behind]]).is_beginning() {
            let other = order[behind];
            let has_ids = events[this].id_template.is_some() && events[other].id_template.is_some();
            if has_ids && one_ends_the_other(events[this].ends, events[other].ends) {
                let (earlier, later) = if this < other { (this, other) } else { (other, this) };
                if earlier < first[later] {
                    first[later] = earlier;
                }
            }
            behind += 1;
        }
        at += 1;
    }
}

/// The texts' places in their order; equal ones stay as they are. A shell sort: short, and fast
/// enough.
const fn sorted<const N: usize>(texts: &[&[u8]; N]) -> [usize; N] {
    let mut order = [0; N];
    let mut at = 0;
    while at < N {
        order[at] = at;
        at += 1;
    }
    let mut gap = N / 2;
    while gap > 0 {
        let mut at = gap;
        while at < N {
            let mut to = at;
            while to >= gap && is_behind(texts, order[to - gap], order[to]) {
                (order[to - gap], order[to]) = (order[to], order[to - gap]);
                to -= gap;
            }
            at += 1;
        }
        gap /= 2;
    }
    order
}

const fn is_behind(texts: &[&[u8]], a: usize, b: usize) -> bool {
    match compare(texts[a], texts[b]) {
        Compared::Greater | Compared::Longer => true,
        Compared::Equal => a > b,
        Compared::Less | Compared::Beginning => false,
    }
}

/// What the first of two texts is to the second.
#[derive(Clone, Copy)]
enum Compared {
    Less,
    /// Less, and the second begins with it.
    Beginning,
    Equal,
    /// Greater, and it begins with the second.
    Longer,
    Greater,
}

impl Compared {
    const fn is_equal(self) -> bool {
        matches!(self, Compared::Equal)
    }

    const fn is_beginning(self) -> bool {
        matches!(self, Compared::Beginning | Compared::Equal)
    }
}

const fn compare(a: &[u8], b: &[u8]) -> Compared {
    let mut at = 0;
    while at < a.len() && at < b.len() {
        if a[at] != b[at] {
            return if a[at] < b[at] { Compared::Less } else { Compared::Greater };
        }
        at += 1;
    }
    match (at < a.len(), at < b.len()) {
        (false, false) => Compared::Equal,
        (false, true) => Compared::Beginning,
        (true, _) => Compared::Longer,
    }
}

const fn one_ends_the_other(a: &[u8], b: &[u8]) -> bool {
    let mut at = 1;
    while at <= a.len() && at <= b.len() {
        if a[a.len() - at] != b[b.len() - at] {
            return false;
        }
        at += 1;
    }
    true
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
    if !matches!(compare(own_a.bytes(), own_b.bytes()), Compared::Less | Compared::Greater) {
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

    use super::{Compared, compare, literal_ends, one_ends_the_other, sorted};

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

    const TEXTS: [&str; 8] =
        ["item-", "a", "", "item-imported-", "mported-", "a", "item-deleted-", "item-imported-x"];

    #[test]
    fn texts_are_compared_and_sorted_as_slices_are() {
        for a in TEXTS {
            for b in TEXTS {
                let (a, b) = (a.as_bytes(), b.as_bytes());
                let expected = match (a.starts_with(b), b.starts_with(a)) {
                    (true, true) => "Equal",
                    (false, true) => "Beginning",
                    (true, false) => "Longer",
                    (false, false) if a < b => "Less",
                    (false, false) => "Greater",
                };
                let found = match compare(a, b) {
                    Compared::Less => "Less",
                    Compared::Beginning => "Beginning",
                    Compared::Equal => "Equal",
                    Compared::Longer => "Longer",
                    Compared::Greater => "Greater",
                };
                assert_eq!(found, expected);
                assert_eq!(one_ends_the_other(a, b), a.ends_with(b) || b.ends_with(a));
            }
        }
        let mut expected: Vec<usize> = (0..TEXTS.len()).collect();
        expected.sort_by_key(|at| TEXTS[*at]);
        assert_eq!(sorted(&TEXTS.map(str::as_bytes)).as_slice(), expected);
    }
}
