//! The derive: its template parser, its attribute parser, and what it generates.
//!
//! An input is the source of an item, or, after a line with the literal's kind, the template of an item of ours. The
//! generated code of an accepted template is run here, and the ids that it renders are split into their values again.
#![no_main]
#![allow(dead_code, unused_imports, reason = "not every item of the derive is used")]

// The source of the derive, since a crate of macros exports nothing else.
#[path = "../../../inngest-derive/src/case.rs"]
mod case;
#[path = "../../../inngest-derive/src/check.rs"]
mod check;
#[path = "../../../inngest-derive/src/diag.rs"]
mod diag;
#[path = "../../../inngest-derive/src/emit.rs"]
mod emit;
#[path = "../../../inngest-derive/src/emit_enum.rs"]
mod emit_enum;
#[path = "../../../inngest-derive/src/expand.rs"]
mod expand;
#[path = "../../../inngest-derive/src/fallback.rs"]
mod fallback;
#[path = "../../../inngest-derive/src/header.rs"]
mod header;
#[path = "../../../inngest-derive/src/inngest_attr.rs"]
mod inngest_attr;
#[path = "../../../inngest-derive/src/item.rs"]
mod item;
#[path = "../../../inngest-derive/src/model.rs"]
mod model;
#[path = "../../../inngest-derive/src/name.rs"]
mod name;
#[path = "../../../inngest-derive/src/serde_attr.rs"]
mod serde_attr;
#[path = "../../../inngest-derive/src/span.rs"]
mod span;
#[path = "../../../inngest-derive/src/syntax.rs"]
mod syntax;
#[path = "../../../inngest-derive/src/template.rs"]
mod template;
#[path = "../../../inngest-derive/src/tokens.rs"]
mod tokens;

use inngest_core::private::IdWriter;
use inngest_fuzz::template::{NESTED, Part, parse};
use libfuzzer_sys::fuzz_target;
use proc_macro2::{Delimiter, Literal, TokenStream, TokenTree};

/// The fields of the item whose template is fuzzed, and their values: two texts, an integer and a bool. `r#type` is
/// written without `r#` in a template.
const ITEM: &str = "struct Fuzz { a: String, b: String, n: i64, r#type: bool, é: String }";
const FIELDS: [&str; 5] = ["a", "b", "n", "type", "é"];

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    expand_all(text);
    let mut lines = text.splitn(3, '\n');
    if let (Some(n), Some(values), Some(template)) = (lines.next(), lines.next(), lines.next()) {
        check_template(n, values, template);
    }
});

/// Expands an item with each derive, whatever it is.
fn expand_all(source: &str) {
    let Ok(tokens) = source.parse::<TokenStream>() else { return };
    for expand in [expand::inngest_event, expand::id_segment, expand::inngest_events] {
        let expansion = expand(tokens.clone());
        if let Err(error) = syn::parse2::<syn::File>(expansion.clone()) {
            panic!("{error} in {expansion}");
        }
    }
}

fn check_template(n: &str, values: &str, template: &str) {
    let literal = Literal::string(template);
    let source = format!("#[inngest(name = \"fuzz/event\", id = {literal})] {ITEM}");
    let tokens: TokenStream = source.parse().expect("the item is tokens");
    let expansion = expand::inngest_event(tokens);
    syn::parse2::<syn::File>(expansion.clone()).expect("the expansion is items");
    let is_accepted = !contains(&expansion, "compile_error");

    let expected = parse(template, &FIELDS);
    let problem = expected.as_ref().err();
    if problem == Some(&NESTED) {
        return;
    }
    assert_eq!(is_accepted, expected.is_ok(), "{template:?}: {problem:?} in {expansion}");
    let Ok(parts) = expected else { return };

    let (a, b) = values.split_once('\t').unwrap_or((values, "b"));
    let values = Values { a, b, n: n.parse().unwrap_or(-1), r#type: n.len() % 2 == 0 };
    let Some(id) = render(&expansion, &values) else {
        // A blank value has no id.
        assert!(inngest_core::DedupId::new(a).is_err() || inngest_core::DedupId::new(b).is_err());
        return;
    };
    let mut rest = id.as_str();
    for (index, part) in parts.iter().enumerate() {
        match part {
            Part::Text(text) => rest = rest.strip_prefix(&**text).expect("the template's text"),
            Part::Field(field) => {
                let end = match parts.get(index + 1..) {
                    Some([Part::Text(text), Part::Field(_), ..]) => values.end(field, rest, text),
                    Some([Part::Text(suffix)]) => rest.len() - suffix.len(),
                    _ => rest.len(),
                };
                let is_last = !parts[index + 1..].iter().any(|part| matches!(part, Part::Field(_)));
                let found = if is_last { rest[..end].to_owned() } else { unescaped(&rest[..end]) };
                assert_eq!(found, values.text(field), "{field} in {id:?} of {template:?}");
                rest = &rest[end..];
            }
        }
    }
    assert_eq!(rest, "", "after the last value of {id:?}");
}

/// The values of the item's fields.
struct Values<'a> {
    a: &'a str,
    b: &'a str,
    n: i64,
    r#type: bool,
}

