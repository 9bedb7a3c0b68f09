//! Reads the item of a derive into the model. A mistake is reported, and reading continues after it.

use std::collections::HashMap;

use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Attribute, Data, DeriveInput, Fields, Ident, Type};

use crate::case::{rename_field, rename_variant};
use crate::diag::Errors;
use crate::inngest_attr::InngestAttributes;
use crate::model::{
    DedupId, Event, EventEnum, EventField, EventShape, EventVariant, Segment, SegmentText,
    SegmentVariant, last_path_segment,
};
use crate::serde_attr::SerdeAttributes;
use crate::template::Template;
use crate::tokens::find_entries;

/// Reads the item of `#[derive(InngestEvent)]`.
pub(crate) fn read_event<'a>(input: &'a DeriveInput, errors: &mut Errors) -> Event<'a> {
    let known = ["name", "id", "version", "crate"];
    let inngest = InngestAttributes::read(&input.attrs, &known, errors);
    let serde = SerdeAttributes::read(&input.attrs);
    let shape = read_shape(&input.data, &serde, errors);
    let id = inngest.id.clone();
    let id = id.map(|literal| DedupId { template: Template::parse(&literal.value()), literal });
    let packed = is_packed(&input.attrs);
    Event { ident: &input.ident, generics: &input.generics, inngest, serde, packed, shape, id }
}

fn is_packed(attributes: &[Attribute]) -> bool {
    let mut entries = find_entries(attributes, "repr");
    entries.any(|entry| entry.key().is_some_and(|key| key == "packed"))
}

fn read_shape<'a>(data: &'a Data, serde: &SerdeAttributes, errors: &mut Errors) -> EventShape<'a> {
    let fields = match data {
        Data::Struct(data) => &data.fields,
        Data::Enum(data) => return EventShape::Enum(data.enum_token.span),
        Data::Union(data) => return EventShape::Union(data.union_token.span),
    };
    report_misplaced_attributes(fields.iter().flat_map(|field| &field.attrs), "struct", errors);
    match fields {
        Fields::Unit => EventShape::Unit,
        Fields::Unnamed(fields) => {
            EventShape::Tuple(fields.unnamed.len(), fields.paren_token.span.join())
        }
        Fields::Named(fields) => {
            let read = |field| read_named_field(field, serde);
            EventShape::Named(fields.named.iter().filter_map(read).collect())
        }
    }
}

fn read_named_field<'a>(
    field: &'a syn::Field,
    item_serde: &SerdeAttributes,
) -> Option<EventField<'a>> {
    let ident = field.ident.as_ref()?;
    let name = ident.unraw().to_string();
    let serde = SerdeAttributes::read(&field.attrs);
    let serialized = match (&serde.rename, &item_serde.rename_all) {
        (Some(rename), _) => rename.value(),
        (None, Some(convention)) => rename_field(&convention.value(), &name),
        (None, None) => name.clone(),
    };
    Some(EventField { name, serialized, ident, ty: &field.ty, serde })
}

/// Reads the item of `#[derive(IdSegment)]`.
pub(crate) fn read_segment<'a>(input: &'a DeriveInput, errors: &mut Errors) -> Segment<'a> {
    let inngest = InngestAttributes::read(&input.attrs, &["crate"], errors);
    let text = match &input.data {
        Data::Struct(data) => read_newtype(&input.ident, &data.fields, errors),
        Data::Enum(data) => {
            let serde = SerdeAttributes::read(&input.attrs);
            let read = |variant| read_segment_variant(variant, &serde, errors);
            SegmentText::Variants(data.variants.iter().map(read).collect())
        }
        Data::Union(data) => {
            let message = "a union cannot be converted to text; derive `IdSegment` on a newtype or \
                           on a fieldless enum";
            errors.at(data.union_token.span, message);
            SegmentText::Missing
        }
    };
    let packed = is_packed(&input.attrs);
    Segment { ident: &input.ident, generics: &input.generics, inngest, packed, text }
}

fn read_newtype<'a>(ident: &Ident, fields: &'a Fields, errors: &mut Errors) -> SegmentText<'a> {
    report_misplaced_attributes(fields.iter().flat_map(|field| &field.attrs), "struct", errors);
    // A typed id has a `PhantomData` in addition to its value.
    let is_phantom = |ty| last_path_segment(ty).is_some_and(|last| last == "PhantomData");
    let members = fields.members().zip(fields).filter(|(_, field)| !is_phantom(&field.ty));
    match members.collect::<Vec<_>>().as_slice() {
        [(member, field)] => SegmentText::Field(member.clone(), &field.ty),
        members => {
            let message = format!(
                "`IdSegment` can be derived for newtypes and fieldless enums, but `{ident}` has {} \
                 fields\nhelp: name its fields in the template, or implement `IdSegment` by hand",
                members.len()
            );
            errors.at(ident.span(), message);
            SegmentText::Missing
        }
    }
}

