//! The derives accept what is valid in the edition of the crate that uses them.

use std::fs;
use std::path::Path;
use std::process::Command;

const EDITIONS: [&str; 4] = ["2015", "2018", "2021", "2024"];

#[test]
fn events_compile_in_every_edition() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("editions");
    for edition in EDITIONS {
        let manifest = format!(
            "[package]\nname = \"edition-{edition}\"\nedition = \"{edition}\"\n\
             [lib]\npath = \"{0}/editions/edition_{edition}.rs\"\n\
             [dependencies]\nserde = {{ version = \"1\", features = [\"derive\"] }}\n\
             inngest-core = {{ path = \"{0}/../inngest-core\", default-features = false, \
             features = [\"derive\"] }}\n",
            tests.display()
        );
        let member = folder.join(edition);
        fs::create_dir_all(&member).unwrap();
        fs::write(member.join("Cargo.toml"), manifest).unwrap();
    }
    let workspace = format!("[workspace]\nresolver = \"3\"\nmembers = {EDITIONS:?}\n");
    fs::write(folder.join("Cargo.toml"), workspace).unwrap();
    fs::copy(tests.join("../Cargo.lock"), folder.join("Cargo.lock")).unwrap();

    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let checked = Command::new(cargo)
        .args(["check", "--quiet", "--offline", "--workspace", "--keep-going"])
        .current_dir(&folder)
        // The target folder of `renamed.rs`, where the dependencies are built already.
        .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("renamed-target"))
        .status()
        .expect("cargo runs");
    assert!(checked.success());
}
