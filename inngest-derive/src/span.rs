//! Spans: where rustc shows a token, and whether it treats the token as the user's code.

use std::ops::Range;

use proc_macro2::{Ident, Literal, Span};
use syn::LitStr;
use syn::ext::IdentExt;

/// Returns a span for generated tokens: rustc shows them at `span`, but does not treat them as the user's
/// code. So lints do not check them, and rustc does not suggest to rewrite the code at `span`.
pub(crate) fn call_site_at(span: Span) -> Span {
    span.resolved_at(Span::call_site())
}

/// Returns the span of some bytes of a literal's value, or the span of the whole literal if the
/// compiler cannot locate the bytes.
pub(crate) fn subspan(literal: &LitStr, bytes: Range<usize>) -> Span {
    let token = literal.token();
    let range = source_range(&token, literal.value().len(), bytes);
    range.and_then(|range| token.subspan(range)).unwrap_or_else(|| literal.span())
}

/// Returns the position of a value's bytes in the literal's source, or `None` if the literal contains
/// an escape, which has other bytes in the source than in the value.
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

/// Returns a name of the user's code with the span of generated tokens, so that lints do not check it twice.
///
/// Generated tokens have the edition of this crate, in which some names of older editions are keywords.
/// Types and bounds keep their spans, since their meaning depends on the edition. Lints that the user allows
/// are allowed for the whole expansion.
pub(crate) fn unlinted(ident: &Ident) -> Ident {
    let name = ident.unraw().to_string();
    let span = call_site_at(ident.span());
    if matches!(name.as_str(), "async" | "await" | "gen" | "try") {
        return Ident::new_raw(&name, span);
    }
    let mut unlinted = ident.clone();
    unlinted.set_span(span);
    unlinted
}

#[cfg(test)]
mod tests {
    use super::source_range;

    #[test]
    fn bytes_of_a_value_are_located_in_the_source_of_its_literal() {
        let located = |source: &str| {
            let literal: syn::LitStr = syn::parse_str(source).unwrap();
            let value = literal.value();
            let start = value.find("{b}").unwrap();
            source_range(&literal.token(), value.len(), start..start + 3)
                .map(|range| source[range].to_owned())
        };
        assert_eq!(located(r#""a-{b}""#).as_deref(), Some("{b}"));
        assert_eq!(located(r##"r#"é"{b}"#"##).as_deref(), Some("{b}"));
        assert_eq!(located(r#"r"{b}""#).as_deref(), Some("{b}"));
        assert_eq!(located(r#""\u{61}{b}""#), None);
    }
}
