//! Reads `#[inngest(..)]`.

use proc_macro2::{Delimiter, Ident, Span, TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, LitStr, Meta, Path};

use crate::diag::{Errors, closest, list};
use crate::tokens::{
    is_punct, parse_string, split_entries, string_prefix, to_quoted_source, to_stream,
};

/// The keys of all `#[inngest(..)]` on an item.
#[derive(Default)]
pub(crate) struct InngestAttributes {
    pub(crate) name: Option<LitStr>,
    /// The path of the constant that holds the name, in place of a literal.
    pub(crate) name_path: Option<Path>,
    pub(crate) id: Option<LitStr>,
    pub(crate) version: Option<LitStr>,
    pub(crate) crate_path: Option<Path>,
    /// The keys that are set. A key without a value has a mistake that has been reported.
    keys: Vec<Ident>,
    /// Whether an error has been reported that explains why the name is missing.
    pub(crate) name_reported: bool,
    /// Whether the item has the attribute, whatever its content.
    pub(crate) present: bool,
}

impl InngestAttributes {
    /// Reads all `#[inngest(..)]` on an item as one. `known` are the keys that its derive accepts.
    pub(crate) fn read(
        attributes: &[Attribute],
        known: &[&str],
        errors: &mut Errors,
    ) -> InngestAttributes {
        let mut reader = Reader { known, read: InngestAttributes::default(), errors };
        let inngest = attributes.iter().filter(|attribute| attribute.path().is_ident("inngest"));
        inngest.for_each(|attribute| reader.read_attribute(attribute));
        reader.read
    }

    /// Returns where `key` is set.
    pub(crate) fn key_span(&self, key: &str) -> Option<Span> {
        self.keys.iter().find(|set| *set == key).map(Ident::span)
    }
}

struct Reader<'a> {
    known: &'a [&'a str],
    read: InngestAttributes,
    errors: &'a mut Errors,
}

