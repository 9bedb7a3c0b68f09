//! The compile errors of invalid programs name the mistake and the fix. The valid programs, in `pass`, are targets of
//! this package.
//!
//! The errors in `derive` are written by the derive macros. The errors in `rustc` are written by
//! rustc and contain texts of `inngest-core`. They differ between versions of rustc, so they are
//! compared only with the version that they were reviewed with.

use std::process::Command;

/// The version of rustc that wrote the errors in `rustc`.
const PINNED: &str = "1.95";

#[test]
fn the_derive_reports_every_mistake_with_its_fix() {
    trybuild::TestCases::new().compile_fail("derive/*.rs");
}

#[test]
fn errors_of_rustc_name_the_fix() {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let version = Command::new(rustc).arg("--version").output().expect("rustc runs");
    let version = String::from_utf8_lossy(&version.stdout).into_owned();
    if version.starts_with(&format!("rustc {PINNED}.")) {
        trybuild::TestCases::new().compile_fail("rustc/*.rs");
    } else {
        println!("skipped: `rustc` has the errors of rustc {PINNED}, but this is {version}");
    }
}
