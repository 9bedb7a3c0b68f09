//! Errors: all of them, each at the smallest span, with a name to suggest where one is close.

use std::ops::Range;

use proc_macro2::{Literal, Span, TokenStream};
use quote::ToTokens;
use syn::LitStr;

/// What is wrong with the item, in the order it was found.
#[derive(Default)]
pub(crate) struct Errors(Vec<syn::Error>);

impl Errors {
    /// The rule and what was found; further lines of the message are `help:` and `note:`.
    pub(crate) fn at(&mut self, span: Span, message: impl Into<String>) {
        self.0.push(syn::Error::new(span, message.into()));
    }

    pub(crate) fn spanning(&mut self, tokens: impl ToTokens, message: impl Into<String>) {
        self.0.push(syn::Error::new_spanned(tokens, message.into()));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl ToTokens for Errors {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(self.0.iter().map(syn::Error::to_compile_error));
    }
}

/// Where a token of ours is shown: at the user's code, but never taken for it. So no lint looks at
/// it, and rustc does not offer to rewrite what it stands at.
pub(crate) fn located_at(span: Span) -> Span {
    span.resolved_at(Span::call_site())
}

/// The span of some bytes of a literal's value; the whole literal where the compiler cannot say.
pub(crate) fn within(literal: &LitStr, bytes: Range<usize>) -> Span {
    let token = literal.token();
    let part = source_range(&token, literal.value().len(), bytes);
    part.and_then(|part| token.subspan(part)).unwrap_or_else(|| literal.span())
}

/// Where bytes of the value stand in the literal's source. An escape makes the two differ.
fn source_range(token: &Literal, value_len: usize, bytes: Range<usize>) -> Option<Range<usize>> {
    let source = token.to_string();
    let hashes = source.bytes().skip(1).take_while(|byte| *byte == b'#').count();
    let (before, after) = match source.as_bytes().first()? {
        b'"' if !source.contains('\\') => (1, 1),
        b'r' => (2 + hashes, 1 + hashes),
        _ => return None,
    };
    (source.len() == before + value_len + after).then(|| before + bytes.start..before + bytes.end)
}

/// The candidate that was probably meant by `found`.
pub(crate) fn closest<'a>(
    found: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let same = |candidate: &str| folded(candidate).eq(folded(found));
    candidates
        .into_iter()
        .map(|candidate| (if same(candidate) { 0 } else { distance(found, candidate) }, candidate))
        .filter(|(distance, candidate)| *distance <= candidate.chars().count().max(3) / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// A name without its case style: `cart_id`, `cartId` and `CART-ID` are one.
fn folded(name: &str) -> impl Iterator<Item = char> {
    name.chars().filter(|c| !matches!(c, '_' | '-')).flat_map(char::to_lowercase)
}

/// How many characters to insert, delete, replace or swap with a neighbor.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<usize>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

/// `` `a`, `b` and `c` ``, up to eight of them.
pub(crate) fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.len() {
        0..=8 => names.join(", "),
        more => format!("{} and {} more", names[..8].join(", "), more - 8),
    }
}

#[cfg(test)]
mod tests {
    use super::{closest, list, source_range};

    #[test]
    fn a_close_name_is_suggested_and_a_far_one_is_not() {
        let keys = ["name", "id", "version", "crate"];
        assert_eq!(closest("nmae", keys), Some("name"));
        assert_eq!(closest("ids", keys), Some("id"));
        assert_eq!(closest("Version", keys), Some("version"));
        assert_eq!(closest("event", keys), None);
        assert_eq!(closest("cartId", ["card_ids", "cart_id"]), Some("cart_id"));
        assert_eq!(closest("", keys), None);
    }

    #[test]
    fn at_most_eight_names_are_listed() {
        assert_eq!(list(["a", "b"]), "`a`, `b`");
        let many = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
        assert_eq!(list(many), "`a`, `b`, `c`, `d`, `e`, `f`, `g`, `h` and 2 more");
    }

    #[test]
    fn bytes_of_a_value_are_found_in_its_literal() {
        let range = |source: &str| {
            let literal: syn::LitStr = syn::parse_str(source).unwrap();
            let value = literal.value();
            let start = value.find("{b}").unwrap();
            source_range(&literal.token(), value.len(), start..start + 3)
                .map(|range| source[range].to_owned())
        };
        assert_eq!(range(r#""a-{b}""#).as_deref(), Some("{b}"));
        assert_eq!(range(r##"r#"é"{b}"#"##).as_deref(), Some("{b}"));
        assert_eq!(range(r#"r"{b}""#).as_deref(), Some("{b}"));
        assert_eq!(range(r#""\u{61}{b}""#), None);
    }
}
