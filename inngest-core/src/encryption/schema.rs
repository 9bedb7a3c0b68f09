//! The JSON Schema of an encrypted value.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value;

use super::encrypted::Encrypted;

/// The keyword that marks the schema of an encrypted value.
const ENCRYPTED_KEYWORD: &str = "x-inngest-encrypted";

/// The schema of `T`, as functions receive the value, with the keyword `"x-inngest-encrypted": true`.
impl<T: JsonSchema> JsonSchema for Encrypted<T> {
    /// The schema is inline: the keyword is next to the reference to `T`, so that it describes this use of `T` only.
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
        let value = generator.subschema_for::<T>();
        let mut schema =
            if allows_null(&value) { json_schema!({ "allOf": [value] }) } else { value };
        schema.insert(ENCRYPTED_KEYWORD.to_owned(), true.into());
        schema
    }
}

/// Returns whether a schema allows null itself, not through a reference or through its parts.
///
/// Adding null to such a schema, as schemars does for an `Option`, changes nothing. The schema of an
/// `Option<Encrypted<T>>`, whose `None` is sent as null, would then equal the schema of an `Encrypted<T>`, which is
/// always sent as an envelope.
fn allows_null(schema: &Schema) -> bool {
    match schema.get("type") {
        Some(Value::Array(types)) => types.iter().any(|it| it == "null"),
        Some(one) => one == "null",
        None => {
            let restrictions = ["$ref", "allOf", "anyOf", "const", "enum", "oneOf"];
            !restrictions.iter().any(|keyword| schema.get(*keyword).is_some())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
    use serde_json::{Value, json};

    use super::Encrypted;

    struct Customer;

    impl JsonSchema for Customer {
        fn schema_name() -> Cow<'static, str> {
            "Customer".into()
        }

        fn json_schema(_: &mut SchemaGenerator) -> Schema {
            json_schema!({ "type": "object" })
        }
    }

    #[test]
    fn the_schema_of_the_value_is_marked_where_it_is_used() {
        let mut generator = SchemaGenerator::default();
        let encrypted = generator.subschema_for::<Encrypted<Customer>>();
        let in_clear = generator.subschema_for::<Customer>();
        assert_eq!(
            encrypted.as_value(),
            &json!({ "$ref": "#/$defs/Customer", "x-inngest-encrypted": true })
        );
        assert_eq!(in_clear.as_value(), &json!({ "$ref": "#/$defs/Customer" }));
        let definitions: Vec<_> = generator.definitions().iter().collect();
        assert_eq!(definitions, [(&"Customer".to_owned(), &json!({ "type": "object" }))]);
    }

    #[test]
    fn a_schema_without_a_name_is_marked_too() {
        let mut generator = SchemaGenerator::default();
        let text = generator.subschema_for::<Encrypted<String>>();
        assert_eq!(text.as_value(), &json!({ "type": "string", "x-inngest-encrypted": true }));
        let any = generator.subschema_for::<Encrypted<Value>>();
        assert_eq!(any.as_value(), &json!({ "allOf": [true], "x-inngest-encrypted": true }));
    }

    #[test]
    fn an_optional_encrypted_value_differs_from_an_encrypted_optional_value() {
        let mut generator = SchemaGenerator::default();
        let inner = generator.subschema_for::<Encrypted<Option<String>>>();
        assert_eq!(
            inner.as_value(),
            &json!({ "allOf": [{ "type": ["string", "null"] }], "x-inngest-encrypted": true })
        );
        for outer in [
            generator.subschema_for::<Option<Encrypted<Option<String>>>>(),
            generator.subschema_for::<Option<Encrypted<Value>>>(),
        ] {
            assert_eq!(outer.as_value()["anyOf"][0]["x-inngest-encrypted"], true);
            assert_eq!(outer.as_value()["anyOf"][1], json!({ "type": "null" }));
        }
    }
}
