//! A module without a prelude, whose own items have the names of the prelude.
#![no_implicit_prelude]
#![allow(dead_code, non_camel_case_types, unused_macros)]

mod core {}
mod std {}
mod alloc {}

use ::inngest_core::{IdSegment, InngestEvent, InngestEvents};
use ::serde::Serialize;

struct Option;
struct Result;
struct Some;
struct Ok;
struct Err;
struct None;
struct str;
struct bool;
trait Write {}
trait From {}
trait Deserializer {}
macro_rules! format_args {
    () => {};
}
macro_rules! compile_error {
    () => {};
}

#[derive(Serialize, InngestEvent)]
#[inngest(name = "a/b", id = "ab-{id}-{state}", version = "1")]
struct A {
    id: ::std::string::String,
    state: State,
    nested: B,
}

#[derive(Serialize, InngestEvent)]
#[inngest(name = "a/c", id = "ac-{inner.id}-{inner.id}")]
struct C {
    inner: B,
}

#[derive(Serialize, InngestEvent)]
#[inngest(name = "a/d")]
struct B {
    id: Id,
}

#[derive(Serialize, IdSegment)]
struct Id(u8);

#[derive(Serialize, IdSegment)]
enum State {
    Open,
}

#[derive(InngestEvents)]
enum Events {
    Some(A),
    r#None(C),
}

// Inherent items with the names of the trait's items.
impl A {
    const NAME: u8 = 1;
    const VERSION: u8 = 1;

    fn dedup_id(&self) {}

    fn write_dedup_id() {}
}

// A trait for all types, with the names of the methods that the expansion calls.
trait Everything: ::std::marker::Sized {
    fn last(self, _: &'static ::std::primitive::str, _: u8) {}
    fn delimited(self) {}
    fn write(self) {}
    fn write_str(self) {}
    fn write_segment(self) {}
    fn write_event_in(self) {}
    fn decode(self) {}
}

impl<T> Everything for T {}

#[allow(non_upper_case_globals)]
const id: u8 = 1;
#[allow(non_upper_case_globals)]
const out: u8 = 1;

fn main() {}
