//! The README's code, as doctests: `cargo test --workspace` compiles it, and runs what can run.
#![cfg(doctest)]
#![doc = include_str!("../../README.md")]
