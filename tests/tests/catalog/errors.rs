//! What a catalog does not accept, with its reason and the way out.

use std::collections::BTreeMap;

use inngest_core::catalog::{Catalog, CatalogError};
use inngest_core::{DedupId, EventError, InngestEvent};
use inngest_tests::payloads::{Card, CartUpdatedV1, Sealed, ShopOpened};
use schemars::JsonSchema;
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
    struct WithId {
        shop: u32,
    }
    let catalog = Catalog::new("test").event::<CartUpdatedV1>().event::<Other>();
    insta::assert_snapshot!(error(&catalog), @"");
    let catalog = Catalog::new("test").event::<WithId>().event::<ShopOpened>();
    insta::assert_snapshot!(error(&catalog), @"");
}

#[test]
fn two_events_with_one_export_are_an_error() {
    #[derive(Serialize, JsonSchema, InngestEvent)]
    #[inngest(name = "billing/cart.updated")]
    struct Other;
    let catalog = Catalog::new("test").event::<CartUpdatedV1>().event::<Other>();
    insta::assert_snapshot!(error(&catalog), @"");
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

#[test]
fn data_that_is_no_object_is_an_error() {
    #[derive(Serialize, JsonSchema)]
    #[serde(untagged)]
    #[allow(dead_code, reason = "only its schema counts")]
    enum Mixed {
        Object { a: u8 },
        Text(String),
    }
    insta::assert_snapshot!(error(&Catalog::new("test").event::<Data<Vec<u8>>>()), @"");
    insta::assert_snapshot!(error(&Catalog::new("test").event::<Data<u8>>()), @"");
    insta::assert_snapshot!(error(&Catalog::new("test").event::<Data<Mixed>>()), @"");
    insta::assert_snapshot!(error(&Catalog::new("test").event::<Data<serde_json::Value>>()), @"");
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
    insta::assert_snapshot!(error(&Catalog::new("test").event::<Two>()), @"");
    insta::assert_snapshot!(error(&Catalog::new("test").event::<Nested>()), @"");
    Catalog::new("test").event::<Flattened>().json_schema().unwrap();
}

#[test]
fn an_event_that_is_not_in_the_catalog_is_an_error() {
    let catalog = Catalog::new("storefront").event::<CartUpdatedV1>();
    insta::assert_snapshot!(catalog.check_event(&ShopOpened).unwrap_err(), @"");
    insta::assert_snapshot!(catalog.event_schema("storefront/cart").unwrap_err(), @"");

    #[derive(Serialize, JsonSchema, InngestEvent)]
    #[inngest(name = "storefront/cart.updated", version = "3")]
    struct Newer;
    insta::assert_snapshot!(catalog.check_event(&Newer).unwrap_err(), @"");
}

#[test]
fn data_that_differs_from_its_schema_is_an_error_with_its_path() {
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
    insta::assert_snapshot!(error, @"");
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
    insta::assert_snapshot!(catalog.check_event(&Odd { number: 4 }).unwrap_err(), @"");
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
