//! A web service that sends events, with unit and integration tests.
//!
//! ```text
//! cargo test --example axum                      runs its tests
//! INNGEST_DEV=1 cargo run --example axum         runs the service, sending to a Dev Server
//! curl localhost:3000/carts/ed12/checkout -H 'content-type: application/json' -d '{"itemIds":["lamp"]}'
//! ```

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use inngest_core::{Client, EventId, InngestEvent};
use serde::{Deserialize, Serialize};

#[derive(Debug, PartialEq, Serialize, Deserialize, InngestEvent)]
#[serde(rename_all = "camelCase")]
#[inngest(
    name = "storefront/cart.checkout.completed",
    id = "cart-checkout-completed-{cart_id}",
    version = "2026-11-01.1"
)]
struct CheckoutCompleted {
    cart_id: String,
    item_ids: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cart {
    item_ids: Vec<String>,
}

/// Returns the service. Cloning a client is cheap, so it can be part of the application's state.
fn app(client: Client) -> Router {
    Router::new().route("/carts/{cart_id}/checkout", post(checkout)).with_state(client)
}

async fn checkout(
    State(client): State<Client>,
    Path(cart_id): Path<String>,
    Json(cart): Json<Cart>,
) -> Result<(StatusCode, Json<EventId>), (StatusCode, String)> {
    if cart.item_ids.is_empty() {
        return Err((StatusCode::UNPROCESSABLE_ENTITY, "the cart is empty".to_owned()));
    }
    let completed = CheckoutCompleted { cart_id, item_ids: cart.item_ids };
    match client.send(completed).await {
        Ok(id) => Ok((StatusCode::ACCEPTED, Json(id))),
        Err(error) if error.is_retryable() => {
            Err((StatusCode::SERVICE_UNAVAILABLE, "please try again".to_owned()))
        }
        Err(error) => Err((StatusCode::INTERNAL_SERVER_ERROR, error.to_string())),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    println!("listening at http://{}", listener.local_addr()?);
    axum::serve(listener, app(Client::from_env()?)).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use inngest_core::Event;
    use inngest_core::testing::{EventApi, Fault, RunState};
    use serde_json::json;
    use tower::ServiceExt;

    use super::*;

    /// Requests a checkout, and returns the response's status and body.
    async fn check_out(client: &Client, cart_id: &str, item_ids: &[&str]) -> (StatusCode, String) {
        let request = Request::post(format!("/carts/{cart_id}/checkout"))
            .header("content-type", "application/json")
            .body(Body::from(json!({ "itemIds": item_ids }).to_string()))
            .unwrap();
        let response = app(client.clone()).oneshot(request).await.unwrap();
        let status = response.status();
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, String::from_utf8(body.into()).unwrap())
    }

    // Unit tests: which events the handler sends, without a network.

    #[tokio::test]
    async fn a_checkout_sends_one_event() {
        let (client, sent) = Client::recorder();
        let (status, _) = check_out(&client, "ed12", &["lamp", "shade"]).await;
        assert_eq!(status, StatusCode::ACCEPTED);

        let completed: Event<CheckoutCompleted> = sent.one();
        assert_eq!(completed.data.item_ids, ["lamp", "shade"]);
        assert_eq!(completed.given_id(), Some("cart-checkout-completed-ed12"));
        sent.nothing_else();
    }

    #[tokio::test]
    async fn an_empty_cart_sends_no_event() {
        let (client, sent) = Client::recorder();
        let (status, _) = check_out(&client, "ed12", &[]).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        sent.nothing_else();
    }

    // Integration tests: which functions the events start, with a real server that runs them.

    /// Sends a receipt. This is the function under test, with the signature that it has in production.
    async fn send_receipt(event: Event<CheckoutCompleted>) -> Result<(), String> {
        if event.data.item_ids.contains(&"unknown".to_owned()) {
            return Err("an item is unknown".to_owned());
        }
        Ok(())
    }

    #[tokio::test]
    async fn a_customer_who_clicks_twice_gets_one_receipt() {
        let api = EventApi::start().await;
        api.on("send-receipt", send_receipt);
        let client = api.client();
        for _ in 0..2 {
            let (status, id) = check_out(&client, "ed12", &["lamp"]).await;
            assert_eq!(status, StatusCode::ACCEPTED);
            let stored = api.events().pop().unwrap();
            assert_eq!(id, json!(stored.id).to_string());
        }
        api.idle().await;

        let lamp = CheckoutCompleted { cart_id: "ed12".into(), item_ids: vec!["lamp".into()] };
        assert_eq!(api.events_of::<CheckoutCompleted>()[0].data, lamp);
        assert_eq!(api.runs_of("send-receipt").len(), 1);
        assert_eq!(api.runs_of("send-receipt")[0].state, RunState::Done);
    }

    #[tokio::test]
    async fn a_lost_response_causes_no_second_receipt() {
        let api = EventApi::start().await;
        api.on("send-receipt", send_receipt);
        api.fail_next(Fault::drop_before_answer());
        let (status, _) = check_out(&api.client(), "ed12", &["lamp"]).await;
        assert_eq!(status, StatusCode::ACCEPTED);
        api.idle().await;
        assert_eq!(api.requests().len(), 2);
        assert_eq!(api.runs_of("send-receipt").len(), 1);
    }

    #[tokio::test]
    async fn a_failing_function_is_attempted_five_times() {
        let api = EventApi::start().await;
        api.on("send-receipt", send_receipt);
        check_out(&api.client(), "ed12", &["unknown"]).await;
        api.idle().await;
        let run = &api.runs_of("send-receipt")[0];
        assert_eq!(run.state, RunState::Failed("an item is unknown".to_owned()));
        assert_eq!(run.attempts, 5);
    }

    #[tokio::test]
    async fn a_wrong_key_is_an_internal_server_error() {
        let api = EventApi::start().await;
        api.accept_only_keys(["the-right-key"]);
        let (status, text) = check_out(&api.client(), "ed12", &["lamp"]).await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(text.contains("the event key is refused"), "{text}");
        assert!(api.events().is_empty());
    }
}
