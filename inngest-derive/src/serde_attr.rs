//! What serde makes of an item, as its attributes tell. serde reports what is wrong in them.

use proc_macro2::{Span, TokenTree};
use syn::{Attribute, LitStr, Meta};

use crate::syntax::{self, Entry};

/// `#[serde(..)]` of an item, a field or a variant; each key only where serde has it.
#[derive(Default)]
pub(crate) struct SerdeAttributes {
    pub(crate) rename: Option<LitStr>,
    pub(crate) rename_all: Option<RenameRule>,
    pub(crate) tag: Option<LitStr>,
    /// The data is that of the only field.
    pub(crate) transparent: Option<Span>,
    /// The data is that of another type.
    pub(crate) into: bool,
    /// `skip` or `skip_serializing`.
    pub(crate) skip: Option<&'static str>,
    pub(crate) flatten: bool,
}

impl SerdeAttributes {
    pub(crate) fn read(attributes: &[Attribute]) -> SerdeAttributes {
        let mut serde = SerdeAttributes::default();
        for attribute in attributes {
            if let Meta::List(list) = &attribute.meta {
                if list.path.is_ident("serde") {
                    for entry in syntax::entries(list.tokens.clone()) {
                        serde.set(&entry);
                    }
                }
            }
        }
        serde
    }

    fn set(&mut self, entry: &Entry) {
        let Some(TokenTree::Ident(key)) = entry.tokens.first() else {
            return;
        };
        match key.to_string().as_str() {
            "rename" => self.rename = serialize_value(entry).or(self.rename.take()),
            "rename_all" => {
                let rule = serialize_value(entry).and_then(|rule| RenameRule::new(&rule.value()));
                self.rename_all = rule.or(self.rename_all);
            }
            "tag" => self.tag = entry.literal(),
            "transparent" => self.transparent = Some(key.span()),
            "into" => self.into = true,
            "skip" => self.skip = Some("skip"),
            "skip_serializing" => self.skip = Some("skip_serializing"),
            "flatten" => self.flatten = true,
            _ => {}
        }
    }
}

/// The value of `key = ".."` or of `key(serialize = "..")`.
fn serialize_value(entry: &Entry) -> Option<LitStr> {
    let [_, TokenTree::Group(group)] = entry.tokens.as_slice() else {
        return entry.literal();
    };
    syntax::entries(group.stream())
        .iter()
        .find(|inner| matches!(inner.tokens.first(), Some(TokenTree::Ident(key)) if *key == "serialize"))
        .and_then(Entry::literal)
}

/// serde's `rename_all`.
#[derive(Clone, Copy)]
pub(crate) enum RenameRule {
    Lower,
    Upper,
    Pascal,
    Camel,
    Snake,
    ScreamingSnake,
    Kebab,
    ScreamingKebab,
}

impl RenameRule {
    fn new(name: &str) -> Option<RenameRule> {
        Some(match name {
            "lowercase" => RenameRule::Lower,
            "UPPERCASE" => RenameRule::Upper,
            "PascalCase" => RenameRule::Pascal,
            "camelCase" => RenameRule::Camel,
            "snake_case" => RenameRule::Snake,
            "SCREAMING_SNAKE_CASE" => RenameRule::ScreamingSnake,
            "kebab-case" => RenameRule::Kebab,
            "SCREAMING-KEBAB-CASE" => RenameRule::ScreamingKebab,
            _ => return None,
        })
    }

    /// The name of a field, which Rust writes in snake case.
    pub(crate) fn field(self, name: &str) -> String {
        match self {
            RenameRule::Lower | RenameRule::Snake => name.to_owned(),
            RenameRule::Upper | RenameRule::ScreamingSnake => name.to_ascii_uppercase(),
            RenameRule::Pascal => name.split('_').map(|word| first(word, true)).collect(),
            RenameRule::Camel => first(&RenameRule::Pascal.field(name), false),
            RenameRule::Kebab => name.replace('_', "-"),
            RenameRule::ScreamingKebab => name.to_ascii_uppercase().replace('_', "-"),
        }
    }

    /// The name of a variant, which Rust writes in Pascal case.
    pub(crate) fn variant(self, name: &str) -> String {
        match self {
            RenameRule::Pascal => name.to_owned(),
            RenameRule::Lower => name.to_ascii_lowercase(),
            RenameRule::Upper => name.to_ascii_uppercase(),
            RenameRule::Camel => first(name, false),
            RenameRule::Snake => snake(name),
            RenameRule::ScreamingSnake => snake(name).to_ascii_uppercase(),
            RenameRule::Kebab => snake(name).replace('_', "-"),
            RenameRule::ScreamingKebab => snake(name).to_ascii_uppercase().replace('_', "-"),
        }
    }
}

/// `CartCompleted` as `cart_completed`.
pub(crate) fn snake(name: &str) -> String {
    let word = |(at, c): (usize, char)| {
        let separator = (at > 0 && c.is_uppercase()).then_some('_');
        separator.into_iter().chain([c.to_ascii_lowercase()])
    };
    name.char_indices().flat_map(word).collect()
}

/// The text with its first letter in upper or lower case, where it is ASCII: serde leaves others.
fn first(text: &str, upper: bool) -> String {
    let mut text = text.to_owned();
    if let Some(first) = text.get_mut(..1) {
        if upper {
            first.make_ascii_uppercase();
        } else {
            first.make_ascii_lowercase();
        }
    }
    text
}
