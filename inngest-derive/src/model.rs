//! The model that the derives read, and generate code from: plain data, with the user's own names.

use proc_macro2::Span;
use syn::{Generics, Ident, LitStr, Member, Type};

use crate::inngest_attr::InngestAttributes;
use crate::serde_attr::SerdeAttributes;
use crate::template::Template;

/// An item with `#[derive(InngestEvent)]`.
pub(crate) struct Event<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) generics: &'a Generics,
    pub(crate) inngest: InngestAttributes,
    pub(crate) serde: SerdeAttributes,
    /// Whether the struct is `repr(packed)`, so that its fields cannot be borrowed.
    pub(crate) packed: bool,
    pub(crate) shape: EventShape<'a>,
    pub(crate) id: Option<DedupId>,
}

/// The dedup id's template, as written and parsed.
pub(crate) struct DedupId {
    pub(crate) literal: LitStr,
    pub(crate) template: Template,
}

pub(crate) enum EventShape<'a> {
    Named(Vec<EventField<'a>>),
    Unit,
    /// A tuple struct: the number of its fields, and the span of its parentheses.
    Tuple(usize, Span),
    /// An enum, with the span of its keyword.
    Enum(Span),
    /// A union, with the span of its keyword.
    Union(Span),
}

pub(crate) struct EventField<'a> {
    /// The Rust name, without `r#`.
    pub(crate) name: String,
    /// The name in the serialized data.
    pub(crate) serialized: String,
    pub(crate) ident: &'a Ident,
    pub(crate) ty: &'a Type,
    pub(crate) serde: SerdeAttributes,
}

impl<'a> Event<'a> {
    /// Returns the fields, or `None` unless the item is a struct with named fields or without any.
    pub(crate) fn fields(&self) -> Option<&[EventField<'a>]> {
        match &self.shape {
            EventShape::Named(fields) => Some(fields),
            EventShape::Unit => Some(&[]),
            EventShape::Tuple(..) | EventShape::Enum(_) | EventShape::Union(_) => None,
        }
    }

    /// Returns the field with this Rust name.
    pub(crate) fn field(&self, name: &str) -> Option<&EventField<'a>> {
        self.fields()?.iter().find(|field| field.name == name)
    }
}

/// An item with `#[derive(IdSegment)]`.
pub(crate) struct Segment<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) generics: &'a Generics,
    pub(crate) inngest: InngestAttributes,
    /// Whether the struct is `repr(packed)`.
    pub(crate) packed: bool,
    pub(crate) text: SegmentText<'a>,
}

/// The source of a segment's text.
pub(crate) enum SegmentText<'a> {
    /// The field of a newtype, and its type.
    Field(Member, &'a Type),
    /// The variants of a fieldless enum.
    Variants(Vec<SegmentVariant<'a>>),
    /// The item has no text, and the error has been reported.
    Missing,
}

pub(crate) struct SegmentVariant<'a> {
    pub(crate) ident: &'a Ident,
    /// The name in the serialized data.
    pub(crate) text: String,
    /// The span of `rename`'s value, or else of the variant.
    pub(crate) span: Span,
}

/// An item with `#[derive(InngestEvents)]`.
pub(crate) struct EventEnum<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) generics: &'a Generics,
    pub(crate) inngest: InngestAttributes,
    /// Whether the item is an enum. If not, the error has been reported.
    pub(crate) is_enum: bool,
    /// The variants that hold one value. Errors of the other variants have been reported.
    pub(crate) variants: Vec<EventVariant<'a>>,
}

pub(crate) struct EventVariant<'a> {
    pub(crate) ident: &'a Ident,
    /// The type of the event that the variant holds.
    pub(crate) ty: &'a Type,
    /// The first variant that holds the same type, if that is another one.
    pub(crate) duplicate_of: Option<&'a Ident>,
}

/// Returns `Vec` for `std::vec::Vec<T>`, or `None` if the type is not a path.
pub(crate) fn last_path_segment(ty: &Type) -> Option<&Ident> {
    match ty {
        Type::Path(path) => Some(&path.path.segments.last()?.ident),
        _ => None,
    }
}
