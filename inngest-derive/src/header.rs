//! What every expansion begins with: its scope, and the headers of its impls.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{GenericParam, Generics, Path, Type};

use crate::diag::located_at;

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
    /// `'a, T: Clone`, without defaults.
    parameters: TokenStream,
    pub(crate) ty: TokenStream,
    bounds: Vec<TokenStream>,
}

impl<'a> Header<'a> {
    pub(crate) fn new(ident: &Ident, generics: &'a Generics) -> Header<'a> {
        let (impl_generics, type_generics, _) = generics.split_for_impl();
        let bounds = generics.where_clause.iter().flat_map(|clause| &clause.predicates);
        let parameters = unlinted(impl_generics.to_token_stream()).into_iter().skip(1);
        let inside = parameters.clone().count().saturating_sub(1);
        Header {
            generics,
            parameters: parameters.take(inside).collect(),
            ty: unlinted(quote!(#ident #type_generics)),
            bounds: bounds.map(|bound| unlinted(bound.to_token_stream())).collect(),
        }
    }

    pub(crate) fn bound(mut self, bound: TokenStream) -> Header<'a> {
        self.bounds.push(bound);
        self
    }

    /// Whoever uses a generic event makes it serializable, as with serde's own derive.
    pub(crate) fn self_bound(self) -> Header<'a> {
        let is_generic = self.generics.type_params().next().is_some();
        if is_generic { self.bound(quote!(Self: __inngest::Serialize)) } else { self }
    }

    /// What stands in an id and depends on the item's parameters is for its user to choose well.
    pub(crate) fn segment_bounds<'t>(
        mut self,
        types: impl Iterator<Item = &'t Type>,
    ) -> Header<'a> {
        let is_generic = self.generics.type_params().next().is_some();
        for ty in types {
            if is_generic && self.depends_on_parameters(ty) {
                let ty = unlinted(ty.to_token_stream());
                self = self.bound(quote!(#ty: __inngest::IdSegment));
            }
        }
        self
    }

    /// The events of a set that depend on its parameters are for its user to choose well.
    pub(crate) fn event_bounds(mut self, types: &[TokenStream]) -> Header<'a> {
        for ty in types {
            if self.mentions_parameter(ty.clone()) {
                self = self.bound(quote!(#ty: __inngest::InngestEvent));
            }
        }
        self
    }

    /// `impl<..> Trait for Type<..> where ..`.
    pub(crate) fn of(&self, implemented: &TokenStream) -> TokenStream {
        self.impl_of(&quote!(), implemented, &self.ty)
    }

    /// `impl<..> Trait for &Type<..> where ..`.
    pub(crate) fn of_borrowed(&self, implemented: &TokenStream) -> TokenStream {
        let ty = &self.ty;
        self.impl_of(&quote!(), implemented, &quote!(&#ty))
    }

    /// `impl<'__de, ..> Deserialize<'__de> for Type<..> where ..`.
    pub(crate) fn of_deserialize(&self) -> TokenStream {
        self.impl_of(&quote!('__de,), &quote!(__inngest::Deserialize<'__de>), &self.ty)
    }

    fn impl_of(
        &self,
        lifetime: &TokenStream,
        implemented: &TokenStream,
        ty: &TokenStream,
    ) -> TokenStream {
        let Header { parameters, bounds, .. } = self;
        let generics = (!lifetime.is_empty() || !parameters.is_empty())
            .then(|| quote!(<#lifetime #parameters>));
        let clause = (!bounds.is_empty()).then(|| quote!(where #(#bounds),*));
        quote! {
            #[automatically_derived]
            impl #generics #implemented for #ty #clause
        }
    }

    /// The type with every lifetime `'static`, if it has no other parameters.
    pub(crate) fn static_type(&self, ident: &Ident) -> Option<TokenStream> {
        let lifetimes = self.generics.params.iter().map(|parameter| match parameter {
            GenericParam::Lifetime(_) => Some(quote!('static)),
            GenericParam::Type(_) | GenericParam::Const(_) => None,
        });
        let lifetimes: Vec<_> = lifetimes.collect::<Option<_>>()?;
        let ident = unlinted(ident.to_token_stream());
        Some(if lifetimes.is_empty() { ident } else { quote!(#ident<#(#lifetimes),*>) })
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
pub(crate) fn unlinted(tokens: TokenStream) -> TokenStream {
    spanned(tokens, &mut located_at)
}

pub(crate) fn spanned(tokens: TokenStream, span: &mut dyn FnMut(Span) -> Span) -> TokenStream {
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
