//! Rules that need the whole item: one function each, named for its rule.

use std::ops::Range;

use quote::ToTokens;
use syn::Ident;

use crate::diag::{Errors, closest, list, within};
use crate::model::{Event, Field, Id, Segment, SegmentText, Set, Shape};
use crate::name;
use crate::serde_attr::snake;
use crate::template::{Part, Placeholder};

pub(crate) fn event(event: &Event<'_>, errors: &mut Errors) {
    data_is_an_object(event, errors);
    transparent_data_is_an_object(event, errors);
    has_a_name(event, errors);
    name_follows_the_rules(event, errors);
    version_is_not_blank(event, errors);
    no_key_is_reserved(event, errors);
    if let Some(id) = &event.id {
        if event.fields().is_some_and(<[_]>::is_empty) {
            return id_needs_a_field(event, errors);
        }
        placeholders_are_written_well(event, id, errors);
        placeholders_are_fields(event, id, errors);
        id_tells_events_apart(event, id, errors);
        id_begins_with_its_event(event, id, errors);
        values_end_visibly(id, errors);
    }
}

fn data_is_an_object(event: &Event<'_>, errors: &mut Errors) {
    match event.shape {
        Shape::Named(_) | Shape::Unit => {}
        Shape::Tuple(1, span) => errors.at(
            span,
            "event data must be a JSON object, but a newtype serializes as the value inside\n\
             help: use named fields, or derive `InngestEvent` on the type inside",
        ),
        Shape::Tuple(_, span) => errors.at(
            span,
            "event data must be a JSON object, but a tuple struct serializes as an array\n\
             help: use named fields",
        ),
        Shape::Enum(span) => errors.at(
            span,
            "`InngestEvent` is for one event, and an enum is several\n\
             help: derive it on one struct per event, and `InngestEvents` on the enum of them",
        ),
        Shape::Union(span) => {
            errors.at(span, "a union cannot be serialized\nhelp: derive it on a struct");
        }
    }
}

/// Only for types that are known by their name; the others are checked when they are sent.
fn transparent_data_is_an_object(event: &Event<'_>, errors: &mut Errors) {
    let (Some(_), Some([field])) = (event.serde.transparent, event.fields()) else {
        return;
    };
    let scalars =
        "String str bool char u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize f32 f64";
    let found = match last_segment(field.ty) {
        Some(ident) if scalars.split(' ').any(|scalar| ident == scalar) => ident.to_string(),
        Some(ident) if ident == "Vec" => ident.to_string(),
        _ => return,
    };
    let message = format!(
        "event data must be a JSON object, but `#[serde(transparent)]` makes it the `{found}` in \
         `{}`\nhelp: remove `transparent`",
        field.name
    );
    errors.spanning(field.ty, message);
}

fn last_segment(ty: &syn::Type) -> Option<&syn::Ident> {
    match ty {
        syn::Type::Path(path) => Some(&path.path.segments.last()?.ident),
        syn::Type::Reference(reference) => last_segment(&reference.elem),
        _ => None,
    }
}

fn has_a_name(event: &Event<'_>, errors: &mut Errors) {
    let keys = &event.keys;
    let is_struct = !matches!(event.shape, Shape::Enum(_) | Shape::Union(_));
    if keys.name.key.is_none() && !keys.name_told && is_struct {
        let key = "name = \"domain/object.action\"";
        let help = if keys.present {
            format!("add `{key}` to its `#[inngest(..)]`")
        } else {
            format!("add `#[inngest({key})]`")
        };
        let message = format!("`{}` needs an event name\nhelp: {help}", event.ident);
        errors.at(event.ident.span(), message);
    }
}

fn name_follows_the_rules(event: &Event<'_>, errors: &mut Errors) {
    if let Some(literal) = &event.keys.name.value {
        for problem in name::problems(&literal.value()) {
            errors.at(within(literal, problem.bytes), problem.message);
        }
    }
}

fn version_is_not_blank(event: &Event<'_>, errors: &mut Errors) {
    if let Some(literal) = &event.keys.version.value {
        if literal.value().trim().is_empty() {
            let message =
                "version is empty\nhelp: leave `version` out, or write one such as `2026-11-01.1`";
            errors.at(literal.span(), message);
        }
    }
}

fn no_key_is_reserved(event: &Event<'_>, errors: &mut Errors) {
    const RESERVED: &str = "_inngest";
    let message = "Inngest removes `_inngest` from the data, so functions would not see it";
    if let Some(tag) = event.serde.tag.as_ref().filter(|tag| tag.value() == RESERVED) {
        errors.at(tag.span(), format!("{message}\nhelp: give the tag another name"));
    }
    if event.serde.into || event.serde.transparent.is_some() {
        return;
    }
    for field in event.fields().unwrap_or_default() {
        let is_in_the_data = field.serde.skip.is_none() && !field.serde.flatten;
        if is_in_the_data && field.serialized == RESERVED {
            let rename = field.serde.rename.as_ref();
            let span = rename.map_or(field.ident.span(), syn::LitStr::span);
            errors.at(span, format!("{message}\nhelp: give the field another name"));
        }
    }
}

