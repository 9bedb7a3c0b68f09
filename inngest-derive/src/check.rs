//! Checks the rules that concern the whole item: one function for each rule, named after it.

use std::ops::Range;

use syn::{Ident, LitStr, Type};

use crate::case::pascal_to_snake;
use crate::diag::{Errors, closest, list};
use crate::model::{
    DedupId, Event, EventEnum, EventField, EventShape, Segment, SegmentText, SegmentVariant,
    last_path_segment,
};
use crate::name;
use crate::span::subspan;
use crate::template::{Placeholder, TemplatePart};

/// Checks the rules of `#[derive(InngestEvent)]`.
pub(crate) fn check_event(event: &Event<'_>, errors: &mut Errors) {
    data_is_an_object(event, errors);
    transparent_data_is_an_object(event, errors);
    event_has_a_name(event, errors);
    name_follows_the_rules(event, errors);
    version_is_not_blank(event, errors);
    no_data_key_is_reserved(event, errors);
    // If the data is not an object, its fields will change, so the fields in the id are not checked.
    match (&event.id, event.fields()) {
        (Some(_), Some([])) => id_needs_a_field(event, errors),
        (Some(id), Some(_)) => {
            placeholders_are_well_formed(event, id, errors);
            placeholders_are_fields(event, id, errors);
            id_has_a_placeholder(event, id, errors);
            id_begins_with_its_event(event, id, errors);
            placeholders_are_separated(id, errors);
            placeholders_are_delimited(id, errors);
        }
        (None, _) | (_, None) => {}
    }
}

fn data_is_an_object(event: &Event<'_>, errors: &mut Errors) {
    match event.shape {
        EventShape::Named(_) | EventShape::Unit => {}
        EventShape::Tuple(1, span) => errors.at(
            span,
            "event data must be a JSON object, but a newtype serializes as its inner value\n\
             help: use named fields, or derive `InngestEvent` on the inner type",
        ),
        EventShape::Tuple(_, span) => errors.at(
            span,
            "event data must be a JSON object, but a tuple struct serializes as an array\n\
             help: use named fields",
        ),
        EventShape::Enum(span) => errors.at(
            span,
            "`InngestEvent` describes one event, but an enum can hold several\n\
             help: derive it on one struct per event, and `InngestEvents` on the enum of them",
        ),
        EventShape::Union(span) => {
            errors.at(span, "a union cannot be serialized\nhelp: derive it on a struct");
        }
    }
}

/// Checks the field of a `transparent` struct by the name of its type. Other types are checked when the event is sent.
fn transparent_data_is_an_object(event: &Event<'_>, errors: &mut Errors) {
    let (Some(_), Some([field])) = (event.serde.transparent, event.fields()) else {
        return;
    };
    let not_objects =
        "String str bool char u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize f32 f64 Vec";
    let mut ty = field.ty;
    while let Type::Reference(reference) = ty {
        ty = &reference.elem;
    }
    let is_not_object = |found: &&Ident| not_objects.split(' ').any(|name| *found == name);
    if let Some(found) = last_path_segment(ty).filter(is_not_object) {
        let message = format!(
            "event data must be a JSON object, but `#[serde(transparent)]` serializes it as the \
             `{found}` in `{}`\nhelp: remove `transparent`",
            field.name
        );
        errors.spanning(field.ty, message);
    }
}

fn event_has_a_name(event: &Event<'_>, errors: &mut Errors) {
    let inngest = &event.inngest;
    if inngest.key_span("name").is_none() && !inngest.name_reported && event.fields().is_some() {
        let key = "name = \"domain/object.action\"";
        let help = if inngest.present {
            format!("add `{key}` to its `#[inngest(..)]`")
        } else {
            format!("add `#[inngest({key})]`")
        };
        let message = format!("`{}` needs an event name\nhelp: {help}", event.ident);
        errors.at(event.ident.span(), message);
    }
}

fn name_follows_the_rules(event: &Event<'_>, errors: &mut Errors) {
    if let Some(literal) = &event.inngest.name {
        for problem in name::problems(&literal.value()) {
            errors.at(subspan(literal, problem.bytes), problem.message);
        }
    }
}

fn version_is_not_blank(event: &Event<'_>, errors: &mut Errors) {
    let version = event.inngest.version.as_ref();
    if let Some(literal) = version.filter(|literal| literal.value().trim().is_empty()) {
        let message =
            "version is empty\nhelp: remove `version`, or write one such as `2026-11-01.1`";
        errors.at(literal.span(), message);
    }
}

fn no_data_key_is_reserved(event: &Event<'_>, errors: &mut Errors) {
    const RESERVED: &str = "_inngest";
    let message = "Inngest removes `_inngest` from the data, so functions would not receive it";
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
            let span = rename.map_or(field.ident.span(), LitStr::span);
            errors.at(span, format!("{message}\nhelp: give the field another name"));
        }
    }
}

