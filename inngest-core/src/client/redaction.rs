//! Redacts a secret in the server's text, in each form in which servers and proxies quote a URL.

use std::ops::Range;

/// The text that replaces the secret.
const REDACTED: &str = "***";

/// Replaces every occurrence of `secret` in `text`, as [`find`] finds them.
pub(super) fn redact(text: &str, secret: &str, truncated: bool) -> String {
    let mut redacted = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(found) = find(rest, secret, truncated) {
        redacted.push_str(&rest[..found.start]);
        redacted.push_str(REDACTED);
        rest = &rest[found.end..];
    }
    redacted.push_str(rest);
    redacted
}

/// Returns the first occurrence of `secret` in `text`, ignoring case, and with any of its
/// characters percent-encoded. The secret is ASCII without `%`.
///
/// If the text is `truncated`, a prefix of the secret at the end of the text is an occurrence, too.
pub(super) fn find(text: &str, secret: &str, truncated: bool) -> Option<Range<usize>> {
    // An occurrence is at least as long as the secret, unless the text is truncated.
    let min_len = if truncated { 1 } else { secret.len() };
    let starts = text.char_indices().map(|(start, _)| start);
    starts.take_while(|start| start + min_len <= text.len()).find_map(|start| {
        let len = match_start(&text.as_bytes()[start..], secret.as_bytes(), truncated)?;
        Some(start..start + len)
    })
}

/// Returns the length of the secret at the start of `text`, in bytes, if `text` starts with it.
fn match_start(text: &[u8], secret: &[u8], truncated: bool) -> Option<usize> {
    let mut rest = text;
    for expected in secret {
        let (found, after) = match rest {
            [] | [b'%'] | [b'%', _] if truncated => return Some(text.len()),
            [b'%', high, low, after @ ..] => (16 * hex_digit(*high)? + hex_digit(*low)?, after),
            [byte, after @ ..] => (*byte, after),
            [] => return None,
        };
        if !found.eq_ignore_ascii_case(expected) {
            return None;
        }
        rest = after;
    }
    Some(text.len() - rest.len())
}

fn hex_digit(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| value.try_into().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_is_replaced_in_each_of_its_forms() {
        for (text, expected) in [
            ("", ""),
            ("no secret", "no secret"),
            ("/e/K3y:42 and K3y:42", "/e/*** and ***"),
            ("k3y:42K3Y:42", "******"),
            ("K3y%3A42 %4b%33%79%3a%34%32 %4B3y:42", "*** *** ***"),
            ("KK3y:42", "K***"),
            ("K3y:4 K3y 42 K3y%3", "K3y:4 K3y 42 K3y%3"),
            ("100%, %zz, %C3, ü%", "100%, %zz, %C3, ü%"),
            ("üK3y:42ü", "ü***ü"),
        ] {
            assert_eq!(redact(text, "K3y:42", false), expected);
        }
    }

    #[test]
    fn a_prefix_of_the_secret_at_the_end_of_a_truncated_text_is_replaced() {
        for (text, expected) in [
            ("", ""),
            ("/e/K3y:42", "/e/***"),
            ("/e/K3y:4", "/e/***"),
            ("/e/k", "/e/***"),
            ("/e/K3y%", "/e/***"),
            ("/e/K3y%3", "/e/***"),
            ("/e/K3y: 4", "/e/K3y: 4"),
        ] {
            assert_eq!(redact(text, "K3y:42", true), expected);
        }
    }
}
