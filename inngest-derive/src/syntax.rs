//! Tokens -> model. Nothing here returns at the first error: what is wrong is told, and reading goes
//! on behind it.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use syn::{Attribute, Data, DeriveInput, Fields, Ident, Lit, LitStr, Meta, Type};

use crate::diag::Errors;
use crate::inngest_attr;
use crate::model::{Event, Field, Id, Segment, SegmentText, Set, SetVariant, Shape, Variant};
use crate::serde_attr::SerdeAttributes;
use crate::template::Template;

/// Reads an event. What its parts mean together is for `check`.
pub(crate) fn event<'a>(input: &'a DeriveInput, errors: &mut Errors) -> Event<'a> {
    let keys = inngest_attr::read(&input.attrs, &["name", "id", "version", "crate"], errors);
    let serde = SerdeAttributes::read(&input.attrs);
    let shape = shape(&input.data, &serde, errors);
    let id = keys.id.value.clone();
    let id = id.map(|literal| Id { template: Template::parse(&literal.value()), literal });
    let packed = is_packed(&input.attrs);
    Event { ident: &input.ident, generics: &input.generics, keys, serde, packed, shape, id }
}

fn is_packed(attributes: &[Attribute]) -> bool {
    let packed = |entry: &Entry| matches!(entry.tokens.first(), Some(TokenTree::Ident(key)) if key == "packed");
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("repr") => {
            entries(list.tokens.clone()).iter().any(packed)
        }
        _ => false,
    })
}

fn shape<'a>(data: &'a Data, serde: &SerdeAttributes, errors: &mut Errors) -> Shape<'a> {
    let fields = match data {
        Data::Struct(data) => &data.fields,
        Data::Enum(data) => return Shape::Enum(data.enum_token.span),
        Data::Union(data) => return Shape::Union(data.union_token.span),
    };
    for field in fields {
        misplaced(&field.attrs, "struct", errors);
    }
    match fields {
        Fields::Unit => Shape::Unit,
        Fields::Unnamed(fields) => {
            Shape::Tuple(fields.unnamed.len(), fields.paren_token.span.join())
        }
        Fields::Named(fields) => {
            let field = |field| named_field(field, serde);
            Shape::Named(fields.named.iter().filter_map(field).collect())
        }
    }
}

fn named_field<'a>(field: &'a syn::Field, item: &SerdeAttributes) -> Option<Field<'a>> {
    let ident = field.ident.as_ref()?;
    let name = unraw(ident);
    let serde = SerdeAttributes::read(&field.attrs);
    let serialized = match (&serde.rename, item.rename_all) {
        (Some(rename), _) => rename.value(),
        (None, Some(rule)) => rule.field(&name),
        (None, None) => name.clone(),
    };
    Some(Field { name, serialized, ident, ty: &field.ty, serde })
}

/// Reads a newtype or a fieldless enum.
pub(crate) fn segment<'a>(input: &'a DeriveInput, errors: &mut Errors) -> Segment<'a> {
    let keys = inngest_attr::read(&input.attrs, &["crate"], errors);
    let text = match &input.data {
        Data::Struct(data) => newtype(&input.ident, &data.fields, errors),
        Data::Enum(data) => {
            let serde = SerdeAttributes::read(&input.attrs);
            let variant = |variant| self::variant(variant, &serde, errors);
            SegmentText::Variants(data.variants.iter().map(variant).collect())
        }
        Data::Union(data) => {
            let message = "a union has no text of its own; derive `IdSegment` on a newtype or on a \
                           fieldless enum";
            errors.at(data.union_token.span, message);
            SegmentText::Nowhere
        }
    };
    Segment { ident: &input.ident, generics: &input.generics, keys, text }
}

fn newtype<'a>(ident: &Ident, fields: &'a Fields, errors: &mut Errors) -> SegmentText<'a> {
    for field in fields {
        misplaced(&field.attrs, "struct", errors);
    }
    let members = fields.members().zip(fields).filter(|(_, field)| !is_marker(&field.ty));
    match members.collect::<Vec<_>>().as_slice() {
        [(member, field)] => SegmentText::Field(member.clone(), &field.ty),
        members => {
            let message = format!(
                "`IdSegment` is derived on newtypes and on fieldless enums, but `{ident}` has {} \
                 fields\nhelp: name its fields in the template, or implement `IdSegment` by hand",
                members.len()
            );
            errors.at(ident.span(), message);
            SegmentText::Nowhere
        }
    }
}

/// `PhantomData<..>`, which a typed id has beside its value.
fn is_marker(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "PhantomData"))
}

fn variant<'a>(
    variant: &'a syn::Variant,
    item: &SerdeAttributes,
    errors: &mut Errors,
) -> Variant<'a> {
    misplaced(&variant.attrs, "enum", errors);
    let ident = &variant.ident;
    if !matches!(variant.fields, Fields::Unit) {
        let message = format!(
            "variant `{ident}` has fields, so its name is not all of its value\n\
             help: implement `IdSegment` by hand, or name another field in the template"
        );
        errors.at(ident.span(), message);
    }
    let name = unraw(ident);
    match (SerdeAttributes::read(&variant.attrs).rename, item.rename_all) {
        (Some(rename), _) => Variant { ident, text: rename.value(), span: rename.span() },
        (None, Some(rule)) => Variant { ident, text: rule.variant(&name), span: ident.span() },
        (None, None) => Variant { ident, text: name, span: ident.span() },
    }
}

