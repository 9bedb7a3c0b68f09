//! The strictest lints people set say nothing about the expansion.
#![deny(warnings, clippy::all, clippy::pedantic, missing_docs, unused_qualifications)]
#![deny(single_use_lifetimes, unreachable_pub, unused_lifetimes, trivial_casts, let_underscore_drop)]
#![deny(elided_lifetimes_in_paths, explicit_outlives_requirements, missing_debug_implementations)]
#![deny(variant_size_differences, unused_results, unused_import_braces, redundant_lifetimes)]
#![forbid(unsafe_code, deprecated)]

use std::borrow::Cow;
use std::string::String;

use inngest_core::{IdSegment, InngestEvent, InngestEvents};
use serde::Serialize;

/// An event.
#[derive(Debug, Serialize, InngestEvent)]
#[inngest(name = "storefront/cart.updated", id = "cart-updated-{cart_id}-{at}", version = "1")]
pub struct CartUpdated {
    cart_id: String,
    at: u64,
}

/// One that borrows.
#[derive(Debug, Serialize, InngestEvent)]
#[inngest(name = "storefront/cart.viewed", id = "cart-viewed-{id}-{page}")]
pub struct CartViewed<'a> {
    id: &'a str,
    page: Cow<'a, str>,
}

/// One with parameters.
#[derive(Debug, Serialize, InngestEvent)]
#[inngest(name = "storefront/cart.shared", id = "cart-shared-{id}-{with.name}-{id}")]
pub struct CartShared<'a, T: Clone, U, const N: usize>
where
    U: Copy,
{
    id: T,
    with: Person<'a>,
    others: Vec<U>,
    /// Unused.
    #[serde(skip)]
    pub bytes: [u8; N],
}

/// A part of one.
#[derive(Debug, Serialize)]
pub struct Person<'a> {
    name: &'a str,
}

/// One without an id.
#[derive(Debug, Serialize, InngestEvent)]
#[inngest(name = "storefront/started")]
pub struct Started;

/// An id of a kind.
#[derive(Debug, Serialize, IdSegment)]
pub struct Id<T>(T);

/// An id that borrows.
#[derive(Debug, Serialize, IdSegment)]
pub struct Name<'a>(&'a str);

/// A choice.
#[derive(Debug, Serialize, IdSegment)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// One.
    Open,
    /// Another.
    Closed,
}

/// One with a field of a type nobody else sees.
#[derive(Debug, Serialize, InngestEvent)]
#[inngest(name = "storefront/cart.hidden", id = "cart-hidden-{id}")]
pub struct CartHidden<T> {
    id: Hidden<T>,
}

#[derive(Debug, Serialize, IdSegment)]
struct Hidden<T>(T);

/// Any of them.
#[derive(Debug, InngestEvents)]
pub enum StorefrontEvent<'a> {
    /// One.
    CartUpdated(CartUpdated),
    /// Another.
    CartViewed(CartViewed<'a>),
    /// A third.
    Started(Box<Started>),
}

/// Any of some.
#[derive(Debug, InngestEvents)]
pub enum Any<T: Clone, const N: usize> {
    /// One.
    Shared(CartShared<'static, T, u8, N>),
    /// Another.
    Started(Started),
}

fn main() {
    println!("{:?}", CartUpdated { cart_id: "c1".to_owned(), at: 1 }.dedup_id());
}
