//! Generates what all expansions have in common: the scope around the impls, and their headers.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{GenericParam, Generics, Path, Type};

use crate::model::last_path_segment;
use crate::span::unlinted;

/// Wraps impls in a scope with `__inngest`, the module of everything that generated code uses.
pub(crate) fn emit_scope(crate_path: Option<&Path>, impls: &TokenStream) -> TokenStream {
    let path = crate_path.map(|path| unlinted(path.to_token_stream()));
    let path = path.unwrap_or_else(|| quote!(::inngest_core));
    quote! {
        const _: () = {
            use #path::private as __inngest;
            #impls
        };
    }
}

/// Generates the item's type with every lifetime `'static`, unless it has other parameters.
pub(crate) fn emit_static_type(ident: &Ident, generics: &Generics) -> Option<TokenStream> {
    let lifetimes = generics.params.iter().map(|parameter| match parameter {
        GenericParam::Lifetime(_) => Some(quote!('static)),
        GenericParam::Type(_) | GenericParam::Const(_) => None,
    });
    let lifetimes: Vec<_> = lifetimes.collect::<Option<_>>()?;
    let ident = unlinted(ident.to_token_stream());
    Some(if lifetimes.is_empty() { ident } else { quote!(#ident<#(#lifetimes),*>) })
}

/// The parts of `impl<..> Trait for Type<..> where ..`.
pub(crate) struct ImplHeader<'a> {
    generics: &'a Generics,
    /// `'a, T: Clone`, without defaults.
    parameters: TokenStream,
    pub(crate) ty: TokenStream,
    bounds: Vec<TokenStream>,
}

impl<'a> ImplHeader<'a> {
    /// Creates the header of an impl for an item, with the item's own bounds.
    pub(crate) fn new(ident: &Ident, generics: &'a Generics) -> ImplHeader<'a> {
        let (impl_generics, type_generics, _) = generics.split_for_impl();
        let bounds = generics.where_clause.iter().flat_map(|clause| &clause.predicates);
        // Without the `<` and the `>` around them.
        let parameters = unlinted(impl_generics.to_token_stream()).into_iter().skip(1);
        let len = parameters.clone().count().saturating_sub(1);
        ImplHeader {
            generics,
            parameters: parameters.take(len).collect(),
            ty: unlinted(quote!(#ident #type_generics)),
            bounds: bounds.map(|bound| unlinted(bound.to_token_stream())).collect(),
        }
    }

    /// Adds a bound to the `where` clause.
    pub(crate) fn bound(mut self, bound: TokenStream) -> ImplHeader<'a> {
        self.bounds.push(bound);
        self
    }

    /// Adds `Self: Serialize` if there are type parameters. A generic struct is an event only with
    /// arguments that make it serializable, as with serde's own derive.
    pub(crate) fn self_bound(self) -> ImplHeader<'a> {
        let is_generic = self.has_type_parameters();
        if is_generic { self.bound(quote!(Self: __inngest::Serialize)) } else { self }
    }

    /// Adds `IdSegment` bounds for the types that depend on type parameters. They are checked where
    /// the item is used with concrete arguments.
    pub(crate) fn segment_bounds<'t>(
        mut self,
        types: impl Iterator<Item = &'t Type>,
    ) -> ImplHeader<'a> {
        for ty in types {
            if self.has_type_parameters() && self.needs_segment_bound(ty) {
                let ty = unlinted(ty.to_token_stream());
                self = self.bound(quote!(#ty: __inngest::IdSegment));
            }
        }
        self
    }

    /// Adds `InngestEvent` bounds for the types that depend on type parameters. They are checked
    /// where the item is used with concrete arguments.
    pub(crate) fn event_bounds(mut self, types: &[TokenStream]) -> ImplHeader<'a> {
        for ty in types {
            if self.mentions_type_parameter(ty.clone()) {
                self = self.bound(quote!(#ty: __inngest::InngestEvent));
            }
        }
        self
    }

    /// Generates `impl<..> Trait for Type<..> where ..`.
    pub(crate) fn emit_impl(&self, implemented: &TokenStream) -> TokenStream {
        self.emit(&quote!(), implemented, &self.ty)
    }

    /// Generates `impl<..> Trait for &Type<..> where ..`.
    pub(crate) fn emit_impl_for_reference(&self, implemented: &TokenStream) -> TokenStream {
        let ty = &self.ty;
        self.emit(&quote!(), implemented, &quote!(&#ty))
    }

    /// Generates `impl<'__de, ..> Deserialize<'__de> for Type<..> where ..`.
    pub(crate) fn emit_deserialize_impl(&self) -> TokenStream {
        self.emit(&quote!('__de,), &quote!(__inngest::Deserialize<'__de>), &self.ty)
    }

    fn emit(
        &self,
        lifetime: &TokenStream,
        implemented: &TokenStream,
        ty: &TokenStream,
    ) -> TokenStream {
        let ImplHeader { parameters, bounds, .. } = self;
        let generics = (!lifetime.is_empty() || !parameters.is_empty())
            .then(|| quote!(<#lifetime #parameters>));
        let clause = (!bounds.is_empty()).then(|| quote!(where #(#bounds),*));
        quote! {
            #[automatically_derived]
            impl #generics #implemented for #ty #clause
        }
    }

    /// Returns whether a type implements `IdSegment` for some arguments of the type parameters only.
    /// A type that never implements it gets no bound, so that rustc reports it to the author of the
    /// event instead of its users.
    fn needs_segment_bound(&self, ty: &Type) -> bool {
        const NEVER: [&str; 7] =
            ["Option", "Vec", "VecDeque", "HashMap", "HashSet", "BTreeMap", "BTreeSet"];
        let never = match ty {
            Type::Array(_) | Type::Slice(_) | Type::Tuple(_) => true,
            ty => last_path_segment(ty).is_some_and(|last| NEVER.iter().any(|never| last == never)),
        };
        !never && self.mentions_type_parameter(ty.to_token_stream())
    }

    fn has_type_parameters(&self) -> bool {
        self.generics.type_params().next().is_some()
    }

    fn mentions_type_parameter(&self, tokens: TokenStream) -> bool {
        tokens.into_iter().any(|token| match token {
            TokenTree::Ident(ident) => {
                self.generics.type_params().any(|parameter| parameter.ident == ident)
            }
            TokenTree::Group(group) => self.mentions_type_parameter(group.stream()),
            TokenTree::Punct(_) | TokenTree::Literal(_) => false,
        })
    }
}
