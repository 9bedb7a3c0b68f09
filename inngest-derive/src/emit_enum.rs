//! Generates the impls of an enum of events.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;

use crate::header::{ImplHeader, emit_scope};
use crate::model::EventEnum;
use crate::span::{call_site_at, unlinted};

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
        impls.emit_catalog_impl(),
    ];
    emit_scope(&event_enum.inngest, &impls.into_iter().collect())
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
                    #[inline] fn from(__event: #ty) -> Self {
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

    /// Generates the impl of `CatalogEvents`, by a macro that is empty without the feature `schema`.
    fn emit_catalog_impl(&self) -> TokenStream {
        let types = &self.types;
        // With a lifetime in the bounds, as for `Deserialize`, the payloads need no `JsonSchema` in a program
        // without a catalog.
        let header = self.header().event_bounds(types);
        let lifetime = header.lifetime("schema");
        let bounds = types.iter().map(|ty| quote!(for<#lifetime> #ty: __inngest::EventSchema));
        let header = bounds.fold(header, ImplHeader::bound);
        let catalog_impl = header.emit_impl(&quote!(__inngest::CatalogEvents));
        quote!(__inngest::catalog_events! { { #catalog_impl } #(#types,)* })
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

    /// Generates the enum's type with every lifetime `'static`, unless it has other parameters.
    fn static_type(&self) -> Option<TokenStream> {
        let generics = self.event_enum.generics;
        let is_generic = generics.params.iter().count() > generics.lifetimes().count();
        let lifetimes = generics.lifetimes().map(|_| quote!('static));
        let ident = unlinted(self.event_enum.ident);
        // An empty list is valid, too.
        (!is_generic).then(|| quote!(#ident<#(#lifetimes),*>))
    }
}
