//! The dedup id's template: text, `{field}`, `{a.b}`, `{{` and `}}`.

use std::ops::Range;

/// A template's parts in order, and what is wrong in it.
#[derive(Debug, Default)]
pub(crate) struct Template {
    pub(crate) parts: Vec<Part>,
    pub(crate) problems: Vec<Problem>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Literal text, with `{` for `{{`, and the bytes it comes from.
    Text(String, Range<usize>),
    Placeholder(Placeholder),
}

/// `{account.id}`, with the bytes of the whole.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Placeholder {
    pub(crate) path: Vec<Name>,
    pub(crate) bytes: Range<usize>,
}

/// A field's name, without `r#`, and its bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) text: String,
    pub(crate) bytes: Range<usize>,
}

/// What keeps a part of the template from being one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) bytes: Range<usize>,
    pub(crate) kind: ProblemKind,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ProblemKind {
    /// `{` without its `}`.
    Unclosed,
    /// `}` without its `{`.
    Stray,
    /// `{}` or `{0}`.
    Unnamed(String),
    /// `{field:spec}`.
    FormatSpec { field: String },
    /// A field in a spelling that the grammar has not, and how to write it.
    Spelling { write: String, without: &'static str },
    /// Anything else between braces.
    NotAField(String),
}

impl Placeholder {
    /// The path as the template writes it.
    pub(crate) fn path(&self) -> String {
        self.path.iter().map(|name| name.text.as_str()).collect::<Vec<_>>().join(".")
    }
}

impl Template {
    pub(crate) fn parse(source: &str) -> Template {
        let mut template = Template::default();
        let mut at = 0;
        while at < source.len() {
            let rest = &source[at..];
            if rest.starts_with("{{") || rest.starts_with("}}") {
                template.text(&rest[..1], at..at + 2);
                at += 2;
            } else if rest.starts_with('}') {
                template.problem(at..at + 1, ProblemKind::Stray);
                at += 1;
            } else if let Some(inside) = rest.strip_prefix('{') {
                at = template.placeholder(inside, at);
            } else {
                let len = rest.find(['{', '}']).unwrap_or(rest.len());
                template.text(&rest[..len], at..at + len);
                at += len;
            }
        }
        template
    }

    pub(crate) fn placeholders(&self) -> impl Iterator<Item = &Placeholder> {
        self.parts.iter().filter_map(|part| match part {
            Part::Placeholder(placeholder) => Some(placeholder),
            Part::Text(..) => None,
        })
    }

    fn text(&mut self, text: &str, bytes: Range<usize>) {
        match self.parts.last_mut() {
            Some(Part::Text(known, known_bytes)) if known_bytes.end == bytes.start => {
                known.push_str(text);
                known_bytes.end = bytes.end;
            }
            _ => self.parts.push(Part::Text(text.to_owned(), bytes)),
        }
    }

    fn problem(&mut self, bytes: Range<usize>, kind: ProblemKind) {
        self.problems.push(Problem { bytes, kind });
    }

    /// Reads what follows the `{` at `open`, and says where the text goes on.
    fn placeholder(&mut self, inside: &str, open: usize) -> usize {
        let Some(len) = inside.find(['{', '}']).filter(|len| inside[*len..].starts_with('}'))
        else {
            self.problem(open..open + 1, ProblemKind::Unclosed);
            return open + 1;
        };
        let end = open + len + 2;
        match path(&inside[..len], open + 1) {
            Ok(path) => {
                self.parts.push(Part::Placeholder(Placeholder { path, bytes: open..end }));
            }
            Err(kind) => self.problem(open..end, kind),
        }
        end
    }
}

/// Reads `a.b`, whose first byte is at `start`.
fn path(found: &str, start: usize) -> Result<Vec<Name>, ProblemKind> {
    if found.trim().bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ProblemKind::Unnamed(found.to_owned()));
    }
    let mut at = start;
    let mut names = Vec::new();
    for text in found.split('.') {
        let bytes = at..at + text.len();
        at = bytes.end + 1;
        // The field of a tuple struct is named by its number.
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !is_identifier(text) && (names.is_empty() || !is_number) {
            return Err(not_a_path(found));
        }
        names.push(Name { text: text.to_owned(), bytes });
    }
    Ok(names)
}

