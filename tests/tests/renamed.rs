//! Crates of their own: one that depends on inngest-core under another name and sets `crate`, and one with a
//! generic enum that is wrong only for some arguments.

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
    let (checked, _) = cargo("check", "renamed", SOURCE);
    assert!(checked);
}

#[test]
fn without_a_crate_path_the_derives_use_inngest_core() {
    let (checked, message) =
        cargo("check", "without-crate-path", &SOURCE.replace(", crate = ::events", ""));
    assert!(!checked);
    assert!(message.contains("inngest_core"), "{message}");
}

#[test]
fn the_events_of_a_generic_enum_are_compared_when_it_is_sent() {
    let source = |other: &str| {
        let event = r#"
            #[derive(serde::Serialize, events::InngestEvent)]
            #[inngest(name = "storefront/other", id = "other-{id}", crate = ::events)]
            pub struct Other { pub id: u64 }

            #[derive(events::InngestEvents)]
            #[inngest(crate = ::events)]
            pub enum Any<T> { CartUpdated(CartUpdated), Other(Box<T>) }

            pub fn send(event: Any<Other>) -> &'static str {
                events::InngestEvents::event_name(&event)
            }
        "#;
        format!("{SOURCE}{}", event.replace("other-{id}", other))
    };
    let (built, message) = cargo("build", "distinct", &source("other-{id}"));
    assert!(built, "{message}");
    let (built, message) = cargo("build", "not-distinct", &source("cart-updated-{id}"));
    assert!(!built);
    assert!(message.contains("`CartUpdated` and `Other` can have the same dedup id"), "{message}");
}

/// Checks or builds `source` in a package called `name`, and returns whether it compiles, with the errors.
///
/// The packages have different names because they share a target folder, where cargo would take two
/// packages of one name for the same.
fn cargo(command: &str, name: &str, source: &str) -> (bool, String) {
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
        .args([command, "--quiet", "--offline"])
        .current_dir(&folder)
        .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("renamed-target"))
        .output()
        .expect("cargo runs");
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    println!("{message}");
    (output.status.success(), message)
}
