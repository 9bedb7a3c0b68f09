//! `dyn` is optional before edition 2021.
#![deny(warnings)]
#![allow(bare_trait_objects, non_camel_case_types)]

use inngest_core::{IdSegment, InngestEvent, InngestEvents};
use serde::Serialize;

include!("bare_traits.rs");
include!("gen_as_a_name.rs");