/// Why `found` is no path, or what it would be with a small change.
fn not_a_path(found: &str) -> ProblemKind {
    let is_path = |text: &str| text.split('.').all(is_identifier);
    if let Some((field, _)) = found.split_once(':') {
        if is_path(field.trim()) && !found.contains("::") {
            return ProblemKind::FormatSpec { field: field.trim().to_owned() };
        }
    }
    let spellings = [
        (found.trim().to_owned(), "white space"),
        (found.replace("r#", ""), "`r#`"),
        (found.strip_prefix("self.").unwrap_or_default().to_owned(), "`self.`"),
        (found.trim_start_matches('&').to_owned(), "`&`"),
    ];
    match spellings.into_iter().find(|(write, _)| is_path(write)) {
        Some((write, without)) => ProblemKind::Spelling { write, without },
        None => ProblemKind::NotAField(found.to_owned()),
    }
}

/// Whether a field can have this name, written without `r#`.
fn is_identifier(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c == '_' || c.is_alphabetic())
        && chars.all(|c| c == '_' || c.is_alphanumeric())
        && !matches!(text, "_" | "self" | "Self" | "super" | "crate")
}

impl Problem {
    /// What to tell; `field` is one of the event's, as an example.
    pub(crate) fn message(&self, field: &str) -> String {
        match &self.kind {
            ProblemKind::Unclosed => {
                "`{` is never closed in the dedup id\nhelp: write `{{` for a literal brace"
                    .to_owned()
            }
            ProblemKind::Stray => {
                "`}` closes nothing in the dedup id\nhelp: write `}}` for a literal brace"
                    .to_owned()
            }
            ProblemKind::Unnamed(found) => format!(
                "placeholder `{{{found}}}` has no name\nhelp: name a field, such as `{{{field}}}`"
            ),
            ProblemKind::FormatSpec { field } => format!(
                "format specs are not allowed in dedup ids; write `{{{field}}}`\n\
                 note: an id must stay the same across releases"
            ),
            ProblemKind::Spelling { write, without } => {
                format!("placeholders are written without {without}: `{{{write}}}`")
            }
            ProblemKind::NotAField(found) => format!(
                "only a field stands between braces in a dedup id, but `{{{found}}}` is none\n\
                 help: name a field, such as `{{{field}}}`, or write `{{{{` for a literal brace"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Part, ProblemKind, Template};

    /// The template with text as it is and `<path>` for placeholders.
    fn parts(source: &str) -> Vec<String> {
        let template = Template::parse(source);
        assert_eq!(template.problems, [], "{source}");
        let part = |part: &Part| match part {
            Part::Text(text, _) => text.clone(),
            Part::Placeholder(placeholder) => {
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
    fn the_grammar() {
        assert_eq!(parts("cart-{cart_id}"), ["cart-", "<cart_id>"]);
        assert_eq!(parts("a{a}b{b.c.d}e"), ["a", "<a>", "b", "<b.c.d>", "e"]);
        assert_eq!(parts("{{a}}-{{{a}}}"), ["{a}-{", "<a>", "}"]);
        assert_eq!(parts("é{größe}"), ["é", "<größe>"]);
        assert_eq!(parts("a-{type}{id.0}"), ["a-", "<type>", "<id.0>"]);
        assert_eq!(parts(""), [""; 0]);
    }

    #[test]
    fn every_problem_is_found_at_its_bytes() {
        let template = Template::parse("a{-{}-{0}-}-{total:.2}-{ a }-{r#a}-{self.a}-{a()}-{a.}-{b");
        let found: Vec<_> = template.problems.iter().map(|p| (p.bytes.clone(), &p.kind)).collect();
        let spelling = |without| ProblemKind::Spelling { write: "a".into(), without };
        assert_eq!(
            found,
            [
                (1..2, &ProblemKind::Unclosed),
                (3..5, &ProblemKind::Unnamed(String::new())),
                (6..9, &ProblemKind::Unnamed("0".into())),
                (10..11, &ProblemKind::Stray),
                (12..22, &ProblemKind::FormatSpec { field: "total".into() }),
                (23..28, &spelling("white space")),
                (29..34, &spelling("`r#`")),
                (35..43, &spelling("`self.`")),
                (44..49, &ProblemKind::NotAField("a()".into())),
                (50..54, &ProblemKind::NotAField("a.".into())),
                (55..56, &ProblemKind::Unclosed),
            ]
        );
    }
}
