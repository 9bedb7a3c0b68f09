//! `gen` is a name before edition 2024.
#![deny(warnings)]
#![allow(non_camel_case_types)]

use inngest_core::{IdSegment, InngestEvents};

include!("gen_as_a_name.rs");