impl Values<'_> {
    fn text(&self, field: &str) -> String {
        match field {
            "a" | "é" => self.a.to_owned(),
            "b" => self.b.to_owned(),
            "n" => self.n.to_string(),
            _ => self.r#type.to_string(),
        }
    }

    /// Returns where the value at the start of `id` ends, from the field's type and the text after it alone.
    fn end(&self, field: &str, id: &str, text: &str) -> usize {
        let delimiter = text.chars().next().expect("no text is empty");
        match field {
            "n" => {
                let sign = usize::from(id.starts_with('-'));
                let digits = id[sign..].find(|c: char| !c.is_ascii_digit());
                digits.map_or(id.len(), |digits| sign + digits)
            }
            "type" => {
                if id.starts_with("true") {
                    4
                } else {
                    5
                }
            }
            _ => id.find(delimiter).expect("the delimiter"),
        }
    }
}

/// Runs the generated `write_dedup_id`. Returns `None` if a value is blank.
fn render(expansion: &TokenStream, values: &Values<'_>) -> Option<String> {
    let arguments = arguments_of(expansion.clone(), "format_args").expect("a format");
    let mut arguments = split(arguments).into_iter();
    let format = arguments.next().expect("the format");
    let format: syn::LitStr = syn::parse2(format).expect("the format is a literal");
    let id = IdWriter::new("fuzz/event");
    let mut texts = Vec::new();
    for argument in arguments {
        let (name, value) = render_segment(&id, argument, values);
        texts.push((name, value?));
    }
    let mut positional = texts.iter();
    let mut rendered = String::new();
    let mut rest = &*format.value();
    while let Some(c) = rest.chars().next() {
        let is_doubled = rest.starts_with("{{") || rest.starts_with("}}");
        if is_doubled || c != '{' {
            assert!(is_doubled || c != '}', "a brace alone");
            rendered.push(c);
            rest = &rest[c.len_utf8() * (1 + usize::from(is_doubled))..];
            continue;
        }
        let (name, after) = rest[1..].split_once('}').expect("a closing brace");
        let argument = match name {
            "" => positional.next(),
            name => texts.iter().find(|(found, _)| found.as_deref() == Some(name)),
        };
        rendered += &argument.expect("an argument of that name").1;
        rest = after;
    }
    Some(rendered)
}

/// Runs `name = __id.delimited('-', "a", &self.a)`. Returns the name of the argument, and its text unless it is blank.
fn render_segment(
    id: &IdWriter,
    argument: TokenStream,
    values: &Values<'_>,
) -> (Option<String>, Option<String>) {
    let mut tokens: Vec<TokenTree> = argument.into_iter().collect();
    let Some(TokenTree::Group(call)) = tokens.pop() else { panic!("no call") };
    let Some(TokenTree::Ident(method)) = tokens.pop() else { panic!("no method") };
    let name = match &tokens[..] {
        [TokenTree::Ident(name), TokenTree::Punct(equals), ..] if equals.as_char() == '=' => {
            Some(name.to_string())
        }
        _ => None,
    };
    let mut arguments = split(call.stream());
    let value = arguments.pop().expect("the value").to_string();
    let path: syn::LitStr = syn::parse2(arguments.pop().expect("the path")).expect("a literal");
    let path = path.value();
    assert!(value.ends_with(&format!("r#{path}")), "{value} is not {path}");
    let delimiter = arguments
        .pop()
        .map(|delimiter| syn::parse2::<syn::LitChar>(delimiter).expect("a character").value());
    assert_eq!(method == "delimited", delimiter.is_some());

    let field = FIELDS.into_iter().find(|field| *field == path).expect("a field");
    let text = values.text(field);
    let mut rendered = String::new();
    let written = match (field, delimiter) {
        ("n", Some(c)) => {
            id.write(&mut rendered, format_args!("{}", id.delimited(c, field, &values.n)))
        }
        ("n", None) => id.write(&mut rendered, format_args!("{}", id.last(field, &values.n))),
        ("type", Some(c)) => {
            id.write(&mut rendered, format_args!("{}", id.delimited(c, field, &values.r#type)))
        }
        ("type", None) => {
            id.write(&mut rendered, format_args!("{}", id.last(field, &values.r#type)))
        }
        (_, Some(c)) => id.write(&mut rendered, format_args!("{}", id.delimited(c, field, &text))),
        (_, None) => id.write(&mut rendered, format_args!("{}", id.last(field, &text))),
    };
    (name, written.is_ok().then_some(rendered))
}

/// Returns the arguments of the macro or function `name`, wherever it is called first.
fn arguments_of(tokens: TokenStream, name: &str) -> Option<TokenStream> {
    let mut is_called = false;
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => is_called = ident == name,
            TokenTree::Group(group) => {
                if is_called && group.delimiter() == Delimiter::Parenthesis {
                    return Some(group.stream());
                }
                if let Some(found) = arguments_of(group.stream(), name) {
                    return Some(found);
                }
            }
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
    None
}

fn contains(tokens: &TokenStream, name: &str) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == name,
        TokenTree::Group(group) => contains(&group.stream(), name),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

/// Splits tokens at their commas.
fn split(tokens: TokenStream) -> Vec<TokenStream> {
    let mut parts = vec![TokenStream::new()];
    for token in tokens {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == ',' => parts.push(TokenStream::new()),
            token => parts.last_mut().expect("never empty").extend([token]),
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

fn unescaped(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [byte, after @ ..] = rest {
        (rest, _) = match (byte, after) {
            (b'%', [high, low, after @ ..]) => {
                let digits = [*high, *low];
                let digits = std::str::from_utf8(&digits).expect("two digits");
                (after, bytes.push(u8::from_str_radix(digits, 16).expect("two digits")))
            }
            _ => (after, bytes.push(*byte)),
        };
    }
    String::from_utf8(bytes).expect("UTF-8")
}
