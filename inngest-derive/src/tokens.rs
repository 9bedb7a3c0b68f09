//! Helpers for the tokens of attributes: comma-separated entries, string literals, source text.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use syn::{Attribute, Lit, LitStr};

/// The tokens between two commas. A comma without tokens before it is an entry, too.
pub(crate) struct Entry {
    pub(crate) tokens: Vec<TokenTree>,
}

impl Entry {
    /// Returns the identifier at the beginning of the entry.
    pub(crate) fn key(&self) -> Option<&Ident> {
        match self.tokens.first() {
            Some(TokenTree::Ident(key)) => Some(key),
            _ => None,
        }
    }

    /// Returns the value of `key = "value"`.
    pub(crate) fn string_value(&self) -> Option<LitStr> {
        match self.tokens.as_slice() {
            [_, equals, value] if is_punct(equals, '=') => parse_string(value),
            _ => None,
        }
    }
}

/// Returns the entries of all `#[name(..)]` in `attributes`.
pub(crate) fn find_entries(attributes: &[Attribute], name: &str) -> impl Iterator<Item = Entry> {
    let named = attributes.iter().filter(move |attribute| attribute.path().is_ident(name));
    let lists = named.filter_map(|attribute| attribute.meta.require_list().ok());
    lists.flat_map(|list| split_entries(list.tokens.clone()))
}

/// Splits tokens at their commas.
pub(crate) fn split_entries(tokens: TokenStream) -> Vec<Entry> {
    let mut ungrouped = Vec::new();
    ungroup(tokens, &mut ungrouped);
    let mut entries = Vec::new();
    let mut entry = Vec::new();
    for token in ungrouped {
        let is_comma = is_punct(&token, ',');
        if !is_comma || entry.is_empty() {
            entry.push(token);
        }
        if is_comma {
            entries.push(Entry { tokens: std::mem::take(&mut entry) });
        }
    }
    if !entry.is_empty() {
        entries.push(Entry { tokens: entry });
    }
    entries
}

/// Appends the tokens without the invisible groups that surround the arguments of a `macro_rules!`
/// macro.
fn ungroup(tokens: TokenStream, ungrouped: &mut Vec<TokenTree>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
                ungroup(group.stream(), ungrouped);
            }
            token => ungrouped.push(token),
        }
    }
}

/// Returns the string literal, or `None` if the token is anything else.
pub(crate) fn parse_string(token: &TokenTree) -> Option<LitStr> {
    syn::parse2(token.clone().into()).ok()
}

/// Returns the prefix of a byte string or of a C string.
pub(crate) fn string_prefix(token: &TokenTree) -> Option<&'static str> {
    let TokenTree::Literal(literal) = token else {
        return None;
    };
    match Lit::new(literal.clone()) {
        Lit::ByteStr(_) => Some("b"),
        Lit::CStr(_) => Some("c"),
        _ => None,
    }
}

pub(crate) fn is_punct(token: &TokenTree, expected: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == expected)
}

pub(crate) fn to_stream(tokens: &[TokenTree]) -> TokenStream {
    tokens.iter().cloned().collect()
}

/// Returns the source text of the tokens in backticks, truncated after 60 characters.
pub(crate) fn to_quoted_source(tokens: &[TokenTree]) -> String {
    const MAX_CHARS: usize = 60;
    let mut text = String::new();
    let mut last_has_space_after = false;
    for token in tokens {
        let (word, has_space_before, has_space_after) = match token {
            TokenTree::Group(group) => (abbreviate(group), false, false),
            TokenTree::Punct(punct) if punct.as_char() == '=' => ("=".to_owned(), true, true),
            TokenTree::Punct(punct) => (punct.to_string(), false, false),
            word => (word.to_string(), last_has_space_after, true),
        };
        if has_space_before && !text.is_empty() {
            text.push(' ');
        }
        text.push_str(&word);
        last_has_space_after = has_space_after;
    }
    if text.chars().count() > MAX_CHARS {
        text = text.chars().take(MAX_CHARS).chain("..".chars()).collect();
    }
    format!("`{text}`")
}

/// Returns the group's delimiters, with `..` in place of its content.
fn abbreviate(group: &Group) -> String {
    let content = if group.stream().is_empty() { "" } else { ".." };
    match group.delimiter() {
        Delimiter::Parenthesis => format!("({content})"),
        Delimiter::Brace => format!("{{{content}}}"),
        Delimiter::Bracket => format!("[{content}]"),
        Delimiter::None => group.stream().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use proc_macro2::{TokenStream, TokenTree};

    use super::to_quoted_source;

    #[test]
    fn source_is_quoted_in_at_most_sixty_characters() {
        let quoted = |source: &str| {
            let tokens: Vec<TokenTree> =
                source.parse::<TokenStream>().unwrap().into_iter().collect();
            to_quoted_source(&tokens)
        };
        assert_eq!(quoted(&"a".repeat(60)), format!("`{}`", "a".repeat(60)));
        assert_eq!(quoted(&"a".repeat(61)), format!("`{}..`", "a".repeat(60)));
        assert_eq!(quoted(&"a".repeat(90)), format!("`{}..`", "a".repeat(60)));
        assert_eq!(quoted("a = concat!(b, c)"), "`a = concat!(..)`");
    }
}
