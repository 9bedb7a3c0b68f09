//! A crate that has inngest-core under another name in its Cargo.toml says so, and all three derives
//! work.

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
    let (checked, _) = check("renamed", SOURCE);
    assert!(checked);
}

#[test]
fn without_being_told_they_look_for_its_own_name() {
    let (checked, message) = check("untold", &SOURCE.replace(", crate = ::events", ""));
    assert!(!checked);
    assert!(message.contains("inngest_core"), "{message}");
}

/// Packages of one target folder have names of their own: cargo takes them for one otherwise.
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
