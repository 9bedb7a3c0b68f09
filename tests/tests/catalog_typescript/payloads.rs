//! What is generated for the payloads. `tests/clients/typescript/run` checks the file with the compiler.

use inngest_core::catalog::Catalog;
use inngest_tests::payloads::PayloadEvent;

#[test]
fn the_module_that_the_compiler_checks_is_the_generated_one() {
    let catalog = Catalog::new("the storefront").description("Events of every shape.");
    let catalog = catalog.events::<PayloadEvent>();
    catalog.assert_file("clients/typescript/events.ts", &catalog.typescript().unwrap());
}
