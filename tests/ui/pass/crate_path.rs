//! `crate = ..` with absolute paths of a re-exported `inngest_core`.
#![allow(dead_code)]

pub mod my_sdk {
    pub use inngest_core;

    #[macro_export]
    macro_rules! event {
        ($event:ident, $name:literal) => {
            #[derive(serde::Serialize, $crate::my_sdk::inngest_core::InngestEvent)]
            #[inngest(name = $name, id = "e-{id}", crate = $crate::my_sdk::inngest_core)]
            struct $event {
                id: u8,
            }
        };
    }
}

use my_sdk::inngest_core::{IdSegment, InngestEvent, InngestEvents};
use serde::Serialize;

#[derive(Serialize, InngestEvent)]
#[inngest(crate = crate::my_sdk::inngest_core, name = "a/b", id = "ab-{id}-{state}")]
struct A {
    id: Id,
    state: State,
}

#[derive(Serialize, IdSegment)]
#[inngest(crate = crate::my_sdk::inngest_core)]
struct Id(u8);

#[derive(Serialize, IdSegment)]
#[inngest(crate = ::inngest_core)]
enum State {
    Open,
}

#[derive(InngestEvents)]
#[inngest(crate = crate::my_sdk::inngest_core)]
enum Any {
    A(A),
    FromMacro(FromMacro),
}

event!(FromMacro, "a/macro");

fn main() {}
