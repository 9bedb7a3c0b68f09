//! The three derives: parse, check, emit. They are in a separate file, which `tests/fuzz` includes.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::DeriveInput;

use crate::diag::Errors;
use crate::{check, emit, emit_enum, fallback, item, syntax};

/// Expands `#[derive(InngestEvent)]`.
pub(crate) fn inngest_event(input: TokenStream) -> TokenStream {
    expand(input, |input, errors| {
        let event = syntax::read_event(input, errors);
        check::check_event(&event, errors);
        if errors.is_empty() { emit::emit_event(&event) } else { fallback::emit_event(&event) }
    })
}

/// Expands `#[derive(IdSegment)]`.
pub(crate) fn id_segment(input: TokenStream) -> TokenStream {
    expand(input, |input, errors| {
        let item = syntax::read_segment(input, errors);
        check::check_segment(&item, errors);
        if errors.is_empty() { emit::emit_segment(&item) } else { fallback::emit_segment(&item) }
    })
}

/// Expands `#[derive(InngestEvents)]`.
pub(crate) fn inngest_events(input: TokenStream) -> TokenStream {
    expand(input, |input, errors| {
        let event_enum = syntax::read_event_enum(input, errors);
        check::check_event_enum(&event_enum, errors);
        if errors.is_empty() {
            emit_enum::emit_event_enum(&event_enum, None)
        } else {
            fallback::emit_event_enum(event_enum)
        }
    })
}

/// Parses the item and returns its errors, if there are any, followed by its impls.
fn expand(
    input: TokenStream,
    emit_impls: impl FnOnce(&DeriveInput, &mut Errors) -> TokenStream,
) -> TokenStream {
    let (input, parse_error) = match item::parse_item(input) {
        Ok(parsed) => parsed,
        Err(error) => return error.into_compile_error(),
    };
    let mut errors = Errors::default();
    if let Some(error) = &parse_error {
        errors.at(error.span(), error.to_string());
    }
    let impls = emit_impls(&input, &mut errors);
    // If parsing failed, only its error is reported: others can be caused by the part that was not parsed.
    let errors = parse_error.map_or(errors.into_token_stream(), syn::Error::into_compile_error);
    let allowed = item::allowed_lints(&input);
    quote!(#errors #(#[allow(#allowed)])* #impls)
}
