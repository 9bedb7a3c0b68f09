//! Generates what all expansions have in common: the scope around the impls, and their headers.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{GenericParam, Generics, Lifetime, Path, Type};

use crate::inngest_attr::InngestAttributes;
use crate::model::last_path_segment;
use crate::span::unlinted;

/// Wraps impls in a scope with `__inngest`, the module of everything that generated code uses.
pub(crate) fn emit_scope(inngest: &InngestAttributes, impls: &TokenStream) -> TokenStream {
    let path = inngest.crate_path.as_ref();
    let path = path.map_or_else(|| quote!(::inngest_core), Path::to_token_stream);
    quote! {
        const _: () = {
            use #path::private as __inngest;
            #impls
        };
    }
}

/// The parts of `impl<..> Trait for Type<..> where ..`.
pub(crate) struct ImplHeader<'a> {
    generics: &'a Generics,
    /// `'a, T: Clone`, without defaults.
    parameters: TokenStream,
    pub(crate) ty: TokenStream,
    bounds: Vec<TokenStream>,
    /// No parameter's name begins with it.
    prefix: String,
}

impl<'a> ImplHeader<'a> {
    /// Creates the header of an impl for an item, with the item's own bounds.
    pub(crate) fn new(ident: &Ident, generics: &'a Generics) -> ImplHeader<'a> {
        let (impl_generics, type_generics, _) = generics.split_for_impl();
        let bounds = generics.where_clause.iter().flat_map(|clause| &clause.predicates);
        // Without the `<` and the `>` around them.
        let parameters = impl_generics.to_token_stream().into_iter().skip(1);
        let len = parameters.clone().count().saturating_sub(1);
        let ident = unlinted(ident);
        let mut prefix = "__".to_owned();
        while generics.params.iter().any(|param| name(param).to_string().starts_with(&prefix)) {
            prefix.push('_');
        }
        ImplHeader {
            generics,
            parameters: parameters.take(len).collect(),
            ty: quote!(#ident #type_generics),
            bounds: bounds.map(ToTokens::to_token_stream).collect(),
            prefix,
        }
    }

    /// Returns a name for a parameter, such as `__D`, that no parameter of the item has.
    pub(crate) fn parameter(&self, name: &str) -> Ident {
        Ident::new(&format!("{}{name}", self.prefix), Span::call_site())
    }

    /// Returns a name for a lifetime, such as `'__de`, that no lifetime of the item has.
    pub(crate) fn lifetime(&self, name: &str) -> Lifetime {
        Lifetime { apostrophe: Span::call_site(), ident: self.parameter(name) }
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
    ///
    /// For a type that is, by its name, a collection, the bounds are on its parameters instead of the type. rustc
    /// then reports the collection where the event is defined, not where it is used. A type of another crate with
    /// such a name can still be used if it implements `IdSegment` for these parameters.
    pub(crate) fn segment_bounds<'t>(
        mut self,
        types: impl Iterator<Item = &'t Type>,
    ) -> ImplHeader<'a> {
        for ty in types {
            let parameters = self.type_parameters_in(ty.to_token_stream());
            if parameters.is_empty() {
                continue;
            }
            let bounds = if is_collection(ty) {
                quote!(#(#parameters: __inngest::IdSegment),*)
            } else {
                quote!(#ty: __inngest::IdSegment)
            };
            self = self.bound(bounds);
        }
        self
    }

    /// Adds `InngestEvent` bounds for the types that depend on type parameters. They are checked
    /// where the item is used with concrete arguments.
    pub(crate) fn event_bounds(mut self, types: &[TokenStream]) -> ImplHeader<'a> {
        for ty in types {
            if !self.type_parameters_in(ty.clone()).is_empty() {
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
    pub(crate) fn emit_deserialize_impl(&self, lifetime: &Lifetime) -> TokenStream {
        self.emit(&quote!(#lifetime,), &quote!(__inngest::Deserialize<#lifetime>), &self.ty)
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

    pub(crate) fn has_type_parameters(&self) -> bool {
        self.generics.type_params().next().is_some()
    }

    fn type_parameters_in(&self, tokens: TokenStream) -> Vec<&'a Ident> {
        let parameters = self.parameters_in(tokens).into_iter();
        let types = parameters.filter(|parameter| matches!(parameter, GenericParam::Type(_)));
        types.map(name).collect()
    }

    /// Returns the item's parameters in `tokens`, perhaps several times.
    pub(crate) fn parameters_in(&self, tokens: TokenStream) -> Vec<&'a GenericParam> {
        let parameters = &self.generics.params;
        if parameters.is_empty() {
            return Vec::new();
        }
        let found = tokens.into_iter().flat_map(|token| match token {
            TokenTree::Ident(ident) => {
                parameters.iter().filter(|parameter| *name(parameter) == ident).collect()
            }
            TokenTree::Group(group) => self.parameters_in(group.stream()),
            TokenTree::Punct(_) | TokenTree::Literal(_) => Vec::new(),
        });
        found.collect()
    }
}

fn name(parameter: &GenericParam) -> &Ident {
    match parameter {
        GenericParam::Lifetime(parameter) => &parameter.lifetime.ident,
        GenericParam::Type(parameter) => &parameter.ident,
        GenericParam::Const(parameter) => &parameter.ident,
    }
}

/// Returns whether a type is, by its name, one that does not implement `IdSegment` for any parameters.
fn is_collection(ty: &Type) -> bool {
    const NAMES: [&str; 7] =
        ["Option", "Vec", "VecDeque", "HashMap", "HashSet", "BTreeMap", "BTreeSet"];
    match ty {
        Type::Array(_) | Type::Slice(_) | Type::Tuple(_) => true,
        ty => last_path_segment(ty).is_some_and(|last| NAMES.iter().any(|name| last == name)),
    }
}
