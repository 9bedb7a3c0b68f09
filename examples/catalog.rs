//! The catalog of a sample storefront: types for functions in TypeScript and Python, schemas for tools, a page to
//! read, and a lock file, with which a test fails when a change breaks functions.
//!
//! ```text
//! cargo run --example catalog                 writes four files to a temporary directory, and shows a breaking change
//! cargo run --example catalog -- DIRECTORY    writes them to DIRECTORY
//! ```
//!
//! The files are in `examples/catalog`, and a test keeps them up to date. After a change of the events:
//!
//! ```text
//! INNGEST_EVENTS=bless cargo test -p inngest-examples --example catalog
//! ```

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

use inngest_core::catalog::Catalog;
use inngest_core::encryption::Encrypted;
use inngest_core::{InngestEvent, InngestEvents};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A customer has placed an order.
#[derive(Serialize, Deserialize, JsonSchema, InngestEvent)]
#[serde(rename_all = "camelCase")]
#[inngest(name = "storefront/order.placed", id = "order-placed-{order_number}", version = "1")]
struct OrderPlaced {
    order_number: u32,
    items: Vec<Item>,
    payment: Payment,
    /// Set if the customer used a coupon.
    coupon: Option<String>,
}

/// An item of an order.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Item {
    sku: String,
    quantity: u16,
    /// The price of one piece, in cents.
    cents: u32,
}

/// How the customer pays.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(tag = "method", rename_all = "lowercase")]
enum Payment {
    Card { last4: String },
    Invoice,
}

/// A customer has signed up.
#[derive(Serialize, Deserialize, JsonSchema, InngestEvent)]
#[inngest(name = "storefront/customer.joined", id = "customer-joined-{customer_id}")]
struct CustomerJoined {
    customer_id: u32,
    /// Functions receive it decrypted.
    encrypted: Encrypted<Contact>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Contact {
    email: String,
    phone: Option<String>,
}

/// A customer has used a coupon: version 1, of which events can still be delayed.
#[derive(Serialize, Deserialize, JsonSchema, InngestEvent)]
#[inngest(name = "storefront/coupon.redeemed", id = "coupon-redeemed-{code}", version = "1")]
struct CouponRedeemedV1 {
    code: String,
}

/// A customer has used a coupon.
#[derive(Serialize, Deserialize, JsonSchema, InngestEvent)]
#[inngest(name = "storefront/coupon.redeemed", id = "coupon-redeemed-{code}", version = "2")]
struct CouponRedeemedV2 {
    code: String,
    /// In percent of the order.
    discount: u8,
}

#[derive(InngestEvents)]
#[allow(dead_code, reason = "the catalog uses the types only")]
enum StorefrontEvent {
    OrderPlaced(OrderPlaced),
    CustomerJoined(CustomerJoined),
    CouponRedeemedV1(CouponRedeemedV1),
    CouponRedeemedV2(CouponRedeemedV2),
}

fn catalog() -> Catalog {
    Catalog::new("storefront")
        .description("The events of a sample storefront.")
        .events::<StorefrontEvent>()
}

/// Returns the files, each with its name.
fn files(catalog: &Catalog) -> Result<[(&'static str, String); 4], Box<dyn Error>> {
    Ok([
        ("events.ts", catalog.typescript()?),
        ("events.schema.json", format!("{:#}\n", catalog.json_schema()?)),
        ("asyncapi.json", format!("{:#}\n", catalog.asyncapi()?)),
        ("events.md", catalog.markdown()?),
    ])
}

/// The same event after a change that its version does not announce.
mod changed {
    use super::{Deserialize, InngestEvent, Item, JsonSchema, Serialize};

    /// A customer has placed an order.
    #[derive(Serialize, Deserialize, JsonSchema, InngestEvent)]
    #[serde(rename_all = "camelCase")]
    #[inngest(name = "storefront/order.placed", id = "order-placed-{order_number}", version = "1")]
    pub(super) struct OrderPlaced {
        order_number: u32,
        items: Vec<Item>,
        /// Was `payment`, an object.
        payment_method: String,
        coupon: Option<String>,
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let directory =
        env::args_os().nth(1).map_or_else(|| env::temp_dir().join("catalog"), PathBuf::from);
    let catalog = catalog();
    fs::create_dir_all(&directory)?;
    for (name, text) in files(&catalog)? {
        let path = directory.join(name);
        fs::write(&path, &text)?;
        println!("{}: {} lines", path.display(), text.lines().count());
    }

    println!("\nThe beginning of events.ts:\n");
    for line in catalog.typescript()?.lines().take(40) {
        println!("  {line}");
    }

    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("catalog/events.lock.json");
    println!("\nThe events against {}:", lock.display());
    match catalog.check_lock(&lock) {
        Ok(()) => println!("  no change"),
        Err(error) => println!("{error}"),
    }
    println!("\nThe same after a change of `OrderPlaced`:\n");
    let changed = Catalog::new("storefront")
        .event::<changed::OrderPlaced>()
        .event::<CustomerJoined>()
        .event::<CouponRedeemedV1>()
        .event::<CouponRedeemedV2>();
    if let Err(error) = changed.check_lock(&lock) {
        println!("{error}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_are_up_to_date() {
        let catalog = catalog();
        for (name, text) in files(&catalog).expect("the catalog is valid") {
            catalog.assert_file(Path::new("catalog").join(name), &text);
        }
    }

    #[test]
    fn the_events_break_no_function() {
        catalog().assert_lock("catalog/events.lock.json");
    }

    #[test]
    fn the_changed_event_breaks_functions() {
        let changed = Catalog::new("storefront").event::<changed::OrderPlaced>();
        let error = changed.check_lock("catalog/events.lock.json").expect_err("the change breaks");
        assert!(error.to_string().contains("payment"), "{error}");
    }
}
