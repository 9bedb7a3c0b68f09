//! The one schema of an event: which events are in a catalog, and what each requires.

use inngest_core::InngestEvent;
use inngest_core::catalog::Catalog;
use inngest_tests::payloads::{
    CartUpdatedV1, CommentPosted, DefaultsFilled, InvoiceSent, Item, OrderPlaced, PayloadEvent,
    PaymentTaken, ShopOpened,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

fn schema_of<E: InngestEvent + JsonSchema>(key: &str) -> Value {
    let bundle = Catalog::new("test").event::<E>().json_schema().unwrap();
    bundle["$defs"][key].clone()
}

#[test]
fn a_field_is_required_if_it_is_always_written_and_always_read() {
    let schema = schema_of::<DefaultsFilled>("DefaultsFilled");
    assert_eq!(schema["required"], json!(["aliased", "inner"]));
    let written: Vec<_> = schema["properties"].as_object().unwrap().keys().collect();
    assert_eq!(written, ["aliased", "count", "inner", "list", "option", "written_only"]);

    let order = schema_of::<OrderPlaced>("OrderPlaced");
    assert_eq!(order["required"], json!(["orderNumber", "lineItems", "total", "pair"]));
}

#[test]
fn types_are_the_written_ones() {
    let invoice = schema_of::<InvoiceSent>("InvoiceSent");
    assert_eq!(invoice["properties"]["amount"]["type"], "string");
}

#[test]
fn variants_that_only_one_direction_has_do_not_change_what_others_require() {
    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(tag = "kind")]
    #[allow(dead_code, reason = "only its schema counts")]
    enum Change {
        #[serde(skip_deserializing)]
        Legacy { note: Option<String> },
        Added {
            sku: String,
            #[serde(default)]
            count: u32,
        },
        #[serde(skip_serializing)]
        Planned { at: u64 },
    }
    #[derive(Serialize, Deserialize, JsonSchema, InngestEvent)]
    #[inngest(name = "test/changed")]
    struct Changed {
        change: Change,
    }
    let bundle = Catalog::new("test").event::<Changed>().json_schema().unwrap();
    let variants = bundle["$defs"]["Change"]["oneOf"].as_array().unwrap();
    let required: Vec<_> = variants.iter().map(|it| &it["required"]).collect();
    assert_eq!(required, [&json!(["kind", "note"]), &json!(["kind", "sku"])]);
}

#[test]
fn a_type_that_contains_itself_refers_to_a_definition() {
    let bundle = Catalog::new("test").event::<CommentPosted>().json_schema().unwrap();
    let definitions = bundle["$defs"].as_object().unwrap();
    let reference =
        bundle["$defs"]["CommentPosted"]["properties"]["replies"]["items"]["$ref"].as_str();
    let name = reference.unwrap().strip_prefix("#/$defs/").unwrap();
    assert_eq!(definitions[name]["required"], json!(["number", "replies"]));
}

#[test]
fn the_same_type_counts_once() {
    let once = Catalog::new("test").events::<PayloadEvent>();
    let again = once.clone().events::<PayloadEvent>().event::<CartUpdatedV1>();
    assert_eq!(again.json_schema().unwrap(), once.json_schema().unwrap());
}

#[test]
fn the_order_in_which_events_are_added_does_not_matter() {
    let one =
        Catalog::new("test").event::<ShopOpened>().event::<PaymentTaken>().event::<CartUpdatedV1>();
    let other =
        Catalog::new("test").event::<CartUpdatedV1>().event::<PaymentTaken>().event::<ShopOpened>();
    assert_eq!(one.json_schema().unwrap(), other.json_schema().unwrap());
    assert_eq!(one.asyncapi().unwrap(), other.asyncapi().unwrap());
    assert_eq!(one.markdown().unwrap(), other.markdown().unwrap());
}

#[test]
fn an_event_behind_a_box_or_a_reference_is_the_same_event() {
    let plain = Catalog::new("test").event::<CartUpdatedV1>();
    let boxed = plain.clone().event::<Box<CartUpdatedV1>>().event::<&CartUpdatedV1>();
    assert_eq!(boxed.json_schema().unwrap(), plain.json_schema().unwrap());
}

#[test]
fn numbers_as_strings_have_the_schema_of_a_string() {
    #[derive(Serialize, Deserialize, JsonSchema, InngestEvent)]
    #[inngest(name = "test/linked")]
    struct Linked {
        /// The number.
        #[serde(with = "inngest_core::as_string")]
        account: u64,
        item: Option<Item>,
    }
    let schema = schema_of::<Linked>("Linked");
    let expected = json!({ "type": "string", "description": "The number." });
    assert_eq!(schema["properties"]["account"], expected);
    let linked = Linked { account: u64::MAX, item: None };
    Catalog::new("test").event::<Linked>().check_event(&linked).unwrap();
}
