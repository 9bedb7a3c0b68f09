//! The exports of a catalog: JSON Schema, AsyncAPI and Markdown.

use inngest_core::InngestEvent;
use inngest_core::catalog::Catalog;
use inngest_tests::payloads::{
    CartUpdatedV1, CartUpdatedV2, ItemsMerged, OrderPlaced, ParcelMoved, PayloadEvent, RouteTaken,
    SecretSealed, ShopOpened, StatusSet, StrictOrder,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

fn carts() -> Catalog {
    Catalog::new("storefront").event::<CartUpdatedV2>().event::<CartUpdatedV1>()
}

#[test]
fn versions_of_an_event_are_exported_apart_and_together() {
    let bundle = carts().json_schema().unwrap();
    let definitions = &bundle["$defs"];
    let refer = |name: &str| json!({ "$ref": format!("#/$defs/{name}") });
    assert_eq!(
        definitions["CartUpdated"]["anyOf"],
        json!([refer("CartUpdatedV1"), refer("CartUpdatedV2")])
    );
    assert_eq!(definitions["CartUpdatedV2"]["x-inngest-event"], "storefront/cart.updated");
    assert_eq!(definitions["CartUpdatedV2"]["x-inngest-version"], "2");
    assert_eq!(definitions["CartUpdatedV2"]["title"], "CartUpdatedV2");

    let asyncapi = carts().asyncapi().unwrap();
    let channel = &asyncapi["channels"]["CartUpdated"];
    assert_eq!(channel["address"], "storefront/cart.updated");
    assert_eq!(channel["messages"].as_object().unwrap().len(), 2);
    let message = &asyncapi["components"]["messages"]["CartUpdatedV2"];
    assert_eq!(message["payload"]["properties"]["v"], json!({ "const": "2" }));

    let markdown = carts().markdown().unwrap();
    assert!(markdown.contains("## storefront/cart.updated, version 1\n"), "{markdown}");
    assert!(markdown.contains("## storefront/cart.updated, version 2\n"), "{markdown}");
}

#[test]
fn the_schema_of_an_event_is_of_one_version_by_its_v() {
    #[derive(Serialize, Deserialize, JsonSchema, InngestEvent)]
    #[inngest(name = "storefront/cart.updated")]
    struct Unversioned {
        id: u32,
    }
    let schema = carts().event::<Unversioned>().event_schema("storefront/cart.updated").unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let event = |v: &Value, data: &Value| {
        let mut event = json!({ "name": "storefront/cart.updated", "data": data });
        if !v.is_null() {
            event["v"] = v.clone();
        }
        event
    };
    let (first, second) =
        (json!({ "cart_id": "c" }), json!({ "cart_id": "c", "revision": 1, "lines": [] }));
    assert!(validator.is_valid(&event(&json!("1"), &first)));
    assert!(validator.is_valid(&event(&json!("2"), &second)));
    assert!(!validator.is_valid(&event(&json!("2"), &first)));
    assert!(validator.is_valid(&event(&json!(null), &json!({ "id": 1 }))));
    assert!(!validator.is_valid(&event(&json!("1"), &json!({ "id": 1 }))));
    assert!(!validator.is_valid(&json!({ "name": "storefront/cart", "v": "1", "data": first })));
    assert!(!validator.is_valid(&json!({ "name": "storefront/cart.updated", "v": "1" })));
}

#[test]
fn an_encrypted_field_is_its_envelope_on_the_wire_and_its_type_for_people() {
    let catalog = Catalog::new("billing").event::<SecretSealed>();
    let bundle = catalog.json_schema().unwrap();
    let field = &bundle["$defs"]["SecretSealed"]["properties"]["encrypted"];
    assert_eq!(field["properties"]["__ENCRYPTED__"], json!({ "const": true }));
    assert_eq!(field["required"], json!(["__ENCRYPTED__", "__STRATEGY__", "data"]));
    assert_eq!(field["description"], "Who pays.");
    // The decrypted type is not part of the wire.
    assert_eq!(bundle["$defs"].as_object().unwrap().len(), 1);
    let asyncapi = catalog.asyncapi().unwrap();
    assert_eq!(
        &asyncapi["components"]["schemas"]["SecretSealed"]["properties"]["encrypted"],
        field
    );

    let markdown = catalog.markdown().unwrap();
    assert!(
        markdown.contains("| `encrypted` | [Card](#card) | required | **Encrypted.**"),
        "{markdown}"
    );
}

#[test]
fn inner_types_of_one_name_are_told_apart_across_events() {
    #[derive(Serialize, Deserialize, JsonSchema)]
    struct Item {
        weight: f64,
    }
    #[derive(Serialize, Deserialize, JsonSchema, InngestEvent)]
    #[inngest(name = "storefront/item2")]
    struct Weighed {
        item: Item,
    }
    let catalog =
        Catalog::new("test").event::<ItemsMerged>().event::<Weighed>().event::<OrderPlaced>();
    let definitions = catalog.json_schema().unwrap()["$defs"].clone();
    // The event has the name `Item2`, so the inner types have other ones.
    assert_eq!(definitions["Item2"]["x-inngest-event"], "storefront/item2");
    let resolve = |event: &str, field: &str| {
        let reference = definitions[event]["properties"][field]["$ref"].as_str().unwrap();
        definitions[reference.strip_prefix("#/$defs/").unwrap()]["properties"].clone()
    };
    assert!(resolve("Item2", "item").get("weight").is_some());
    assert!(resolve("ItemsMerged", "item").get("sku").is_some());
    assert!(resolve("ItemsMerged", "other").get("inner").is_some());
    // The item of an order is the type that another event has as well.
    assert_eq!(
        definitions["OrderPlaced"]["properties"]["lineItems"]["items"],
        definitions["ItemsMerged"]["properties"]["item"]
    );
}

#[test]
fn asyncapi_has_schemas_of_draft_07() {
    let catalog = Catalog::new("test").event::<ParcelMoved>().event::<RouteTaken>();
    let schemas = catalog.asyncapi().unwrap()["components"]["schemas"].clone();
    let point = &schemas["RouteTaken"]["properties"]["point"];
    assert_eq!(point["items"].as_array().unwrap().len(), 2);
    assert_eq!(point.get("prefixItems"), None);
    let delivered = &schemas["ParcelStep"]["oneOf"][1];
    assert_eq!(delivered["allOf"], json!([{ "$ref": "#/components/schemas/Address" }]));
    assert_eq!(delivered.get("$ref"), None);
}

#[test]
fn the_description_of_the_catalog_is_exported() {
    let catalog = carts().description("All about carts.");
    assert_eq!(catalog.json_schema().unwrap()["description"], "All about carts.");
    assert_eq!(catalog.asyncapi().unwrap()["info"]["description"], "All about carts.");
    assert!(catalog.markdown().unwrap().starts_with("# storefront\n\nAll about carts.\n"));
    assert_eq!(carts().json_schema().unwrap().get("description"), None);
}

#[test]
fn the_page_of_a_storefront_reads_well() {
    let catalog = carts()
        .event::<OrderPlaced>()
        .event::<ParcelMoved>()
        .event::<SecretSealed>()
        .event::<ShopOpened>()
        .event::<StatusSet>()
        .event::<StrictOrder>();
    insta::assert_snapshot!(catalog.description("The events of the shop.").markdown().unwrap());
}

#[test]
fn every_link_of_the_page_leads_to_a_heading() {
    let page = Catalog::new("payloads").events::<PayloadEvent>().markdown().unwrap();
    let anchor = |heading: &str| {
        let heading = heading.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        heading.chars().filter(|it| it.is_alphanumeric() || "-_".contains(*it)).collect::<String>()
    };
    let anchors: Vec<String> = page.lines().filter(|it| it.starts_with('#')).map(anchor).collect();
    let links: Vec<&str> =
        page.split("](#").skip(1).map(|it| it.split(')').next().unwrap()).collect();
    assert!(links.len() > 60);
    for link in links {
        assert_eq!(anchors.iter().filter(|it| *it == link).count(), 1, "#{link}");
    }
}

#[test]
fn every_row_of_the_page_has_all_cells() {
    let page = Catalog::new("payloads").events::<PayloadEvent>().markdown().unwrap();
    let mut columns = 0;
    for line in page.lines() {
        let cells = line.replace("\\|", "").matches('|').count();
        if line.starts_with('|') && columns > 0 {
            assert_eq!(cells, columns, "{line}");
        }
        columns = cells;
    }
}
