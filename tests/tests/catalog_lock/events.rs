//! The table of changes, as types: what each type was, what it is, and the paths that break in each direction.
#![allow(missing_docs, dead_code, reason = "the types are the table")]
#![allow(clippy::option_option, reason = "shapes of real payloads")]

use inngest_core::catalog::Catalog;

/// A change of an event. A path that ends with `?` is one for which it cannot be decided whether it breaks.
pub(crate) struct Pair {
    pub(crate) title: &'static str,
    old: fn(Catalog) -> Catalog,
    new: fn(Catalog) -> Catalog,
    /// What breaks when functions written for `old` receive `new`.
    pub(crate) forward: &'static [&'static str],
    /// What breaks when functions written for `new` receive `old`.
    pub(crate) backward: &'static [&'static str],
}

impl Pair {
    /// Returns the catalog with the event as it was.
    pub(crate) fn before(&self) -> Catalog {
        (self.old)(Catalog::new("shop"))
    }

    /// Returns the catalog with the event as it is.
    pub(crate) fn after(&self) -> Catalog {
        (self.new)(Catalog::new("shop"))
    }
}

/// Returns the catalog of the events of all pairs, as they are.
pub(crate) fn all() -> Catalog {
    PAIRS.iter().fold(Catalog::new("shop"), |catalog, pair| (pair.new)(catalog))
}

macro_rules! side {
    ($module:ident, $side:ident { $($item:item)* }) => {
        mod $side {
            #[allow(unused_imports)]
            use super::super::prelude::*;

            $(
                #[derive(Serialize, Deserialize, JsonSchema)]
                $item
            )*

            pub(in super::super) fn add_to(catalog: Catalog) -> Catalog {
                catalog.event::<Data>()
            }

            impl InngestEvent for Data {
                const NAME: &'static str = concat!("shop/", stringify!($module));
                const VERSION: Option<&'static str> = Some("1");

                fn dedup_id(&self) -> Result<Option<DedupId>, EventError> {
                    Ok(None)
                }
            }
        }
    };
}

macro_rules! pairs {
    ($(
        $module:ident, $title:literal:
        { $($old:item)* } => { $($new:item)* }
        [$($forward:literal),*] [$($backward:literal),*]
    )*) => {
        $(mod $module {
            side! { $module, old { $($old)* } }
            side! { $module, new { $($new)* } }

            pub(super) const PAIR: super::Pair = super::Pair {
                title: $title,
                old: old::add_to,
                new: new::add_to,
                forward: &[$($forward),*],
                backward: &[$($backward),*],
            };
        })*

        pub(crate) const PAIRS: &[Pair] = &[$($module::PAIR),*];
    };
}

mod prelude {
    pub(super) use std::collections::{BTreeMap, BTreeSet, HashMap};
    pub(super) use std::num::NonZeroU32;

    pub(super) use chrono::{DateTime, NaiveDate, Utc};
    pub(super) use inngest_core::catalog::Catalog;
    pub(super) use inngest_core::{DedupId, EventError, InngestEvent};
    pub(super) use rust_decimal::Decimal;
    pub(super) use schemars::JsonSchema;
    pub(super) use serde::{Deserialize, Serialize};
    pub(super) use serde_json::Value;
    pub(super) use uuid::Uuid;
}

