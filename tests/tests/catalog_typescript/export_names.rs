//! The names of the exports.

use inngest_core::InngestEvent;
use inngest_core::catalog::{Catalog, CatalogError};
use schemars::JsonSchema;
use serde::Serialize;

/// Checks the names of the exports for events of these names.
macro_rules! assert_exports {
    ($($name:literal => $ty:literal, $value:literal;)*) => {$({
        #[derive(Serialize, JsonSchema, InngestEvent)]
        #[inngest(name = $name)]
        struct Empty {}

        let text = Catalog::new("tests").event::<Empty>().typescript().unwrap();
        let ty = format!("\nexport type {} = Record<string, never>;\n", $ty);
        assert!(text.contains(&ty), "no{ty}in:\n{text}");
        let value = format!(
            "\nexport const {} = eventType({:?}, {{\n  schema: staticSchema<{}>(),\n}});\n",
            $value, $name, $ty
        );
        assert!(text.contains(&value), "no{value}in:\n{text}");
    })*};
}

#[test]
fn exports_are_named_after_the_event_without_its_domain() {
    assert_exports! {
        "storefront/cart.updated" => "CartUpdated", "cartUpdated";
        "storefront/page.of-items" => "PageOfItems", "pageOfItems";
        "a/b/cart_checkout.completed" => "CartCheckoutCompleted", "cartCheckoutCompleted";
        "joined" => "Joined", "joined";
        "app/CartUpdated" => "CartUpdated", "cartUpdated";
        "app/SKU.changed" => "SKUChanged", "skuChanged";
        "app/sku.3d-view" => "Sku3dView", "sku3dView";
        "app/a..b--c" => "ABC", "aBC";
        "laden/größe.geändert" => "GrößeGeändert", "größeGeändert";
        "laden/ärger" => "Ärger", "ärger";
        "店舗/注文.確定" => "注文確定", "注文確定";
        "app/x²" => "X", "x";
    }
}

#[test]
fn names_that_typescript_reserves_get_the_word_event() {
    assert_exports! {
        "app/delete" => "DeleteEvent", "deleteEvent";
        "app/new" => "NewEvent", "newEvent";
        "app/event.type" => "EventTypeEvent", "eventTypeEvent";
        "app/static.schema" => "StaticSchemaEvent", "staticSchemaEvent";
        "app/record" => "RecordEvent", "recordEvent";
        "app/error" => "ErrorEvent", "errorEvent";
        "app/2fa.enabled" => "Event2faEnabled", "event2faEnabled";
        "app/404" => "Event404", "event404";
        "app/" => "Event", "event";
        "app/-" => "Event", "event";
    }
}

macro_rules! event {
    ($ty:ident, $name:literal $(, $version:literal)?) => {
        #[derive(Serialize, JsonSchema, InngestEvent)]
        #[inngest(name = $name $(, version = $version)?)]
        struct $ty {}
    };
}

fn same_export(catalog: &Catalog) -> (String, String) {
    let error = catalog.typescript().unwrap_err();
    let text = error.to_string();
    match error {
        CatalogError::SameExport { export, first, second } => {
            for name in [&export, &first, &second] {
                assert!(text.contains(name), "{text}");
            }
            (export, format!("{first} and {second}"))
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn two_events_with_one_export_are_an_error_that_names_both() {
    event!(Cart, "storefront/cart.updated");
    event!(Warehouse, "warehouse/cart-updated");
    let (export, events) = same_export(&Catalog::new("tests").event::<Cart>().event::<Warehouse>());
    assert_eq!(export, "CartUpdated");
    assert_eq!(events, "`storefront/cart.updated` and `warehouse/cart-updated`");

    // Their types differ, but not their values.
    event!(Upper, "app/SKU.changed");
    event!(Lower, "app/sku.changed");
    let (export, events) = same_export(&Catalog::new("tests").event::<Upper>().event::<Lower>());
    assert_eq!(export, "skuChanged");
    assert_eq!(events, "`app/SKU.changed` and `app/sku.changed`");
}

#[test]
fn each_of_several_versions_has_exports_and_so_have_all_of_them() {
    event!(Unversioned, "storefront/cart.updated");
    event!(Second, "storefront/cart.updated", "2");
    event!(Third, "storefront/cart.updated", "v3");
    event!(Dated, "storefront/cart.updated", "2026-11-01.1");
    let catalog = Catalog::new("tests")
        .event::<Dated>()
        .event::<Third>()
        .event::<Second>()
        .event::<Unversioned>();
    let text = catalog.typescript().unwrap();
    let union = "\nexport type CartUpdated =\n  | CartUpdatedUnversioned\n  | CartUpdatedV2\n  \
                 | CartUpdatedV2026_11_01_1\n  | CartUpdatedV3;\n";
    assert!(text.contains(union), "{text}");
    for (value, ty, version) in [
        ("cartUpdatedUnversioned", "CartUpdatedUnversioned", ""),
        ("cartUpdatedV2", "CartUpdatedV2", "  version: \"2\",\n"),
        ("cartUpdatedV2026_11_01_1", "CartUpdatedV2026_11_01_1", "  version: \"2026-11-01.1\",\n"),
        ("cartUpdatedV3", "CartUpdatedV3", "  version: \"v3\",\n"),
        ("cartUpdated", "CartUpdated", ""),
    ] {
        let export = format!(
            "\nexport const {value} = eventType(\"storefront/cart.updated\", {{\n  \
             schema: staticSchema<{ty}>(),\n{version}}});\n"
        );
        assert!(text.contains(&export), "no{export}in:\n{text}");
    }
}

#[test]
fn an_export_of_a_version_can_collide_too() {
    event!(First, "storefront/cart.updated", "1");
    event!(Second, "storefront/cart.updated", "2");
    event!(Prefixed, "storefront/cart.updated", "v2");
    event!(Named, "storefront/cart.updated.v2");
    let (export, events) =
        same_export(&Catalog::new("tests").event::<Second>().event::<Prefixed>());
    assert_eq!(export, "CartUpdatedV2");
    assert_eq!(
        events,
        "`storefront/cart.updated`, version `2` and `storefront/cart.updated`, version `v2`"
    );
    let (export, events) =
        same_export(&Catalog::new("tests").event::<First>().event::<Second>().event::<Named>());
    assert_eq!(export, "CartUpdatedV2");
    assert_eq!(events, "`storefront/cart.updated`, version `2` and `storefront/cart.updated.v2`");
    // One version alone is exported without its version.
    Catalog::new("tests").event::<Second>().event::<Named>().typescript().unwrap();
}
