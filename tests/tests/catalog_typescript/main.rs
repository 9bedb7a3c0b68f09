//! `Catalog::typescript`: the text that is generated. `tests/clients/typescript/run` checks with the compiler
//! of TypeScript what is generated for the payloads.

mod documentation;
mod export_names;
mod inner_types;
mod payloads;
mod schemas;
mod unsupported;

use inngest_core::catalog::Catalog;

/// Declares an event whose data has the schema that `$json` is, and returns a catalog with it.
macro_rules! catalog_of {
    ($name:literal, $($json:tt)*) => {{
        #[derive(serde::Serialize, inngest_core::InngestEvent)]
        #[inngest(name = $name)]
        struct Data {}

        impl schemars::JsonSchema for Data {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                "Data".into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!($($json)*)
            }
        }

        inngest_core::catalog::Catalog::new("tests").event::<Data>()
    }};
}
use catalog_of;

/// Returns the type that `catalog` exports as `name`, with its documentation.
fn exported_type(catalog: &Catalog, name: &str) -> String {
    let text = catalog.typescript().unwrap();
    let block = text.split("\n\n").find(|block| block.contains(&format!("export type {name} =")));
    block.unwrap_or_else(|| panic!("no type {name} in:\n{text}")).trim().to_owned()
}
