//! What the stages hand on: plain data, as it was written.

use proc_macro2::Span;
use syn::{Generics, Ident, LitStr, Path, Type};

use crate::serde_attr::SerdeAttributes;
use crate::template::Template;

/// The struct of an event.
pub(crate) struct Event<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) generics: &'a Generics,
    pub(crate) keys: Keys,
    pub(crate) serde: SerdeAttributes,
    /// `repr(packed)`: nothing may borrow its fields.
    pub(crate) packed: bool,
    pub(crate) shape: Shape<'a>,
    pub(crate) id: Option<Id>,
}

/// `#[inngest(..)]`.
#[derive(Default)]
pub(crate) struct Keys {
    pub(crate) name: Setting<LitStr>,
    pub(crate) id: Setting<LitStr>,
    pub(crate) version: Setting<LitStr>,
    pub(crate) crate_path: Setting<Path>,
    /// The name is missing or hidden behind a mistake that has been told.
    pub(crate) name_told: bool,
    /// Whether there is an attribute at all, whatever is in it.
    pub(crate) present: bool,
}

pub(crate) struct Setting<T> {
    /// The key, where it was set. Without a value, something was wrong with it and has been told.
    pub(crate) key: Option<Span>,
    pub(crate) value: Option<T>,
}

impl<T> Default for Setting<T> {
    fn default() -> Setting<T> {
        Setting { key: None, value: None }
    }
}

/// The dedup id's template.
pub(crate) struct Id {
    pub(crate) literal: LitStr,
    pub(crate) template: Template,
}

pub(crate) enum Shape<'a> {
    Named(Vec<Field<'a>>),
    Unit,
    /// How many fields it has, and where they are.
    Tuple(usize, Span),
    /// Its keyword.
    Enum(Span),
    Union(Span),
}

pub(crate) struct Field<'a> {
    /// The name in Rust, without `r#`.
    pub(crate) name: String,
    /// The name in the data.
    pub(crate) serialized: String,
    pub(crate) ident: &'a Ident,
    pub(crate) ty: &'a Type,
    pub(crate) serde: SerdeAttributes,
}

impl<'a> Event<'a> {
    /// The fields, if it is a struct that names them.
    pub(crate) fn fields(&self) -> Option<&[Field<'a>]> {
        match &self.shape {
            Shape::Named(fields) => Some(fields),
            Shape::Unit => Some(&[]),
            Shape::Tuple(..) | Shape::Enum(_) | Shape::Union(_) => None,
        }
    }

    pub(crate) fn field(&self, name: &str) -> Option<&Field<'a>> {
        self.fields()?.iter().find(|field| field.name == name)
    }
}

/// What `#[derive(IdSegment)]` is on.
pub(crate) struct Segment<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) generics: &'a Generics,
    pub(crate) keys: Keys,
    pub(crate) text: SegmentText<'a>,
}

/// Where the text of a value comes from.
pub(crate) enum SegmentText<'a> {
    /// A newtype's field, and its type.
    Field(syn::Member, &'a Type),
    Variants(Vec<Variant<'a>>),
    /// It has none, and that has been told.
    Nowhere,
}

pub(crate) struct Variant<'a> {
    pub(crate) ident: &'a Ident,
    /// The name serde gives it, and where that comes from.
    pub(crate) text: String,
    pub(crate) span: Span,
}

/// What `#[derive(InngestEvents)]` is on.
pub(crate) struct Set<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) generics: &'a Generics,
    pub(crate) keys: Keys,
    /// The variants that hold something, each another type. What is wrong with others has been told.
    pub(crate) variants: Vec<SetVariant<'a>>,
}

/// A variant, and the type of the event it holds.
pub(crate) struct SetVariant<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) ty: &'a Type,
}
