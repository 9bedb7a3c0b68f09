//! What an event may be called.
//!
//! `inngest-core` has the same rules for events written by hand; `tests/data/names.txt` holds both
//! to one table.

use std::ops::Range;

/// Function triggers accept at most this many bytes.
const MAX_BYTES: usize = 255;

/// Names with this prefix, in any case, are Inngest's own.
const RESERVED: &str = "inngest/";

/// A rule that a name breaks, and the bytes where it does.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) bytes: Range<usize>,
    pub(crate) message: String,
}

/// Every rule that `name` breaks.
pub(crate) fn problems(name: &str) -> Vec<Problem> {
    if name.is_empty() {
        let message = "event name is empty; name what happened, such as `storefront/cart.updated`";
        return vec![Problem { bytes: 0..0, message: message.to_owned() }];
    }
    let rules = [too_long, reserved, white_space, control, wildcard];
    rules.iter().filter_map(|rule| rule(name)).collect()
}

fn too_long(name: &str) -> Option<Problem> {
    let message =
        format!("event name is {} bytes; function triggers accept at most {MAX_BYTES}", name.len());
    (name.len() > MAX_BYTES).then_some(Problem { bytes: 0..name.len(), message })
}

fn reserved(name: &str) -> Option<Problem> {
    let prefix = name.get(..RESERVED.len())?;
    let message = "names starting with `inngest/` are reserved for Inngest's own events";
    prefix
        .eq_ignore_ascii_case(RESERVED)
        .then(|| Problem { bytes: 0..prefix.len(), message: message.to_owned() })
}

fn white_space(name: &str) -> Option<Problem> {
    let (bytes, c) = first(name, char::is_whitespace)?;
    let message = format!(
        "event names have no white space, but there is `{}` at byte {}",
        c.escape_debug(),
        bytes.start
    );
    Some(Problem { bytes, message })
}

fn control(name: &str) -> Option<Problem> {
    let (bytes, c) = first(name, |c| c.is_control() && !c.is_whitespace())?;
    let message = format!(
        "event names have no control characters, but there is `{}` at byte {}",
        c.escape_debug(),
        bytes.start
    );
    Some(Problem { bytes, message })
}

fn wildcard(name: &str) -> Option<Problem> {
    let (bytes, _) = first(name, |c| c == '*')?;
    let message = format!(
        "`*` is a wildcard in function triggers, so event names have none, but there is one at \
         byte {}",
        bytes.start
    );
    Some(Problem { bytes, message })
}

fn first(name: &str, matches: impl Fn(char) -> bool) -> Option<(Range<usize>, char)> {
    let (at, c) = name.char_indices().find(|(_, c)| matches(*c))?;
    Some((at..at + c.len_utf8(), c))
}

#[cfg(test)]
mod tests {
    use super::problems;

    #[test]
    fn every_broken_rule_is_told_with_its_bytes() {
        let found: Vec<_> = problems("INNgest/é a\u{7}*").into_iter().map(|p| p.bytes).collect();
        assert_eq!(found, [0..8, 10..11, 12..13, 13..14]);
    }

    #[test]
    fn names_of_the_documentation_pass() {
        for name in ["storefront/cart.checkout.completed", "app/user.signed-up", "x", "été/né"] {
            assert_eq!(problems(name), [], "{name}");
        }
    }
}