impl Reader<'_> {
    fn read_attribute(&mut self, attribute: &Attribute) {
        self.read.present = true;
        match &attribute.meta {
            Meta::List(list) => {
                for entry in split_entries(list.tokens.clone()) {
                    self.read_entry(&entry.tokens);
                }
            }
            Meta::Path(_) | Meta::NameValue(_) => {
                self.read.name_reported = true;
                let example = example(self.known[0]);
                let message =
                    format!("`inngest` takes its keys in parentheses: `#[inngest({example})]`");
                self.errors.spanning(&attribute.meta, message);
            }
        }
    }

    /// Reads `key = value`.
    fn read_entry(&mut self, tokens: &[TokenTree]) {
        let [TokenTree::Ident(key), rest @ ..] = tokens else {
            return self.report_missing_key(tokens);
        };
        let name = key.to_string();
        if !self.known.contains(&name.as_str()) {
            return self.report_unknown_key(key, &name);
        }
        if let Some(first) = self.read.key_span(&name) {
            self.errors.at(key.span(), format!("`{name}` is set twice"));
            self.errors.at(first, "first set here");
            return;
        }
        self.read.keys.push(key.clone());
        match rest {
            [equals, value @ ..] if is_punct(equals, '=') && !value.is_empty() => {
                self.read_value(&name, value);
            }
            [TokenTree::Group(group)] if group.delimiter() == Delimiter::Parenthesis => {
                let message = format!("`{name}` is set with `=`: `{name} = {}`", group.stream());
                self.errors.spanning(to_stream(tokens), message);
            }
            [found, ..] if !is_punct(found, '=') => {
                let found = to_quoted_source(&rest[..1]);
                let message = format!("expected `=` after `{name}`, found {found}");
                self.errors.spanning(to_stream(&rest[..1]), message);
            }
            _ => {
                let message = format!("`{name}` needs a value: `{}`", example(&name));
                self.errors.at(key.span(), message);
            }
        }
    }

    fn report_missing_key(&mut self, tokens: &[TokenTree]) {
        let found = to_quoted_source(tokens);
        let mut message = format!("expected a key such as `{}`, found {found}", self.known[0]);
        if let [value] = tokens {
            if parse_string(value).is_some() && self.known.contains(&"name") {
                let is_name = self.read.key_span("name").is_none() && !self.read.name_reported;
                let key = if is_name { "name" } else { "id" };
                self.read.name_reported = true;
                message = format!("{message}\nhelp: write its key before it: `{key} = {value}`");
            }
        }
        self.errors.spanning(to_stream(tokens), message);
    }

    fn report_unknown_key(&mut self, key: &Ident, name: &str) {
        let mut message = format!("unknown `inngest` key `{name}`");
        let begun = self.known.iter().copied().find(|known| known.starts_with(name));
        if let Some(suggestion) = begun.or_else(|| closest(name, self.known.iter().copied())) {
            message = format!("{message}; did you mean `{suggestion}`?");
            self.read.name_reported |= suggestion == "name";
        }
        let keys = if self.known.len() == 1 { "the only key is" } else { "keys are" };
        let known = list(self.known.iter().copied());
        self.errors.at(key.span(), format!("{message}\nnote: {keys} {known}"));
    }

    /// Reads a value, and also the next entry if the comma between the two is missing.
    fn read_value(&mut self, key: &str, value: &[TokenTree]) {
        let rest =
            if key == "crate" { self.read_path(value) } else { self.read_string(key, value) };
        let [found, next @ ..] = rest.as_slice() else {
            return;
        };
        let is_entry = matches!(found, TokenTree::Ident(_))
            && next.first().is_some_and(|next| is_punct(next, '='));
        let unexpected = if is_entry { &rest[..1] } else { &rest };
        let found = to_quoted_source(unexpected);
        let message = format!("expected `,` after the value of `{key}`, found {found}");
        self.errors.spanning(to_stream(unexpected), message);
        if is_entry {
            self.read_entry(&rest);
        }
    }

    /// Reads a string literal and returns the tokens after it.
    fn read_string(&mut self, key: &str, value: &[TokenTree]) -> Vec<TokenTree> {
        if let Some(string) = parse_string(&value[0]) {
            if !string.suffix().is_empty() {
                let message = format!("a string takes no suffix, found `{}`", string.suffix());
                self.errors.at(string.span(), message);
            }
            match key {
                "name" => self.read.name = Some(string),
                "id" => self.read.id = Some(string),
                _ => self.read.version = Some(string),
            }
            return value[1..].to_vec();
        }
        if key == "name" {
            self.read.name_path = Path::parse_mod_style.parse2(to_stream(value)).ok();
            if self.read.name_path.is_some() {
                return Vec::new();
            }
        }
        let what = match key {
            "name" => "event name",
            "id" => "dedup id",
            _ => "version",
        };
        let found = to_quoted_source(value);
        let help = match (string_prefix(&value[0]), key) {
            (Some(prefix), _) => format!("remove the `{prefix}`"),
            (None, "name") => "write it out in full, or name a constant that holds it".to_owned(),
            (None, _) => "it is checked at compile time, so write it out in full".to_owned(),
        };
        let message = format!("{what} must be a string literal, found {found}\nhelp: {help}");
        self.errors.spanning(to_stream(value), message);
        Vec::new()
    }

    /// Reads the path of `crate` and returns the tokens after it.
    fn read_path(&mut self, value: &[TokenTree]) -> Vec<TokenTree> {
        let parser = |input: ParseStream<'_>| {
            Ok((Path::parse_mod_style(input)?, input.parse::<TokenStream>()?))
        };
        let help = if let Ok((path, rest)) = parser.parse2(to_stream(value)) {
            let first = path.segments[0].ident.clone();
            let is_absolute = path.leading_colon.is_some() || first == "crate" || first == "$crate";
            // A path such as `my_sdk::inngest_core` is kept: it probably resolves, so the expansion causes no
            // further errors. A single identifier such as `foo` could be anything.
            if is_absolute || path.segments.len() > 1 {
                self.read.crate_path = Some(path);
            }
            if is_absolute {
                return rest.into_iter().collect();
            }
            "begin it with `::` if it is in another crate, or with `crate::` if it is in this one"
        } else if parse_string(&value[0]).is_some() {
            "write it without quotes"
        } else {
            "write the path at which `inngest_core` is re-exported"
        };
        let message = format!(
            "`crate` needs an absolute path, such as `::my_sdk::inngest_core`, found {}\nhelp: {help}",
            to_quoted_source(value)
        );
        self.errors.spanning(to_stream(value), message);
        Vec::new()
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