fn id_needs_a_field(event: &Event<'_>, errors: &mut Errors) {
    if let Some(key_span) = event.inngest.key_span("id") {
        let message = format!(
            "`{0}` has no field that could distinguish its events, so every `{0}` after the first \
             would be dropped as a duplicate for 24 hours\n\
             help: remove `id`, or add a field to `{0}`",
            event.ident
        );
        errors.at(key_span, message);
    }
}

fn placeholders_are_well_formed(event: &Event<'_>, id: &DedupId, errors: &mut Errors) {
    let example = example_field(event);
    for problem in &id.template.problems {
        errors.at(subspan(&id.literal, problem.bytes.clone()), problem.message(&example));
    }
}

/// Returns the name of a field that could be in the id, preferably a field that is itself an id.
fn example_field(event: &Event<'_>) -> String {
    let fields = event.fields().unwrap_or_default();
    let is_id = |field: &&EventField<'_>| field.name == "id" || field.name.ends_with("_id");
    let field = fields.iter().find(is_id).or(fields.first());
    field.map_or("cart_id", |field| field.name.as_str()).to_owned()
}

fn placeholders_are_fields(event: &Event<'_>, id: &DedupId, errors: &mut Errors) {
    let fields = event.fields().unwrap_or_default();
    for placeholder in id.template.placeholders() {
        let name = placeholder.field();
        if let Some(field) = event.field(&name.text) {
            field_is_in_the_data(field, placeholder, id, errors);
        } else {
            let message = unknown_field_message(event, fields, &name.text);
            errors.at(subspan(&id.literal, name.bytes.clone()), message);
        }
    }
}

fn unknown_field_message(event: &Event<'_>, fields: &[EventField<'_>], name: &str) -> String {
    if let Some(field) = fields.iter().find(|field| field.serialized == name) {
        return format!(
            "no field `{name}`; templates use Rust names: did you mean `{}` (serialized as `{name}`)?",
            field.name
        );
    }
    let names = || fields.iter().map(|field| field.name.as_str());
    let message = format!("no field `{name}` on `{}`", event.ident);
    match (closest(name, names()), fields) {
        (Some(suggestion), _) => format!("{message}; did you mean `{suggestion}`?"),
        (None, [only]) => format!("{message}\nnote: its only field is `{}`", only.name),
        (None, _) => format!("{message}\nnote: its fields are {}", list(names())),
    }
}

fn field_is_in_the_data(
    field: &EventField<'_>,
    placeholder: &Placeholder,
    id: &DedupId,
    errors: &mut Errors,
) {
    let name = &field.name;
    let span = || subspan(&id.literal, placeholder.bytes.clone());
    if let Some(skip) = field.serde.skip {
        let message = format!(
            "`{name}` is in the dedup id, but `#[serde({skip})]` keeps it out of the data\n\
             help: use a field that is in the data, so that receivers can compute the id from it"
        );
        errors.at(span(), message);
    } else if field.serde.flatten && !placeholder.is_nested() {
        let message = format!(
            "`{name}` is flattened into the data, so it is not a single value\n\
             help: name one of its fields, such as `{{{name}.id}}`"
        );
        errors.at(span(), message);
    }
}

fn id_has_a_placeholder(event: &Event<'_>, id: &DedupId, errors: &mut Errors) {
    if id.template.placeholders().next().is_some() || !id.template.problems.is_empty() {
        return;
    }
    let field = example_field(event);
    let text = id.literal.value();
    let found = if text.trim().is_empty() {
        "an empty dedup id".to_owned()
    } else {
        format!("dedup id `{text}`")
    };
    let help = if text.contains("{{") {
        format!("`{{{{` is a literal brace; a placeholder is written `{{{field}}}`")
    } else {
        format!("name a field, such as `{{{field}}}`")
    };
    let message = format!(
        "{found} has no placeholder, so every `{}` after the first would be dropped as a duplicate \
         for 24 hours\nhelp: {help}",
        event.ident
    );
    errors.at(id.literal.span(), message);
}

fn id_begins_with_its_event(event: &Event<'_>, id: &DedupId, errors: &mut Errors) {
    let bytes = match id.template.parts.first() {
        Some(TemplatePart::Text(text, bytes)) if !text.chars().any(char::is_alphabetic) => bytes,
        Some(TemplatePart::Placeholder(placeholder)) => &placeholder.bytes,
        _ => return,
    };
    // A part with a problem precedes the first valid part, and has been reported.
    if bytes.start > 0 {
        return;
    }
    let template = id.literal.value();
    let rest = template.trim_start_matches(['-', '_', ':', '.', '/', ' ']);
    let message = format!(
        "dedup ids are shared by all event types; begin it with this event's name: `{}-{rest}`",
        suggested_prefix(event)
    );
    errors.at(subspan(&id.literal, bytes.clone()), message);
}

