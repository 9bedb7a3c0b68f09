//! Model -> tokens, and nothing else.

use proc_macro2::{Delimiter, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};
use quote::{ToTokens, TokenStreamExt, quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned;

use crate::diag::{located_at, within};
use crate::header::{Header, scope, spanned, unlinted};
use crate::model::{Event, Id, Segment, SegmentText, Set, Variant};
use crate::syntax::unraw;
use crate::template::{Part, Placeholder};

pub(crate) fn event(event: &Event<'_>) -> TokenStream {
    let header =
        Header::new(event.ident, event.generics).self_bound().segment_bounds(id_types(event));
    let event_impl = header.of(&quote!(__inngest::InngestEvent));
    let deduplicated = event.id.as_ref().map(|_| {
        // The lifetime keeps rustc from telling a missing `Serialize` a second time.
        let header = header
            .bound(quote!(for<'__event> Self: __inngest::InngestEvent))
            .of(&quote!(__inngest::Deduplicated));
        quote!(#header {})
    });

    let name = &event.keys.name.value;
    let optional = |constant: &str, value: &Option<syn::LitStr>| {
        let constant = Ident::new(constant, Span::call_site());
        value.as_ref().map(|value| {
            quote! {
                const #constant: __inngest::OptionalText = __inngest::Some(#value);
            }
        })
    };
    let version = optional("VERSION", &event.keys.version.value);
    let template = optional("ID_TEMPLATE", &event.keys.id.value);
    let dedup_id = if event.id.is_some() {
        quote!(__inngest::dedup_id(self))
    } else {
        quote!(__inngest::Ok(__inngest::None))
    };
    let write_dedup_id = event.id.as_ref().map(|id| write_dedup_id(event, id));
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
        #deduplicated
    };
    scope(event.keys.crate_path.value.as_ref(), &impls)
}

/// The first and the last token's span: rustc shows what is between them.
fn ends(ty: &Type) -> (Span, Span) {
    let last = ty.to_token_stream().into_iter().last();
    let start = ty.span();
    (located_at(start), located_at(last.map_or(start, |last| last.span())))
}

/// The types of the fields that the template names.
fn id_types<'a>(event: &'a Event<'_>) -> impl Iterator<Item = &'a Type> {
    let placeholders = event.id.iter().flat_map(|id| id.template.placeholders());
    // Of a nested field the type is not known here.
    let direct = placeholders.filter(|placeholder| placeholder.path.len() == 1);
    direct.filter_map(|placeholder| event.field(&placeholder.path[0].text)).map(|field| field.ty)
}

fn write_dedup_id(event: &Event<'_>, id: &Id) -> TokenStream {
    let name = &event.keys.name.value;
    let format = format(event, id);
    quote! {
        fn write_dedup_id(&self, __out: &mut dyn __inngest::Write) -> __inngest::Written {
            let __id = &__inngest::IdWriter::new(#name);
            __id.write(__out, __inngest::format_args!(#format))
        }
    }
}

/// The arguments of `format_args!`: the literal as it was written, and each field by its name, so
/// that rustc shows an error about a field's type at the type and at its placeholder.
fn format(event: &Event<'_>, id: &Id) -> TokenStream {
    let placeholders: Vec<&Placeholder> = id.template.placeholders().collect();
    let is_plain = placeholders.iter().enumerate().all(|(at, placeholder)| {
        let is_again =
            placeholders[..at].iter().any(|before| before.path[0].text == placeholder.path[0].text);
        placeholder.path.len() == 1 && !is_again
    });
    let mut format = TokenStream::new();
    if is_plain {
        id.literal.to_tokens(&mut format);
    } else {
        let mut literal = Literal::string(&positional(id));
        literal.set_span(located_at(id.literal.span()));
        format.append(literal);
    }
    for (at, part) in id.template.parts.iter().enumerate() {
        let Part::Placeholder(placeholder) = part else {
            continue;
        };
        format.append(Punct::new(',', Spacing::Alone));
        if is_plain {
            format.append(Ident::new(&placeholder.path[0].text, located_at(id.literal.span())));
            format.append(Punct::new('=', Spacing::Alone));
        }
        let end = match id.template.parts.get(at + 1..at + 3) {
            Some([Part::Text(text, _), Part::Placeholder(_)]) => text.chars().next(),
            _ => None,
        };
        segment_call(event, id, placeholder, end, &mut format);
    }
    format
}

/// The template for `format_args!`, which knows no `{a.b}` and has one value for a name.
fn positional(id: &Id) -> String {
    let part = |part: &Part| match part {
        Part::Text(text, _) => text.replace('{', "{{").replace('}', "}}"),
        Part::Placeholder(_) => "{}".to_owned(),
    };
    id.template.parts.iter().map(part).collect()
}

/// `__id.delimited('-', "account.id", &self.account.id)`, shown at the field's type.
fn segment_call(
    event: &Event<'_>,
    id: &Id,
    placeholder: &Placeholder,
    end: Option<char>,
    tokens: &mut TokenStream,
) {
    let field = event.field(&placeholder.path[0].text);
    let (start, end_of_type) = match field {
        Some(field) if placeholder.path.len() == 1 => ends(field.ty),
        _ => {
            let span = located_at(within(&id.literal, placeholder.bytes.clone()));
            (span, span)
        }
    };
    tokens.append(Ident::new("__id", start));
    tokens.append(Punct::new('.', Spacing::Alone));
    tokens.append(Ident::new(if end.is_some() { "delimited" } else { "last" }, start));

    let path = placeholder.path();
    let end = end.map(|end| quote!(#end,));
    let ident = field.map(|field| Ident::clone(field.ident)).map(|mut ident| {
        ident.set_span(start);
        ident
    });
    let nested = placeholder.path[1..].iter().map(|name| member(&name.text, start));
    let value = quote_spanned!(start=> self.#ident #(.#nested)*);
    // Nothing may borrow a field of a packed struct.
    let value = if event.packed { quote_spanned!(start=> { #value }) } else { value };
    let mut arguments = Group::new(Delimiter::Parenthesis, quote!(#end #path, &#value));
    arguments.set_span(end_of_type);
    tokens.append(arguments);
}

fn member(name: &str, span: Span) -> TokenTree {
    if let Ok(index) = name.parse::<u32>() {
        let mut index = Literal::u32_unsuffixed(index);
        index.set_span(span);
        return TokenTree::Literal(index);
    }
    let mut ident = syn::parse_str::<Ident>(name).unwrap_or_else(|_| Ident::new_raw(name, span));
    ident.set_span(span);
    TokenTree::Ident(ident)
}

pub(crate) fn segment(segment: &Segment<'_>) -> TokenStream {
    let (inner, constant, body) = match &segment.text {
        SegmentText::Field(member, inner) => {
            let ty = inner.to_token_stream();
            // Where the type stands is where rustc shows that it may not stand in an id.
            let (mut span, end) = ends(inner);
            let of = spanned(quote!(__inngest::NewtypeField<#ty>), &mut |_| {
                std::mem::replace(&mut span, end)
            });
            let delegate = spanned(quote!(__inngest::Delegate<#ty>), &mut |_| end);
            let delegate = quote_spanned!(end=> <#of as #delegate>);
            let constant = quote! {
                const SELF_DELIMITING: __inngest::bool = #delegate::SELF_DELIMITING;
            };
            (Some(*inner), constant, quote!(#delegate::write_segment(&self.#member, __out)))
        }
        SegmentText::Variants(variants) => {
            let arms = variants.iter().map(|Variant { ident, text, .. }| {
                let ident = unlinted(ident.to_token_stream());
                quote!(Self::#ident => #text)
            });
            let body = quote!(__out.write_str(match *self { #(#arms,)* }));
            (None, TokenStream::new(), body)
        }
        SegmentText::Nowhere => return TokenStream::new(),
    };
    let header = Header::new(segment.ident, segment.generics)
        .segment_bounds(inner.into_iter())
        .of(&quote!(__inngest::IdSegment));
    let impls = quote! {
        #header {
            #constant
            fn write_segment(&self, __out: &mut dyn __inngest::Write) -> __inngest::fmt::Result {
                #body
            }
        }
    };
    scope(segment.keys.crate_path.value.as_ref(), &impls)
}

/// An enum of events. `rest` is what its impls have for variants with errors, if there are any.
pub(crate) fn set(set: &Set<'_>, rest: Option<&TokenStream>) -> TokenStream {
    let variants = &set.variants;
    let ours = |tokens: &dyn ToTokens| unlinted(tokens.to_token_stream());
    let idents: Vec<_> = variants.iter().map(|variant| ours(variant.ident)).collect();
    let types: Vec<_> = variants.iter().map(|variant| ours(variant.ty)).collect();
    let texts = variants.iter().map(|variant| unraw(variant.ident));

    let header = Header::new(set.ident, set.generics).event_bounds(&types);
    let ty = &header.ty;
    let set_trait = quote!(__inngest::InngestEvents);
    let (set_impl, borrowed_impl) = (header.of(&set_trait), header.of_borrowed(&set_trait));
    let write_event_in = quote! {
        fn write_event_in(
            &self,
            __envelope: &__inngest::Envelope,
            __out: &mut __inngest::EventWriter<'_>,
        ) -> __inngest::EventWritten
    };
    let count = variants.len();
    let checks = header.static_type(set.ident).map(|ty| {
        let check = variants.iter().enumerate().skip(1).map(|(at, variant)| {
            let span = located_at(variant.ident.span());
            quote_spanned!(span=> const _: () = __inngest::assert_distinct::<#ty, #count>(#at);)
        });
        quote!(#(#check)*)
    });
    let plain_header = Header::new(set.ident, set.generics);
    let from_impls = idents.iter().zip(&types).map(|(ident, ty)| {
        let from_impl = plain_header.of(&quote!(__inngest::From<#ty>));
        quote! {
            #from_impl {
                fn from(__event: #ty) -> Self {
                    Self::#ident(__event)
                }
            }
        }
    });
    // The lifetime makes the impl one for payloads that can be deserialized: whoever only sends has
    // none of those, and rustc does not mind.
    let deserialize =
        types.iter().map(|ty| quote!(for<'__data> #ty: __inngest::Deserialize<'__data>));
    let deserialize_impl = deserialize
        .fold(Header::new(set.ident, set.generics).event_bounds(&types), Header::bound)
        .of_deserialize();
    let places = 0..count;
    let impls = quote! {
        #set_impl {
            const EVENTS: &'static [__inngest::EventInfo] =
                &[#(__inngest::EventInfo::new(
                    #texts,
                    <#types as __inngest::InngestEvent>::NAME,
                    <#types as __inngest::InngestEvent>::VERSION,
                    <#types as __inngest::InngestEvent>::ID_TEMPLATE,
                )),*];
            #write_event_in {
                match self {
                    #(Self::#idents(__event) => <#types as __inngest::InngestEvent>::write_in(__event, __envelope, __out),)*
                    #rest
                }
            }
        }
        #borrowed_impl {
            const EVENTS: &'static [__inngest::EventInfo] = <#ty as #set_trait>::EVENTS;
            #write_event_in {
                #set_trait::write_event_in(*self, __envelope, __out)
            }
        }
        #(#from_impls)*
        #deserialize_impl {
            fn deserialize<__D: __inngest::Deserializer<'__de>>(
                __deserializer: __D,
            ) -> __inngest::Result<Self, __D::Error> {
                __inngest::decode(__deserializer, |__at, __event| match __at {
                    #(#places => __event.decode(Self::#idents),)*
                    _ => __inngest::unreachable!(),
                })
            }
        }
        #checks
    };
    scope(set.keys.crate_path.value.as_ref(), &impls)
}
