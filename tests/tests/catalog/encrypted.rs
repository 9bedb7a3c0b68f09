//! An encrypted field through the catalog: its type for functions, and its envelope on the wire.

use std::panic::{AssertUnwindSafe, catch_unwind};

use inngest_core::catalog::{Catalog, CatalogError};
use inngest_core::encryption::{Encrypted, EncryptionKeys};
use inngest_core::{Client, InngestEvent};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A customer.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Customer {
    email: String,
}

#[derive(Serialize, Deserialize, JsonSchema, InngestEvent)]
#[inngest(name = "storefront/order.placed", id = "order-placed-{number}", version = "1")]
struct OrderPlaced {
    number: u32,
    /// Who pays.
    encrypted: Encrypted<Customer>,
}

/// An event with one field of the type `T`.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Sealed<T> {
    encrypted: T,
}

macro_rules! sealed {
    ($($name:literal $type:ty;)*) => {$(
        impl InngestEvent for Sealed<$type> {
            const NAME: &'static str = $name;
            fn dedup_id(&self) -> Result<Option<inngest_core::DedupId>, inngest_core::EventError> {
                Ok(None)
            }
        }
    )*};
}

sealed! {
    "sealed/text" Encrypted<String>;
    "sealed/text.or.null" Encrypted<Option<String>>;
    "sealed/customer.or.null" Encrypted<Option<Customer>>;
    "sealed/value" Encrypted<Value>;
    "sealed/nothing" Encrypted<()>;
    "sealed/optional.text" Option<Encrypted<String>>;
    "sealed/optional.customer" Option<Encrypted<Customer>>;
    "sealed/optional.text.or.null" Option<Encrypted<Option<String>>>;
    "sealed/optional.value" Option<Encrypted<Value>>;
}

fn keys() -> EncryptionKeys {
    EncryptionKeys::new("the key of the middleware").unwrap()
}

fn order() -> OrderPlaced {
    let customer = Customer { email: "ada@example.com".to_owned() };
    OrderPlaced { number: 7, encrypted: keys().encrypt(&customer).unwrap() }
}

fn catalog() -> Catalog {
    Catalog::new("storefront").event::<OrderPlaced>()
}

fn in_clear() -> OrderPlaced {
    serde_json::from_value(json!({ "number": 7, "encrypted": { "email": "ada@example.com" } }))
        .unwrap()
}

#[test]
fn functions_get_the_type_of_the_value() {
    let typescript = catalog().typescript().unwrap();
    assert!(typescript.contains("  encrypted: Customer;\n"), "{typescript}");
    assert!(typescript.contains("   * Who pays.\n   *\n   * Encrypted on the way"), "{typescript}");
    assert!(typescript.contains("export type Customer = {\n  email: string;\n};"), "{typescript}");
    assert!(!typescript.contains("__ENCRYPTED__"), "{typescript}");

    let markdown = catalog().markdown().unwrap();
    let row = "| `encrypted` | [Customer](#customer) | required | **Encrypted.**";
    assert!(markdown.contains(row), "{markdown}");
    assert!(markdown.contains("`email`") && markdown.contains("Who pays."), "{markdown}");
}

#[test]
fn the_wire_has_the_envelope() {
    let schema = catalog().json_schema().unwrap();
    let field = &schema["$defs"]["OrderPlaced"]["properties"]["encrypted"];
    assert_eq!(field["required"], json!(["__ENCRYPTED__", "__STRATEGY__", "data"]));
    assert_eq!(field["description"], "Who pays.");
    assert_eq!(schema["$defs"].get("Customer"), None);
    let asyncapi = catalog().asyncapi().unwrap();
    let schemas = &asyncapi["components"]["schemas"];
    assert_eq!(&schemas["OrderPlaced"]["properties"]["encrypted"], field);

    let event_schema = catalog().event_schema("storefront/order.placed").unwrap();
    let validator = jsonschema::validator_for(&event_schema).unwrap();
    let event =
        |data: &OrderPlaced| json!({ "name": "storefront/order.placed", "v": "1", "data": data });
    assert!(validator.is_valid(&event(&order())));
    assert!(!validator.is_valid(&event(&in_clear())));
}

