//! With the key `crate`, all three derives work in a crate that renames `inngest-core` in its Cargo.toml.

use std::fs;
use std::path::Path;
use std::process::Command;

const SOURCE: &str = r#"
#![deny(warnings)]

#[derive(serde::Serialize, events::InngestEvent)]
#[inngest(name = "storefront/cart.updated", id = "cart-updated-{cart_id}", crate = ::events)]
pub struct CartUpdated {
    pub cart_id: CartId,
}

#[derive(serde::Serialize, events::IdSegment)]
#[inngest(crate = ::events)]
pub struct CartId(pub u64);

#[derive(events::InngestEvents)]
#[inngest(crate = ::events)]
pub enum StorefrontEvent {
    CartUpdated(CartUpdated),
}
"#;

#[test]
fn the_derives_find_the_crate_under_another_name() {
    let (compiles, _) = check("renamed", SOURCE);
    assert!(compiles);
}

#[test]
fn without_the_crate_key_the_derives_look_for_inngest_core() {
    let (compiles, message) =
        check("renamed-without-key", &SOURCE.replace(", crate = ::events", ""));
    assert!(!compiles);
    assert!(message.contains("inngest_core"), "{message}");
}

/// Compiles `source` as the package `name`. Each package of the shared target folder needs its own name,
/// or cargo confuses them.
fn check(name: &str, source: &str) -> (bool, String) {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let core = project.join("inngest-core");
    let manifest = format!(
        "[workspace]\n[package]\nname = \"{name}\"\nedition = \"2024\"\n[dependencies]\n\
         serde = {{ version = \"1\", features = [\"derive\"] }}\n\
         events = {{ package = \"inngest-core\", path = \"{}\", default-features = false, \
         features = [\"derive\"] }}\n",
        core.display()
    );
    fs::create_dir_all(folder.join("src")).unwrap();
    fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    fs::write(folder.join("src/lib.rs"), source).unwrap();
    fs::copy(project.join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["check", "--quiet", "--offline"])
        .current_dir(&folder)
        .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("renamed-target"))
        .output()
        .expect("cargo runs");
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    println!("{message}");
    (output.status.success(), message)
}
