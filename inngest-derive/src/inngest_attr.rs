//! Reads `#[inngest(..)]`.

use proc_macro2::{Delimiter, Ident, Span, TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Lit, LitStr, Meta, Path};

use crate::diag::{Errors, closest, list};
use crate::model::{Keys, Setting};
use crate::syntax::{entries, source, string};

/// Reads every `#[inngest(..)]` above the item; several are one.
pub(crate) fn read(attributes: &[Attribute], known: &[&str], errors: &mut Errors) -> Keys {
    let mut reader = Reader { known, keys: Keys::default(), errors };
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("inngest")) {
        reader.keys.present = true;
        match &attribute.meta {
            Meta::List(list) => {
                for entry in entries(list.tokens.clone()) {
                    reader.entry(&entry.tokens);
                }
            }
            Meta::Path(_) | Meta::NameValue(_) => {
                reader.keys.name_told = true;
                let example = example(known[0]);
                let message =
                    format!("`inngest` has its keys in parentheses: `#[inngest({example})]`");
                reader.errors.spanning(&attribute.meta, message);
            }
        }
    }
    reader.keys
}

struct Reader<'a> {
    known: &'a [&'a str],
    keys: Keys,
    errors: &'a mut Errors,
}

impl Reader<'_> {
    /// Reads `key = value`.
    fn entry(&mut self, tokens: &[TokenTree]) {
        let [TokenTree::Ident(key), rest @ ..] = tokens else {
            return self.no_key(tokens);
        };
        let name = key.to_string();
        if !self.known.contains(&name.as_str()) {
            return self.unknown(key, &name);
        }
        if self.set_twice(&name, key.span()) {
            return;
        }
        match rest {
            [eq, value @ ..] if is_eq(eq) && !value.is_empty() => self.value(&name, value),
            [TokenTree::Group(group)] if group.delimiter() == Delimiter::Parenthesis => {
                let message = format!("`{name}` is set with `=`: `{name} = {}`", group.stream());
                self.errors.spanning(stream(tokens), message);
            }
            [found, ..] if !is_eq(found) => {
                let found = source(std::slice::from_ref(found));
                let message = format!("expected `=` after `{name}`, found {found}");
                self.errors.spanning(stream(&rest[..1]), message);
            }
            _ => {
                let message = format!("`{name}` needs a value: `{}`", example(&name));
                self.errors.at(key.span(), message);
            }
        }
    }

    fn no_key(&mut self, tokens: &[TokenTree]) {
        let mut message =
            format!("expected a key such as `{}`, found {}", self.known[0], source(tokens));
        if let [value] = tokens {
            if string(value).is_some() && self.known.contains(&"name") {
                let is_name = self.keys.name.key.is_none() && !self.keys.name_told;
                let key = if is_name { "name" } else { "id" };
                self.keys.name_told = true;
                message = format!("{message}\nhelp: write its key before it: `{key} = {value}`");
            }
        }
        self.errors.spanning(stream(tokens), message);
    }

    fn unknown(&mut self, key: &Ident, name: &str) {
        let mut message = format!("unknown `inngest` key `{name}`");
        if let Some(meant) = closest(name, self.known.iter().copied()) {
            message = format!("{message}; did you mean `{meant}`?");
            self.keys.name_told |= meant == "name";
        }
        let keys = if self.known.len() == 1 { "the only key is" } else { "keys are" };
        let known = list(self.known.iter().copied());
        self.errors.at(key.span(), format!("{message}\nnote: {keys} {known}"));
    }

    fn set_twice(&mut self, name: &str, span: Span) -> bool {
        let key = match name {
            "crate" => &mut self.keys.crate_path.key,
            _ => &mut self.text_setting(name).key,
        };
        let Some(first) = *key else {
            *key = Some(span);
            return false;
        };
        self.errors.at(span, format!("`{name}` is set twice"));
        self.errors.at(first, "first set here");
        true
    }

    fn text_setting(&mut self, name: &str) -> &mut Setting<LitStr> {
        match name {
            "name" => &mut self.keys.name,
            "id" => &mut self.keys.id,
            _ => &mut self.keys.version,
        }
    }

    /// Reads a value, and the next entry behind it where a comma was forgotten.
    fn value(&mut self, key: &str, value: &[TokenTree]) {
        let behind = if key == "crate" { self.path(value) } else { self.text(key, value) };
        let [found, next @ ..] = behind.as_slice() else {
            return;
        };
        let is_entry = matches!(found, TokenTree::Ident(_)) && next.first().is_some_and(is_eq);
        let shown = if is_entry { &behind[..1] } else { &behind };
        let message = format!("expected `,` after the value of `{key}`, found {}", source(shown));
        self.errors.spanning(stream(shown), message);
        if is_entry {
            self.entry(&behind);
        }
    }

    /// Reads a string literal, and hands back what stands behind it.
    fn text(&mut self, key: &str, value: &[TokenTree]) -> Vec<TokenTree> {
        if let Some(text) = string(&value[0]) {
            if !text.suffix().is_empty() {
                let message = format!("a string has no suffix, found `{}`", text.suffix());
                self.errors.at(text.span(), message);
            }
            self.text_setting(key).value = Some(text);
            return value[1..].to_vec();
        }
        let what = match key {
            "name" => "event name",
            "id" => "dedup id",
            _ => "version",
        };
        let found = source(value);
        let help = match prefix(&value[0]) {
            Some(prefix) => format!("remove the `{prefix}`"),
            None => "it is checked at compile time, so write it out in full".to_owned(),
        };
        let message = format!("{what} must be a string literal, found {found}\nhelp: {help}");
        self.errors.spanning(stream(value), message);
        Vec::new()
    }

    /// Reads the path of `crate`, and hands back what stands behind it.
    fn path(&mut self, value: &[TokenTree]) -> Vec<TokenTree> {
        let parser = |input: ParseStream<'_>| {
            Ok((Path::parse_mod_style(input)?, input.parse::<TokenStream>()?))
        };
        let help = if let Ok((path, behind)) = parser.parse2(stream(value)) {
            let first = path.segments[0].ident.clone();
            let is_absolute = path.leading_colon.is_some() || first == "crate" || first == "$crate";
            // `my_sdk::inngest_core` is there all the same; one word may be anything.
            if is_absolute || path.segments.len() > 1 {
                self.keys.crate_path.value = Some(path);
            }
            if is_absolute {
                return behind.into_iter().collect();
            }
            "begin it with `::` if it is in another crate, or with `crate::` if it is in this one"
        } else if string(&value[0]).is_some() {
            "write it without quotes"
        } else {
            "it is where `inngest_core` is re-exported"
        };
        let message = format!(
            "`crate` needs an absolute path, such as `::my_sdk::inngest_core`, found {}\nhelp: {help}",
            source(value)
        );
        self.errors.spanning(stream(value), message);
        Vec::new()
    }
}

/// What makes a literal another thing than a string: the `b` of a byte string.
fn prefix(token: &TokenTree) -> Option<&'static str> {
    let TokenTree::Literal(literal) = token else {
        return None;
    };
    match Lit::new(literal.clone()) {
        Lit::ByteStr(_) => Some("b"),
        Lit::CStr(_) => Some("c"),
        _ => None,
    }
}

fn example(key: &str) -> &'static str {
    match key {
        "name" => "name = \"domain/object.action\"",
        "id" => "id = \"object-action-{object_id}\"",
        "version" => "version = \"2026-11-01.1\"",
        _ => "crate = ::my_sdk::inngest_core",
    }
}

fn is_eq(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == '=')
}

fn stream(tokens: &[TokenTree]) -> TokenStream {
    tokens.iter().cloned().collect()
}
