//! The JSON Schema of an encrypted value.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::encrypted::Encrypted;

/// The keyword that marks the schema of an encrypted value.
const ENCRYPTED_KEYWORD: &str = "x-inngest-encrypted";

/// The schema of `T`, as functions see the value, with `"x-inngest-encrypted": true` beside it.
impl<T: JsonSchema> JsonSchema for Encrypted<T> {
    /// The keyword is beside the reference to the schema of `T`, where it describes this one use of `T`.
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Encrypted_{}", T::schema_name()).into()
    }

    fn schema_id() -> Cow<'static, str> {
        format!("inngest_core::encryption::Encrypted<{}>", T::schema_id()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = generator.subschema_for::<T>();
        schema.insert(ENCRYPTED_KEYWORD.to_owned(), true.into());
        schema
    }
}
