//! Parses the dedup id's template: text, `{field}`, `{a.b}`, `{{` and `}}`.

use std::ops::Range;

use proc_macro2::{Ident, Span};

/// A parsed template: its valid parts in order, and the problems of the others.
///
/// All `bytes` are offsets in the value of the template's literal.
#[derive(Debug, Default)]
pub(crate) struct Template {
    pub(crate) parts: Vec<TemplatePart>,
    pub(crate) problems: Vec<TemplateProblem>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum TemplatePart {
    /// Text with `{` for `{{` and `}` for `}}`, and the bytes that it was parsed from.
    Text(String, Range<usize>),
    Placeholder(Placeholder),
}

/// `{account.id}`, with the bytes from brace to brace.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Placeholder {
    pub(crate) path: Vec<FieldName>,
    pub(crate) bytes: Range<usize>,
}

/// The Rust name of a field, without `r#`, or the index of a tuple's field.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FieldName {
    pub(crate) text: String,
    pub(crate) bytes: Range<usize>,
}

/// A part of the template that cannot be parsed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TemplateProblem {
    pub(crate) bytes: Range<usize>,
    pub(crate) kind: TemplateProblemKind,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum TemplateProblemKind {
    /// `{` without its `}`.
    Unclosed,
    /// `}` without its `{`.
    Stray,
    /// `{}` or `{0}`.
    Unnamed(String),
    /// `{field:spec}`.
    FormatSpec { field: String },
    /// A field with something that templates omit, such as `self.`, and the corrected path.
    Spelling { corrected: String, without: &'static str },
    /// Anything else between braces.
    NotAField(String),
}

impl Placeholder {
    /// Returns the path as it is written in the template.
    pub(crate) fn path(&self) -> String {
        self.path.iter().map(|name| name.text.as_str()).collect::<Vec<_>>().join(".")
    }

    /// Returns the field of the event that the path begins with.
    pub(crate) fn field(&self) -> &FieldName {
        &self.path[0]
    }

    /// Returns whether the path leads to a field of a field.
    pub(crate) fn is_nested(&self) -> bool {
        self.path.len() > 1
    }
}

impl Template {
    pub(crate) fn parse(source: &str) -> Template {
        let mut template = Template::default();
        let mut offset = 0;
        while offset < source.len() {
            let rest = &source[offset..];
            if rest.starts_with("{{") || rest.starts_with("}}") {
                template.push_text(&rest[..1], offset..offset + 2);
                offset += 2;
            } else if rest.starts_with('}') {
                template.push_problem(offset..offset + 1, TemplateProblemKind::Stray);
                offset += 1;
            } else if let Some(after_brace) = rest.strip_prefix('{') {
                offset = template.parse_placeholder(after_brace, offset);
            } else {
                let len = rest.find(['{', '}']).unwrap_or(rest.len());
                template.push_text(&rest[..len], offset..offset + len);
                offset += len;
            }
        }
        template
    }

    pub(crate) fn placeholders(&self) -> impl Iterator<Item = &Placeholder> {
        self.parts.iter().filter_map(|part| match part {
            TemplatePart::Placeholder(placeholder) => Some(placeholder),
            TemplatePart::Text(..) => None,
        })
    }

    /// Appends text, to the last part if that is text and adjacent.
    fn push_text(&mut self, text: &str, bytes: Range<usize>) {
        match self.parts.last_mut() {
            Some(TemplatePart::Text(last, last_bytes)) if last_bytes.end == bytes.start => {
                last.push_str(text);
                last_bytes.end = bytes.end;
            }
            _ => self.parts.push(TemplatePart::Text(text.to_owned(), bytes)),
        }
    }

    fn push_problem(&mut self, bytes: Range<usize>, kind: TemplateProblemKind) {
        self.problems.push(TemplateProblem { bytes, kind });
    }

    /// Parses the placeholder whose `{` is at the offset `open`, and returns the offset after it.
    fn parse_placeholder(&mut self, after_brace: &str, open: usize) -> usize {
        let close = after_brace.find(['{', '}']);
        let Some(len) = close.filter(|len| after_brace[*len..].starts_with('}')) else {
            self.push_problem(open..open + 1, TemplateProblemKind::Unclosed);
            return open + 1;
        };
        let bytes = open..open + len + 2;
        let end = bytes.end;
        match parse_path(&after_brace[..len], open + 1) {
            Ok(path) => {
                self.parts.push(TemplatePart::Placeholder(Placeholder { path, bytes }));
            }
            Err(kind) => self.push_problem(bytes, kind),
        }
        end
    }
}

/// Parses `a.b`, which begins at the offset `start` of the template.
fn parse_path(source: &str, start: usize) -> Result<Vec<FieldName>, TemplateProblemKind> {
    if source.trim().bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(TemplateProblemKind::Unnamed(source.to_owned()));
    }
    let mut offset = start;
    let mut names = Vec::new();
    for text in source.split('.') {
        let bytes = offset..offset + text.len();
        offset = bytes.end + 1;
        let text = if is_identifier(text) {
            // Normalizes the name as rustc does, so that it equals the name of the field.
            Ident::new(text, Span::call_site()).to_string()
        } else if !names.is_empty() && is_index(text) {
            text.to_owned()
        } else {
            return Err(explain_invalid_path(source));
        };
        names.push(FieldName { text, bytes });
    }
    Ok(names)
}

