//! Reads `#[serde(..)]`. Mistakes in it are ignored, since serde's own derive reports them.

use proc_macro2::{Span, TokenTree};
use syn::{Attribute, LitStr};

use crate::tokens::{Entry, find_entries, split_entries};

/// The keys of `#[serde(..)]` on an item, a field or a variant that change the serialized data. A
/// key that serde does not accept there is not set.
#[derive(Default)]
pub(crate) struct SerdeAttributes {
    pub(crate) rename: Option<LitStr>,
    pub(crate) rename_all: Option<LitStr>,
    pub(crate) tag: Option<LitStr>,
    /// The span of `transparent`: the item is serialized as its only field.
    pub(crate) transparent: Option<Span>,
    /// Whether the item is serialized as another type.
    pub(crate) into: bool,
    /// `skip` or `skip_serializing`.
    pub(crate) skip: Option<&'static str>,
    pub(crate) flatten: bool,
}

impl SerdeAttributes {
    pub(crate) fn read(attributes: &[Attribute]) -> SerdeAttributes {
        let mut serde = SerdeAttributes::default();
        for entry in find_entries(attributes, "serde") {
            serde.set(&entry);
        }
        serde
    }

    fn set(&mut self, entry: &Entry) {
        let Some(key) = entry.key() else {
            return;
        };
        match key.to_string().as_str() {
            "rename" => self.rename = value_for_serialize(entry).or(self.rename.take()),
            "rename_all" => {
                self.rename_all = value_for_serialize(entry).or(self.rename_all.take());
            }
            "tag" => self.tag = entry.string_value(),
            "transparent" => self.transparent = Some(key.span()),
            "into" => self.into = true,
            "skip" => self.skip = Some("skip"),
            "skip_serializing" => self.skip = Some("skip_serializing"),
            "flatten" => self.flatten = true,
            _ => {}
        }
    }
}

/// Returns the value of `key = ".."` or of `key(serialize = "..")`.
fn value_for_serialize(entry: &Entry) -> Option<LitStr> {
    let [_, TokenTree::Group(group)] = entry.tokens.as_slice() else {
        return entry.string_value();
    };
    split_entries(group.stream())
        .iter()
        .find(|inner| inner.key().is_some_and(|key| key == "serialize"))
        .and_then(Entry::string_value)
}
