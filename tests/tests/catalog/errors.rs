//! What a catalog does not accept, with its reason and the way out.

use std::collections::BTreeMap;

use inngest_core::catalog::{Catalog, CatalogError};
use inngest_core::{DedupId, EventError, InngestEvent};
use inngest_tests::payloads::{Card, CartUpdatedV1, CartUpdatedV2, Sealed, ShopOpened};
use schemars::{JsonSchema, Schema, json_schema};
use serde::{Deserialize, Serialize};

/// Returns the text of the error that every export of a catalog has.
#[track_caller]
fn error(catalog: &Catalog) -> String {
    let error = catalog.json_schema().unwrap_err().to_string();
    assert_eq!(catalog.asyncapi().unwrap_err().to_string(), error);
    assert_eq!(catalog.markdown().unwrap_err().to_string(), error);
    error
}

#[test]
fn two_types_of_one_name_and_version_are_an_error() {
    #[derive(Serialize, JsonSchema, InngestEvent)]
    #[inngest(name = "storefront/cart.updated", id = "cart-updated-{cart_id}", version = "1")]
    struct Other {
        cart_id: u32,
    }
    #[derive(Serialize, JsonSchema, InngestEvent)]
    #[inngest(name = "storefront/shop.opened", id = "opened-{shop}")]
    struct OtherId {
        shop: u32,
    }
    #[derive(Serialize, JsonSchema, InngestEvent)]
    #[inngest(name = "storefront/shop.opened", id = "opened-now-{shop}")]
    #[schemars(rename = "OtherId")]
    struct WithId {
        shop: u32,
    }
    let catalog = Catalog::new("test").event::<CartUpdatedV1>().event::<Other>();
    insta::assert_snapshot!(error(&catalog), @"`storefront/cart.updated`, version `1` is defined by two types that differ in their schemas; give one of them another name or another version");
    let catalog = Catalog::new("test").event::<WithId>().event::<OtherId>();
    insta::assert_snapshot!(error(&catalog), @"`storefront/shop.opened` is defined by two types that differ in their id templates; give one of them another name or another version");
}

#[test]
fn two_events_with_one_export_are_an_error() {
    #[derive(Serialize, JsonSchema, InngestEvent)]
    #[inngest(name = "billing/cart.updated")]
    struct Other;
    let catalog = Catalog::new("test").event::<CartUpdatedV1>().event::<Other>();
    insta::assert_snapshot!(error(&catalog), @"`billing/cart.updated` and `storefront/cart.updated` would both be exported as `CartUpdated`, since an export is named after the event without its domain, the part up to the last `/`; rename one of them, or put them in two catalogs");
}

/// An event whose data is `T`, which is no struct.
#[derive(Serialize, JsonSchema)]
#[serde(transparent)]
struct Data<T>(T);

impl<T: Serialize> InngestEvent for Data<T> {
    const NAME: &'static str = "test/data";

    fn dedup_id(&self) -> Result<Option<DedupId>, EventError> {
        Ok(None)
    }
}

/// Data whose schema combines parts.
#[derive(Serialize, JsonSchema)]
#[schemars(transform = |schema: &mut Schema| all_of(schema, "object"))]
struct Objects {}

/// The same, of strings.
#[derive(Serialize, JsonSchema)]
#[schemars(transform = |schema: &mut Schema| all_of(schema, "string"))]
struct Texts {}

/// Data whose schema is one of two, without a reference.
#[derive(Serialize, JsonSchema, InngestEvent)]
#[inngest(name = "test/variants")]
#[schemars(transform = |schema: &mut Schema| {
    *schema = json_schema!({ "anyOf": [{ "type": "object" }, { "type": "null" }] });
})]
struct Variants {}

fn all_of(schema: &mut Schema, kind: &str) {
    *schema =
        json_schema!({ "allOf": [{ "description": "any" }, { "allOf": [{ "type": kind }] }] });
}

#[test]
fn data_that_is_no_object_is_an_error() {
    #[derive(Serialize, JsonSchema)]
    #[serde(untagged)]
    #[allow(dead_code, reason = "only its schema counts")]
    enum Mixed {
        Object { a: u8 },
        Text(String),
    }
    insta::assert_snapshot!(error(&Catalog::new("test").event::<Data<Vec<u8>>>()), @"the data of `test/data` must be a JSON object, but its schema describes an array; an event is a struct with named fields or without any");
    insta::assert_snapshot!(error(&Catalog::new("test").event::<Data<u8>>()), @"the data of `test/data` must be a JSON object, but its schema describes an integer; an event is a struct with named fields or without any");
    insta::assert_snapshot!(error(&Catalog::new("test").event::<Data<Mixed>>()), @"the data of `test/data` must be a JSON object, but its schema describes a string; an event is a struct with named fields or without any");
    insta::assert_snapshot!(error(&Catalog::new("test").event::<Data<serde_json::Value>>()), @"the data of `test/data` must be a JSON object, but its schema describes any value; an event is a struct with named fields or without any");
    insta::assert_snapshot!(error(&Catalog::new("test").event::<Data<Texts>>()), @"the data of `test/data` must be a JSON object, but its schema describes any value; an event is a struct with named fields or without any");
    Catalog::new("test").event::<Data<Objects>>().json_schema().unwrap();
    Catalog::new("test").event::<Variants>().json_schema().unwrap();
    Catalog::new("test").event::<Data<BTreeMap<String, u8>>>().json_schema().unwrap();
    Catalog::new("test").event::<Data<CartUpdatedV1>>().json_schema().unwrap();
}

