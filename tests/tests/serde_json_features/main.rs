//! The checks of an event's data hold in a build that turns on features of `serde_json`.
//!
//! A feature that one crate turns on is on for all crates of a build. So these tests, in `events.rs`, are a package of
//! their own, outside of this workspace.

use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
fn the_data_of_events_is_checked_with_arbitrary_precision_and_raw_values() {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("serde-json-features");
    let core = project.join("inngest-core");
    let manifest = format!(
        "[workspace]\n[package]\nname = \"serde-json-features\"\nedition = \"2024\"\n[dependencies]\n\
         inngest-core = {{ path = '{}', default-features = false, features = [\"client\", \"derive\", \"encryption\"] }}\n\
         serde = {{ version = \"1\", features = [\"derive\"] }}\n\
         serde_json = {{ version = \"1\", features = [\"arbitrary_precision\", \"raw_value\"] }}\n\
         [profile.dev]\ndebug = false\n",
        core.display()
    );
    fs::create_dir_all(folder.join("src")).unwrap();
    fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    fs::write(folder.join("src/lib.rs"), include_str!("events.rs")).unwrap();
    fs::copy(project.join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["test", "--quiet", "--offline", "--lib"])
        .current_dir(&folder)
        .env("CARGO_TARGET_DIR", folder.join("target"))
        .output()
        .expect("cargo runs");
    println!("{}", String::from_utf8_lossy(&output.stderr));
    let report = String::from_utf8_lossy(&output.stdout);
    println!("{report}");
    assert!(output.status.success() && !report.contains("running 0 tests"));
}
