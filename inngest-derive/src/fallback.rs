//! Generates the impls that accompany errors, so that code which uses the type causes no further errors.

use proc_macro2::TokenStream;
use quote::quote;

use crate::emit::emit_name_constant;
use crate::emit_enum;
use crate::header::{ImplHeader, emit_scope};
use crate::model::{Event, EventEnum, Segment};

/// Generates the impls of an event with errors.
pub(crate) fn emit_event(event: &Event<'_>) -> TokenStream {
    // With a lifetime in the bound, rustc checks it only where the event is used. A missing
    // `Serialize` would be a second error here.
    let header = ImplHeader::new(event.ident, event.generics);
    let lifetime = header.lifetime("fallback");
    let header = header.bound(quote!(for<#lifetime> Self: __inngest::Serialize));
    let event_impl = header.emit_impl(&quote!(__inngest::InngestEvent));
    let deduplicated_impl = header.emit_impl(&quote!(__inngest::Deduplicated));
    // The name is the type's, so that an enum with two broken events has no error about equal names.
    let name = event.ident.to_string();
    let name_constant = emit_name_constant(event);
    let impls = quote! {
        #name_constant
        #event_impl {
            const NAME: __inngest::Text = #name;
            fn dedup_id(&self) -> __inngest::OptionalId {
                __inngest::unreachable!()
            }
        }
        #deduplicated_impl {}
    };
    emit_scope(&event.inngest, &impls)
}

/// Generates the impl of an id segment with errors.
pub(crate) fn emit_segment(segment: &Segment<'_>) -> TokenStream {
    let header = ImplHeader::new(segment.ident, segment.generics);
    let segment_impl = header.emit_impl(&quote!(__inngest::IdSegment));
    let impls = quote! {
        #segment_impl {
            fn write_segment(&self, _: &mut dyn __inngest::Write) -> __inngest::fmt::Result {
                __inngest::unreachable!()
            }
        }
    };
    emit_scope(&segment.inngest, &impls)
}

/// Generates the impls of an enum with errors. They include the variants without errors.
pub(crate) fn emit_event_enum(mut event_enum: EventEnum<'_>) -> TokenStream {
    // Two `From` impls for one type would be another error.
    event_enum.variants.retain(|variant| variant.duplicate_of.is_none());
    emit_enum::emit_event_enum(&event_enum, Some(&quote!(_ => __inngest::unreachable!())))
}