fn id_needs_a_field(event: &Event<'_>, errors: &mut Errors) {
    if let Some(key) = event.keys.id.key {
        let message = format!(
            "`{0}` has no field to tell its events apart, so every `{0}` after the first would be \
             dropped as a duplicate for 24 hours\nhelp: remove `id`, or add a field to `{0}`",
            event.ident
        );
        errors.at(key, message);
    }
}

fn placeholders_are_written_well(event: &Event<'_>, id: &Id, errors: &mut Errors) {
    let example = example_field(event);
    for problem in &id.template.problems {
        errors.at(within(&id.literal, problem.bytes.clone()), problem.message(&example));
    }
}

/// A field that may well be the one to name.
fn example_field(event: &Event<'_>) -> String {
    let fields = event.fields().unwrap_or_default();
    let is_id = |field: &&Field<'_>| field.name == "id" || field.name.ends_with("_id");
    let field = fields.iter().find(is_id).or(fields.first());
    field.map_or("cart_id", |field| field.name.as_str()).to_owned()
}

fn placeholders_are_fields(event: &Event<'_>, id: &Id, errors: &mut Errors) {
    let Some(fields) = event.fields() else {
        return;
    };
    for placeholder in id.template.placeholders() {
        let name = &placeholder.path[0];
        if let Some(field) = event.field(&name.text) {
            field_is_in_the_data(field, placeholder, id, errors);
        } else {
            let message = no_such_field(event, fields, &name.text);
            errors.at(within(&id.literal, name.bytes.clone()), message);
        }
    }
}

fn no_such_field(event: &Event<'_>, fields: &[Field<'_>], name: &str) -> String {
    if let Some(field) = fields.iter().find(|field| field.serialized == name) {
        return format!(
            "no field `{name}`; templates use Rust names: did you mean `{}` (serialized as `{name}`)?",
            field.name
        );
    }
    let names = || fields.iter().map(|field| field.name.as_str());
    let message = format!("no field `{name}` on `{}`", event.ident);
    match (closest(name, names()), fields) {
        (Some(meant), _) => format!("{message}; did you mean `{meant}`?"),
        (None, [only]) => format!("{message}\nnote: its only field is `{}`", only.name),
        (None, _) => format!("{message}\nnote: its fields are {}", list(names())),
    }
}

fn field_is_in_the_data(
    field: &Field<'_>,
    placeholder: &Placeholder,
    id: &Id,
    errors: &mut Errors,
) {
    let name = &field.name;
    let span = || within(&id.literal, placeholder.bytes.clone());
    if let Some(skip) = field.serde.skip {
        let message = format!(
            "`{name}` is in the dedup id, but `#[serde({skip})]` keeps it out of the data\n\
             help: take a field in the data, so that who receives the event can tell its id"
        );
        errors.at(span(), message);
    } else if field.serde.flatten && placeholder.path.len() == 1 {
        let message = format!(
            "`{name}` is flattened into the data, so it has no value of its own\n\
             help: name one of its fields, such as `{{{name}.id}}`"
        );
        errors.at(span(), message);
    }
}

fn id_tells_events_apart(event: &Event<'_>, id: &Id, errors: &mut Errors) {
    if id.template.placeholders().next().is_some() || !id.template.problems.is_empty() {
        return;
    }
    let field = example_field(event);
    let text = id.literal.value();
    let (found, help) = if text.trim().is_empty() {
        ("an empty dedup id".to_owned(), format!("name a field, such as `{{{field}}}`"))
    } else if text.contains("{{") {
        let help = format!("`{{{{` is a literal brace; a placeholder is written `{{{field}}}`");
        (format!("dedup id `{text}`"), help)
    } else {
        (format!("dedup id `{text}`"), format!("name a field, such as `{{{field}}}`"))
    };
    let message = format!(
        "{found} has no placeholder, so every `{}` after the first would be dropped as a duplicate \
         for 24 hours\nhelp: {help}",
        event.ident
    );
    errors.at(id.literal.span(), message);
}

fn id_begins_with_its_event(event: &Event<'_>, id: &Id, errors: &mut Errors) {
    let span = match id.template.parts.first() {
        Some(Part::Text(text, bytes)) if bytes.start == 0 => {
            if text.chars().any(char::is_alphabetic) {
                return;
            }
            bytes.clone()
        }
        Some(Part::Placeholder(placeholder)) if placeholder.bytes.start == 0 => {
            placeholder.bytes.clone()
        }
        _ => return,
    };
    let template = id.literal.value();
    let rest = template.trim_start_matches(['-', '_', ':', '.', '/', ' ']);
    let message = format!(
        "dedup ids are shared by all event types; begin it with this event's name: `{}-{rest}`",
        beginning(event)
    );
    errors.at(within(&id.literal, span), message);
}