/// Returns a prefix such as `cart-checkout-completed`, from the event's name or else the type's.
fn suggested_prefix(event: &Event<'_>) -> String {
    let name = event.inngest.name.as_ref().map(LitStr::value).unwrap_or_default();
    let prefix = name.rsplit('/').next().unwrap_or_default().replace('.', "-");
    if prefix.contains(char::is_alphabetic) && name::problems(&name).is_empty() {
        return prefix.replace('{', "{{").replace('}', "}}");
    }
    pascal_to_snake(&event.ident.to_string()).replace('_', "-")
}

fn placeholders_are_separated(id: &DedupId, errors: &mut Errors) {
    for parts in id.template.parts.windows(2) {
        let [TemplatePart::Placeholder(a), TemplatePart::Placeholder(b)] = parts else {
            continue;
        };
        if are_adjacent(&a.bytes, &b.bytes) {
            let (a, b_path) = (a.path(), b.path());
            let message = format!(
                "nothing between the placeholders, so (\"a\", \"bc\") and (\"ab\", \"c\") would share \
                 an id\nhelp: put a `-` between them: `{{{a}}}-{{{b_path}}}`"
            );
            errors.at(subspan(&id.literal, b.bytes.clone()), message);
        }
    }
}

/// Checks the character after each placeholder, since it marks the end of the placeholder's value.
fn placeholders_are_delimited(id: &DedupId, errors: &mut Errors) {
    for parts in id.template.parts.windows(3) {
        let [
            TemplatePart::Placeholder(a),
            TemplatePart::Text(text, bytes),
            TemplatePart::Placeholder(b),
        ] = parts
        else {
            continue;
        };
        let is_contiguous = are_adjacent(&a.bytes, bytes) && are_adjacent(bytes, &b.bytes);
        let first = text.chars().next().filter(|c| !can_delimit(*c));
        if let Some(first) = first.filter(|_| is_contiguous) {
            let (a, b) = (a.path(), b.path());
            let message = format!(
                "text between placeholders may not begin with a letter, a digit or `%`, found \
                 `{first}`: the end of the value of `{a}` would be ambiguous\n\
                 help: begin it with a `-`: `{{{a}}}-{text}{{{b}}}`"
            );
            errors.at(subspan(&id.literal, bytes.clone()), message);
        }
    }
}

/// Returns whether two parts follow each other directly, without a part with a problem between them.
fn are_adjacent(first: &Range<usize>, second: &Range<usize>) -> bool {
    first.end == second.start
}

/// Returns whether a character can mark the end of a value.
///
/// The character must not occur in values that are not escaped: integers, `bool` and uuids. It must not be
/// `%` either, which begins an escape.
fn can_delimit(c: char) -> bool {
    c != '%' && !c.is_ascii_digit() && !c.is_alphabetic()
}

/// Checks the rules of `#[derive(IdSegment)]`.
pub(crate) fn check_segment(segment: &Segment<'_>, errors: &mut Errors) {
    let SegmentText::Variants(variants) = &segment.text else {
        return;
    };
    if variants.is_empty() {
        let message =
            format!("`{}` has no variants, so no value of it can be in a dedup id", segment.ident);
        errors.at(segment.ident.span(), message);
    }
    variants_have_distinct_texts(variants, errors);
}

fn variants_have_distinct_texts(variants: &[SegmentVariant<'_>], errors: &mut Errors) {
    for (index, variant) in variants.iter().enumerate() {
        let SegmentVariant { ident, text, span } = variant;
        if text.trim().is_empty() {
            let message = format!(
                "variant `{ident}` has blank text, `{text}`, which a dedup id cannot contain"
            );
            errors.at(*span, message);
        } else if let Some(first) = variants[..index].iter().find(|first| first.text == *text) {
            let message = format!(
                "variants `{}` and `{ident}` are both `{text}` in the data, so they would share \
                 dedup ids",
                first.ident
            );
            errors.at(*span, message);
            errors.at(first.span, format!("first `{text}` here"));
        }
    }
}

/// Checks the rules of `#[derive(InngestEvents)]`.
///
/// The rules about the names and the dedup ids of the events are checked by the compiler, in
/// constants of the expansion, since a derive cannot look up other types.
pub(crate) fn check_event_enum(event_enum: &EventEnum<'_>, errors: &mut Errors) {
    if event_enum.variants.is_empty() && errors.is_empty() {
        let message = format!("`{}` has no variants, so it holds no events", event_enum.ident);
        errors.at(event_enum.ident.span(), message);
    }
    every_variant_holds_another_type(event_enum, errors);
}

fn every_variant_holds_another_type(event_enum: &EventEnum<'_>, errors: &mut Errors) {
    for variant in &event_enum.variants {
        if let Some(first) = variant.duplicate_of {
            let message = format!(
                "variants `{first}` and `{}` hold the same event type, so its events could become either variant\n\
                 help: remove one, or define another event type",
                variant.ident
            );
            errors.at(variant.ident.span(), message);
            errors.at(first.span(), "first held here");
        }
    }
}
