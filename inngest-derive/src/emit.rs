//! Generates the impls of an item without errors.

use proc_macro2::{Delimiter, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};
use quote::{ToTokens, TokenStreamExt, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{LitStr, Type};

use crate::header::{ImplHeader, emit_scope, emit_static_type};
use crate::model::{DedupId, Event, EventEnum, Segment, SegmentText, SegmentVariant};
use crate::span::{call_site_at, subspan, unlinted};
use crate::template::{Placeholder, TemplatePart};

/// Generates the impls of `InngestEvent` and, for an event with a dedup id, of `Deduplicated`.
pub(crate) fn emit_event(event: &Event<'_>) -> TokenStream {
    let header = ImplHeader::new(event.ident, event.generics)
        .self_bound()
        .segment_bounds(segment_types(event));
    let event_impl = header.emit_impl(&quote!(__inngest::InngestEvent));
    let deduplicated_impl = event.id.as_ref().map(|_| {
        // With a lifetime in the bound, rustc does not report a missing `Serialize` twice.
        let lifetime = header.lifetime("event");
        let header = header
            .bound(quote!(for<#lifetime> Self: __inngest::InngestEvent))
            .emit_impl(&quote!(__inngest::Deduplicated));
        quote!(#header {})
    });

    let name = &event.inngest.name.value;
    let version = emit_optional_text("VERSION", event.inngest.version.value.as_ref());
    let template = emit_optional_text("ID_TEMPLATE", event.inngest.id.value.as_ref());
    let dedup_id = if event.id.is_some() {
        quote!(__inngest::dedup_id(self))
    } else {
        quote!(__inngest::Ok(__inngest::None))
    };
    let write_dedup_id = event.id.as_ref().map(|id| emit_write_dedup_id(event, id));
    let impls = quote! {
        #event_impl {
            const NAME: __inngest::Text = #name;
            #version
            #template
            fn dedup_id(&self) -> __inngest::OptionalId {
                #dedup_id
            }
            #write_dedup_id
        }
        #deduplicated_impl
    };
    emit_scope(event.inngest.crate_path.value.as_ref(), &impls)
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
    let name = &event.inngest.name.value;
    let format = emit_format_arguments(event, id);
    quote! {
        fn write_dedup_id(&self, __out: &mut dyn __inngest::Write) -> __inngest::Written {
            let __id = &__inngest::IdWriter::new(#name);
            __id.write(__out, __inngest::format_args!(#format))
        }
    }
}

/// Generates the arguments of `format_args!`.
///
/// If possible, they are the literal as it was written and each field as a named argument. rustc then
/// shows an error about a field's type at the type and at its placeholder. `format_args!` has no
/// `{a.b}`, accepts a name only once, and normalizes no name; a template with any of these has
/// positional arguments.
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

/// Returns the spans of a type's first and last token. rustc shows what is between them.
fn first_and_last_span(ty: &Type) -> (Span, Span) {
    let first = ty.span();
    let last = ty.to_token_stream().into_iter().last();
    (call_site_at(first), call_site_at(last.map_or(first, |last| last.span())))
}

fn emit_member(name: &str, span: Span) -> TokenTree {
    if let Ok(index) = name.parse::<u32>() {
        let mut index = Literal::u32_unsuffixed(index);
        index.set_span(span);
        return TokenTree::Literal(index);
    }
    // A raw identifier is the same name in every edition, also if it is no keyword.
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
            fn write_segment(&self, __out: &mut dyn __inngest::Write) -> __inngest::fmt::Result {
                #body
            }
        }
    };
    emit_scope(segment.inngest.crate_path.value.as_ref(), &impls)
}

/// Generates `<Inner<Type> as Delegate<Type>>`, spanned so that rustc shows an error about a type that
/// cannot be in an id at the type.
fn emit_delegate(ty: &Type) -> TokenStream {
    let (first, last) = first_and_last_span(ty);
    let inner = quote_spanned!(first=> __inngest::NewtypeField<#ty);
    quote_spanned!(last=> <#inner> as __inngest::Delegate<#ty>>)
}

/// Generates the impls of an enum of events. `rest` is a match arm for the variants that
/// `event_enum` does not contain because of their errors.
pub(crate) fn emit_event_enum(
    event_enum: &EventEnum<'_>,
    rest: Option<&TokenStream>,
) -> TokenStream {
    let variants = &event_enum.variants;
    let impls = EventEnumImpls {
        event_enum,
        idents: variants.iter().map(|variant| unlinted(variant.ident)).collect(),
        types: variants.iter().map(|variant| variant.ty.to_token_stream()).collect(),
    };
    let impls = [
        impls.emit_events_impls(rest),
        impls.emit_from_impls(),
        if event_enum.is_enum { impls.emit_deserialize_impl() } else { TokenStream::new() },
        impls.emit_distinctness_checks(),
    ];
    emit_scope(event_enum.inngest.crate_path.value.as_ref(), &impls.into_iter().collect())
}

/// An enum of events, with the tokens of its variants that all impls use.
struct EventEnumImpls<'a> {
    event_enum: &'a EventEnum<'a>,
    idents: Vec<Ident>,
    types: Vec<TokenStream>,
}

impl EventEnumImpls<'_> {
    fn header(&self) -> ImplHeader<'_> {
        ImplHeader::new(self.event_enum.ident, self.event_enum.generics)
    }

    /// Generates the impls of `InngestEvents` for the enum and for a reference to it.
    fn emit_events_impls(&self, rest: Option<&TokenStream>) -> TokenStream {
        let EventEnumImpls { idents, types, .. } = self;
        let header = self.header().event_bounds(types);
        let (ty, visitor) = (&header.ty, header.parameter("V"));
        let implemented = quote!(__inngest::InngestEvents);
        let owned_impl = header.emit_impl(&implemented);
        let reference_impl = header.emit_impl_for_reference(&implemented);
        let infos = self.emit_infos(0..types.len());
        let count = types.len();
        let is_generic = self.static_type().is_none();
        let events = if is_generic { quote!(__inngest::distinct::<#count>(#infos)) } else { infos };
        let check = is_generic.then(|| quote!(let _ = <Self as #implemented>::EVENTS;));
        let visit_event = quote! {
            fn visit_event<#visitor: __inngest::EventVisitor>(
                &self,
                __visitor: #visitor,
            ) -> #visitor::Output
        };
        quote! {
            #owned_impl {
                const EVENTS: &'static [__inngest::EventInfo] = #events;
                #visit_event {
                    #check
                    match self {
                        #(Self::#idents(__event) => <#types as __inngest::InngestEvent>::accept(__event, __visitor),)*
                        #rest
                    }
                }
            }
            #reference_impl {
                const EVENTS: &'static [__inngest::EventInfo] = <#ty as #implemented>::EVENTS;
                #visit_event {
                    #implemented::visit_event(*self, __visitor)
                }
            }
        }
    }

    /// Generates the constants of the events at some indexes, as a slice.
    fn emit_infos(&self, indexes: impl IntoIterator<Item = usize>) -> TokenStream {
        let infos = indexes.into_iter().map(|index| {
            let (name, ty) = (self.idents[index].unraw().to_string(), &self.types[index]);
            quote! {
                __inngest::EventInfo::new(
                    #name,
                    <#ty as __inngest::InngestEvent>::NAME,
                    <#ty as __inngest::InngestEvent>::VERSION,
                    <#ty as __inngest::InngestEvent>::ID_TEMPLATE,
                )
            }
        });
        quote!(&[#(#infos),*])
    }

    fn emit_from_impls(&self) -> TokenStream {
        let header = self.header();
        let variants = self.idents.iter().zip(&self.types);
        let impls = variants.map(|(ident, ty)| {
            let from_impl = header.emit_impl(&quote!(__inngest::From<#ty>));
            quote! {
                #from_impl {
                    fn from(__event: #ty) -> Self {
                        Self::#ident(__event)
                    }
                }
            }
        });
        impls.collect()
    }

    fn emit_deserialize_impl(&self) -> TokenStream {
        let EventEnumImpls { idents, types, .. } = self;
        // With a lifetime in the bounds, rustc checks them only where the enum is deserialized. So
        // the payloads need no `Deserialize` in a program that only sends.
        let header = self.header().event_bounds(types);
        let (de, data) = (header.lifetime("de"), header.lifetime("data"));
        let deserializer = header.parameter("D");
        let bounds = types.iter().map(|ty| quote!(for<#data> #ty: __inngest::Deserialize<#data>));
        let deserialize_impl = bounds.fold(header, ImplHeader::bound).emit_deserialize_impl(&de);
        let indexes = 0..idents.len();
        quote! {
            #deserialize_impl {
                fn deserialize<#deserializer: __inngest::Deserializer<#de>>(
                    __deserializer: #deserializer,
                ) -> __inngest::Result<Self, #deserializer::Error> {
                    __inngest::decode(__deserializer, |__index, __event| match __index {
                        #(#indexes => __event.decode(Self::#idents),)*
                        _ => __inngest::unreachable!(),
                    })
                }
            }
        }
    }

    /// Generates a constant for each variant but the first, which fails to compile unless the event
    /// can be distinguished from all earlier ones. In a generic enum, only events without parameters have
    /// one: the others are compared when the enum is used.
    fn emit_distinctness_checks(&self) -> TokenStream {
        let (mut compared, mut events) = ((0..self.types.len()).collect::<Vec<_>>(), None);
        if let Some(ty) = self.static_type() {
            events = Some(quote!(<#ty as __inngest::InngestEvents>::EVENTS));
        } else {
            let header = self.header();
            compared.retain(|index| header.parameters_in(self.types[*index].clone()).is_empty());
        }
        let (count, later) = (compared.len(), 1..compared.len());
        if later.is_empty() {
            return TokenStream::new();
        }
        let events = events.unwrap_or_else(|| self.emit_infos(compared.iter().copied()));
        let checks = later.map(|index| {
            let variant = &self.event_enum.variants[compared[index]];
            let span = call_site_at(variant.ident.span());
            quote_spanned!(span=> const _: () = __CONFLICTS.assert_none(#index);)
        });
        quote! {
            const __CONFLICTS: __inngest::Conflicts<#count> = __inngest::Conflicts::find(#events);
            #(#checks)*
        }
    }

    fn static_type(&self) -> Option<TokenStream> {
        emit_static_type(self.event_enum.ident, self.event_enum.generics)
    }
}
