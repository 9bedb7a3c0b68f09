//! The types inside of events.

use std::collections::BTreeMap;

use inngest_core::InngestEvent;
use inngest_core::catalog::Catalog;
use schemars::JsonSchema;
use serde::Serialize;

use super::{catalog_of, exported_type};

mod cart {
    use super::{JsonSchema, Serialize};

    #[derive(Serialize, JsonSchema)]
    pub(super) struct Item {
        pub(super) sku: String,
    }

    #[derive(Serialize, JsonSchema)]
    pub(super) struct Line {
        pub(super) item: Item,
    }
}

mod stock {
    use super::{JsonSchema, Serialize};

    #[derive(Serialize, JsonSchema)]
    pub(super) struct Item {
        pub(super) shelf: u32,
    }

    #[derive(Serialize, JsonSchema)]
    pub(super) struct Line {
        pub(super) item: Item,
    }
}

macro_rules! event {
    ($ty:ident, $name:literal, $inner:ty) => {
        #[derive(Serialize, JsonSchema, InngestEvent)]
        #[inngest(name = $name)]
        struct $ty {
            inner: $inner,
        }
    };
}

event!(CartUpdated, "storefront/cart.updated", cart::Line);
event!(CartDropped, "storefront/cart.dropped", cart::Line);
event!(StockCounted, "warehouse/stock.counted", stock::Line);

#[test]
fn a_type_inside_of_several_events_is_declared_once() {
    let catalog = Catalog::new("tests").event::<CartUpdated>().event::<CartDropped>();
    let text = catalog.typescript().unwrap();
    assert_eq!(text.matches("export type").count(), 4, "{text}");
    assert_eq!(exported_type(&catalog, "Line"), "export type Line = {\n  item: Item;\n};");
    assert_eq!(text.matches("  inner: Line;\n").count(), 2, "{text}");
}

#[test]
fn different_types_of_one_name_get_numbers() {
    let catalog = Catalog::new("tests").event::<CartUpdated>().event::<StockCounted>();
    // The two lines are equal but for the items inside of them.
    for (name, expected) in [
        ("CartUpdated", "{\n  inner: Line;\n}"),
        ("Line", "{\n  item: Item;\n}"),
        ("Item", "{\n  sku: string;\n}"),
        ("StockCounted", "{\n  inner: Line2;\n}"),
        ("Line2", "{\n  item: Item2;\n}"),
        ("Item2", "{\n  shelf: number;\n}"),
    ] {
        assert_eq!(exported_type(&catalog, name), format!("export type {name} = {expected};"));
    }
}

#[test]
fn a_type_that_is_named_like_an_event_or_a_global_gets_a_number() {
    #[derive(Serialize, JsonSchema)]
    struct Record {
        cart: Box<CartDropped>,
    }
    #[derive(Serialize, JsonSchema)]
    struct CartDropped {
        by: String,
    }
    event!(OfRecord, "storefront/cart.recorded", Record);
    let catalog =
        Catalog::new("tests").event::<OfRecord>().event::<super::inner_types::CartDropped>();
    for (name, expected) in [
        ("CartRecorded", "{\n  inner: Record2;\n}"),
        ("Record2", "{\n  cart: CartDropped2;\n}"),
        ("CartDropped2", "{\n  by: string;\n}"),
        ("CartDropped", "{\n  inner: Line;\n}"),
    ] {
        assert_eq!(exported_type(&catalog, name), format!("export type {name} = {expected};"));
    }
}

#[test]
fn names_that_are_no_identifiers_are_converted() {
    #[derive(Serialize, JsonSchema)]
    #[schemars(rename = "an odd/name~of%type")]
    struct Odd {
        next: Option<Box<Odd>>,
    }
    #[derive(Serialize, JsonSchema)]
    #[schemars(rename = "größe")]
    struct Size {
        value: u8,
    }
    #[derive(Serialize, JsonSchema)]
    #[schemars(rename = "3d")]
    struct Depth {
        odd: Odd,
        size: Size,
        result: Result<u8, Size>,
    }
    event!(Held, "test/held", Depth);
    let catalog = Catalog::new("tests").event::<Held>();
    for (name, expected) in [
        ("Held", "{\n  inner: Type3d;\n}"),
        (
            "Type3d",
            "{\n  odd: AnOddNameOfType;\n  result: ResultOfUint8OrGröße;\n  size: Größe;\n}",
        ),
        ("AnOddNameOfType", "{\n  next?: AnOddNameOfType | null;\n}"),
        ("Größe", "{\n  value: number;\n}"),
        ("ResultOfUint8OrGröße", "{ Ok: number } | { Err: Größe }"),
    ] {
        assert_eq!(exported_type(&catalog, name), format!("export type {name} = {expected};"));
    }
}

#[test]
fn references_are_found_with_and_without_percent_encoding() {
    macro_rules! held {
        ($reference:literal) => {
            catalog_of!("test/held", {
                "type": "object",
                "properties": { "inner": { "$ref": $reference } },
                "required": ["inner"],
                "$defs": { "a/b c": { "required": ["a"] } }
            })
        };
    }
    for catalog in [held!("#/$defs/a~1b c"), held!("#/$defs/a~1b%20c"), held!("#/$defs/a%7E1b%20c")]
    {
        assert_eq!(exported_type(&catalog, "Held"), "export type Held = {\n  inner: ABC;\n};");
        assert_eq!(exported_type(&catalog, "ABC"), "export type ABC = {\n  a: unknown;\n};");
    }
}

#[test]
fn a_payload_can_contain_itself() {
    #[derive(Serialize, JsonSchema, InngestEvent)]
    #[inngest(name = "storefront/comment.posted")]
    struct Comment {
        replies: Vec<Comment>,
        by_author: BTreeMap<String, Reply>,
    }
    #[derive(Serialize, JsonSchema)]
    struct Reply {
        to: Box<Comment>,
    }
    let catalog = Catalog::new("tests").event::<Comment>();
    assert_eq!(
        exported_type(&catalog, "CommentPosted"),
        "export type CommentPosted = {\n  by_author: { [key: string]: Reply };\n  replies: CommentPosted[];\n};"
    );
    assert_eq!(exported_type(&catalog, "Reply"), "export type Reply = {\n  to: CommentPosted;\n};");
}
