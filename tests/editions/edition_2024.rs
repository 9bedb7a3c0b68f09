//! Keywords are names with `r#`, and templates omit it.
#![deny(warnings)]
#![allow(non_camel_case_types)]

use inngest_core::{IdSegment, InngestEvent, InngestEvents};
use serde::Serialize;

pub mod r#gen {
    pub use inngest_core;
}

#[derive(Serialize, InngestEvent)]
#[inngest(
    name = "storefront/keywords",
    id = "keywords-{gen}-{async}-{type.try}",
    crate = crate::r#gen::inngest_core
)]
pub struct Keywords<'r#gen> {
    pub r#gen: &'r#gen str,
    pub r#async: r#try,
    pub r#type: r#try,
}

#[derive(Serialize, IdSegment)]
pub struct r#try {
    pub r#try: u8,
}

#[derive(InngestEvents)]
pub enum Events<'r#gen> {
    r#gen(Keywords<'r#gen>),
}
