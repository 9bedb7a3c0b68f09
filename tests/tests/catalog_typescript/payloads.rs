//! What is generated for the payloads. `tests/clients/typescript/run` checks the file with the compiler.

use std::fs;
use std::path::Path;

use inngest_core::catalog::Catalog;
use inngest_tests::payloads::PayloadEvent;

#[test]
fn the_module_that_the_compiler_checks_is_the_generated_one() {
    let catalog = Catalog::new("the storefront").description("Events of every shape.");
    let text = catalog.events::<PayloadEvent>().typescript().unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/typescript/events.ts");
    if std::env::var_os("INNGEST_EVENTS").is_some_and(|value| value == "bless") {
        fs::write(&path, &text).unwrap();
    }
    let checked = fs::read_to_string(&path).unwrap().replace("\r\n", "\n");
    let differing = checked.lines().zip(text.lines()).position(|(checked, text)| checked != text);
    assert!(
        checked == text,
        "{} differs after {differing:?} lines; write it with `INNGEST_EVENTS=bless`, then run \
         tests/clients/typescript/run",
        path.display()
    );
}
