//! Compile-time checks across the variants of an enum of events: two events must differ in their names or their
//! versions, and in the text before the first or after the last placeholder of their dedup id templates.
//! Versions of one event can have the same template, since they are about the same fact.
//!
//! Everything is `const`. The compiler evaluates constants slowly, and an enum can have hundreds of variants, so
//! the texts are sorted rather than compared pair by pair.

use super::EventInfo;
use crate::event::const_string::ConstString;

/// The conflicts between the events of an enum, found once for all of them.
#[derive(Debug)]
pub struct Conflicts<const N: usize> {
    events: &'static [EventInfo],
    /// For each event, the index of the first event that conflicts with it, or its own index.
    first: [usize; N],
}

impl<const N: usize> Conflicts<N> {
    /// Compares `N` events.
    #[must_use]
    pub const fn find(events: &'static [EventInfo]) -> Conflicts<N> {
        let mut first = [0; N];
        let (mut names, mut id_prefixes) = ([&[] as &[u8]; N], [&[] as &[u8]; N]);
        let mut index = 0;
        while index < N {
            first[index] = index;
            names[index] = events[index].name.as_bytes();
            id_prefixes[index] = events[index].id_prefix;
            index += 1;
        }
        mark_equal_versions(&mut first, &names, events);
        mark_shared_ids(&mut first, &id_prefixes, events);
        Conflicts { events, first }
    }

    /// Checks that the event at `index` can be distinguished from the events before it.
    ///
    /// # Panics
    ///
    /// Panics if it cannot be distinguished, which is a compile error in a `const`.
    #[track_caller]
    pub const fn assert_none(&self, index: usize) {
        let conflict = self.first[index];
        if conflict == index {
            return;
        }
        let (first, this) = (&self.events[conflict], &self.events[index]);
        let message = if are_indistinguishable(first, this) {
            equal_names_message(first, this)
        } else {
            shared_ids_message(first, this)
        };
        panic!("{}", message.as_str());
    }
}

