//! Parses the item of a derive, as far as it can be parsed.

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::token::Brace;
use syn::{Attribute, Data, DataEnum, DataStruct, DeriveInput, Fields, Generics, Token};

/// Parses an item. If only its header can be parsed, such as while a field is being written, returns the
/// item without fields and variants, and the error.
pub(crate) fn parse_item(item: TokenStream) -> syn::Result<(DeriveInput, Option<syn::Error>)> {
    let parsed = syn::parse2(item.clone()).or_else(|error| {
        // syn reserves the keywords of all editions.
        syn::parse2(escape_later_keywords(item.clone())).map_err(|_| error)
    });
    parsed.map(|item| (item, None)).or_else(|error| {
        let header = parse_header.parse2(item).map_err(|_| error.clone())?;
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

fn parse_header(input: ParseStream<'_>) -> syn::Result<DeriveInput> {
    let attrs = input.call(Attribute::parse_outer)?;
    let vis = input.parse()?;
    let data = if input.peek(Token![enum]) {
        let (enum_token, brace_token) = (input.parse()?, Brace::default());
        Data::Enum(DataEnum { enum_token, brace_token, variants: Punctuated::new() })
    } else {
        let struct_token = input.parse()?;
        Data::Struct(DataStruct { struct_token, fields: Fields::Unit, semi_token: None })
    };
    let ident = input.parse()?;
    let mut generics: Generics = input.parse()?;
    generics.where_clause = input.parse()?;
    input.parse::<TokenStream>()?;
    Ok(DeriveInput { attrs, vis, ident, generics, data })
}

/// Returns the lints that the item, its fields or its variants allow or expect.
pub(crate) fn allowed_lints(input: &DeriveInput) -> Vec<TokenStream> {
    let fields: Vec<_> = match &input.data {
        Data::Struct(data) => data.fields.iter().collect(),
        Data::Enum(data) => data.variants.iter().flat_map(|variant| &variant.fields).collect(),
        Data::Union(_) => Vec::new(),
    };
    let variants = match &input.data {
        Data::Enum(data) => data.variants.iter().collect(),
        Data::Struct(_) | Data::Union(_) => Vec::new(),
    };
    let inner = fields.into_iter().flat_map(|field| &field.attrs);
    let inner = inner.chain(variants.into_iter().flat_map(|variant| &variant.attrs));
    let sets_level = |attribute: &&Attribute| {
        attribute.path().is_ident("allow") || attribute.path().is_ident("expect")
    };
    let levels = input.attrs.iter().chain(inner).filter(sets_level);
    levels.filter_map(|level| Some(level.meta.require_list().ok()?.tokens.clone())).collect()
}
