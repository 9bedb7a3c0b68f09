//! The code of the README as doctests: `cargo test --workspace` compiles it, and runs what is not `no_run`.
#![cfg(doctest)]
#![doc = include_str!("../../README.md")]
