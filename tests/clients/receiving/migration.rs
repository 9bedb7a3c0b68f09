//! The two versions of the code that the guide migrates. `tests/clients/run` compares this file with the guide.

mod official {
    use inngest::client::Inngest;
    use inngest::event::Event;
    use inngest::result::DevError;

    use crate::storefront::OrderPlaced;

    pub async fn place(inngest: &Inngest, order: OrderPlaced) -> Result<(), DevError> {
        let id = format!("order-placed-{}", order.order_id);
        let event = Event::new("storefront/order.placed", order).id(&id).version("2");
        inngest.send_event(&event).await
    }
}

mod ours {
    use inngest_core::{Client, EventId, SendError};

    use crate::storefront::OrderPlaced;

    pub async fn place(client: &Client, order: OrderPlaced) -> Result<EventId, SendError> {
        client.send(order).await
    }
}

/// Checks that both versions send the same event.
pub async fn sends_the_same_event() {
    let api = inngest_core::testing::EventApi::start().await;
    let inngest =
        inngest::client::Inngest::new("shop").event_api_origin(api.url()).event_key("test");
    official::place(&inngest, crate::order()).await.unwrap_or_else(|_| panic!("not sent"));
    ours::place(&api.client(), crate::order()).await.unwrap();
    let [before, after] = api.requests().try_into().expect("one request for each");
    assert_eq!(before.path.split('/').next_back(), Some("test"));
    assert_eq!(fields(&before), fields(&after));
}

/// Returns the only event of a request, without the fields that are null.
fn fields(request: &inngest_core::testing::ReceivedRequest) -> serde_json::Value {
    let body = request.json().unwrap();
    let mut event = body.as_array().map_or(&body, |events| &events[0]).clone();
    event.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    event
}
