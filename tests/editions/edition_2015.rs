//! `async`, `await` and `try` are keywords since edition 2018, and `::m` is a path in the same crate before it.
#![deny(warnings)]
#![allow(bare_trait_objects, non_camel_case_types)]

pub extern crate inngest_core;
extern crate serde;

use inngest_core::{IdSegment, InngestEvent, InngestEvents};
use serde::Serialize;

include!("bare_traits.rs");
include!("gen_as_a_name.rs");

// serde's derive rejects fields and types with such names.
macro_rules! serialize {
    ($($type:path),*) => {$(
        impl ::serde::Serialize for $type {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_unit()
            }
        }
    )*};
}

serialize!(m::Keywords, m::try);

pub mod m {
    pub mod async {
        pub use inngest_core;
    }

    #[derive(::inngest_core::InngestEvent)]
    #[inngest(
        name = "storefront/keywords",
        id = "keywords-{async}-{await.try}-{in_2015}",
        crate = ::m::async::inngest_core,
    )]
    pub struct Keywords {
        pub async: String,
        pub await: try,
        pub in_2015: Wrapper<::m::try>,
    }

    #[derive(::inngest_core::IdSegment)]
    pub struct try {
        pub try: u8,
    }

    #[derive(::serde::Serialize, ::inngest_core::IdSegment)]
    pub struct Wrapper<T>(pub T)
    where
        T: ::serde::Serialize;
}

#[derive(InngestEvents)]
pub enum Events<'a> {
    async(::m::Keywords),
    Nested(::gen::gen<'a, ::Nothing>),
}

#[derive(IdSegment)]
pub struct Nothing(::m::Wrapper<::m::try>);

serialize!(Nothing);

impl gen::Bound for Nothing {}
