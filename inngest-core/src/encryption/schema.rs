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
        assert_eq!(any.as_value(), &json!({ "x-inngest-encrypted": true }));
    }
}