#[test]
fn a_value_in_clear_does_not_match() {
    catalog().check_event(&order()).unwrap();
    let error = catalog().check_event(&in_clear()).unwrap_err();
    assert!(
        matches!(&error, CatalogError::Mismatch { path, .. } if path == "data.encrypted"),
        "{error}"
    );
}

#[tokio::test]
async fn the_recorder_reports_a_value_in_clear() {
    let (client, sent) = Client::recorder();
    sent.check_with(catalog());
    client.send(order()).await.unwrap();
    let received = sent.one::<OrderPlaced>();
    assert_eq!(keys().decrypt(&received.data.encrypted).unwrap().email, "ada@example.com");

    let (client, sent) = Client::recorder();
    sent.check_with(catalog());
    client.send(in_clear()).await.unwrap();
    let failure = catch_unwind(AssertUnwindSafe(|| drop(sent.one::<OrderPlaced>())))
        .expect_err("an expectation fails");
    let failure = failure.downcast::<String>().expect("a text");
    assert!(failure.contains("`data.encrypted`"), "{failure}");
    assert!(failure.contains("does not match its schema"), "{failure}");
}

/// Checks which of a ciphertext and null the schema of an event allows.
#[track_caller]
fn allows<T>(ciphertext: T, is_null_allowed: bool)
where
    T: JsonSchema + Serialize + for<'de> Deserialize<'de>,
    Sealed<T>: InngestEvent,
{
    let catalog = Catalog::new("sealed").event::<Sealed<T>>();
    let schema = catalog.event_schema(Sealed::<T>::NAME).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let null: T = serde_json::from_value(Value::Null).unwrap();
    for (encrypted, is_allowed) in [(ciphertext, true), (null, is_null_allowed)] {
        let event = Sealed { encrypted };
        assert_eq!(catalog.check_event(&event).is_ok(), is_allowed, "{schema:#}");
        let json = json!({ "name": Sealed::<T>::NAME, "data": event });
        assert_eq!(validator.is_valid(&json), is_allowed, "{schema:#}");
    }
    catalog.typescript().unwrap();
    catalog.markdown().unwrap();
    catalog.asyncapi().unwrap();
}

#[test]
fn only_an_optional_encrypted_field_is_null_on_the_wire() {
    let keys = keys();
    allows(keys.encrypt(&"Ada".to_owned()).unwrap(), false);
    allows(keys.encrypt(&None::<String>).unwrap(), false);
    allows(keys.encrypt(&None::<Customer>).unwrap(), false);
    allows(keys.encrypt(&Value::Null).unwrap(), false);
    allows(keys.encrypt(&()).unwrap(), false);
    allows(Some(keys.encrypt(&"Ada".to_owned()).unwrap()), true);
    allows(Some(keys.encrypt(&Customer { email: "a@b.c".to_owned() }).unwrap()), true);
    allows(Some(keys.encrypt(&None::<String>).unwrap()), true);
    allows(Some(keys.encrypt(&Value::Null).unwrap()), true);
}

#[test]
fn functions_get_the_types_of_optional_values() {
    let catalog = Catalog::new("sealed")
        .event::<Sealed<Encrypted<Option<String>>>>()
        .event::<Sealed<Option<Encrypted<Value>>>>();
    let typescript = catalog.typescript().unwrap();
    assert!(typescript.contains("  encrypted: string | null;\n"), "{typescript}");
    assert!(typescript.contains("  encrypted?: unknown;\n"), "{typescript}");
    let markdown = catalog.markdown().unwrap();
    assert!(
        markdown.contains("| `encrypted` | text or null | required | **Encrypted.**"),
        "{markdown}"
    );
    assert!(
        markdown.contains("| `encrypted` | any value or null | optional | **Encrypted.**"),
        "{markdown}"
    );
}