fn read_segment_variant<'a>(
    variant: &'a syn::Variant,
    item_serde: &SerdeAttributes,
    errors: &mut Errors,
) -> SegmentVariant<'a> {
    report_misplaced_attributes(&variant.attrs, "enum", errors);
    let ident = &variant.ident;
    if !matches!(variant.fields, Fields::Unit) {
        let message = format!(
            "variant `{ident}` has fields, so its name does not identify its value\n\
             help: implement `IdSegment` by hand, or name another field in the template"
        );
        errors.at(ident.span(), message);
    }
    let name = ident.unraw().to_string();
    let (text, span) = match (SerdeAttributes::read(&variant.attrs).rename, &item_serde.rename_all)
    {
        (Some(rename), _) => (rename.value(), rename.span()),
        (None, Some(convention)) => (rename_variant(&convention.value(), &name), ident.span()),
        (None, None) => (name, ident.span()),
    };
    SegmentVariant { ident, text, span }
}

/// Reads the item of `#[derive(InngestEvents)]`.
pub(crate) fn read_event_enum<'a>(input: &'a DeriveInput, errors: &mut Errors) -> EventEnum<'a> {
    let not_an_enum = match &input.data {
        Data::Enum(_) => None,
        Data::Struct(data) => Some(data.struct_token.span),
        Data::Union(data) => Some(data.union_token.span),
    };
    // If the item is not an enum, its keys are probably meant for `InngestEvent`, so their errors are ignored.
    let (mut ignored, is_enum) = (Errors::default(), not_an_enum.is_none());
    let key_errors = if is_enum { &mut *errors } else { &mut ignored };
    let inngest = InngestAttributes::read(&input.attrs, &["crate"], key_errors);
    let variants = match &input.data {
        Data::Enum(data) => read_event_variants(data, errors),
        Data::Struct(_) | Data::Union(_) => Vec::new(),
    };
    if let Some(keyword) = not_an_enum {
        let message = "`InngestEvents` can be derived only for an enum of events\n\
                       help: for a single event, derive `InngestEvent` on its struct";
        errors.at(keyword, message);
    }
    EventEnum { ident: &input.ident, generics: &input.generics, inngest, is_enum, variants }
}

fn read_event_variants<'a>(data: &'a syn::DataEnum, errors: &mut Errors) -> Vec<EventVariant<'a>> {
    let mut first_by_type = HashMap::new();
    let mut variants = Vec::new();
    for variant in &data.variants {
        report_misplaced_attributes(&variant.attrs, "enum", errors);
        let fields = variant.fields.iter();
        report_misplaced_attributes(fields.flat_map(|field| &field.attrs), "enum", errors);
        let Some(ty) = read_event_type(variant, errors) else {
            continue;
        };
        let ident = &variant.ident;
        let type_source = ty.to_token_stream().to_string();
        let duplicate_of = first_by_type.get(&type_source).copied();
        first_by_type.entry(type_source).or_insert(ident);
        variants.push(EventVariant { ident, ty, duplicate_of });
    }
    variants
}

/// Returns the type of a variant's only field, which has no name.
fn read_event_type<'a>(variant: &'a syn::Variant, errors: &mut Errors) -> Option<&'a Type> {
    let ident = &variant.ident;
    let (found, help) = match &variant.fields {
        Fields::Unnamed(fields) if fields.unnamed.len() == 1 => match &fields.unnamed[0].ty {
            Type::TraitObject(_) => ("a trait object".to_owned(), "write a struct"),
            ty => return Some(ty),
        },
        Fields::Unnamed(fields) if fields.unnamed.len() > 1 => {
            let found = format!("{} fields", fields.unnamed.len());
            (found, "make them the named fields of a struct")
        }
        Fields::Unnamed(_) | Fields::Unit => ("no event".to_owned(), "write a struct"),
        Fields::Named(_) => ("named fields".to_owned(), "move them to a struct"),
    };
    let message = format!(
        "a variant must hold one event, but `{ident}` has {found}\n\
         help: {help} that derives `InngestEvent`, and hold the struct: `{ident}({0})`",
        ident.unraw()
    );
    errors.at(ident.span(), message);
    None
}

/// Reports each `#[inngest(..)]` on a field or a variant; it belongs on the item.
fn report_misplaced_attributes<'a>(
    attributes: impl IntoIterator<Item = &'a Attribute>,
    item: &str,
    errors: &mut Errors,
) {
    let attributes = attributes.into_iter();
    for attribute in attributes.filter(|attribute| attribute.path().is_ident("inngest")) {
        errors.spanning(attribute, format!("`#[inngest(..)]` goes above the {item}, not in it"));
    }
}
