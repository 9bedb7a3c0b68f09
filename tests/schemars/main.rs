//! Checks the committed lock of the tests with the version of schemars in the `Cargo.lock` of this package, and that a
//! lock is read as it was written in a build that turns on no feature of `serde_json`.

#[allow(dead_code, reason = "of the table, only the types are used")]
#[path = "../tests/catalog_lock/events.rs"]
mod events;

use std::path::Path;
use std::process::Command;
use std::{env, fs, process};

use inngest_core::InngestEvent;
use inngest_core::catalog::Catalog;
use schemars::JsonSchema;
use serde::Serialize;

/// Set for the child process that writes a lock, to the lock's path.
const LOCK: &str = "INNGEST_SCHEMARS_LOCK";

/// An event whose schema has floats that `serde_json` reads with another last bit than it wrote, unless its feature
/// `float_roundtrip` is turned on. In the workspace, dependencies of the tests turn it on.
#[derive(Serialize, JsonSchema, InngestEvent)]
#[inngest(name = "shop/measured")]
struct Measured {
    #[schemars(range(min = 1.602_176_634e-19, max = 3.402_823_466_385_288_6e38))]
    value: f64,
    #[schemars(extend("const" = 141_254_116_813_316_530.0_f64))]
    constant: f64,
    #[schemars(extend("multipleOf" = 3.994_363_520_136_500_6e-159))]
    step: f64,
}

fn main() {
    let measured = Catalog::new("shop").event::<Measured>();
    if let Some(lock) = env::var_os(LOCK) {
        return measured.assert_lock(lock);
    }
    let lock = env::temp_dir().join(format!("inngest-schemars-{}.lock.json", process::id()));
    write_lock(&lock);
    let checked = measured.check_lock(&lock);
    fs::remove_file(&lock).expect("the lock is removed");
    checked.expect("the lock that was just written matches");

    events::all().assert_lock(concat!(env!("CARGO_MANIFEST_DIR"), "/../golden/shapes.lock.json"));
}

/// Writes the lock in a child process, with the environment variable that asks for it.
fn write_lock(lock: &Path) {
    let mut child = Command::new(env::current_exe().expect("this program"));
    child.env(LOCK, lock).env("INNGEST_EVENTS", "bless").env_remove("CI");
    assert!(child.status().expect("the child runs").success());
}
