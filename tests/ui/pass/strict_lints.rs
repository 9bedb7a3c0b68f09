//! The expansion causes no warnings with the strictest lints in use.
#![deny(warnings, clippy::all, clippy::pedantic, missing_docs, unused_qualifications)]
#![deny(
    single_use_lifetimes,
    unreachable_pub,
    unused_lifetimes,
    trivial_casts,
    let_underscore_drop
)]
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

/// An event that borrows.
#[derive(Debug, Serialize, InngestEvent)]
#[inngest(name = "storefront/cart.viewed", id = "cart-viewed-{id}-{page}")]
pub struct CartViewed<'a> {
    id: &'a str,
    page: Cow<'a, str>,
}

/// An event with parameters.
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

/// A field of an event.
#[derive(Debug, Serialize)]
pub struct Person<'a> {
    name: &'a str,
}

/// An event without an id.
#[derive(Debug, Serialize, InngestEvent)]
#[inngest(name = "storefront/started")]
pub struct Started;

/// An id of any type.
#[derive(Debug, Serialize, IdSegment)]
pub struct Id<T>(T);

/// An id that borrows.
#[derive(Debug, Serialize, IdSegment)]
pub struct Name<'a>(&'a str);

/// A fieldless enum.
#[derive(Debug, Serialize, IdSegment)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The first.
    Open,
    /// The second.
    Closed,
}

/// An event with a field of a private type.
#[derive(Debug, Serialize, InngestEvent)]
#[inngest(name = "storefront/cart.hidden", id = "cart-hidden-{id}")]
pub struct CartHidden<T> {
    id: Hidden<T>,
}

#[derive(Debug, Serialize, IdSegment)]
struct Hidden<T>(T);

/// An enum of events.
#[derive(Debug, InngestEvents)]
pub enum StorefrontEvent<'a> {
    /// The first.
    CartUpdated(CartUpdated),
    /// The second.
    CartViewed(CartViewed<'a>),
    /// The third.
    Started(Box<Started>),
}

/// A generic enum of events.
#[derive(Debug, InngestEvents)]
pub enum Any<T: Clone, const N: usize> {
    /// The first.
    Shared(CartShared<'static, T, u8, N>),
    /// The second.
    Started(Started),
}

fn main() {
    println!("{:?}", CartUpdated { cart_id: "c1".to_owned(), at: 1 }.dedup_id());
}
