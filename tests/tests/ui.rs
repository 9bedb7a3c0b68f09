//! Valid programs compile without a warning; invalid ones fail with an error that states the problem and
//! the fix.
//!
//! The errors in `ui/derive` are written by the derive. The errors in `ui/rustc` are written by rustc
//! around our notes and change with its version, so they are compared only on one version.

use std::process::Command;

/// The version of rustc that wrote the errors in `ui/rustc`.
const PINNED: &str = "1.95";

#[test]
fn valid_programs_compile() {
    trybuild::TestCases::new().pass("ui/pass/*.rs");
}

#[test]
fn invalid_programs_get_the_errors_of_the_derive() {
    trybuild::TestCases::new().compile_fail("ui/derive/*.rs");
}

#[test]
fn errors_of_rustc_name_the_fix() {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let version = Command::new(rustc).arg("--version").output().expect("rustc runs");
    let version = String::from_utf8_lossy(&version.stdout).into_owned();
    if version.starts_with(&format!("rustc {PINNED}.")) {
        trybuild::TestCases::new().compile_fail("ui/rustc/*.rs");
    } else {
        println!("skipped: the errors were written by rustc {PINNED}, but this is {version}");
    }
}
