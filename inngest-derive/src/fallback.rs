//! The impl emitted beside errors: code that uses the type must not add errors of its own.

use proc_macro2::TokenStream;
use quote::quote;

use crate::diag::Errors;
use crate::emit;
use crate::header::{Header, scope};
use crate::model::{Event, Segment, Set};

pub(crate) fn event(event: &Event<'_>, errors: &Errors) -> TokenStream {
    // The lifetime keeps rustc from checking the bound here, where a missing `Serialize` would be a
    // second error.
    let header = Header::new(event.ident, event.generics)
        .bound(quote!(for<'__fallback> Self: __inngest::Serialize));
    let event_impl = header.of(&quote!(__inngest::InngestEvent));
    let deduplicated = header.of(&quote!(__inngest::Deduplicated));
    // A name of its own, lest two broken events of a set are taken for one.
    let name = event.ident.to_string();
    let impls = quote! {
        #event_impl {
            const NAME: __inngest::Text = #name;
            fn dedup_id(&self) -> __inngest::OptionalId {
                __inngest::unreachable!()
            }
        }
        #deduplicated {}
    };
    let impls = scope(event.keys.crate_path.value.as_ref(), &impls);
    quote!(#errors #impls)
}

pub(crate) fn segment(segment: &Segment<'_>, errors: &Errors) -> TokenStream {
    let header = Header::new(segment.ident, segment.generics).of(&quote!(__inngest::IdSegment));
    let impls = quote! {
        #header {
            fn write_segment(&self, _: &mut dyn __inngest::Write) -> __inngest::fmt::Result {
                __inngest::unreachable!()
            }
        }
    };
    let impls = scope(segment.keys.crate_path.value.as_ref(), &impls);
    quote!(#errors #impls)
}

pub(crate) fn set(set: &Set<'_>, errors: &Errors) -> TokenStream {
    let impls = emit::set(set, Some(&quote!(_ => __inngest::unreachable!())));
    quote!(#errors #impls)
}
