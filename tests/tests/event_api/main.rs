//! The in-process Event API: what it stores, which functions it runs and how its faults work. `conformance`
//! checks that it responds as the real one does.

mod faults;
mod functions;
mod keys;
mod limits;
mod stored;

use inngest_core::testing::EventApi;
use inngest_core::{DedupId, EventError, InngestEvent};
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct CartFilled {
    cart: String,
}

impl InngestEvent for CartFilled {
    const NAME: &'static str = "shop/cart.filled";
    const VERSION: Option<&'static str> = Some("2026-11-01.1");
    const ID_TEMPLATE: Option<&'static str> = Some("cart-filled-{cart}");

    fn dedup_id(&self) -> Result<Option<DedupId>, EventError> {
        DedupId::new(format!("cart-filled-{}", self.cart)).map(Some)
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct ShopOpened;

impl InngestEvent for ShopOpened {
    const NAME: &'static str = "shop/opened";
    const VERSION: Option<&'static str> = None;
    const ID_TEMPLATE: Option<&'static str> = None;

    fn dedup_id(&self) -> Result<Option<DedupId>, EventError> {
        Ok(None)
    }
}

fn cart(name: &str) -> CartFilled {
    CartFilled { cart: name.to_owned() }
}

/// Posts a body, with `seed` unless it is empty, and returns the response's body.
async fn post_seeded(api: &EventApi, body: &Value, seed: &str) -> Value {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut request = client.post(format!("{}/e/test", api.url())).body(body.to_string());
    if !seed.is_empty() {
        request = request.header("x-inngest-event-id-seed", seed);
    }
    let text = request.send().await.unwrap().text().await.unwrap();
    serde_json::from_str(&text).unwrap()
}

async fn post(api: &EventApi, body: &Value) -> Value {
    post_seeded(api, body, "").await
}
