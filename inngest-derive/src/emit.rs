//! Generates the impls of an item without errors.

use proc_macro2::{Delimiter, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};
use quote::{ToTokens, TokenStreamExt, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{LitStr, Type};

use crate::header::{ImplHeader, emit_scope};
use crate::model::{DedupId, Event, Segment, SegmentText, SegmentVariant};
use crate::span::{call_site_at, subspan, unlinted};
use crate::template::{Placeholder, TemplatePart};

/// Generates the impls of `InngestEvent` and, for an event with a dedup id, of `Deduplicated`.
pub(crate) fn emit_event(event: &Event<'_>) -> TokenStream {
    let header = ImplHeader::new(event.ident, event.generics)
        .self_bound()
        .segment_bounds(segment_types(event));
    let event_impl = header.emit_impl(&quote!(__inngest::InngestEvent));
    let deduplicated_impl = event.id.as_ref().map(|_| {
        // The bound implies the bounds above. With a lifetime in it, rustc does not report a missing
        // `Serialize` twice.
        let lifetime = header.lifetime("event");
        let header = ImplHeader::new(event.ident, event.generics)
            .bound(quote!(for<#lifetime> Self: __inngest::InngestEvent))
            .emit_impl(&quote!(__inngest::Deduplicated));
        quote!(#header {})
    });

    let name_constant = emit_name_constant(event);
    let name = emit_name(event);
    let version = emit_optional_text("VERSION", event.inngest.version.as_ref());
    let template = emit_optional_text("ID_TEMPLATE", event.inngest.id.as_ref());
    let dedup_id = if event.id.is_some() {
        quote!(__inngest::dedup_id(self))
    } else {
        quote!(__inngest::Ok(__inngest::None))
    };
    let write_dedup_id = event.id.as_ref().map(|id| emit_write_dedup_id(event, id));
    let impls = quote! {
        #name_constant
        #event_impl {
            const NAME: __inngest::Text = #name;
            #version
            #template
            #[inline] fn dedup_id(&self) -> __inngest::OptionalId {
                #dedup_id
            }
            #write_dedup_id
        }
        #deduplicated_impl
    };
    emit_scope(&event.inngest, &impls)
}

/// Generates, for a name that is given as a path, a constant with the name, and a constant that does not compile
/// if the name breaks a rule. rustc shows this error at the path.
pub(crate) fn emit_name_constant(event: &Event<'_>) -> Option<TokenStream> {
    let path = event.inngest.name_path.as_ref()?;
    let (first, last) = first_and_last_span(path);
    let mut arguments = Group::new(Delimiter::Parenthesis, quote!(__NAME));
    arguments.set_span(last);
    let check = quote_spanned!(first=> __inngest::assert_valid_name #arguments);
    Some(quote! {
        const __NAME: __inngest::Text = #path;
        const _: () = #check;
    })
}

fn emit_name(event: &Event<'_>) -> TokenStream {
    match &event.inngest.name_path {
        Some(_) => quote!(__NAME),
        None => event.inngest.name.to_token_stream(),
    }
}

fn emit_optional_text(constant: &str, value: Option<&LitStr>) -> Option<TokenStream> {
    let constant = Ident::new(constant, Span::call_site());
    value.map(|value| quote!(const #constant: __inngest::OptionalText = __inngest::Some(#value);))
}

/// Returns the types of the fields in the template. The types of nested fields are not known here.
fn segment_types<'a>(event: &'a Event<'_>) -> impl Iterator<Item = &'a Type> {
    let placeholders = event.id.iter().flat_map(|id| id.template.placeholders());
    let direct = placeholders.filter(|placeholder| !placeholder.is_nested());
    direct.filter_map(|placeholder| event.field(&placeholder.field().text)).map(|field| field.ty)
}

fn emit_write_dedup_id(event: &Event<'_>, id: &DedupId) -> TokenStream {
    let name = emit_name(event);
    let format = emit_format_arguments(event, id);
    quote! {
        #[inline] fn write_dedup_id(&self, __out: &mut dyn __inngest::Write) -> __inngest::Written {
            let __id = &__inngest::IdWriter::new(#name);
            __id.write(__out, __inngest::format_args!(#format))
        }
    }
}

/// Generates the arguments of `format_args!`.
///
/// If possible, they are the literal as it was written and each field as a named argument. rustc then
/// shows an error about a field's type at the type and at its placeholder. Otherwise, the arguments are
/// positional: `format_args!` does not support `{a.b}`, the same name twice, or names that rustc would
/// have to normalize.
fn emit_format_arguments(event: &Event<'_>, id: &DedupId) -> TokenStream {
    let template = id.literal.value();
    let placeholders: Vec<&Placeholder> = id.template.placeholders().collect();
    let has_named_arguments = placeholders.iter().enumerate().all(|(index, placeholder)| {
        let field = placeholder.field();
        let mut earlier = placeholders[..index].iter();
        let is_repeated = earlier.any(|earlier| earlier.field().text == field.text);
        !placeholder.is_nested() && !is_repeated && template[field.bytes.clone()] == *field.text
    });
    let mut format = TokenStream::new();
    if has_named_arguments {
        id.literal.to_tokens(&mut format);
    } else {
        let mut literal = Literal::string(&positional_format(id));
        literal.set_span(call_site_at(id.literal.span()));
        format.append(literal);
    }
    for (index, part) in id.template.parts.iter().enumerate() {
        let TemplatePart::Placeholder(placeholder) = part else {
            continue;
        };
        format.append(Punct::new(',', Spacing::Alone));
        if has_named_arguments {
            let name = &placeholder.field().text;
            format.append(Ident::new(name, call_site_at(id.literal.span())));
            format.append(Punct::new('=', Spacing::Alone));
        }
        let delimiter = match id.template.parts.get(index + 1..index + 3) {
            Some([TemplatePart::Text(text, _), TemplatePart::Placeholder(_)]) => {
                text.chars().next()
            }
            _ => None,
        };
        emit_segment_call(event, id, placeholder, delimiter, &mut format);
    }
    format
}

/// Returns the template with `{}` for each placeholder.
fn positional_format(id: &DedupId) -> String {
    let format = |part: &TemplatePart| match part {
        TemplatePart::Text(text, _) => text.replace('{', "{{").replace('}', "}}"),
        TemplatePart::Placeholder(_) => "{}".to_owned(),
    };
    id.template.parts.iter().map(format).collect()
}

/// Appends `__id.delimited('-', "account.id", &self.account.id)`, which rustc shows at the field's type,
/// or at the placeholder if the field is nested.
fn emit_segment_call(
    event: &Event<'_>,
    id: &DedupId,
    placeholder: &Placeholder,
    delimiter: Option<char>,
    tokens: &mut TokenStream,
) {
    let field = event.field(&placeholder.field().text);
    let (start, end) = match field {
        Some(field) if !placeholder.is_nested() => first_and_last_span(field.ty),
        _ => {
            let span = call_site_at(subspan(&id.literal, placeholder.bytes.clone()));
            (span, span)
        }
    };
    tokens.append(Ident::new("__id", start));
    tokens.append(Punct::new('.', Spacing::Alone));
    tokens.append(Ident::new(if delimiter.is_some() { "delimited" } else { "last" }, start));

    let path = placeholder.path();
    let delimiter = delimiter.map(|delimiter| quote!(#delimiter,));
    let members = placeholder.path.iter().map(|name| emit_member(&name.text, start));
    let value = quote_spanned!(start=> self #(.#members)*);
    // A field of a packed struct cannot be borrowed, so it is copied.
    let value = if event.packed { quote_spanned!(start=> { #value }) } else { value };
    let mut arguments = Group::new(Delimiter::Parenthesis, quote!(#delimiter #path, &#value));
    arguments.set_span(end);
    tokens.append(arguments);
}

/// Returns the spans of the first and last of some tokens. rustc shows what is between them.
fn first_and_last_span(tokens: &dyn ToTokens) -> (Span, Span) {
    let first = tokens.span();
    let last = tokens.to_token_stream().into_iter().last();
    (call_site_at(first), call_site_at(last.map_or(first, |last| last.span())))
}

fn emit_member(name: &str, span: Span) -> TokenTree {
    if let Ok(index) = name.parse::<u32>() {
        let mut index = Literal::u32_unsuffixed(index);
        index.set_span(span);
        return TokenTree::Literal(index);
    }
    // A raw identifier is the same name in every edition, also if it is not a keyword.
    TokenTree::Ident(Ident::new_raw(name, span))
}

/// Generates the impl of `IdSegment`.
pub(crate) fn emit_segment(segment: &Segment<'_>) -> TokenStream {
    let (inner, constant, body) = match &segment.text {
        SegmentText::Field(member, inner) => {
            let delegate = emit_delegate(inner);
            let constant = quote! {
                const SELF_DELIMITING: __inngest::bool = #delegate::SELF_DELIMITING;
            };
            // A field of a packed struct cannot be borrowed, so it is copied.
            let value =
                if segment.packed { quote!({ self.#member }) } else { quote!(self.#member) };
            (Some(*inner), constant, quote!(#delegate::write_segment(&#value, __out)))
        }
        SegmentText::Variants(variants) => {
            let arms = variants.iter().map(|SegmentVariant { ident, text, .. }| {
                let ident = unlinted(ident);
                quote!(Self::#ident => #text)
            });
            let body = quote!(__out.write_str(match *self { #(#arms,)* }));
            (None, TokenStream::new(), body)
        }
        SegmentText::Missing => return TokenStream::new(),
    };
    let segment_impl = ImplHeader::new(segment.ident, segment.generics)
        .segment_bounds(inner.into_iter())
        .emit_impl(&quote!(__inngest::IdSegment));
    let impls = quote! {
        #segment_impl {
            #constant
            #[inline] fn write_segment(&self, __out: &mut dyn __inngest::Write) -> __inngest::fmt::Result {
                #body
            }
        }
    };
    emit_scope(&segment.inngest, &impls)
}

/// Generates `<Inner<Type> as Delegate<Type>>`, spanned so that rustc shows an error about a type that
/// cannot be in an id at the type.
fn emit_delegate(ty: &Type) -> TokenStream {
    let (first, last) = first_and_last_span(ty);
    let inner = quote_spanned!(first=> __inngest::NewtypeField<#ty);
    quote_spanned!(last=> <#inner> as __inngest::Delegate<#ty>>)
}