/// Reads an enum of events.
pub(crate) fn set<'a>(input: &'a DeriveInput, errors: &mut Errors) -> Set<'a> {
    let keys = inngest_attr::read(&input.attrs, &["crate"], errors);
    let variants = match &input.data {
        Data::Enum(data) => {
            data.variants.iter().filter_map(|variant| set_variant(variant, errors)).collect()
        }
        Data::Struct(data) => not_a_set(data.struct_token.span, errors),
        Data::Union(data) => not_a_set(data.union_token.span, errors),
    };
    Set { ident: &input.ident, generics: &input.generics, keys, variants }
}

fn not_a_set<'a>(keyword: Span, errors: &mut Errors) -> Vec<SetVariant<'a>> {
    let message = "`InngestEvents` is for an enum of events\n\
                   help: on the struct of one event, derive `InngestEvent`";
    errors.at(keyword, message);
    Vec::new()
}

fn set_variant<'a>(variant: &'a syn::Variant, errors: &mut Errors) -> Option<SetVariant<'a>> {
    misplaced(&variant.attrs, "enum", errors);
    for field in &variant.fields {
        misplaced(&field.attrs, "enum", errors);
    }
    let ident = &variant.ident;
    let (found, help) = match &variant.fields {
        Fields::Unnamed(fields) if fields.unnamed.len() == 1 => {
            return Some(SetVariant { ident, ty: &fields.unnamed[0].ty });
        }
        Fields::Unnamed(fields) if fields.unnamed.len() > 1 => {
            let found = format!("{} fields", fields.unnamed.len());
            (found, "make them the named fields of a struct")
        }
        Fields::Unnamed(_) | Fields::Unit => ("no event".to_owned(), "write a struct for it"),
        Fields::Named(_) => ("named fields".to_owned(), "move them to a struct"),
    };
    let message = format!(
        "a variant holds one event, but `{ident}` has {found}\n\
         help: {help} that derives `InngestEvent`, and hold that: `{ident}({0})`",
        unraw(ident)
    );
    errors.at(ident.span(), message);
    None
}

/// The identifier without `r#`.
pub(crate) fn unraw(ident: &Ident) -> String {
    let name = ident.to_string();
    name.strip_prefix("r#").map(str::to_owned).unwrap_or(name)
}

/// `#[inngest]` on a field or a variant, rather than on the item.
pub(crate) fn misplaced(attributes: &[Attribute], item: &str, errors: &mut Errors) {
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("inngest")) {
        errors.spanning(attribute, format!("`#[inngest(..)]` goes above the {item}, not in it"));
    }
}

/// What stands between two commas. A comma where nothing does is an entry of its own.
pub(crate) struct Entry {
    pub(crate) tokens: Vec<TokenTree>,
}

impl Entry {
    /// The value of `key = "value"`.
    pub(crate) fn literal(&self) -> Option<LitStr> {
        match self.tokens.as_slice() {
            [_, TokenTree::Punct(eq), value] if eq.as_char() == '=' => string(value),
            _ => None,
        }
    }
}

pub(crate) fn entries(tokens: TokenStream) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut entry = Vec::new();
    let mut ungrouped = Vec::new();
    ungroup(tokens, &mut ungrouped);
    for token in ungrouped {
        let is_comma = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == ',');
        if !is_comma || entry.is_empty() {
            entry.push(token);
        }
        if is_comma {
            entries.push(Entry { tokens: std::mem::take(&mut entry) });
        }
    }
    if !entry.is_empty() {
        entries.push(Entry { tokens: entry });
    }
    entries
}

/// Takes the tokens out of the invisible groups around what a `macro_rules!` macro was given.
fn ungroup(tokens: TokenStream, ungrouped: &mut Vec<TokenTree>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
                ungroup(group.stream(), ungrouped);
            }
            token => ungrouped.push(token),
        }
    }
}

pub(crate) fn string(token: &TokenTree) -> Option<LitStr> {
    let TokenTree::Literal(literal) = token else {
        return None;
    };
    match Lit::new(literal.clone()) {
        Lit::Str(string) => Some(string),
        _ => None,
    }
}

/// Tokens as they would be written, shortened, between backticks.
pub(crate) fn source(tokens: &[TokenTree]) -> String {
    const MAX_CHARS: usize = 60;
    let mut text = String::new();
    let mut spaced = false;
    for token in tokens {
        let (word, space_before, space_after) = match token {
            TokenTree::Group(group) => (shortened(group), false, false),
            TokenTree::Punct(punct) if punct.as_char() == '=' => ("=".to_owned(), true, true),
            TokenTree::Punct(punct) => (punct.to_string(), false, false),
            word => (word.to_string(), spaced, true),
        };
        if space_before && !text.is_empty() {
            text.push(' ');
        }
        text.push_str(&word);
        spaced = space_after;
    }
    if text.chars().count() > MAX_CHARS {
        text = text.chars().take(MAX_CHARS).chain("..".chars()).collect();
    }
    format!("`{text}`")
}

fn shortened(group: &Group) -> String {
    let inside = if group.stream().is_empty() { "" } else { ".." };
    match group.delimiter() {
        Delimiter::Parenthesis => format!("({inside})"),
        Delimiter::Brace => format!("{{{inside}}}"),
        Delimiter::Bracket => format!("[{inside}]"),
        Delimiter::None => group.stream().to_string(),
    }
}