/// Returns the `N` events of a generic enum, which are compared when its `EVENTS` is evaluated for given arguments.
///
/// # Panics
///
/// Panics if two of them cannot be distinguished.
#[track_caller]
#[must_use]
pub const fn distinct<const N: usize>(events: &'static [EventInfo]) -> &'static [EventInfo] {
    let conflicts = Conflicts::<N>::find(events);
    let mut index = 0;
    while index < N {
        conflicts.assert_none(index);
        index += 1;
    }
    events
}

const fn mark_equal_versions<const N: usize>(
    first: &mut [usize; N],
    names: &[&[u8]; N],
    events: &[EventInfo],
) {
    let order = sorted_indexes(names);
    let mut rank = 0;
    while rank < N {
        let this = order[rank];
        // Equal names follow each other in sorted order, and keep the order of the variants.
        let mut next = rank + 1;
        while next < N && compare(names[this], names[order[next]]).is_equal() {
            let later = order[next];
            if are_indistinguishable(&events[this], &events[later]) && this < first[later] {
                first[later] = this;
            }
            next += 1;
        }
        rank += 1;
    }
}

/// Returns whether a receiver cannot distinguish two events: their names and versions are equal.
const fn are_indistinguishable(a: &EventInfo, b: &EventInfo) -> bool {
    are_equal(Some(a.name), Some(b.name)) && are_equal(a.version, b.version)
}

/// Records which events can have the same dedup id. Two templates can render the same id if one template's prefix
/// starts with the other's, and one template's suffix ends with the other's: the values of the placeholders can then
/// be the rest of the longer text.
const fn mark_shared_ids<const N: usize>(
    first: &mut [usize; N],
    id_prefixes: &[&[u8]; N],
    events: &[EventInfo],
) {
    let order = sorted_indexes(id_prefixes);
    let mut rank = 0;
    while rank < N {
        let this = order[rank];
        // The texts that start with this prefix follow it directly in sorted order.
        let mut next = rank + 1;
        while next < N && compare(id_prefixes[this], id_prefixes[order[next]]).is_prefix() {
            let other = order[next];
            if can_share_an_id(&events[this], &events[other]) {
                let (earlier, later) = if this < other { (this, other) } else { (other, this) };
                if earlier < first[later] {
                    first[later] = earlier;
                }
            }
            next += 1;
        }
        rank += 1;
    }
}

/// Compares two events of which one's prefix starts with the other's.
const fn can_share_an_id(a: &EventInfo, b: &EventInfo) -> bool {
    let are_versions =
        are_equal(Some(a.name), Some(b.name)) && are_equal(a.id_template, b.id_template);
    let have_ids = a.id_template.is_some() && b.id_template.is_some();
    have_ids && !are_versions && either_is_suffix(a.id_suffix, b.id_suffix)
}

const fn are_equal(a: Option<&str>, b: Option<&str>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => compare(a.as_bytes(), b.as_bytes()).is_equal(),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

/// Returns the indexes of the texts in sorted order; equal texts keep their order. A shell sort, since it is
/// short and fast enough.
const fn sorted_indexes<const N: usize>(texts: &[&[u8]; N]) -> [usize; N] {
    let mut order = [0; N];
    let mut index = 0;
    while index < N {
        order[index] = index;
        index += 1;
    }
    let mut gap = N / 2;
    while gap > 0 {
        let mut start = gap;
        while start < N {
            let mut rank = start;
            while rank >= gap && is_greater(texts, order[rank - gap], order[rank]) {
                (order[rank - gap], order[rank]) = (order[rank], order[rank - gap]);
                rank -= gap;
            }
            start += 1;
        }
        gap /= 2;
    }
    order
}

const fn is_greater(texts: &[&[u8]], a: usize, b: usize) -> bool {
    match compare(texts[a], texts[b]) {
        Comparison::Greater | Comparison::Extension => true,
        Comparison::Equal => a > b,
        Comparison::Less | Comparison::Prefix => false,
    }
}

/// The relation of one text to another.
#[derive(Clone, Copy)]
enum Comparison {
    Less,
    /// Less, and a prefix of the other.
    Prefix,
    Equal,
    /// Greater, and the other is a prefix of it.
    Extension,
    Greater,
}

impl Comparison {
    const fn is_equal(self) -> bool {
        matches!(self, Comparison::Equal)
    }

    const fn is_prefix(self) -> bool {
        matches!(self, Comparison::Prefix | Comparison::Equal)
    }
}

const fn compare(a: &[u8], b: &[u8]) -> Comparison {
    let mut index = 0;
    while index < a.len() && index < b.len() {
        if a[index] != b[index] {
            return if a[index] < b[index] { Comparison::Less } else { Comparison::Greater };
        }
        index += 1;
    }
    match (index < a.len(), index < b.len()) {
        (false, false) => Comparison::Equal,
        (false, true) => Comparison::Prefix,
        (true, _) => Comparison::Extension,
    }
}

const fn either_is_suffix(a: &[u8], b: &[u8]) -> bool {
    let mut count = 1;
    while count <= a.len() && count <= b.len() {
        if a[a.len() - count] != b[b.len() - count] {
            return false;
        }
        count += 1;
    }
    true
}

/// Returns a template's text before the first placeholder and after the last one.
///
/// Doubled braces stay doubled. In this encoding, no character begins or ends with another one, so one encoded text
/// is a prefix or suffix of another exactly if this is true for the texts themselves.
pub(super) const fn literal_affixes(template: &'static str) -> (&'static [u8], &'static [u8]) {
    let bytes = template.as_bytes();
    let (mut prefix_end, mut suffix_start) = (bytes.len(), 0);
    let mut index = 0;
    while index < bytes.len() {
        let byte = bytes[index];
        if matches!(byte, b'{' | b'}') && index + 1 < bytes.len() && bytes[index + 1] == byte {
            index += 2;
        } else if byte == b'{' {
            if prefix_end == bytes.len() {
                prefix_end = index;
            }
            while index < bytes.len() && bytes[index] != b'}' {
                index += 1;
            }
            index += 1;
            suffix_start = index;
        } else {
            index += 1;
        }
    }
    // A template of a hand-written implementation may end inside a placeholder.
    let suffix_start = if suffix_start < bytes.len() { suffix_start } else { bytes.len() };
    (bytes.split_at(prefix_end).0, bytes.split_at(suffix_start).1)
}

const fn equal_names_message(a: &EventInfo, b: &EventInfo) -> ConstString {
    let message = ConstString::new()
        .push_quoted(a.variant)
        .push(" and ")
        .push_quoted(b.variant)
        .push(" are both ");
    let message = match a.version {
        Some(version) => {
            message.push("version `").push(version).push("` of `").push(a.name).push("`")
        }
        None => message.push("`").push(a.name).push("` without a version"),
    };
    message.push(", so a receiver cannot distinguish them\nhelp: rename one of them, give it another `version`, or remove it from the enum")
}

const fn shared_ids_message(a: &EventInfo, b: &EventInfo) -> ConstString {
    let templates = match (a.id_template, b.id_template) {
        (Some(a), Some(b)) => (a, b),
        _ => ("", ""),
    };
    let message = ConstString::new()
        .push_quoted(a.variant)
        .push(" and ")
        .push_quoted(b.variant)
        .push(" can have the same dedup id, `")
        .push(templates.0)
        .push("` and `")
        .push(templates.1)
        .push("`, and Inngest would drop the later event as a duplicate\nhelp: begin ");
    let (prefix_a, prefix_b) = (suggested_prefix(a), suggested_prefix(b));
    if !matches!(
        compare(prefix_a.bytes(), prefix_b.bytes()),
        Comparison::Less | Comparison::Greater
    ) {
        return message.push("each with text that the other does not begin with");
    }
    message
        .push("each with its event's name: `")
        .push(prefix_a.as_str())
        .push("` and `")
        .push(prefix_b.as_str())
        .push("`")
}

/// Derives a prefix such as `cart-checkout-completed-` from an event's name.
const fn suggested_prefix(event: &EventInfo) -> ConstString {
    let name = event.name.as_bytes();
    let mut prefix = ConstString::new();
    let mut index = 0;
    while index < name.len() {
        prefix = match name[index] {
            b'/' => ConstString::new(),
            b'.' => prefix.push("-"),
            byte => prefix.push_bytes(&[byte]),
        };
        index += 1;
    }
    prefix.push("-")
}

#[cfg(test)]
mod tests {
    use std::str;

    use super::{
        Comparison, Conflicts, EventInfo, compare, either_is_suffix, literal_affixes,
        sorted_indexes, suggested_prefix,
    };

    #[test]
    fn events_that_can_share_a_name_or_an_id_conflict_with_the_first_of_them() {
        const EVENTS: &[EventInfo] = &[
            EventInfo::new("B", "b", None, Some("b-{id}")),
            EventInfo::new("A", "a", None, Some("a-{id}")),
            EventInfo::new("Longer", "longer", None, Some("b-x-{id}")),
            EventInfo::new("Again", "a", None, None),
        ];
        assert_eq!(Conflicts::<4>::find(EVENTS).first, [0, 1, 0, 1]);
    }

    #[test]
    fn the_suggested_prefix_is_the_events_name_without_its_namespace() {
        let prefix = |name| suggested_prefix(&EventInfo::new("Variant", name, None, None));
        assert_eq!(
            prefix("storefront/cart.checkout.completed").as_str(),
            "cart-checkout-completed-"
        );
        assert_eq!(prefix("started").as_str(), "started-");
    }

    #[test]
    fn literal_affixes_are_the_texts_around_the_placeholders() {
        let affixes = |template| {
            let (prefix, suffix) = literal_affixes(template);
            (str::from_utf8(prefix).unwrap(), str::from_utf8(suffix).unwrap())
        };
        assert_eq!(affixes("item-{id}"), ("item-", ""));
        assert_eq!(affixes("item-{kind}-{id}-x"), ("item-", "-x"));
        assert_eq!(affixes("a{{b}}-{{{id}}}"), ("a{{b}}-{{", "}}"));
        assert_eq!(affixes("{a}{b}"), ("", ""));
        // Only hand-written implementations have such templates.
        assert_eq!(affixes("fixed"), ("fixed", "fixed"));
        assert_eq!(affixes("a-{b"), ("a-", ""));
        assert_eq!(affixes("a}b-{"), ("a}b-", ""));
        assert_eq!(affixes(""), ("", ""));
    }

    const TEXTS: [&str; 8] =
        ["item-", "a", "", "item-imported-", "mported-", "a", "item-deleted-", "item-imported-x"];

    #[test]
    fn texts_compare_and_sort_like_slices() {
        for a in TEXTS {
            for b in TEXTS {
                let (a, b) = (a.as_bytes(), b.as_bytes());
                let expected = match (a.starts_with(b), b.starts_with(a)) {
                    (true, true) => "Equal",
                    (false, true) => "Prefix",
                    (true, false) => "Extension",
                    (false, false) if a < b => "Less",
                    (false, false) => "Greater",
                };
                let found = match compare(a, b) {
                    Comparison::Less => "Less",
                    Comparison::Prefix => "Prefix",
                    Comparison::Equal => "Equal",
                    Comparison::Extension => "Extension",
                    Comparison::Greater => "Greater",
                };
                assert_eq!(found, expected);
                assert_eq!(either_is_suffix(a, b), a.ends_with(b) || b.ends_with(a));
            }
        }
        let mut expected: Vec<usize> = (0..TEXTS.len()).collect();
        expected.sort_by_key(|index| TEXTS[*index]);
        assert_eq!(sorted_indexes(&TEXTS.map(str::as_bytes)).as_slice(), expected);
    }
}
