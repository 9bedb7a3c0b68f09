//! All three derives work in a crate that depends on inngest-core under another name and sets `crate`.

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
fn the_derives_use_the_crate_path_they_are_given() {
    let (checked, _) = check("renamed", SOURCE);
    assert!(checked);
}

#[test]
fn without_a_crate_path_the_derives_use_inngest_core() {
    let (checked, message) = check("without-crate-path", &SOURCE.replace(", crate = ::events", ""));
    assert!(!checked);
    assert!(message.contains("inngest_core"), "{message}");
}

/// Checks `source` in a package called `name`, and returns whether it compiles, with the errors.
///
/// The packages have different names because they share a target folder, where cargo would take two
/// packages of one name for the same.
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
