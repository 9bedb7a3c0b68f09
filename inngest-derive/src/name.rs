//! The rules for event names.
//!
//! `inngest-core` has the same rules for hand-written implementations of `InngestEvent`; a test
//! compares both with the table in `tests/data/names.txt`.

use std::ops::Range;

/// Function triggers accept at most this many bytes.
const MAX_BYTES: usize = 255;

/// Names with this prefix, in any case, are reserved for Inngest's own events.
const RESERVED: &str = "inngest/";

/// A rule that a name breaks, and the bytes of the name that break it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NameProblem {
    pub(crate) bytes: Range<usize>,
    pub(crate) message: String,
}

/// Returns every rule that `name` breaks.
pub(crate) fn problems(name: &str) -> Vec<NameProblem> {
    if name.is_empty() {
        let message = "event name is empty; name what happened, such as `storefront/cart.updated`";
        return vec![NameProblem { bytes: 0..0, message: message.to_owned() }];
    }
    let rules = [not_too_long, not_reserved, no_white_space, no_control_characters, no_wildcard];
    rules.iter().filter_map(|rule| rule(name)).collect()
}

fn not_too_long(name: &str) -> Option<NameProblem> {
    let message =
        format!("event name is {} bytes; function triggers accept at most {MAX_BYTES}", name.len());
    (name.len() > MAX_BYTES).then_some(NameProblem { bytes: 0..name.len(), message })
}

fn not_reserved(name: &str) -> Option<NameProblem> {
    let prefix = name.get(..RESERVED.len())?;
    let message = "names starting with `inngest/` are reserved for Inngest's own events";
    prefix
        .eq_ignore_ascii_case(RESERVED)
        .then(|| NameProblem { bytes: 0..prefix.len(), message: message.to_owned() })
}

fn no_white_space(name: &str) -> Option<NameProblem> {
    let (bytes, c) = find_char(name, char::is_whitespace)?;
    let message = format!(
        "event names have no white space, but there is `{}` at byte {}",
        c.escape_debug(),
        bytes.start
    );
    Some(NameProblem { bytes, message })
}

fn no_control_characters(name: &str) -> Option<NameProblem> {
    let (bytes, c) = find_char(name, |c| c.is_control() && !c.is_whitespace())?;
    let message = format!(
        "event names have no control characters, but there is `{}` at byte {}",
        c.escape_debug(),
        bytes.start
    );
    Some(NameProblem { bytes, message })
}

fn no_wildcard(name: &str) -> Option<NameProblem> {
    let (bytes, _) = find_char(name, |c| c == '*')?;
    let message = format!(
        "`*` is a wildcard in function triggers, so event names have none, but there is one at \
         byte {}",
        bytes.start
    );
    Some(NameProblem { bytes, message })
}

/// Finds the first character that `matches`, with its bytes.
fn find_char(name: &str, matches: impl Fn(char) -> bool) -> Option<(Range<usize>, char)> {
    let (offset, c) = name.char_indices().find(|(_, c)| matches(*c))?;
    Some((offset..offset + c.len_utf8(), c))
}

#[cfg(test)]
mod tests {
    use super::problems;

    #[test]
    fn every_broken_rule_is_reported_with_its_bytes() {
        let found: Vec<_> = problems("INNgest/é a\u{7}*").into_iter().map(|p| p.bytes).collect();
        assert_eq!(found, [0..8, 10..11, 12..13, 13..14]);
    }

    #[test]
    fn names_as_in_the_documentation_are_accepted() {
        for name in ["storefront/cart.checkout.completed", "app/user.signed-up", "x", "été/né"] {
            assert_eq!(problems(name), [], "{name}");
        }
    }
}