#[test]
fn an_encrypted_field_that_is_not_decrypted_is_an_error() {
    #[derive(Serialize, Deserialize, JsonSchema, InngestEvent)]
    #[inngest(name = "test/two")]
    struct Two {
        a: Sealed<Card>,
        b: Option<Sealed<u32>>,
    }
    #[derive(Serialize, Deserialize, JsonSchema, InngestEvent)]
    #[inngest(name = "test/nested")]
    struct Nested {
        customers: Vec<Customer>,
    }
    #[derive(Serialize, Deserialize, JsonSchema)]
    struct Customer {
        card: Sealed<Card>,
    }
    #[derive(Serialize, Deserialize, JsonSchema, InngestEvent)]
    #[inngest(name = "test/flattened")]
    struct Flattened {
        #[serde(flatten)]
        customer: Customer,
        option: Option<u8>,
    }
    insta::assert_snapshot!(error(&Catalog::new("test").event::<Two>()), @"the field `data.b` of `test/two` is encrypted, and it is the second one, but the Python package decrypts only the first; put both into one struct, in one encrypted field");
    insta::assert_snapshot!(error(&Catalog::new("test").event::<Nested>()), @"the field `data.customers[].card` of `test/nested` is encrypted, and only a field at the top of the data is decrypted; move it there, and name it `encrypted`");
    Catalog::new("test").event::<Flattened>().json_schema().unwrap();
}

#[test]
fn an_event_that_is_not_in_the_catalog_is_an_error() {
    let catalog = Catalog::new("storefront").event::<CartUpdatedV1>();
    insta::assert_snapshot!(catalog.check_event(&ShopOpened).unwrap_err(), @"`storefront/shop.opened` is not in the catalog `storefront`: add it with `.event::<..>()`, or its enum with `.events::<..>()`");
    insta::assert_snapshot!(catalog.event_schema("storefront/cart").unwrap_err(), @"`storefront/cart` is not in the catalog `storefront`: add it with `.event::<..>()`, or its enum with `.events::<..>()`");

    #[derive(Serialize, JsonSchema, InngestEvent)]
    #[inngest(name = "storefront/cart.updated", version = "3")]
    struct Newer;
    insta::assert_snapshot!(catalog.check_event(&Newer).unwrap_err(), @"`storefront/cart.updated`, version `3` is not in the catalog `storefront`: it contains this event with version `1`");
    let catalog = catalog.event::<CartUpdatedV2>();
    insta::assert_snapshot!(catalog.check_event(&Newer).unwrap_err(), @"`storefront/cart.updated`, version `3` is not in the catalog `storefront`: it contains this event with version `1` and version `2`");
}

#[test]
fn data_that_differs_from_its_schema_is_an_error_with_its_path() {
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    fn in_cents<S: serde::Serializer>(amount: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&(amount * 100.0))
    }
    #[derive(Serialize, JsonSchema)]
    struct Line {
        #[serde(serialize_with = "in_cents")]
        amount: f64,
    }
    #[derive(Serialize, JsonSchema, InngestEvent)]
    #[inngest(name = "test/paid", version = "2")]
    struct Paid {
        lines: Vec<Line>,
    }
    let catalog = Catalog::new("test").event::<Paid>();
    let paid = Paid { lines: vec![Line { amount: 1.5 }] };
    let error = catalog.check_event(&paid).unwrap_err();
    insta::assert_snapshot!(error, @r#"the data of `test/paid`, version `2` does not match its schema: `data.lines[0].amount` is "150", but its type is number; make `Serialize` and `JsonSchema` of its type agree, for example by `#[schemars(with = "..")]`"#);
    assert!(matches!(error, CatalogError::Mismatch { path, .. } if path == "data.lines[0].amount"));
    catalog.check_event(&Paid { lines: vec![] }).unwrap();
}

#[test]
fn a_keyword_that_is_not_supported_is_an_error() {
    #[derive(Serialize, JsonSchema, InngestEvent)]
    #[inngest(name = "test/odd")]
    struct Odd {
        #[schemars(extend("multipleOf" = 3))]
        number: u8,
    }
    let catalog = Catalog::new("test").event::<Odd>();
    insta::assert_snapshot!(catalog.check_event(&Odd { number: 4 }).unwrap_err(), @"the schema of `test/odd` has the keyword `multipleOf` at `data.number`, which is not supported here; it comes from `#[schemars(..)]` or from a `JsonSchema` implementation");
}

#[test]
fn an_event_that_cannot_be_sent_is_an_error() {
    #[derive(Serialize, JsonSchema, InngestEvent)]
    #[inngest(name = "test/large")]
    struct Large {
        number: u64,
    }
    let catalog = Catalog::new("test").event::<Large>();
    let error = catalog.check_event(&Large { number: u64::MAX }).unwrap_err();
    assert!(matches!(error, CatalogError::Event(EventError::UnsafeInteger { .. })));
}

#[test]
fn an_integer_beyond_the_range_of_its_format_is_an_error() {
    #[derive(Serialize, JsonSchema, InngestEvent)]
    #[inngest(name = "test/ranges")]
    struct Ranges {
        #[schemars(with = "u32")]
        unsigned: u64,
        #[schemars(with = "i32")]
        signed: i64,
    }
    let catalog = Catalog::new("test").event::<Ranges>();
    let (largest, least) = (i64::from(i32::MAX), i64::from(i32::MIN));
    for (unsigned, signed, is_in_range) in [
        (u64::from(u32::MAX), largest, true),
        (0, least, true),
        (u64::from(u32::MAX) + 1, 0, false),
        (0, largest + 1, false),
        (0, least - 1, false),
    ] {
        let result = catalog.check_event(&Ranges { unsigned, signed });
        assert_eq!(result.is_ok(), is_in_range, "{unsigned}, {signed}: {result:?}");
    }
}
