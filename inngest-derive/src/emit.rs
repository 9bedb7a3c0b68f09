//! Model -> tokens, and nothing else.

use proc_macro2::{Delimiter, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};
use quote::{ToTokens, TokenStreamExt, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Generics, Path, Type};

use crate::diag::{located_at, within};
use crate::model::{Event, Id, Segment, SegmentText, Variant};
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
                const #constant: __inngest::Option<&'static __inngest::str> =
                    __inngest::Some(#value);
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
            const NAME: &'static __inngest::str = #name;
            #version
            #template
            fn dedup_id(&self) -> __inngest::Result<__inngest::Option<__inngest::DedupId>, __inngest::EventError> {
                #dedup_id
            }
            #write_dedup_id
        }
        #deduplicated
    };
    scope(event.keys.crate_path.value.as_ref(), &impls)
}

/// A scope in which `__inngest` is what generated code may use.
pub(crate) fn scope(crate_path: Option<&Path>, impls: &TokenStream) -> TokenStream {
    let path = crate_path.map(|path| unlinted(path.to_token_stream()));
    let path = path.unwrap_or_else(|| quote!(::inngest_core));
    quote! {
        const _: () = {
            use #path::private as __inngest;
            #impls
        };
    }
}

/// The parts of `impl<..> Trait for Type<..> where ..`.
pub(crate) struct Header<'a> {
    generics: &'a Generics,
    impl_generics: TokenStream,
    ty: TokenStream,
    bounds: Vec<TokenStream>,
}

impl<'a> Header<'a> {
    pub(crate) fn new(ident: &Ident, generics: &'a Generics) -> Header<'a> {
        let (impl_generics, type_generics, _) = generics.split_for_impl();
        let bounds = generics.where_clause.iter().flat_map(|clause| &clause.predicates);
        Header {
            generics,
            impl_generics: unlinted(impl_generics.to_token_stream()),
            ty: unlinted(quote!(#ident #type_generics)),
            bounds: bounds.map(|bound| unlinted(bound.to_token_stream())).collect(),
        }
    }

    pub(crate) fn bound(mut self, bound: TokenStream) -> Header<'a> {
        self.bounds.push(bound);
        self
    }

    /// Whoever uses a generic event makes it serialisable, as with serde's own derive.
    fn self_bound(self) -> Header<'a> {
        let is_generic = self.generics.type_params().next().is_some();
        if is_generic { self.bound(quote!(Self: __inngest::Serialize)) } else { self }
    }

    /// What stands in an id and depends on the item's parameters is for its user to choose well.
    fn segment_bounds<'t>(mut self, types: impl Iterator<Item = &'t Type>) -> Header<'a> {
        let is_generic = self.generics.type_params().next().is_some();
        for ty in types {
            if is_generic && self.depends_on_parameters(ty) {
                let ty = unlinted(ty.to_token_stream());
                self = self.bound(quote!(#ty: __inngest::IdSegment));
            }
        }
        self
    }

    /// `impl<..> Trait for Type<..> where ..`.
    pub(crate) fn of(&self, implemented: &TokenStream) -> TokenStream {
        let Header { impl_generics, ty, bounds, .. } = self;
        let clause = (!bounds.is_empty()).then(|| quote!(where #(#bounds),*));
        quote! {
            #[automatically_derived]
            impl #impl_generics #implemented for #ty #clause
        }
    }

    /// Whether only the user of the item knows if the type may stand in an id. What never may is
    /// better told to its author, so it gets no bound.
    fn depends_on_parameters(&self, ty: &Type) -> bool {
        let never = match ty {
            Type::Path(path) => path.path.segments.last().is_some_and(|last| {
                ["Option", "Vec", "VecDeque", "HashMap", "HashSet", "BTreeMap", "BTreeSet"]
                    .iter()
                    .any(|never| last.ident == never)
            }),
            Type::Array(_) | Type::Slice(_) | Type::Tuple(_) => true,
            _ => false,
        };
        !never && self.mentions_parameter(ty.to_token_stream())
    }

    fn mentions_parameter(&self, tokens: TokenStream) -> bool {
        tokens.into_iter().any(|token| match token {
            TokenTree::Ident(ident) => {
                self.generics.type_params().any(|parameter| parameter.ident == ident)
            }
            TokenTree::Group(group) => self.mentions_parameter(group.stream()),
            TokenTree::Punct(_) | TokenTree::Literal(_) => false,
        })
    }
}

/// The user's tokens as if they were ours: no lint looks at them a second time.
fn unlinted(tokens: TokenStream) -> TokenStream {
    spanned(tokens, &mut located_at)
}

fn spanned(tokens: TokenStream, span: &mut dyn FnMut(Span) -> Span) -> TokenStream {
    let token = |token: TokenTree| match token {
        TokenTree::Group(group) => {
            let mut spanned = Group::new(group.delimiter(), self::spanned(group.stream(), span));
            spanned.set_span(span(group.span()));
            TokenTree::Group(spanned)
        }
        // It means another crate if it is ours.
        TokenTree::Ident(ident) if ident == "$crate" => TokenTree::Ident(ident),
        mut token => {
            token.set_span(span(token.span()));
            token
        }
    };
    tokens.into_iter().map(token).collect()
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

/// `__id.until('-', "account.id", &self.account.id)`, shown at the field's type.
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
    tokens.append(Ident::new(if end.is_some() { "until" } else { "last" }, start));

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
            let of =
                spanned(quote!(__inngest::Inner<#ty>), &mut |_| std::mem::replace(&mut span, end));
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