/// `cart-checkout-completed`, from the event's name or the type's.
fn beginning(event: &Event<'_>) -> String {
    let name = event.keys.name.value.as_ref().map(syn::LitStr::value).unwrap_or_default();
    let last = name.rsplit('/').next().unwrap_or_default().replace('.', "-");
    if last.contains(char::is_alphabetic) && name::problems(&name).is_empty() {
        return last.replace('{', "{{").replace('}', "}}");
    }
    snake(&event.ident.to_string()).replace('_', "-")
}

/// Where one value ends and the next begins, or ("a", "bc") and ("ab", "c") would have one id.
fn values_end_visibly(id: &Id, errors: &mut Errors) {
    let mut told =
        |bytes: &Range<usize>, message| errors.at(within(&id.literal, bytes.clone()), message);
    for parts in id.template.parts.windows(2) {
        if let [Part::Placeholder(a), Part::Placeholder(b)] = parts {
            if a.bytes.end == b.bytes.start {
                let (a, b_path) = (a.path(), b.path());
                let message = format!(
                    "nothing between the placeholders, so (\"a\", \"bc\") and (\"ab\", \"c\") would share \
                     an id\nhelp: put a `-` between them: `{{{a}}}-{{{b_path}}}`"
                );
                told(&b.bytes, message);
            }
        }
    }
    for parts in id.template.parts.windows(3) {
        if let [Part::Placeholder(a), Part::Text(text, bytes), Part::Placeholder(b)] = parts {
            let is_contiguous = a.bytes.end == bytes.start && bytes.end == b.bytes.start;
            let first = text.chars().next().filter(|c| !may_end_a_value(*c) && is_contiguous);
            if let Some(first) = first {
                let (a, b) = (a.path(), b.path());
                let message = format!(
                    "text between placeholders may not begin with a letter, a digit or `%`, found \
                     `{first}`: where the value of `{a}` ends would not show\n\
                     help: begin it with a `-`: `{{{a}}}-{text}{{{b}}}`"
                );
                told(bytes, message);
            }
        }
    }
}

/// Integers, `bool` and uuids are not escaped, so nothing that they contain may end them, and `%`
/// begins an escape.
fn may_end_a_value(c: char) -> bool {
    c != '%' && !c.is_ascii_digit() && !c.is_alphabetic()
}

/// The rules of `#[derive(IdSegment)]`.
pub(crate) fn segment(segment: &Segment<'_>, errors: &mut Errors) {
    let SegmentText::Variants(variants) = &segment.text else {
        return;
    };
    if variants.is_empty() {
        let message =
            format!("`{}` has no variants, so no value of it can be in a dedup id", segment.ident);
        errors.at(segment.ident.span(), message);
    }
    for (at, variant) in variants.iter().enumerate() {
        if variant.text.trim().is_empty() {
            let message =
                format!("variant `{}` has no text: it is `{}`", variant.ident, variant.text);
            errors.at(variant.span, message);
        } else if let Some(first) = variants[..at].iter().find(|first| first.text == variant.text) {
            let message = format!(
                "variants `{}` and `{}` are both `{}` in the data, so they would share dedup ids",
                first.ident, variant.ident, variant.text
            );
            errors.at(variant.span, message);
            errors.at(first.span, format!("first `{}` here", variant.text));
        }
    }
}

/// The rules of `#[derive(InngestEvents)]`. Those that need to know the events are checked by the
/// compiler, in constants.
pub(crate) fn set(set: &mut Set<'_>, errors: &mut Errors) {
    if set.variants.is_empty() && errors.is_empty() {
        let message = format!("`{}` has no variants, so there is no event in it", set.ident);
        errors.at(set.ident.span(), message);
    }
    every_variant_holds_another_type(set, errors);
}

/// Or an event of that type could become either. The second variant is left out of the impls.
fn every_variant_holds_another_type(set: &mut Set<'_>, errors: &mut Errors) {
    let mut held: Vec<(String, &Ident)> = Vec::new();
    set.variants.retain(|variant| {
        let ty = variant.ty.to_token_stream().to_string();
        let Some((_, first)) = held.iter().find(|(before, _)| *before == ty) else {
            held.push((ty, variant.ident));
            return true;
        };
        let message = format!(
            "variants `{first}` and `{}` hold the same event, so it could become either\n\
             help: remove one, or give it an event type of its own",
            variant.ident
        );
        errors.at(variant.ident.span(), message);
        errors.at(first.span(), "first held here");
        false
    });
}
