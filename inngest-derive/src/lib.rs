//! The derive macros of `inngest-core`.
#![forbid(unsafe_code)]

use proc_macro::TokenStream;

/// Makes a struct an Inngest event.
#[proc_macro_derive(InngestEvent, attributes(inngest))]
pub fn derive_inngest_event(_input: TokenStream) -> TokenStream {
    TokenStream::new()
}
