//! All kinds of structs that can be events.
#![allow(dead_code)]

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

use inngest_core::{Deduplicated, IdSegment, InngestEvent};
use serde::{Deserialize, Serialize};

#[derive(Serialize, InngestEvent)]
#[inngest(name = "a/unit")]
struct Unit;

#[derive(Serialize, InngestEvent)]
#[inngest(name = "a/empty")]
struct Empty {}

#[derive(Serialize, InngestEvent)]
#[inngest(name = "a/raw", id = "raw-{type}-{match.fn}-{größe}")]
struct r#Raw {
    r#type: String,
    r#match: Inner,
    größe: u8,
}

#[derive(Serialize)]
struct Inner {
    r#fn: u8,
    pair: Pair,
}

#[derive(Serialize)]
struct Pair(String, u8);

#[derive(Serialize, InngestEvent)]
#[inngest(name = "a/nested", id = "nested-{inner.pair.0}-{boxed.fn}-{inner.fn}")]
struct Nested {
    inner: Inner,
    boxed: Box<Inner>,
}

#[derive(Serialize, InngestEvent)]
#[inngest(name = "a/pointers", id = "pointers-{a}-{b}-{c}-{d}-{e}-{f}")]
struct Pointers<'a, 'b: 'a> {
    a: &'a &'b str,
    b: Box<str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    c: Cow<'a, str>,
    #[serde(with = "text")]
    d: Rc<str>,
    #[serde(serialize_with = "text::serialize")]
    e: Arc<u8>,
    f: &'b Id,
}

mod text {
    pub fn serialize<T: std::fmt::Display, S: serde::Serializer>(
        value: &T,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }
}

#[derive(Serialize, IdSegment)]
struct Id {
    value: u64,
}

#[derive(Serialize, InngestEvent)]
#[inngest(name = "a/generic", id = "generic-{id}-{of}-{key}")]
struct Generic<T, K: Key, const N: usize>
where
    T: Clone,
{
    id: T,
    of: Of<T>,
    key: K::Id,
    #[serde(skip)]
    rest: [T; N],
}

trait Key {
    type Id: Serialize;
}

impl Key for u8 {
    type Id = u8;
}

/// A segment for any `T`: the bound of the impl is on the field's type, not on `T`.
struct Of<T>(u8, std::marker::PhantomData<T>);

impl<T> IdSegment for Of<T> {
    fn write_segment(&self, out: &mut dyn std::fmt::Write) -> std::fmt::Result {
        self.0.write_segment(out)
    }
}

impl<T> Serialize for Of<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

#[derive(Serialize, IdSegment)]
#[serde(bound = "")]
struct Typed<T>(u64, std::marker::PhantomData<T>);

struct NoSegment;

#[derive(Serialize, InngestEvent)]
#[inngest(name = "a/typed", id = "typed-{id}")]
#[serde(bound = "")]
struct OfTyped<T> {
    id: Typed<T>,
}

#[derive(Serialize, Deserialize, InngestEvent)]
#[inngest(name = "a/default", id = "default-{id}")]
struct Defaults<T = String, const N: usize = 1> {
    id: T,
}

#[rustfmt::skip]
#[derive(Serialize, InngestEvent)]
#[inngest(
    name = r"a/literals",
    id = r#"lite"ral-{{{a}}}-{b}"#,
    version = "\u{31}",
)]
struct Literals {
    a: String,
    b: u8,
}

#[derive(Serialize, InngestEvent)]
#[inngest(
    name = "a/escaped",
    id = "escaped-\u{7b}a}\
    -{b}"
)]
struct Escaped {
    a: String,
    b: u8,
}

#[derive(Serialize, InngestEvent)]
#[inngest(name = "a/several")]
#[inngest(version = "2")]
#[inngest[id = "several-{a}"]]
#[inngest()]
struct Several {
    a: String,
}

#[derive(Serialize)]
#[cfg_attr(all(), derive(InngestEvent), inngest(name = "a/cfg", id = "cfg-{a}"))]
struct Cfg {
    a: String,
    #[cfg(any())]
    b: Missing,
}

#[derive(Serialize, InngestEvent)]
#[inngest(name = "a/attributes", id = "attributes-{a}")]
#[repr(C)]
#[non_exhaustive]
#[must_use]
pub struct Attributes {
    pub a: u8,
}

#[derive(Clone, Copy, Serialize, InngestEvent)]
#[inngest(name = "a/packed", id = "packed-{a}-{c.0}-{a}")]
#[repr(C, packed(1))]
struct Packed {
    a: u64,
    b: u8,
    c: PackedToo,
}

#[derive(Clone, Copy, Serialize)]
#[allow(clippy::repr_packed_without_abi)]
#[repr(packed)]
struct PackedToo(u32);

macro_rules! events {
    ($($vis:vis $event:ident($name:literal, $id:expr, $version:tt) { $($field:ident: $type:ty),* })*) => {$(
        #[derive(Serialize, InngestEvent)]
        #[inngest(name = $name, id = $id, version = $version)]
        $vis struct $event { $($field: $type),* }
    )*};
}

events! {
    FromMacro("a/macro", "macro-{a}-{b}", "1") { a: String, b: Box<u8> }
    pub(crate) FromMacro2("a/macro2", "macro2-{a}", "1") { a: &'static str }
}

fn deduplicated<E: Deduplicated>() {}

fn main() {
    #[derive(Serialize, InngestEvent)]
    #[inngest(name = "a/local", id = "local-{a}")]
    struct Local {
        a: String,
    }

    deduplicated::<Local>();
    deduplicated::<Generic<String, u8, 3>>();
    deduplicated::<OfTyped<NoSegment>>();
    deduplicated::<Defaults>();
    deduplicated::<&Nested>();
}