/// Returns why `source` is not a path, with the path that the user probably meant.
fn explain_invalid_path(source: &str) -> TemplateProblemKind {
    let is_path = |text: &str| text.split('.').all(is_identifier);
    if let Some((field, _)) = source.split_once(':') {
        if is_path(field.trim()) && !source.contains("::") {
            return TemplateProblemKind::FormatSpec { field: field.trim().to_owned() };
        }
    }
    let corrections = [
        (source.trim().to_owned(), "white space"),
        (source.replace("r#", ""), "`r#`"),
        (source.strip_prefix("self.").unwrap_or_default().to_owned(), "`self.`"),
        (source.trim_start_matches('&').to_owned(), "`&`"),
    ];
    match corrections.into_iter().find(|(corrected, _)| is_path(corrected)) {
        Some((corrected, without)) => TemplateProblemKind::Spelling { corrected, without },
        None => TemplateProblemKind::NotAField(source.to_owned()),
    }
}

/// Returns whether `text` is the index of a tuple's field, as rustc writes it.
fn is_index(text: &str) -> bool {
    text.parse::<u32>().is_ok_and(|index| index.to_string() == text)
}

/// Returns whether `text` can be the name of a field, apart from `r#`.
fn is_identifier(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c == '_' || unicode_ident::is_xid_start(c))
        && chars.all(unicode_ident::is_xid_continue)
        && !matches!(text, "_" | "self" | "Self" | "super" | "crate")
}

impl TemplateProblem {
    /// Returns the error's text. `field` is one of the event's fields, to use as an example.
    pub(crate) fn message(&self, field: &str) -> String {
        match &self.kind {
            TemplateProblemKind::Unclosed => {
                "`{` is never closed in the dedup id\nhelp: write `{{` for a literal brace"
                    .to_owned()
            }
            TemplateProblemKind::Stray => {
                "`}` has no matching `{` in the dedup id\nhelp: write `}}` for a literal brace"
                    .to_owned()
            }
            TemplateProblemKind::Unnamed(found) => format!(
                "placeholder `{{{found}}}` does not name a field\nhelp: name a field, such as `{{{field}}}`"
            ),
            TemplateProblemKind::FormatSpec { field } => format!(
                "format specs are not allowed in dedup ids; write `{{{field}}}`\n\
                 note: an id must stay the same across releases"
            ),
            TemplateProblemKind::Spelling { corrected, without } => {
                format!("placeholders are written without {without}: `{{{corrected}}}`")
            }
            TemplateProblemKind::NotAField(found) => format!(
                "a placeholder names a field of the event, but `{{{found}}}` does not\n\
                 help: name a field, such as `{{{field}}}`, or write `{{{{` for a literal brace"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Template, TemplatePart, TemplateProblemKind};

    /// Parses a template without problems. Placeholders are written as `<path>`.
    fn parts(source: &str) -> Vec<String> {
        let template = Template::parse(source);
        assert_eq!(template.problems, [], "{source}");
        let part = |part: &TemplatePart| match part {
            TemplatePart::Text(text, _) => text.clone(),
            TemplatePart::Placeholder(placeholder) => {
                assert!(source[placeholder.bytes.clone()].starts_with('{'));
                for name in &placeholder.path {
                    assert_eq!(source[name.bytes.clone()], name.text);
                }
                format!("<{}>", placeholder.path())
            }
        };
        template.parts.iter().map(part).collect()
    }

    #[test]
    fn text_paths_and_escaped_braces_are_parsed() {
        assert_eq!(parts("cart-{cart_id}"), ["cart-", "<cart_id>"]);
        assert_eq!(parts("a{a}b{b.c.d}e"), ["a", "<a>", "b", "<b.c.d>", "e"]);
        assert_eq!(parts("{{a}}-{{{a}}}"), ["{a}-{", "<a>", "}"]);
        assert_eq!(parts("é{größe}{हिन्दी}{ชื่อ}"), ["é", "<größe>", "<हिन्दी>", "<ชื่อ>"]);
        assert_eq!(parts("a-{col·lecció.4294967295}"), ["a-", "<col·lecció.4294967295>"]);
        assert_eq!(parts("a-{type}{id.0}"), ["a-", "<type>", "<id.0>"]);
        assert_eq!(parts(""), [""; 0]);
    }

    #[test]
    fn every_problem_is_reported_at_its_bytes() {
        let template = Template::parse(
            "a{-{}-{0}-}-{total:.2}-{ a }-{r#a}-{self.a}-{a()}-{a.}-{a.m²}-{a.4294967296}-{a.01}-{b",
        );
        let problems = template.problems.iter();
        let found: Vec<_> = problems.map(|p| (p.bytes.clone(), &p.kind)).collect();
        let spelling = |without| TemplateProblemKind::Spelling { corrected: "a".into(), without };
        assert_eq!(
            found,
            [
                (1..2, &TemplateProblemKind::Unclosed),
                (3..5, &TemplateProblemKind::Unnamed(String::new())),
                (6..9, &TemplateProblemKind::Unnamed("0".into())),
                (10..11, &TemplateProblemKind::Stray),
                (12..22, &TemplateProblemKind::FormatSpec { field: "total".into() }),
                (23..28, &spelling("white space")),
                (29..34, &spelling("`r#`")),
                (35..43, &spelling("`self.`")),
                (44..49, &TemplateProblemKind::NotAField("a()".into())),
                (50..54, &TemplateProblemKind::NotAField("a.".into())),
                (55..62, &TemplateProblemKind::NotAField("a.m²".into())),
                (63..77, &TemplateProblemKind::NotAField("a.4294967296".into())),
                (78..84, &TemplateProblemKind::NotAField("a.01".into())),
                (85..86, &TemplateProblemKind::Unclosed),
            ]
        );
    }
}
