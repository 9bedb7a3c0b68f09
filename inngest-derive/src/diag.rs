//! Errors, collected so that one compile reports all of them, and suggestions of similar names.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;

/// The errors of an item, in the order in which they were found.
#[derive(Default)]
pub(crate) struct Errors(Vec<syn::Error>);

impl Errors {
    /// Adds an error at a span. The first line of the message states the rule and what was found;
    /// further lines begin with `help:` or `note:`.
    pub(crate) fn at(&mut self, span: Span, message: impl Into<String>) {
        self.0.push(syn::Error::new(span, message.into()));
    }

    /// Adds an error that spans all of `tokens`.
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

/// Returns the candidate that is most similar to `found`, if one is similar enough to suggest.
///
/// A candidate is similar if it is equal apart from its case style, or if at most a third of the
/// characters of the longer one have to change.
pub(crate) fn closest<'a>(
    found: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let distance = |candidate: &str| {
        let is_same = fold_case_style(candidate).eq(fold_case_style(found));
        if is_same { 0 } else { edit_distance(found, candidate) }
    };
    let most = |candidate: &str| found.chars().count().max(candidate.chars().count()) / 3;
    let candidates = candidates.into_iter().map(|candidate| (distance(candidate), candidate));
    let similar = candidates.filter(|(distance, candidate)| *distance <= most(candidate));
    similar.min_by_key(|(distance, _)| *distance).map(|(_, candidate)| candidate)
}

/// Removes the case style of a name, so that `cart_id`, `cartId` and `CART-ID` are equal.
fn fold_case_style(name: &str) -> impl Iterator<Item = char> {
    name.chars().filter(|c| !matches!(c, '_' | '-')).flat_map(char::to_lowercase)
}

/// Counts the characters to insert, delete, replace or swap with a neighbor.
fn edit_distance(a: &str, b: &str) -> usize {
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

/// Lists names in backticks, at most eight of them, as in `` `a`, `b` and 2 more ``.
pub(crate) fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.len() {
        0..=8 => names.join(", "),
        len => format!("{} and {} more", names[..8].join(", "), len - 8),
    }
}

#[cfg(test)]
mod tests {
    use super::{closest, list};

    #[test]
    fn only_a_similar_name_is_suggested() {
        let keys = ["name", "id", "version", "crate"];
        assert_eq!(closest("nmae", keys), Some("name"));
        assert_eq!(closest("ids", keys), Some("id"));
        assert_eq!(closest("Version", keys), Some("version"));
        assert_eq!(closest("event", keys), None);
        assert_eq!(closest("cartId", ["card_ids", "cart_id"]), Some("cart_id"));
        assert_eq!(closest("", keys), None);
        assert_eq!(closest("a", ["b", "ab", "A"]), Some("A"));
        assert_eq!(closest("a", ["b", "ab"]), None);
    }

    #[test]
    fn at_most_eight_names_are_listed() {
        assert_eq!(list(["a", "b"]), "`a`, `b`");
        let many = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
        assert_eq!(list(many), "`a`, `b`, `c`, `d`, `e`, `f`, `g`, `h` and 2 more");
    }
}
