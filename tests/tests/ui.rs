//! What the compiler says: of events that are fine, nothing; of others, what is wrong and how to
//! mend it.
//!
//! The texts in `ui/derive` are ours. Those in `ui/rustc` are written by rustc around ours, and change
//! with it, so they are compared on the version they were read on.

use std::process::Command;

/// The rustc whose words are in `ui/rustc`.
const PINNED: &str = "1.95";

#[test]
fn what_is_fine_compiles() {
    trybuild::TestCases::new().pass("ui/pass/*.rs");
}

#[test]
fn what_is_wrong_is_told() {
    trybuild::TestCases::new().compile_fail("ui/derive/*.rs");
}

#[test]
fn what_rustc_tells_names_the_fix() {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let version = Command::new(rustc).arg("--version").output().expect("rustc runs");
    let version = String::from_utf8_lossy(&version.stdout).into_owned();
    if version.starts_with(&format!("rustc {PINNED}.")) {
        trybuild::TestCases::new().compile_fail("ui/rustc/*.rs");
    } else {
        println!("skipped: the texts are those of rustc {PINNED}, and this is {version}");
    }
}
