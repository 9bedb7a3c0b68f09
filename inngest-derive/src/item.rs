//! Parses the item of a derive, as far as it can be parsed.

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use syn::{Attribute, Data, DeriveInput, Path};

/// Parses an item. If only its header can be parsed, for example while the user is typing a field, returns
/// the item without fields and variants, and the error.
pub(crate) fn parse_item(item: TokenStream) -> syn::Result<(DeriveInput, Option<syn::Error>)> {
    let parsed = syn::parse2(item.clone()).or_else(|error| {
        // syn reserves the keywords of all editions.
        syn::parse2(escape_later_keywords(item.clone())).map_err(|_| error)
    });
    parsed.map(|item| (item, None)).or_else(|error| {
        let header = parse_header(item).map_err(|_| error.clone())?;
        Ok((header, Some(error)))
    })
}

/// Writes the keywords of editions after 2015 as raw identifiers.
fn escape_later_keywords(tokens: TokenStream) -> TokenStream {
    let escape = |token: TokenTree| match token {
        TokenTree::Group(group) => {
            let mut escaped = Group::new(group.delimiter(), escape_later_keywords(group.stream()));
            escaped.set_span(group.span());
            escaped.into()
        }
        TokenTree::Ident(ident) if ident == "async" || ident == "await" || ident == "try" => {
            Ident::new_raw(&ident.to_string(), ident.span()).into()
        }
        token => token,
    };
    tokens.into_iter().map(escape).collect()
}

/// Parses an item without the content of its body.
fn parse_header(item: TokenStream) -> syn::Result<DeriveInput> {
    let mut tokens: Vec<TokenTree> = item.into_iter().collect();
    let last_group = tokens.iter_mut().rev().find_map(|token| match token {
        TokenTree::Group(group) => Some(group),
        _ => None,
    });
    if let Some(body) = last_group {
        *body = Group::new(body.delimiter(), TokenStream::new());
    }
    syn::parse2(tokens.into_iter().collect())
}

/// Returns the lints that the item, its fields or its variants allow or expect.
pub(crate) fn allowed_lints(input: &DeriveInput) -> Vec<TokenStream> {
    let mut attributes: Vec<&Attribute> = input.attrs.iter().collect();
    match &input.data {
        Data::Struct(data) => data.fields.iter().for_each(|field| attributes.extend(&field.attrs)),
        Data::Enum(data) => data.variants.iter().for_each(|variant| {
            attributes.extend(&variant.attrs);
            variant.fields.iter().for_each(|field| attributes.extend(&field.attrs));
        }),
        Data::Union(_) => {}
    }
    let is_level = |path: &Path| path.is_ident("allow") || path.is_ident("expect");
    let levels = attributes.into_iter().filter(|attribute| is_level(attribute.path()));
    levels.filter_map(|level| Some(level.meta.require_list().ok()?.tokens.clone())).collect()
}
