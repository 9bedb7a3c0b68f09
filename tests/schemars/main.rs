//! Checks the committed lock of the tests with the version of schemars in the `Cargo.lock` of this package.

#[allow(dead_code, reason = "of the table, only the types are used")]
#[path = "../tests/catalog_lock/events.rs"]
mod events;

fn main() {
    events::all().assert_lock(concat!(env!("CARGO_MANIFEST_DIR"), "/../golden/shapes.lock.json"));
}