pairs! {
    optional_added, "an optional field is added":
    { struct Data { a: u32 } } => { struct Data { a: u32, b: Option<String> } } [] []

    default_added, "a field with a default is added":
    { struct Data { a: u32 } } => { struct Data { a: u32, #[serde(default)] b: String } } [] []

    required_added, "a required field is added":
    { struct Data { a: u32 } } => { struct Data { a: u32, b: String } } [] ["data.b"]

    required_removed, "a required field is removed":
    { struct Data { a: u32, b: String } } => { struct Data { a: u32 } } ["data.b"] []

    optional_removed, "an optional field is removed":
    { struct Data { a: u32, b: Option<String> } } => { struct Data { a: u32 } } [] []

    default_dropped, "a field loses its default":
    { struct Data { #[serde(default)] a: u32 } } => { struct Data { a: u32 } } [] ["data.a"]

    default_gained, "a field gains a default":
    { struct Data { a: u32 } } => { struct Data { #[serde(default)] a: u32 } } ["data.a"] []

    renamed, "a field is renamed":
    { struct Data { a: u32 } } => { struct Data { c: u32 } } ["data.a"] ["data.c"]

    case_changed, "the case of keys is changed":
    { struct Data { item_id: u32 } } =>
    { #[serde(rename_all = "camelCase")] struct Data { item_id: u32 } }
    ["data.item_id"] ["data.itemId"]

    text_to_number, "a text becomes a number":
    { struct Data { a: String } } => { struct Data { a: u32 } } ["data.a"] ["data.a"]

    one_to_many, "a value becomes a list":
    { struct Data { a: u32 } } => { struct Data { a: Vec<u32> } } ["data.a"] ["data.a"]

    widened, "an integer is widened":
    { struct Data { a: u8 } } => { struct Data { a: u32 } } ["data.a"] []

    narrowed, "an integer is narrowed":
    { struct Data { a: u32 } } => { struct Data { a: u8 } } [] ["data.a"]

    signed, "an integer becomes signed":
    { struct Data { a: u64 } } => { struct Data { a: i64 } } ["data.a"] []

    same_width, "an integer keeps its range":
    { struct Data { a: u64, b: i128 } } => { struct Data { a: usize, b: i64 } } [] []

    fraction, "an integer becomes a float":
    { struct Data { a: u32 } } => { struct Data { a: f64 } } ["data.a"] []

    double, "a float is widened":
    { struct Data { a: f32 } } => { struct Data { a: f64 } } ["data.a"] []

    large_single, "a large integer becomes a 32-bit float":
    { struct Data { a: u32, b: u16 } } => { struct Data { a: f32, b: f32 } } ["data.a", "data.b"] ["data.a"]

    non_zero, "zero is forbidden":
    { struct Data { a: u32 } } => { struct Data { a: NonZeroU32 } } [] ["data.a"]

    made_optional, "a field becomes optional":
    { struct Data { a: String } } => { struct Data { a: Option<String> } } ["data.a", "data.a"] []

    made_required, "an optional field becomes required":
    { struct Data { a: Option<String> } } => { struct Data { a: String } } [] ["data.a", "data.a"]

    doubly_optional, "an option of an option is an option":
    { struct Data { a: Option<u32> } } => { struct Data { a: Option<Option<u32>> } } [] []

    never_null, "an optional field is omitted instead of null":
    { struct Data { a: Option<u32> } } =>
    { struct Data { #[serde(skip_serializing_if = "Option::is_none")] a: Option<u32> } } [] []

    variant_added, "a variant is added":
    { enum Kind { A, B } struct Data { kind: Kind } } =>
    { enum Kind { A, B, C } struct Data { kind: Kind } } ["data.kind"] []

    variant_removed, "a variant is removed":
    { enum Kind { A, B } struct Data { kind: Kind } } =>
    { enum Kind { A } struct Data { kind: Kind } } [] ["data.kind"]

    variants_documented, "variants are documented":
    { enum Kind { A, B } struct Data { kind: Kind } } =>
    { enum Kind { #[doc = "First."] A, #[doc = "Second."] B } struct Data { kind: Kind } } [] []

    text_to_enum, "a text becomes an enum":
    { struct Data { kind: String } } => { enum Kind { A, B } struct Data { kind: Kind } } [] ["data.kind"]

    open_grown, "a variant is added to an open enum":
    { #[schemars(extend("x-open" = true))] enum Kind { A, B } struct Data { kind: Kind } } =>
    { #[schemars(extend("x-open" = true))] enum Kind { A, B, C } struct Data { kind: Kind } } [] []

    open_documented, "a variant is added to an open enum with documentation":
    { #[schemars(extend("x-open" = true))] enum Kind { #[doc = "First."] A, #[doc = "Second."] B }
      struct Data { kind: Option<Kind> } } =>
    { #[schemars(extend("x-open" = true))] enum Kind { #[doc = "First."] A, B, C }
      struct Data { kind: Option<Kind> } } [] []

    open_other_type, "an open enum gets a variant of another type":
    { #[schemars(extend("x-open" = true))] enum Kind { A, B } struct Data { kind: Kind } } =>
    { #[schemars(extend("x-open" = true))] enum Kind { A, B, C(u32) } struct Data { kind: Kind } }
    ["data.kind"] []

    external_added, "an externally tagged variant is added":
    { enum Pay { Cash, Card { last4: String } } struct Data { pay: Pay } } =>
    { enum Pay { Cash, Card { last4: String }, Voucher(String) } struct Data { pay: Pay } } ["data.pay"] []

    external_changed, "an externally tagged variant changes":
    { enum Pay { Cash, Card { last4: String } } struct Data { pay: Pay } } =>
    { enum Pay { Cash, Card { last4: u32 } } struct Data { pay: Pay } }
    ["data.pay.Card.last4"] ["data.pay.Card.last4"]

    internal_added, "an internally tagged variant is added":
    { #[serde(tag = "type")] enum Pay { Cash, Card { last4: String } } struct Data { pay: Pay } } =>
    { #[serde(tag = "type")] enum Pay { Cash, Card { last4: String }, Coupon { code: String } }
      struct Data { pay: Pay } }
    ["data.pay"] []

    internal_optional, "an internally tagged variant gets an optional field":
    { #[serde(tag = "type")] enum Pay { Cash, Card { last4: String } } struct Data { pay: Pay } } =>
    { #[serde(tag = "type")] enum Pay { Cash, Card { last4: String, brand: Option<String> } }
      struct Data { pay: Pay } } [] []

    internal_newtype, "a field of an internally tagged newtype variant is removed":
    { struct Card { last4: String, brand: String } #[serde(tag = "type")] enum Pay { Card(Card) }
      struct Data { pay: Pay } } =>
    { struct Card { last4: String } #[serde(tag = "type")] enum Pay { Card(Card) }
      struct Data { pay: Pay } }
    ["data.pay.brand"] []

    internal_open, "a variant is added to an open, internally tagged enum":
    { #[serde(tag = "type")] #[schemars(extend("x-open" = true))]
      enum Pay { Cash, Card { last4: String } } struct Data { pay: Pay } } =>
    { #[serde(tag = "type")] #[schemars(extend("x-open" = true))]
      enum Pay { Cash, Card { last4: String }, Coupon { code: String } } struct Data { pay: Pay } } [] []

    internal_open_changed, "a variant of an open, internally tagged enum changes":
    { #[serde(tag = "type")] #[schemars(extend("x-open" = true))]
      enum Pay { Cash, Card { last4: String } } struct Data { pay: Pay } } =>
    { #[serde(tag = "type")] #[schemars(extend("x-open" = true))]
      enum Pay { Cash, Card { last4: u32 } } struct Data { pay: Pay } }
    ["data.pay.last4"] ["data.pay.last4"]

    adjacent_added, "an adjacently tagged variant is added":
    { #[serde(tag = "t", content = "c")] enum Pay { Cash, Card(String) } struct Data { pay: Pay } } =>
    { #[serde(tag = "t", content = "c")] enum Pay { Cash, Card(String), Coupon(u32) } struct Data { pay: Pay } }
    ["data.pay"] []

    untagged_added, "an untagged variant is added":
    { #[serde(untagged)] enum Id { Number(u32) } struct Data { id: Id } } =>
    { #[serde(untagged)] enum Id { Number(u32), Text(String) } struct Data { id: Id } } ["data.id"] []

    tagging_changed, "the tagging of an enum changes":
    { enum Pay { Card { last4: String } } struct Data { pay: Pay } } =>
    { #[serde(tag = "type")] enum Pay { Card { last4: String } } struct Data { pay: Pay } }
    ["data.pay.Card", "data.pay.last4", "data.pay.type"] ["data.pay.last4", "data.pay.type"]

    nested_removed, "a field of a nested struct is removed":
    { struct Inner { a: u32, b: u32 } struct Data { inner: Inner } } =>
    { struct Inner { a: u32 } struct Data { inner: Inner } } ["data.inner.b"] []

    in_a_list, "a field in a list changes":
    { struct Line { sku: String } struct Data { lines: Vec<Line> } } =>
    { struct Line { sku: u64 } struct Data { lines: Vec<Line> } }
    ["data.lines[].sku"] ["data.lines[].sku"]

    array_length, "the length of an array changes":
    { struct Data { a: [u8; 2] } } => { struct Data { a: [u8; 3] } } ["data.a"] ["data.a"]

    array_to_list, "an array becomes a list":
    { struct Data { a: [u8; 2] } } => { struct Data { a: Vec<u8> } } ["data.a"] []

    tuple_swapped, "the elements of a tuple are swapped":
    { struct Data { a: (u32, String) } } => { struct Data { a: (String, u32) } }
    ["data.a[0]", "data.a[1]"] ["data.a[0]", "data.a[1]"]

    tuple_to_list, "a tuple becomes a list":
    { struct Data { a: (u32, u32) } } => { struct Data { a: Vec<u32> } } ["data.a"] []

    list_to_set, "a list becomes a set":
    { struct Data { a: Vec<u32> } } => { struct Data { a: BTreeSet<u32> } } [] ["data.a"]

    map_values, "the values of a map change":
    { struct Data { a: BTreeMap<String, u32> } } => { struct Data { a: BTreeMap<String, String> } }
    ["data.a[*]"] ["data.a[*]"]

    map_keys_widened, "the keys of a map become texts":
    { struct Data { a: BTreeMap<u32, u32> } } => { struct Data { a: BTreeMap<String, u32> } } ["data.a[*]"] []

    map_keys_signed, "the keys of a map become signed":
    { struct Data { a: BTreeMap<u32, u32> } } => { struct Data { a: BTreeMap<i32, u32> } } ["data.a[*]?"] []

    map_keys_listed, "the keys of a map become an enum":
    { struct Data { a: BTreeMap<String, u32> } } =>
    { #[derive(PartialEq, Eq, PartialOrd, Ord)] enum Kind { A, B } struct Data { a: BTreeMap<Kind, u32> } }
    [] ["data.a[*]"]

    map_to_struct, "a map becomes a struct":
    { struct Data { a: HashMap<String, u32> } } => { struct Inner { b: u32 } struct Data { a: Inner } }
    [] ["data.a.b"]

    flattened, "a nested struct is flattened":
    { struct Data { a: u32, b: Option<String> } } =>
    { struct Inner { b: Option<String> } struct Data { a: u32, #[serde(flatten)] inner: Inner } } [] []

    flattened_map, "a flattened map is added":
    { struct Data { a: u32 } } =>
    { struct Data { a: u32, #[serde(flatten)] rest: BTreeMap<String, Value> } } [] []

    beside_a_flattened_map, "an optional field is added beside a flattened map":
    { struct Data { a: u32, #[serde(flatten)] rest: BTreeMap<String, Value> } } =>
    { struct Data { a: u32, b: Option<u32>, #[serde(flatten)] rest: BTreeMap<String, Value> } }
    [] ["data.b"]

    flattened_enum, "a variant is added to a flattened enum":
    { #[serde(tag = "type")] enum Pay { Cash, Card { last4: String } }
      struct Data { a: u32, #[serde(flatten)] pay: Pay } } =>
    { #[serde(tag = "type")] enum Pay { Cash, Card { last4: String }, Coupon { code: String } }
      struct Data { a: u32, #[serde(flatten)] pay: Pay } }
    ["data"] []

    flattened_external, "a variant of a flattened, externally tagged enum changes":
    { enum Pay { Cash(u32), Card { last4: String } } struct Data { a: u32, #[serde(flatten)] pay: Pay } } =>
    { enum Pay { Cash(u32), Card { last4: u32 } } struct Data { a: u32, #[serde(flatten)] pay: Pay } }
    ["data.Card.last4"] ["data.Card.last4"]

    strict, "unknown fields are denied":
    { struct Data { a: u32 } } => { #[serde(deny_unknown_fields)] struct Data { a: u32 } } [] []

    strict_grown, "an optional field is added where unknown fields are denied":
    { #[serde(deny_unknown_fields)] struct Data { a: u32 } } =>
    { #[serde(deny_unknown_fields)] struct Data { a: u32, b: Option<u32> } } ["data.b"] []

    strict_shrunk, "an optional field is removed where unknown fields are denied":
    { #[serde(deny_unknown_fields)] struct Data { a: u32, b: Option<u32> } } =>
    { #[serde(deny_unknown_fields)] struct Data { a: u32 } } [] ["data.b"]

    newtype, "a text becomes a newtype":
    { struct Data { id: String } } => { struct Id(String); struct Data { id: Id } } [] []

    boxed, "values are put behind pointers":
    { struct Inner { a: u32 } struct Data { inner: Inner } } =>
    { struct Inner { a: u32 } struct Data { inner: Box<Inner> } } [] []

    inner_renamed, "an inner type is renamed":
    { struct Inner { a: u32 } struct Data { inner: Inner, more: Vec<Inner> } } =>
    { struct Line { a: u32 } struct Data { inner: Line, more: Vec<Line> } } [] []

    recursive, "a recursive type gets an optional field":
    { struct Node { a: u32, nodes: Vec<Node> } struct Data { root: Node } } =>
    { struct Node { a: u32, b: Option<u32>, nodes: Vec<Node> } struct Data { root: Node } } [] []

    recursive_changed, "a field of a recursive type changes":
    { struct Node { a: u32, nodes: Vec<Node> } struct Data { root: Node } } =>
    { struct Node { a: String, nodes: Vec<Node> } struct Data { root: Node } }
    ["data.root.a"] ["data.root.a"]

    mutually_recursive, "a field deep in mutually recursive types changes":
    { struct Left { right: Option<Box<Right>> } struct Right { a: u32, left: Option<Box<Left>> }
      struct Data { left: Left } } =>
    { struct Left { right: Option<Box<Right>> } struct Right { a: String, left: Option<Box<Left>> }
      struct Data { left: Left } }
    ["data.left.right.a"] ["data.left.right.a"]

    generic, "a generic type gets another parameter":
    { struct Page<T> { items: Vec<T> } struct Data { page: Page<u32> } } =>
    { struct Page<T> { items: Vec<T> } struct Data { page: Page<String> } }
    ["data.page.items[]"] ["data.page.items[]"]

    time_to_text, "a time becomes a text":
    { struct Data { at: DateTime<Utc> } } => { struct Data { at: String } } ["data.at"] []

    time_to_date, "a time becomes a date":
    { struct Data { at: DateTime<Utc> } } => { struct Data { at: NaiveDate } } ["data.at"] ["data.at"]

    uuid_to_text, "a UUID becomes a text":
    { struct Data { id: Uuid } } => { struct Data { id: String } } ["data.id"] []

    decimal_to_text, "a decimal becomes a text":
    { struct Data { price: Decimal } } => { struct Data { price: String } } ["data.price"] []

    decimal_to_float, "a decimal becomes a float":
    { struct Data { price: Decimal } } => { struct Data { price: f64 } } ["data.price"] ["data.price"]

    character, "a text becomes a character":
    { struct Data { a: String } } => { struct Data { a: char } } [] ["data.a"]

    any_to_text, "any value becomes a text":
    { struct Data { a: Value } } => { struct Data { a: String } } [] ["data.a"]

    unit_field, "a unit becomes a number":
    { struct Data { a: () } } => { struct Data { a: u32 } } ["data.a"] ["data.a"]

    comments, "only comments change":
    { struct Data { a: u32, b: Option<String> } } =>
    { #[doc = "An event."] #[schemars(title = "The data")]
      struct Data { #[deprecated] #[schemars(extend("x-owner" = "shop"))] a: u32, #[doc = "A note."] b: Option<String> } }
    [] []

    shared, "a value is shared, and fields are reordered":
    { struct Data { a: u32, b: String } } => { struct Data { b: Box<str>, a: u32 } } [] []

    struct_to_untagged, "a struct becomes one of several":
    { struct One { a: u32 } struct Data { inner: One } } =>
    { struct One { a: u32 } struct Two { b: u32 } #[serde(untagged)] enum Either { One(One), Two(Two) }
      struct Data { inner: Either } }
    ["data.inner.a"] []
}
