//! The lints that an item or a part of it allows or expects are allowed in its expansion, which repeats its types.
#![deny(warnings)]

use inngest_core::{IdSegment, InngestEvent, InngestEvents};
use serde::Serialize;

#[derive(Serialize, InngestEvent)]
#[inngest(name = "a/old", id = "old-{id}")]
#[deprecated]
pub struct Old<T> {
    pub id: T,
}

#[derive(Serialize, IdSegment)]
#[deprecated]
pub struct OldId(pub u8);

#[allow(deprecated)]
#[derive(InngestEvents)]
pub enum Any {
    Old(Box<Old<OldId>>),
}

#[derive(InngestEvents)]
pub enum Expected {
    #[expect(deprecated, reason = "they are still received")]
    Old(Old<Box<OldId>>),
}

#[derive(InngestEvents)]
pub enum AllowedInTheVariant {
    Old(#[allow(deprecated)] Old<&'static OldId>),
}

#[derive(IdSegment)]
pub struct NewId(#[allow(deprecated)] pub Box<OldId>);

fn main() {}
