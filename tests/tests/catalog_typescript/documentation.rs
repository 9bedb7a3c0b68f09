//! The comments of the generated module.

use inngest_core::InngestEvent;
use inngest_core::catalog::Catalog;
use schemars::JsonSchema;
use serde::Serialize;

use super::{catalog_of, exported_type};

#[test]
fn the_module_is_introduced_by_the_catalog() {
    let text = Catalog::new("the storefront").typescript().unwrap();
    assert_eq!(
        text,
        "/* eslint-disable */\n\
         /**\n\
         \x20* The events of the storefront.\n\
         \x20*\n\
         \x20* Generated from the types of the Rust program that sends them: do not edit.\n\
         \x20*/\n\n\
         export {};\n"
    );
    let text = Catalog::new("tests").description("Ends */ early.").typescript().unwrap();
    assert!(text.contains("\n * Ends *\\/ early.\n"), "{text}");
}

#[test]
fn doc_comments_become_documentation_that_they_cannot_end() {
    /// A cart */ has changed.
    ///
    ///     let code = 1;
    #[derive(Serialize, JsonSchema, InngestEvent)]
    #[inngest(name = "storefront/cart.updated")]
    struct Cart {
        /// One line with `*/`.
        one: u8,
        /// Two
        ///
        /// lines.
        #[deprecated]
        two: u8,
        #[deprecated]
        three: u8,
        inner: Inner,
        variant: Variant,
    }
    /// Inside.
    #[derive(Serialize, JsonSchema)]
    struct Inner {
        #[schemars(extend("format" = "uuid"))]
        id: String,
        /// When.
        #[schemars(extend("format" = "date-time"))]
        at: Option<String>,
    }
    #[derive(Serialize, JsonSchema)]
    #[serde(tag = "kind")]
    #[allow(dead_code, reason = "only its schema is used")]
    enum Variant {
        /// The first.
        One,
        Two {
            /// Its field.
            field: u8,
        },
    }
    let catalog = Catalog::new("tests").event::<Cart>();
    insta::assert_snapshot!(catalog.typescript().unwrap());
}

#[test]
fn versions_are_documented_not_to_route() {
    #[derive(Serialize, JsonSchema, InngestEvent)]
    #[inngest(name = "storefront/cart.updated", version = "it's \\ 2")]
    struct Cart {}
    let text = Catalog::new("tests").event::<Cart>().typescript().unwrap();
    // The condition is a string of TypeScript with an expression in which the version is a string.
    let example = r#"`{ event: cartUpdated, if: "event.v == 'it\\'s \\\\ 2'" }`"#;
    assert!(text.contains("A version does not route"), "{text}");
    assert!(text.contains(example), "no {example} in:\n{text}");
}

#[test]
fn encrypted_data_is_shown_decrypted_with_a_note() {
    let catalog = catalog_of!("test/sealed", {
        "type": "object",
        "properties": { "encrypted": { "type": "string", "description": "Who pays.", "x-inngest-encrypted": true } },
        "required": ["encrypted"]
    });
    assert_eq!(
        exported_type(&catalog, "Sealed").replace("\n   *\n", "\n"),
        "export type Sealed = {\n  /**\n   * Who pays.\n   * Encrypted on the way: functions receive this value \
         if their client has the encryption\n   * middleware of Inngest with the same key.\n   */\n  \
         encrypted: string;\n};"
    );
}

#[test]
fn an_open_enum_of_objects_is_documented_to_grow() {
    let catalog = catalog_of!("test/shown", {
        "type": "object", "x-open": true, "oneOf": [{ "required": ["a"] }, { "required": ["b"] }]
    });
    assert_eq!(
        exported_type(&catalog, "Shown"),
        "/** More values may be added: handle others too. */\nexport type Shown = { a: unknown } | { b: unknown };"
    );
}
