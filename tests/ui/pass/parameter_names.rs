//! An item can have lifetimes and parameters with names that the expansion would use, and a type of its own
//! called like a collection.
#![deny(warnings)]
#![allow(dead_code)]

use std::borrow::Cow;
use std::fmt;

use inngest_core::{IdSegment, InngestEvent, InngestEvents};
use serde::{Deserialize, Serialize};

#[derive(Serialize, InngestEvent)]
#[inngest(name = "a/b", id = "a-{id}")]
struct Event<'__event, '__de, __D> {
    id: __D,
    names: [&'__event &'__de str; 2],
}

#[derive(Serialize, Deserialize, InngestEvent)]
#[inngest(name = "a/c")]
struct Borrowed<'__de> {
    text: Cow<'__de, str>,
}

#[derive(InngestEvents)]
enum Events<'__de, '__data, '__event, ___D> {
    Event(Event<'__event, '__event, ___D>),
    Borrowed(Borrowed<'__de>),
    Boxed(Box<Borrowed<'__data>>),
}

#[derive(Serialize, IdSegment)]
struct Id<'__de, __D>(&'__de __D);

#[derive(Serialize)]
struct Vec<T>(T);

impl<T: IdSegment> IdSegment for Vec<T> {
    fn write_segment(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        self.0.write_segment(out)
    }
}

#[derive(Serialize, InngestEvent)]
#[inngest(name = "a/d", id = "d-{position}")]
struct Moved<T> {
    position: Vec<T>,
}

fn main() {
    println!("{:?}", Moved { position: Vec(1) }.dedup_id());
}
